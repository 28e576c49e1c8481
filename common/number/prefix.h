/*
 * Whether the bytes of a token can still become a number: so one that cannot is a fault at once,
 * however long it goes on.
 *
 * A set of states of the token grammar's automaton, as bits; none is left when no number goes on
 * like this. Of a fragment whose begin is elsewhere all states are possible at first.
 */
#ifndef SHEAF_NUMBER_PREFIX_H
#define SHEAF_NUMBER_PREFIX_H

#include "number/token.h"

typedef uint32_t prefix_states;

prefix_states prefix_begin(void);  /* before a token's first byte */
prefix_states prefix_inside(void); /* before any of its bytes */
/* Take bytes until no state is left. Returns how many were taken, the fatal one included. */
size_t prefix_take(prefix_states *states, enum token_grammar grammar, const void *text,
                   size_t length);

#endif
