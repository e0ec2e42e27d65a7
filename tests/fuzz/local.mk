# Fuzz targets. tests/fuzz/fuzz_NAME.c holds LLVMFuzzerTestOneInput, tests/fuzz/corpus/NAME/ its
# inputs. To add one, add two lines:
#     FUZZ_TARGETS += tests/fuzz/fuzz_NAME
#     tests_fuzz_fuzz_NAME_LDADD = $(FUZZ_LIBS)
# "make check" replays the corpora; with --enable-fuzzers the same programs are libFuzzer's, and
# "make fuzz" runs each for FUZZ_SECONDS, keeping what it finds in the build folder.
NODE_SOURCES = tests/fuzz/nodes.h tests/fuzz/nodes.c $(LANE_SOURCES)
FUZZ_TARGETS = tests/fuzz/fuzz_addr
tests_fuzz_fuzz_addr_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_control_channel
tests_fuzz_fuzz_control_channel_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_cookie
tests_fuzz_fuzz_cookie_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_datagram
tests_fuzz_fuzz_datagram_SOURCES = tests/fuzz/fuzz_datagram.c $(NODE_SOURCES)
tests_fuzz_fuzz_datagram_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_frame
tests_fuzz_fuzz_frame_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_handshake
tests_fuzz_fuzz_handshake_SOURCES = tests/fuzz/fuzz_handshake.c $(NODE_SOURCES)
tests_fuzz_fuzz_handshake_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_snapshot
tests_fuzz_fuzz_snapshot_SOURCES = tests/fuzz/fuzz_snapshot.c $(NODE_SOURCES)
tests_fuzz_fuzz_snapshot_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_config
tests_fuzz_fuzz_config_LDADD = libtund_config.a $(CONFUSE_LIBS) $(FUZZ_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_control
tests_fuzz_fuzz_control_LDADD = libtund_control.a $(FUZZ_LIBS) $(JANSSON_LIBS)

FUZZ_TARGETS += tests/fuzz/fuzz_uapi
tests_fuzz_fuzz_uapi_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_inner tests/fuzz/fuzz_policy
tests_fuzz_fuzz_inner_SOURCES = tests/fuzz/fuzz_inner.c tests/unit/packets.c
tests_fuzz_fuzz_inner_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_policy_SOURCES = tests/fuzz/fuzz_policy.c $(ORACLE_SOURCES)
tests_fuzz_fuzz_policy_LDADD = $(FUZZ_LIBS)
FUZZ_TARGETS += tests/fuzz/fuzz_coalesce tests/fuzz/fuzz_segment
tests_fuzz_fuzz_coalesce_SOURCES = tests/fuzz/fuzz_coalesce.c $(ORDER_SOURCES)
tests_fuzz_fuzz_coalesce_LDADD = $(FUZZ_LIBS)
tests_fuzz_fuzz_segment_SOURCES = tests/fuzz/fuzz_segment.c tests/unit/gso_oracle.c
tests_fuzz_fuzz_segment_LDADD = $(FUZZ_LIBS)

if ENABLE_FUZZERS
FUZZ_LIBS = $(CORE_LIBS) $(FUZZ_LDFLAGS)
noinst_PROGRAMS += $(FUZZ_TARGETS)
else
FUZZ_LIBS = libtund_replay.a $(CORE_LIBS)
check_PROGRAMS += $(FUZZ_TARGETS)
check_LIBRARIES += libtund_replay.a
endif
libtund_replay_a_SOURCES = tests/fuzz/replay.c
EXTRA_DIST += tests/fuzz/corpus

FUZZ_SECONDS = 60
fuzz: $(FUZZ_TARGETS)
if ENABLE_FUZZERS
	@set -e; for target in $(FUZZ_TARGETS); do \
		name=$${target##*/fuzz_}; found=tests/fuzz/found/$$name; \
		$(MKDIR_P) $$found; echo "fuzz $$name: $(FUZZ_SECONDS) s"; \
		./$$target -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=$$found- -print_final_stats=1 \
			$$found $(srcdir)/tests/fuzz/corpus/$$name; \
	done
else
	@echo 'configure with CC=clang --enable-fuzzers first' >&2; exit 1
endif
# For scripts/test.
fuzz-targets:
	@echo $(FUZZ_TARGETS)
.PHONY: fuzz fuzz-targets
