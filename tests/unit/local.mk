# A unit test tests/unit/check_MODULE.c is one word in UNIT_TESTS; it links the sans-I/O core and
# Check. What else one needs it says in its own _LDADD (with $(UNIT_LIBS) last) and _CFLAGS.
UNIT_LIBS = $(CORE_LIBS) $(CHECK_LIBS)
UNIT_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
LDADD = $(UNIT_LIBS)

UNIT_TESTS = \
	tests/unit/check_addr \
	tests/unit/check_aead \
	tests/unit/check_arena \
	tests/unit/check_base64 \
	tests/unit/check_blake2s \
	tests/unit/check_channel \
	tests/unit/check_checksum \
	tests/unit/check_child \
	tests/unit/check_coalesce \
	tests/unit/check_command \
	tests/unit/check_config \
	tests/unit/check_config_options \
	tests/unit/check_control \
	tests/unit/check_control_channel \
	tests/unit/check_daemon \
	tests/unit/check_data_worker \
	tests/unit/check_dispatch \
	tests/unit/check_edge_grant \
	tests/unit/check_cookie \
	tests/unit/check_engine \
	tests/unit/check_epoch \
	tests/unit/check_explain \
	tests/unit/check_file \
	tests/unit/check_flow \
	tests/unit/check_flow_cache \
	tests/unit/check_forward \
	tests/unit/check_fragment \
	tests/unit/check_frame \
	tests/unit/check_gso \
	tests/unit/check_inbox \
	tests/unit/check_inner \
	tests/unit/check_node \
	tests/unit/check_journal \
	tests/unit/check_lane \
	tests/unit/check_link \
	tests/unit/check_log \
	tests/unit/check_lpm \
	tests/unit/check_memfd \
	tests/unit/check_message \
	tests/unit/check_model \
	tests/unit/check_connector_policy \
	tests/unit/check_network \
	tests/unit/check_nft \
	tests/unit/check_noise \
	tests/unit/check_control_message \
	tests/unit/check_notify \
	tests/unit/check_peek \
	tests/unit/check_pace \
	tests/unit/check_policy \
	tests/unit/check_prefixes \
	tests/unit/check_process \
	tests/unit/check_question \
	tests/unit/check_queues \
	tests/unit/check_random \
	tests/unit/check_ratelimit \
	tests/unit/check_names \
	tests/unit/check_next_hops \
	tests/unit/check_reason \
	tests/unit/check_refusal \
	tests/unit/check_reload \
	tests/unit/check_registry \
	tests/unit/check_replay \
	tests/unit/check_request \
	tests/unit/check_ring \
	tests/unit/check_peers \
	tests/unit/check_secret \
	tests/unit/check_segment \
	tests/unit/check_setting \
	tests/unit/check_shared_path \
	tests/unit/check_siphash \
	tests/unit/check_snapshot \
	tests/unit/check_socket \
	tests/unit/check_status \
	tests/unit/check_supervisor \
	tests/unit/check_sysctl \
	tests/unit/check_tai64n \
	tests/unit/check_timer_heap \
	tests/unit/check_transport \
	tests/unit/check_tun \
	tests/unit/check_uapi \
	tests/unit/check_udp \
	tests/unit/check_unixsock \
	tests/unit/check_verify \
	tests/unit/check_virtio \
	tests/unit/check_words \
	tests/unit/check_worker \
	tests/unit/check_x25519 \
	tests/unit/check_xaead \
	tests/unit/coalesce_headers \
	tests/unit/handshake_table \
	tests/unit/manual_options \
	tests/unit/protocol_by_hand \
	tests/sim/day \
	tests/sim/handshakes \
	tests/sim/paths \
	tests/sim/workers \
	tests/unit/wycheproof

# Those with threads: scripts/test runs them under ThreadSanitizer, too.
TSAN_TESTS = \
	tests/unit/check_aead \
	tests/unit/check_data_worker \
	tests/unit/check_engine \
	tests/unit/check_epoch \
	tests/unit/check_flow \
	tests/unit/check_flow_cache \
	tests/unit/check_inbox \
	tests/unit/check_registry \
	tests/unit/check_ring \
	tests/unit/check_shared_path \
	tests/unit/check_transport \
	tests/unit/check_worker \
	tests/sim/workers

check_PROGRAMS += $(UNIT_TESTS)

