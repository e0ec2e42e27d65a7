# libtund_worker.a: threads with loops of their own.
noinst_LIBRARIES += libtund_worker.a
libtund_worker_a_SOURCES = \
	include/tund/worker/inbox.h src/worker/inbox.c \
	include/tund/worker/worker.h src/worker/worker.c
