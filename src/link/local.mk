# libtund_link.a: what our processes say to each other, sent and dispatched. Only a program that uses
# link_ev.c needs libev.
noinst_LIBRARIES += libtund_link.a
libtund_link_a_SOURCES = \
	include/tund/link/dispatch.h src/link/dispatch.c \
	include/tund/link/link.h src/link/link.c \
	include/tund/link/link_ev.h src/link/link_ev.c