# Tests that make packets to be cut and joined.
PACKET_SOURCES = tests/unit/gso_packets.c tests/unit/gso_packets.h \
	tests/unit/gso_oracle.c tests/unit/gso_oracle.h
ORDER_SOURCES = tests/unit/gso_order.c tests/unit/gso_order.h $(PACKET_SOURCES)
RECORDING_SOURCES = tests/unit/coalesce_recording.c tests/unit/coalesce_recording.h $(ORDER_SOURCES)
tests_unit_check_coalesce_SOURCES = tests/unit/check_coalesce.c $(RECORDING_SOURCES)
tests_unit_coalesce_headers_SOURCES = tests/unit/coalesce_headers.c $(RECORDING_SOURCES)
tests_unit_check_gso_SOURCES = tests/unit/check_gso.c $(PACKET_SOURCES)
tests_unit_check_segment_SOURCES = tests/unit/check_segment.c $(PACKET_SOURCES)
tests_unit_check_virtio_SOURCES = tests/unit/check_virtio.c $(PACKET_SOURCES)
noinst_HEADERS += tests/unit/tap.h tests/unit/config_cases.h tests/unit/vectors.h tests/unit/blake2s_table.h
noinst_HEADERS += tests/unit/prng.h

# Tests that read vectors, the public ones or ours.
VECTOR_SOURCES = tests/unit/vectors.c
VECTOR_LDADD = $(UNIT_LIBS) $(JANSSON_LIBS)
EXTRA_DIST += \
	tests/vectors/blake2s_table.py \
	tests/vectors/ikpsk2_dissononce.json \
	tests/vectors/noise_dissononce.py
tests_unit_check_noise_SOURCES = tests/unit/check_noise.c $(VECTOR_SOURCES)
tests_unit_check_noise_LDADD = $(VECTOR_LDADD)
tests_unit_wycheproof_SOURCES = tests/unit/wycheproof.c $(VECTOR_SOURCES)
tests_unit_wycheproof_LDADD = $(VECTOR_LDADD)

# Those of the session protocol as a whole run on the simulated network.
tests_unit_check_setting_SOURCES = tests/unit/check_setting.c $(SIM_SOURCES)
tests_unit_check_node_SOURCES = tests/unit/check_node.c $(PAIR_SOURCES)
tests_unit_check_snapshot_SOURCES = tests/unit/check_snapshot.c $(PAIR_SOURCES)
tests_unit_check_lane_SOURCES = tests/unit/check_lane.c $(PAIR_SOURCES)
tests_unit_handshake_table_SOURCES = tests/unit/handshake_table.c $(SIM_SOURCES)
tests_sim_day_SOURCES = tests/sim/day.c $(SIM_SOURCES)
tests_sim_paths_SOURCES = tests/sim/paths.c $(PAIR_SOURCES)
tests_sim_handshakes_SOURCES = tests/sim/handshakes.c $(PAIR_SOURCES)
tests_unit_protocol_by_hand_SOURCES = tests/unit/protocol_by_hand.c $(PAIR_SOURCES)

tests_sim_workers_SOURCES = tests/sim/workers.c $(PAIR_SOURCES)

# The parser's own libraries come before the core.
tests_unit_check_config_SOURCES = tests/unit/check_config.c $(VECTOR_SOURCES)
tests_unit_check_config_LDADD = libtund_config.a $(CONFUSE_LIBS) $(VECTOR_LDADD)
tests_unit_check_config_options_LDADD = libtund_config.a $(CONFUSE_LIBS) $(UNIT_LIBS)
tests_unit_manual_options_SOURCES = tests/unit/manual_options.c
tests_unit_manual_options_LDADD = libtund_config.a $(UNIT_LIBS)

# Those of sys.
SYS_LDADD = libtund_sys.a $(UNIT_LIBS)
tests_unit_check_channel_LDADD = $(SYS_LDADD)
tests_unit_check_file_LDADD = $(SYS_LDADD)
tests_unit_check_log_LDADD = $(SYS_LDADD)
tests_unit_check_memfd_LDADD = $(SYS_LDADD)
tests_unit_check_nft_LDADD = $(SYS_LDADD)
tests_unit_check_notify_LDADD = $(SYS_LDADD)
tests_unit_check_process_LDADD = $(SYS_LDADD)
tests_unit_check_socket_LDADD = $(SYS_LDADD)
tests_unit_check_sysctl_LDADD = $(SYS_LDADD)
tests_unit_check_tun_LDADD = $(SYS_LDADD)
tests_unit_check_udp_LDADD = $(SYS_LDADD)
tests_unit_check_unixsock_LDADD = $(SYS_LDADD)

