/*
 * Four 64-bit lanes as compilers' vector extensions: one source for every instruction set, compiled
 * again where SIMD_AVX2 stands, and chosen when the program runs.
 */
#ifndef SHEAF_NUMBER_SIMD_H
#define SHEAF_NUMBER_SIMD_H

#include <stdbool.h>
#include <stdint.h>

typedef double vector_double __attribute__((vector_size(32)));
typedef int64_t vector_bits __attribute__((vector_size(32)));
/* In memory, at any address. */
typedef double vector_double_there __attribute__((vector_size(32), aligned(1), may_alias));
typedef int64_t vector_bits_there __attribute__((vector_size(32), aligned(1), may_alias));

#define SIMD_INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)
#define SIMD_AVX2 __attribute__((target("avx2")))
static inline bool simd_has_avx2(void)
{
    return __builtin_cpu_supports("avx2");
}
#else
#define SIMD_AVX2
static inline bool simd_has_avx2(void)
{
    return false;
}
#endif

#endif
