# libexec/tund/engine: keys, sessions, policy and packets. All but main.c is a library, which the tests
# link, too.
ENGINE_LIBS = libtund_engine.a libtund_transport.a libtund_worker.a libtund_config.a libtund_link.a \
	libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)

noinst_LIBRARIES += libtund_engine.a
libtund_engine_a_SOURCES = \
	src/engine/control_link.h src/engine/control_link.c \
	src/engine/counters.h \
	src/engine/data_worker.h src/engine/data_worker.c \
	src/engine/dataplane.h src/engine/dataplane.c \
	src/engine/egress.h src/engine/egress.c \
	src/engine/engine.h \
	src/engine/from_control.h src/engine/from_control.c \
	src/engine/from_parent.h src/engine/from_parent.c \
	src/engine/main_thread.h src/engine/main_thread.c \
	src/engine/packet.h \
	src/engine/parent_link.h src/engine/parent_link.c \
	src/engine/report.h src/engine/report.c \
	src/engine/role.h \
	src/engine/role_client.c \
	src/engine/role_connector.c \
	src/engine/role_edge.c \
	src/engine/role_enforcer.h src/engine/role_enforcer.c \
	src/engine/role_member.h src/engine/role_member.c \
	src/engine/role_wireguard.h src/engine/role_wireguard.c \
	src/engine/role_wireguard_listen.c \
	src/engine/role_wireguard_table.c \
	src/engine/role_wireguard_uapi.c \
	src/engine/role_wireguard_zone.c \
	src/engine/tun_port.h src/engine/tun_port.c \
	src/engine/uapi.h src/engine/uapi.c \
	src/engine/uapi_tunnel.h src/engine/uapi_tunnel.c \
	src/engine/uplink.h src/engine/uplink.c

pkglibexec_PROGRAMS += src/engine/engine
src_engine_engine_SOURCES = src/engine/main.c
src_engine_engine_LDADD = $(ENGINE_LIBS)
