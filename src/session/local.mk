# Handshakes, keypairs, timers, paths and control frames; part of libtund_core.a.
libtund_core_a_SOURCES += \
	src/session/control_channel.h src/session/control_channel.c \
	src/session/control_channel_frame.c src/session/control_channel_in.c \
	src/session/control_channel_out.c src/session/control_channel_state.h \
	src/session/cookie.h src/session/cookie.c \
	src/session/limits.h \
	include/tund/session/node.h src/session/node.c \
	include/tund/session/path.h \
	src/session/node_control.h src/session/node_control.c \
	src/session/node_data.h src/session/node_data.c \
	src/session/node_due.h src/session/node_due.c \
	src/session/node_event.h src/session/node_event.c \
	src/session/node_handshake.h src/session/node_handshake.c \
	src/session/node_index.h src/session/node_index.c \
	src/session/node_initiate.h src/session/node_initiate.c \
	src/session/node_keypair.h src/session/node_keypair.c \
	src/session/node_path.h src/session/node_path.c \
	src/session/node_peer.h src/session/node_peer.c \
	src/session/node_state.h \
	src/session/node_suite.h src/session/node_suite.c \
	src/session/node_timers.h src/session/node_timers.c \
	src/session/node_traffic.h src/session/node_traffic.c \
	include/tund/session/lane.h src/session/lane.c \
	src/session/lane_drain.c \
	src/session/lane_receive.c \
	src/session/lane_send.c \
	src/session/lane_state.h \
	src/session/noise.h src/session/noise.c \
	src/session/ratelimit.h src/session/ratelimit.c \
	include/tund/session/reason.h src/session/reason.c \
	src/session/replay.h src/session/replay.c \
	include/tund/session/setting.h src/session/setting.c \
	src/session/snapshot.h src/session/snapshot.c \
	src/session/snapshot_keypair.c \
	src/session/snapshot_part.h \
	src/session/snapshot_path.c \
	src/session/snapshot_peer.c \
	src/session/shared_path.h src/session/shared_path.c \
	src/session/tai64n.h src/session/tai64n.c \
	src/session/timer_heap.h src/session/timer_heap.c
