# A unit test tests/unit/check_MODULE.c is one word in UNIT_TESTS; it links the sans-I/O core and
# Check. What else one needs it says in its own _LDADD (with $(UNIT_LIBS) last) and _CFLAGS.
UNIT_LIBS = $(CORE_LIBS) $(CHECK_LIBS)
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
LDADD = $(UNIT_LIBS)

UNIT_TESTS = \
	tests/unit/check_addr \
	tests/unit/check_base64

# Those with threads: scripts/test runs them under ThreadSanitizer, too.
TSAN_TESTS =

check_PROGRAMS += $(UNIT_TESTS)
noinst_HEADERS += tests/unit/tap.h
