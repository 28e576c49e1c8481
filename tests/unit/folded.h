/* Elements given as text, and the value of a partial as text: what tests of operations share. */
#ifndef SHEAF_TESTS_FOLDED_H
#define SHEAF_TESTS_FOLDED_H

#include "number/format.h"
#include "number/token.h"
#include "op/op.h"

#include <CUnit/Basic.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT UINT64_MAX

static inline void add_token(const struct op *op, struct partial *partial, const char *text)
{
    struct token token = token_parse(text, strlen(text), TOKEN_TEXT);
    mpz_t big;

    if (token.kind == TOKEN_INT) {
        op->add_int(partial, token.small, NO_LIMIT);
    } else if (token.kind == TOKEN_FLOAT) {
        CU_ASSERT_EQUAL(op->add_float(partial, token.real), OP_OK);
    } else {
        mpz_init(big);
        token_big(big, text, strlen(text));
        CU_ASSERT_EQUAL(op->add_big(partial, big, NO_LIMIT), OP_OK);
        mpz_clear(big);
    }
}

/* The only value as text; free() it. */
static inline char *text_of(struct values *values)
{
    struct reader in = reader_of(values->packed.data, values->packed.length);
    struct values_run run;
    char *text;
    size_t length;
    int64_t integer;
    double real;

    CU_ASSERT_EQUAL(values->count, 1);
    CU_ASSERT_FATAL(values_next_run(&in, &run));
    text = calloc(1, run.payload_bytes + FORMAT_NUMBER_BYTES + 1);
    memcpy(&integer, run.payload, sizeof integer);
    memcpy(&real, run.payload, sizeof real);
    if (run.kind == VALUES_TEXT)
        memcpy(text, run.payload, run.payload_bytes);
    length = run.kind == VALUES_FLOAT ? format_float(text, real) : strlen(text);
    length = run.kind == VALUES_INT ? format_int(text, integer) : length;
    text[length] = 0;
    values_clear(values);
    return text;
}

static inline char *finished(const struct op *op, struct partial *partial, enum element_type type)
{
    struct values values = {0};

    partial->open = true;
    CU_ASSERT_EQUAL(op->finish(partial, type, NO_LIMIT, &values), OP_OK);
    CU_ASSERT(!partial->open && !partial->has_elements && partial->small == op->identity);
    return text_of(&values);
}

#endif
