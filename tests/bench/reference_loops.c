/* Bare loops over a freshly mapped file: as fast as plain C is, and as inexact. */
#include "reference.h"

#include <gmp.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 2, ROW = 100 };

struct share {
    const unsigned char *bytes;
    size_t count;
    int64_t sum;
    double sum_double;
};

static void *share_int64(void *context)
{
    struct share *share = context;
    const int64_t *elements = (const void *)share->bytes;
    uint64_t sum = 0;

    for (size_t i = 0; i < share->count; i++)
        sum += (uint64_t)elements[i];
    share->sum = (int64_t)sum;
    return NULL;
}

/* Sixteen sums side by side, so that the adder's latency does not decide. */
static void *share_double(void *context)
{
    struct share *share = context;
    const double *elements = (const void *)share->bytes;
    double sums[16] = {0};

    for (size_t i = 0; i + 16 <= share->count; i += 16)
        for (size_t k = 0; k < 16; k++)
            sums[k] += elements[i + k];
    for (size_t i = share->count / 16 * 16; i < share->count; i++)
        sums[0] += elements[i];
    for (size_t k = 0; k < 16; k++)
        share->sum_double += sums[k];
    return NULL;
}

static struct share in_two_threads(const char *path, void *(*run)(void *))
{
    struct mapped mapped = reference_map(path);
    size_t count = (mapped.length - mapped.payload) / 8;
    struct share shares[THREADS] = {0};
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++) {
        size_t begin = count * i / THREADS;

        shares[i].bytes = mapped.bytes + mapped.payload + 8 * begin;
        shares[i].count = count * (i + 1) / THREADS - begin;
        if (pthread_create(&threads[i], NULL, run, &shares[i]) != 0)
            reference_fail("pthread_create");
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    shares[0].sum = (int64_t)((uint64_t)shares[0].sum + (uint64_t)shares[1].sum);
    shares[0].sum_double += shares[1].sum_double;
    return shares[0];
}

void reference_sum_int64(const char *path)
{
    double start = reference_seconds();

    printf("%" PRId64 "\n", in_two_threads(path, share_int64).sum);
    reference_report(reference_seconds() - start);
}

void reference_sum_double(const char *path)
{
    double start = reference_seconds();

    printf("%.17g\n", in_two_threads(path, share_double).sum_double);
    reference_report(reference_seconds() - start);
}

void reference_sum_rows(const char *path)
{
    double start = reference_seconds();
    struct mapped mapped = reference_map(path);
    struct share share = {.bytes = mapped.bytes + mapped.payload, .count = ROW};
    size_t rows = (mapped.length - mapped.payload) / 8 / ROW;

    for (size_t i = 0; i < rows; i++) {
        share_int64(&share);
        printf("%" PRId64 "\n", share.sum);
        share.bytes += (size_t)8 * ROW;
    }
    fflush(stdout);
    reference_report(reference_seconds() - start);
}

static int is_digit(unsigned char byte)
{
    return byte >= '0' && byte <= '9';
}

void reference_sum_text(const char *path)
{
    double start = reference_seconds();
    struct mapped mapped = reference_map(path);
    int64_t sum = 0, number = 0;
    int negative = 0;

    for (size_t i = 0; i < mapped.length; i++) {
        if (is_digit(mapped.bytes[i])) {
            number = 10 * number + (mapped.bytes[i] - '0');
        } else {
            sum += negative ? -number : number;
            number = 0;
            negative = mapped.bytes[i] == '-';
        }
    }
    printf("%" PRId64 "\n", sum);
    reference_report(reference_seconds() - start);
}

void reference_sum_text_double(const char *path)
{
    double start = reference_seconds();
    struct mapped mapped = reference_map(path);
    /* strtod() stops at the newline that ends the file: the last byte is never a digit. */
    const char *next = (const char *)mapped.bytes;
    const char *end = next + mapped.length - 1;
    double sum = 0;

    while (next < end) {
        char *after;

        sum += strtod(next, &after);
        next = after == next ? end : after;
    }
    printf("%.17g\n", sum);
    reference_report(reference_seconds() - start);
}

static void product_tree(mpz_t product, const int64_t *elements, size_t count)
{
    mpz_t right;

    if (count == 1) {
        mpz_set_si(product, elements[0]);
        return;
    }
    mpz_init(right);
    product_tree(product, elements, count / 2);
    product_tree(right, elements + count / 2, count - count / 2);
    mpz_mul(product, product, right);
    mpz_clear(right);
}

void reference_product(const char *path)
{
    double start = reference_seconds();
    struct mapped mapped = reference_map(path);
    mpz_t product;

    mpz_init(product);
    product_tree(product, (const void *)(mapped.bytes + mapped.payload),
                 (mapped.length - mapped.payload) / 8);
    mpz_out_str(stdout, 10, product);
    putchar('\n');
    fflush(stdout);
    reference_report(reference_seconds() - start);
    mpz_clear(product);
}

void reference_factorial(uint64_t n)
{
    double start = reference_seconds();
    mpz_t product;

    mpz_init(product);
    mpz_fac_ui(product, n);
    mpz_out_str(stdout, 10, product);
    putchar('\n');
    fflush(stdout);
    reference_report(reference_seconds() - start);
    mpz_clear(product);
}