# Those of link; check_link with the event loop.
LINK_LDADD = libtund_link.a libtund_sys.a $(UNIT_LIBS) $(EV_LIBS)
tests_unit_check_dispatch_LDADD = $(LINK_LDADD)
tests_unit_check_link_LDADD = $(LINK_LDADD)

# Those of the control process link all of it but its main().
CONTROL_TEST_LDADD = libtund_control.a $(CONTROL_LIBS) $(CHECK_LIBS)
tests_unit_check_control_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_edge_grant_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_control_message_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_request_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_command_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_status_LDADD = $(CONTROL_TEST_LDADD)
tests_unit_check_peers_LDADD = $(CONTROL_TEST_LDADD)

# The parent and the command line are shells, too; what is pure in them is tested here.
tests_unit_check_pace_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_verify_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_journal_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_child_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_supervisor_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_reload_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_queues_LDADD = $(PARENT_LIBS) $(UNIT_LIBS)
tests_unit_check_daemon_LDADD = $(CMD_LIBS) $(UNIT_LIBS)
tests_unit_check_question_LDADD = $(CMD_LIBS) $(UNIT_LIBS)

# Tests of inner packets and of policy: packets made by hand, and one policy for all.
noinst_HEADERS += tests/unit/packets.h tests/unit/world.h tests/unit/random_policy.h \
	tests/unit/policy_oracle.h
ORACLE_SOURCES = tests/unit/random_policy.c tests/unit/policy_oracle.c
tests_unit_check_explain_SOURCES = tests/unit/check_explain.c tests/unit/world.c
tests_unit_check_flow_cache_SOURCES = tests/unit/check_flow_cache.c tests/unit/packets.c tests/unit/world.c
tests_unit_check_forward_SOURCES = tests/unit/check_forward.c tests/unit/packets.c tests/unit/world.c
tests_unit_check_fragment_SOURCES = tests/unit/check_fragment.c tests/unit/packets.c
tests_unit_check_inner_SOURCES = tests/unit/check_inner.c tests/unit/packets.c
tests_unit_check_model_SOURCES = tests/unit/check_model.c tests/unit/world.c
tests_unit_check_connector_policy_SOURCES = tests/unit/check_connector_policy.c tests/unit/packets.c tests/unit/world.c
tests_unit_check_policy_SOURCES = tests/unit/check_policy.c tests/unit/world.c $(ORACLE_SOURCES)
tests_unit_check_next_hops_SOURCES = tests/unit/check_next_hops.c tests/unit/world.c
tests_unit_check_registry_SOURCES = tests/unit/check_registry.c tests/unit/packets.c tests/unit/world.c \
	$(ORACLE_SOURCES)
tests_unit_check_refusal_SOURCES = tests/unit/check_refusal.c tests/unit/packets.c

tests_unit_check_inbox_LDADD = libtund_worker.a $(EV_LIBS) $(UNIT_LIBS)
tests_unit_check_worker_LDADD = libtund_worker.a $(EV_LIBS) $(UNIT_LIBS)

# A transport in memory, and what is tested with it.
MEMORY_SOURCES = tests/unit/memory_transport.c tests/unit/memory_transport.h
tests_unit_check_transport_SOURCES = tests/unit/check_transport.c $(MEMORY_SOURCES)
tests_unit_check_transport_LDADD = libtund_transport.a libtund_worker.a libtund_sys.a $(EV_LIBS) \
	$(UNIT_LIBS)
tests_unit_check_data_worker_SOURCES = tests/unit/check_data_worker.c $(MEMORY_SOURCES) \
	tests/sim/by_lane.c tests/sim/by_lane.h tests/unit/packets.c tests/unit/packets.h
tests_unit_check_data_worker_LDADD = $(ENGINE_LIBS) $(UNIT_LIBS)
tests_unit_check_engine_SOURCES = tests/unit/check_engine.c $(MEMORY_SOURCES)
tests_unit_check_engine_LDADD = $(ENGINE_LIBS) $(CONFUSE_LIBS) $(UNIT_LIBS)
