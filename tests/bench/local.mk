# Micro-benchmarks of the core: "make bench" builds and runs them. They are no tests: nothing builds
# them otherwise. To add tests/bench/bench_NAME.c, add it to BENCHMARKS, with its _LDADD. One alone:
# make tests/bench/bench_policy && tests/bench/bench_policy [PART_OF_A_NAME]
BENCHMARKS = tests/bench/bench_aead tests/bench/bench_coalesce tests/bench/bench_handshake
BENCHMARKS += tests/bench/bench_lane tests/bench/bench_lpm tests/bench/bench_policy
BENCHMARKS += tests/bench/bench_registry tests/bench/bench_replay tests/bench/bench_segment
tests_bench_bench_aead_LDADD = $(BENCH_LIBS)
tests_bench_bench_coalesce_LDADD = $(BENCH_LIBS)
tests_bench_bench_handshake_SOURCES = tests/bench/bench_handshake.c $(LANE_SOURCES)
tests_bench_bench_handshake_LDADD = $(BENCH_LIBS)
tests_bench_bench_lane_SOURCES = tests/bench/bench_lane.c $(LANE_SOURCES)
tests_bench_bench_lane_LDADD = $(BENCH_LIBS)
tests_bench_bench_lpm_LDADD = $(BENCH_LIBS)
tests_bench_bench_policy_LDADD = $(BENCH_LIBS)
tests_bench_bench_registry_LDADD = $(BENCH_LIBS)
tests_bench_bench_replay_LDADD = $(BENCH_LIBS)
tests_bench_bench_segment_LDADD = $(BENCH_LIBS)

BENCH_LIBS = libtund_bench.a $(CORE_LIBS)
EXTRA_LIBRARIES = libtund_bench.a
libtund_bench_a_SOURCES = tests/bench/bench.h tests/bench/bench.c tests/bench/super.h \
	tests/bench/super.c

# What scripts/bench sends and counts UDP datagrams with.
tests_bench_datagrams_SOURCES = tests/bench/datagrams.c

EXTRA_PROGRAMS = $(BENCHMARKS) tests/bench/datagrams
CLEANFILES += $(EXTRA_PROGRAMS) $(EXTRA_LIBRARIES)

bench: $(BENCHMARKS)
	@set -e; for program in $(BENCHMARKS); do ./$$program $(BENCH); done
.PHONY: bench
