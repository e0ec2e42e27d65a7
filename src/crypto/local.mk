# The ciphers, hashes and keys, and the libraries behind them; part of libtund_core.a.
libtund_core_a_SOURCES += \
	include/tund/crypto/aead.h src/crypto/aead.c \
	include/tund/crypto/blake2s.h src/crypto/blake2s.c \
	include/tund/crypto/random.h src/crypto/random.c \
	include/tund/crypto/secret.h src/crypto/secret.c src/crypto/secret_slab.c \
	include/tund/crypto/x25519.h src/crypto/x25519.c \
	include/tund/crypto/xaead.h src/crypto/xaead.c \
	src/crypto/aead_providers.h \
	src/crypto/aead_crypto.c \
	src/crypto/aead_ipsec_mb.c \
	src/crypto/aead_null.c \
	src/crypto/aead_self_test.c \
	src/crypto/aead_sodium.c
