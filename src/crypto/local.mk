libtund_core_a_SOURCES += \
	include/tund/crypto/aead.h \
	include/tund/crypto/blake2s.h \
	include/tund/crypto/random.h \
	include/tund/crypto/secret.h \
	include/tund/crypto/x25519.h \
	include/tund/crypto/xaead.h
