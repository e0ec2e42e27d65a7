libtund_core_a_SOURCES += \
	include/tund/base/addr.h src/base/addr.c \
	include/tund/base/base64.h src/base/base64.c \
	include/tund/base/bytes.h \
	include/tund/base/time.h
