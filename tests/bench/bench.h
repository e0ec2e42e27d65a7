/* SPDX-License-Identifier: ISC */
/*
 * What the micro-benchmarks share: each measurement is the median of several runs, counted in CPU
 * time of the thread, so that whoever else uses the machine counts as little as possible, and is
 * printed as one line "name value unit". A program of `make bench` is a main() that calls
 * bench_init(), then bench_run() for each thing that it measures.
 */
#ifndef TUND_BENCH_H
#define TUND_BENCH_H

#include <stdbool.h>
#include <stddef.h>

#define BENCH_RUNS 11     /* odd: the median is one of them */
#define BENCH_RUN_MS 20   /* CPU time of a run, at least */

struct bench {
	const char *only; /* NULL: everything */
};

/* argv[1], if it is there, is part of the names that are wanted. */
void bench_init(struct bench *b, int argc, char **argv);

/* Whether this one is wanted: for those that take long to set up. */
bool bench_wanted(const struct bench *b, const char *name);

/* What is measured does its operation `n` times. */
struct bench_op {
	void (*run)(void *ctx, size_t n);
	void *ctx;
};

/* Nanoseconds that one operation takes. `spread`, unless NULL: (max - min) / median of the runs. */
double bench_ns(const struct bench_op *op, double *spread);

/* Measures, if wanted, and prints "NAME X ns" on standard output. Returns X; 0: not wanted. */
double bench_run(const struct bench *b, const char *name, const struct bench_op *op);

/* Prints another figure in the same form. */
void bench_print(const char *name, double value, const char *unit);

/* Keeps the compiler from leaving out what computes `value`. */
static inline void bench_keep(const void *value)
{
	__asm__ volatile("" : : "g"(value) : "memory");
}

#endif
