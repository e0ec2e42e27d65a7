# Messages and packets as they are on the wire; part of libtund_core.a.
libtund_core_a_SOURCES += \
	include/tund/wire/checksum.h src/wire/checksum.c \
	include/tund/wire/coalesce.h src/wire/coalesce.c src/wire/coalesce_view.h src/wire/coalesce_view.c \
	include/tund/wire/control_frame.h \
	include/tund/wire/frame.h src/wire/frame.c \
	include/tund/wire/gso.h src/wire/gso.c \
	include/tund/wire/inner.h src/wire/inner.c \
	include/tund/wire/message.h src/wire/message.c \
	include/tund/wire/peek.h src/wire/peek.c \
	include/tund/wire/segment.h src/wire/segment.c \
	include/tund/wire/uapi.h src/wire/uapi.c \
	include/tund/wire/virtio.h src/wire/virtio.c
