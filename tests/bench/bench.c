/* SPDX-License-Identifier: ISC */
/* Medians of CPU time, for the micro-benchmarks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

void bench_init(struct bench *b, int argc, char **argv)
{
	b->only = argc > 1 ? argv[1] : NULL;
	setvbuf(stdout, NULL, _IOLBF, 0);
}

bool bench_wanted(const struct bench *b, const char *name)
{
	return !b->only || strstr(name, b->only);
}

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double run_ns(const struct bench_op *op, size_t n)
{
	double start = cpu_ns();

	op->run(op->ctx, n);
	return cpu_ns() - start;
}

/* How many operations fill a run; this warms the caches up as well. */
static size_t calibrate(const struct bench_op *op)
{
	size_t n = 1;

	while (run_ns(op, n) < BENCH_RUN_MS * 1e6)
		n *= 2;
	return n;
}

static int compare(const void *va, const void *vb)
{
	double a = *(const double *)va, b = *(const double *)vb;

	return (a > b) - (a < b);
}

double bench_ns(const struct bench_op *op, double *spread)
{
	double runs[BENCH_RUNS], median;
	size_t n = calibrate(op);

	for (size_t i = 0; i < BENCH_RUNS; i++)
		runs[i] = run_ns(op, n) / (double)n;
	qsort(runs, BENCH_RUNS, sizeof *runs, compare);
	median = runs[BENCH_RUNS / 2];
	if (spread)
		*spread = (runs[BENCH_RUNS - 1] - runs[0]) / median;
	return median;
}

void bench_print(const char *name, double value, const char *unit)
{
	printf("%s %.1f %s\n", name, value, unit);
}

double bench_run(const struct bench *b, const char *name, const struct bench_op *op)
{
	double ns;

	if (!bench_wanted(b, name))
		return 0;
	ns = bench_ns(op, NULL);
	bench_print(name, ns, "ns");
	return ns;
}
