# libtund_core.a: the sans-I/O layers base, wire, crypto, session and policy. Unit tests and fuzzers
# link nothing else.
noinst_LIBRARIES += libtund_core.a
libtund_core_a_CFLAGS = $(AM_CFLAGS) $(SODIUM_CFLAGS) $(CRYPTO_CFLAGS)
CORE_LIBS = libtund_core.a $(IPSEC_MB_LIBS) $(SODIUM_LIBS) $(CRYPTO_LIBS)

libtund_core_a_SOURCES = \
	include/tund/base/addr.h src/base/addr.c \
	include/tund/base/arena.h src/base/arena.c \
	include/tund/base/base64.h src/base/base64.c \
	include/tund/base/bytes.h \
	include/tund/base/epoch.h src/base/epoch.c \
	include/tund/base/lock.h \
	include/tund/base/network.h src/base/network.c \
	include/tund/base/prefixes.h src/base/prefixes.c \
	include/tund/base/ring.h src/base/ring.c \
	include/tund/base/siphash.h src/base/siphash.c \
	include/tund/base/time.h
