# Micro-benchmarks of the core: "make bench" builds and runs them. They are no tests: nothing builds
# them otherwise. To add one, add to BENCHMARKS, with its _SOURCES ($(BENCH_SOURCES) among them)
# and _LDADD. One alone: make tests/bench/bench_policy && tests/bench/bench_policy [PART_OF_A_NAME]
BENCH_SOURCES = tests/bench/bench.h tests/bench/bench.c

# Packets of many segments, to cut and to join.
SUPER_SOURCES = tests/bench/super.h tests/bench/super.c $(BENCH_SOURCES)

BENCHMARKS = tests/bench/bench_aead tests/bench/bench_coalesce tests/bench/bench_handshake
BENCHMARKS += tests/bench/bench_lane tests/bench/bench_lpm tests/bench/bench_policy
BENCHMARKS += tests/bench/bench_replay tests/bench/bench_segment
tests_bench_bench_aead_SOURCES = tests/bench/bench_aead.c $(BENCH_SOURCES)
tests_bench_bench_aead_LDADD = $(CORE_LIBS)
tests_bench_bench_coalesce_SOURCES = tests/bench/bench_coalesce.c $(SUPER_SOURCES)
tests_bench_bench_coalesce_LDADD = $(CORE_LIBS)
tests_bench_bench_handshake_SOURCES = tests/bench/bench_handshake.c $(BENCH_SOURCES)
tests_bench_bench_handshake_LDADD = $(CORE_LIBS)
tests_bench_bench_lane_SOURCES = tests/bench/bench_lane.c $(BENCH_SOURCES)
tests_bench_bench_lane_LDADD = $(CORE_LIBS)
tests_bench_bench_lpm_SOURCES = tests/bench/bench_lpm.c $(BENCH_SOURCES)
tests_bench_bench_lpm_LDADD = $(CORE_LIBS)
tests_bench_bench_policy_SOURCES = tests/bench/bench_policy.c $(BENCH_SOURCES)
tests_bench_bench_policy_LDADD = $(CORE_LIBS)
tests_bench_bench_replay_SOURCES = tests/bench/bench_replay.c $(BENCH_SOURCES)
tests_bench_bench_replay_LDADD = $(CORE_LIBS)
tests_bench_bench_segment_SOURCES = tests/bench/bench_segment.c $(SUPER_SOURCES)
tests_bench_bench_segment_LDADD = $(CORE_LIBS)

# What scripts/bench sends and counts UDP datagrams with.
tests_bench_datagrams_SOURCES = tests/bench/datagrams.c

EXTRA_PROGRAMS = $(BENCHMARKS) tests/bench/datagrams
CLEANFILES += $(EXTRA_PROGRAMS)

bench: $(BENCHMARKS)
	@set -e; for program in $(BENCHMARKS); do ./$$program $(BENCH); done
.PHONY: bench
