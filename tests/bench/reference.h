/*
 * The bare programs that Sheaf's figures are measured beside. Each does what a person would write
 * in C for that one thing and prints the seconds it took on standard error; none links with Sheaf.
 */
#ifndef SHEAF_TESTS_BENCH_REFERENCE_H
#define SHEAF_TESTS_BENCH_REFERENCE_H

#include <stddef.h>
#include <stdint.h>

struct mapped {
    const unsigned char *bytes;
    size_t length;
    size_t payload; /* where the elements of an .npy begin; 0 for text */
};

/* Map a file, or end the process with a sentence. Freshly mapped: the loop pays for the faults. */
struct mapped reference_map(const char *path);

/* End the process with a sentence. */
_Noreturn void reference_fail(const char *what);

double reference_seconds(void);
void reference_report(double seconds);

/* Data for both sides, the same for every run: kind is int64, normal, wide, rows, text, json or
 * repr. */
void reference_make(const char *kind, const char *path, uint64_t count);

/* Two threads over a mapped array. */
void reference_sum_int64(const char *path);
void reference_sum_double(const char *path);
/* One thread: rows of 100, a sum a line on standard output. */
void reference_sum_rows(const char *path);
/* One thread over mapped text, a digit at a time, or strtod(). */
void reference_sum_text(const char *path);
void reference_sum_text_double(const char *path);
/* GMP's product tree on one core, and the decimal text on standard output. */
void reference_product(const char *path);
void reference_factorial(uint64_t n);
/* Median round trip: a socketpair to a forked process; two ROUTER-DEALER hops to processes. */
void reference_trip_pair(uint64_t rounds);
void reference_trip_router(uint64_t rounds);

#endif
