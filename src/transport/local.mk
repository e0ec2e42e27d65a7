# libtund_transport.a: what carries outer messages. A new transport is a source and a row in
# transport_table.c.
noinst_LIBRARIES += libtund_transport.a
libtund_transport_a_SOURCES = \
	include/tund/transport/transport.h src/transport/transport.c src/transport/transport_table.c \
	include/tund/transport/udp.h src/transport/udp.c \
	src/transport/tcp.h src/transport/tcp.c src/transport/tcp_connection.c \
	src/transport/tcp_open.c
