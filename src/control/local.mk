# libexec/tund/control: command socket, status and the JSON of control frames. All but main.c is a
# library, which the tests and fuzzers link, too.
CONTROL_LIBS = libtund_config.a libtund_link.a libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(JANSSON_LIBS) \
	$(SECCOMP_LIBS) $(CAPNG_LIBS)

noinst_LIBRARIES += libtund_control.a
libtund_control_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
libtund_control_a_SOURCES = \
	src/control/ask.h src/control/ask.c \
	src/control/command.h src/control/command.c \
	src/control/control.h src/control/control.c \
	src/control/control_command.c \
	src/control/control_engine.c \
	src/control/control_parent.c \
	src/control/device_index.h src/control/device_index.c \
	src/control/edge.h src/control/edge.c \
	src/control/edge_grant.h src/control/edge_grant.c \
	src/control/edge_identities.h src/control/edge_identities.c \
	src/control/edge_push.h src/control/edge_push.c \
	src/control/hub.h src/control/hub.c \
	src/control/member.h src/control/member.c \
	src/control/member_network.h src/control/member_network.c \
	src/control/control_message.h src/control/control_message.c \
	src/control/control_message_names.h src/control/control_message_encode.c \
	src/control/request.h src/control/request.c \
	src/control/resolve.h src/control/resolve.c \
	src/control/role.h \
	src/control/peers.h src/control/peers.c \
	src/control/status.h src/control/status.c \
	src/control/status_json.c \
	src/control/status_collect.h src/control/status_collect.c

pkglibexec_PROGRAMS += src/control/control
src_control_control_SOURCES = src/control/main.c
src_control_control_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
src_control_control_LDADD = libtund_control.a $(CONTROL_LIBS)
