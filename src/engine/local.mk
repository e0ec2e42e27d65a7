# libexec/tund/engine: keys, sessions, policy and packets.
ENGINE_LIBS = libtund_config.a libtund_sys.a $(CORE_LIBS) $(EV_LIBS) $(SECCOMP_LIBS) $(CAPNG_LIBS)

pkglibexec_PROGRAMS += src/engine/engine
src_engine_engine_SOURCES = \
	include/tund/engine/control_link.h src/engine/control_link.c \
	include/tund/engine/engine.h src/engine/engine.c \
	include/tund/engine/outer.h src/engine/outer.c \
	include/tund/engine/parent_link.h src/engine/parent_link.c \
	include/tund/engine/tun_port.h src/engine/tun_port.c \
	include/tund/engine/uplink.h src/engine/uplink.c \
	src/engine/client.c \
	src/engine/connector.c \
	src/engine/edge.c \
	src/engine/judged.h src/engine/judged.c \
	src/engine/main.c \
	src/engine/outer_ports.h \
	src/engine/tcp_ports.c \
	src/engine/udp_ports.c
src_engine_engine_LDADD = $(ENGINE_LIBS)
