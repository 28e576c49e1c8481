/*
 * One token of text to a number. Grammar (text and CSV): optional sign (+ too), digits with
 * optional fraction
 * (`1.`, `.5`, `1.5`), optional exponent; inf, infinity, nan in any case with optional sign. JSON
 * is stricter (RFC 8259).
 */
#ifndef SHEAF_NUMBER_TOKEN_H
#define SHEAF_NUMBER_TOKEN_H

#include <gmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum token_grammar { TOKEN_TEXT, TOKEN_JSON };

enum token_kind {
    TOKEN_BAD,   /* not a number */
    TOKEN_RANGE, /* a decimal too large for a double, such as 1e400 */
    TOKEN_INT,   /* fits int64: `small` */
    TOKEN_BIG,   /* an integer past int64: convert with token_big() */
    TOKEN_FLOAT  /* a float, correctly rounded: `real` */
};

/* A longer token is not looked at: an integer of value_bytes_max bytes has fewer digits, unless
 * most of them are leading zeros. At least a page is granted. */
uint64_t token_bytes_max(uint64_t value_bytes_max);

struct token {
    enum token_kind kind;
    int64_t small;
    double real;
};

/* Classify and convert the whole token. Never reads outside [text, text + length); the text needs
 * no terminator. */
struct token token_parse(const char *text, size_t length, enum token_grammar grammar);
/* Convert a token of kind TOKEN_BIG (or TOKEN_INT). */
void token_big(mpz_t out, const char *text, size_t length);

#endif
