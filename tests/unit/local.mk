# Every unit test links the sans-I/O core only.
UNIT_LIBS = libtund_core.a $(CHECK_LIBS) $(SODIUM_LIBS) $(B2_LIBS) $(CRYPTO_LIBS) $(IPSEC_MB_LIBS)
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)

check_PROGRAMS += tests/unit/check_addr
tests_unit_check_addr_SOURCES = tests/unit/check_addr.c tests/unit/tap.h
tests_unit_check_addr_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_addr_LDADD = $(UNIT_LIBS)
