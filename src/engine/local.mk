# libexec/tund/engine: keys, sessions, policy and packets.
ENGINE_LIBS = libtund_config.a libtund_link.a libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)

pkglibexec_PROGRAMS += src/engine/engine
src_engine_engine_SOURCES = \
	src/engine/control_link.h src/engine/control_link.c \
	src/engine/egress.h src/engine/egress.c \
	src/engine/engine.h src/engine/engine.c \
	src/engine/inbox.h src/engine/inbox.c \
	src/engine/outer.h src/engine/outer.c \
	src/engine/parent_link.h src/engine/parent_link.c \
	src/engine/role.h \
	src/engine/tun_port.h src/engine/tun_port.c \
	src/engine/uapi.h src/engine/uapi.c src/engine/uapi_tunnel.c \
	src/engine/uplink.h src/engine/uplink.c \
	src/engine/worker.h src/engine/worker.c \
	src/engine/main.c \
	src/engine/outer_ports.h \
	src/engine/outer_tcp.c \
	src/engine/outer_tcp.h \
	src/engine/outer_tcp_open.c \
	src/engine/outer_udp.c \
	src/engine/role_client.c \
	src/engine/role_connector.c \
	src/engine/role_edge.c \
	src/engine/role_enforcer.c \
	src/engine/role_enforcer.h \
	src/engine/role_wireguard.c \
	src/engine/role_wireguard.h \
	src/engine/role_wireguard_listen.c \
	src/engine/role_wireguard_table.c \
	src/engine/role_wireguard_uapi.c \
	src/engine/role_wireguard_zone.c
src_engine_engine_LDADD = $(ENGINE_LIBS)
