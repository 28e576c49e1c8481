/*
 * Packed values to the text that a user reads: a value a line, or one JSON array. In bounded
 * memory: what is rendered goes to a sink in blocks, and a run of equal values is never expanded as
 * a whole.
 */
#ifndef SHEAF_COORDINATOR_RENDER_H
#define SHEAF_COORDINATOR_RENDER_H

#include "base/bytes.h"
#include "base/chunk.h"

#include <stdbool.h>

enum { RENDER_BLOCK_BYTES = 256 * 1024 };

/* Takes the bytes; false: it takes no more, and rendering stops. */
typedef bool render_sink(void *context, const void *data, size_t length);

struct render {
    bool is_json;
    bool has_begun; /* something was rendered */
    render_sink *sink;
    void *context;
    uint8_t *block; /* owned */
    size_t used;
};

void render_init(struct render *render, bool is_json, render_sink *sink, void *context);
void render_clear(struct render *render);
/* An encoding of struct values (number/values.h), already checked. false: the sink took no more. */
bool render_values(struct render *render, const struct chunk *packed);
/* Hand what is waiting in the block to the sink. */
bool render_flush(struct render *render);
/*
 * The last value was rendered. An answer that is not whole leaves a JSON array open, so that
 * nothing reads it as whole; its line ends all the same, because a sentence follows it on the
 * terminal.
 */
bool render_end(struct render *render, bool is_whole);

#endif
