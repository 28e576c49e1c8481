#include "number/prefix.h"

#include <assert.h>

enum state {
    AT_BEGIN,
    BEHIND_SIGN,
    BEHIND_ZERO, /* JSON: no digit may follow */
    IN_INTEGER,
    BEHIND_POINT, /* a digit must follow */
    IN_FRACTION,
    BEHIND_E,
    BEHIND_E_SIGN,
    IN_EXPONENT,
    IN_INFINITY, /* behind its first letter, the second, … */
    IN_INFINITY_LAST = IN_INFINITY + 7,
    IN_NAN,
    IN_NAN_LAST = IN_NAN + 2,
    STATES
};

#define BIT(state) (UINT32_C(1) << (state))
#define DIGITS_STAY (BIT(IN_INTEGER) | BIT(IN_FRACTION) | BIT(IN_EXPONENT))

static_assert(STATES <= 32, "a set of states is a word");

prefix_states prefix_begin(void)
{
    return BIT(AT_BEGIN);
}

prefix_states prefix_inside(void)
{
    return BIT(STATES) - 1;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

/* Behind `at` letters of the word, whose first state is `first`. */
static prefix_states next_letter(const char *word, int first, int at, uint8_t byte)
{
    return word[at] && (byte | 0x20) == word[at] ? BIT(first + at) : 0;
}

static prefix_states next_of_begin(enum state state, enum token_grammar grammar, uint8_t byte)
{
    if (state == AT_BEGIN && (byte == '-' || (byte == '+' && grammar == TOKEN_TEXT)))
        return BIT(BEHIND_SIGN);
    if (is_digit(byte))
        return byte == '0' && grammar == TOKEN_JSON ? BIT(BEHIND_ZERO) : BIT(IN_INTEGER);
    if (grammar == TOKEN_JSON)
        return 0;
    if (byte == '.')
        return BIT(BEHIND_POINT);
    return next_letter("infinity", IN_INFINITY, 0, byte) | next_letter("nan", IN_NAN, 0, byte);
}

static prefix_states next_of_mantissa(enum state state, enum token_grammar grammar, uint8_t byte)
{
    if (is_digit(byte) && state != BEHIND_ZERO)
        return state == IN_INTEGER ? BIT(IN_INTEGER) : BIT(IN_FRACTION);
    if (state == BEHIND_POINT)
        return 0;
    if (byte == '.' && state != IN_FRACTION)
        return grammar == TOKEN_JSON ? BIT(BEHIND_POINT) : BIT(IN_FRACTION);
    return byte == 'e' || byte == 'E' ? BIT(BEHIND_E) : 0;
}

static prefix_states next_of_exponent(enum state state, uint8_t byte)
{
    if (is_digit(byte))
        return BIT(IN_EXPONENT);
    return state == BEHIND_E && (byte == '+' || byte == '-') ? BIT(BEHIND_E_SIGN) : 0;
}

static prefix_states next_of(enum state state, enum token_grammar grammar, uint8_t byte)
{
    if (state <= BEHIND_SIGN)
        return next_of_begin(state, grammar, byte);
    if (state <= IN_FRACTION)
        return next_of_mantissa(state, grammar, byte);
    if (state <= IN_EXPONENT)
        return next_of_exponent(state, byte);
    if (grammar == TOKEN_JSON)
        return 0;
    if (state <= IN_INFINITY_LAST)
        return next_letter("infinity", IN_INFINITY, (int)state - IN_INFINITY + 1, byte);
    return next_letter("nan", IN_NAN, (int)state - IN_NAN + 1, byte);
}

static prefix_states next_of_all(prefix_states states, enum token_grammar grammar, uint8_t byte)
{
    prefix_states next = 0;

    for (; states; states &= states - 1)
        next |= next_of((enum state)__builtin_ctz(states), grammar, byte);
    return next;
}

size_t prefix_take(prefix_states *states, enum token_grammar grammar, const void *text,
                   size_t length)
{
    const uint8_t *byte = text;
    size_t taken = 0;

    while (taken < length && *states) {
        *states = next_of_all(*states, grammar, byte[taken++]);
        if (*states && !(*states & ~DIGITS_STAY))
            while (taken < length && is_digit(byte[taken]))
                taken++;
    }
    return taken;
}
