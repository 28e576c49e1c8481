#include "shapes.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum {
    HEAVY_LINE_BYTES = 60000,
    LIGHT_BYTES = 150000,
    COUNTED_BYTES = 600000,
    SPRAY_ELEMENTS = 100000,
    LONG_DIGITS = 400,
    LONG_PIECE = 4000
};

enum shape shape_draw(const struct swarm *swarm, struct random *random)
{
    bool is_heavy = random_chance(random, 600);
    bool is_counted = random_chance(random, 600);
    bool is_spray = random_chance(random, 300);

    if (swarm_has(swarm, SWARM_HEAVY) && is_heavy)
        return is_spray ? SHAPE_SPRAY : SHAPE_HEAVY;
    return swarm_has(swarm, SWARM_COUNTED) && is_counted ? SHAPE_COUNTED : SHAPE_ANY;
}

void shape_spec(enum shape shape, struct job_spec *spec, struct random *random)
{
    uint64_t piece = (uint64_t)random_between(random, 1500, LONG_PIECE);
    bool by_piece = random_chance(random, 700);

    spec->source_count = 1;
    if (shape == SHAPE_HEAVY) {
        spec->op = OP_PRODUCT;
        spec->cut.kind = CUT_SUBLISTS;
        spec->piece_units = by_piece ? piece : 0;
    } else if (shape == SHAPE_SPRAY) {
        spec->op = OP_SUM;
        spec->cut.kind = CUT_EVERY;
        spec->cut.size = random_below(random, 3) + 1;
        spec->piece_units = by_piece ? 10 * piece : 0;
    } else {
        spec->op = OP_SUM;
        spec->cut.kind = CUT_EVERY;
        spec->piece_units = 0;
    }
}

static void append_long(struct bytes *bytes, struct random *random)
{
    for (uint64_t digits = random_below(random, LONG_DIGITS) + 1; digits; digits--)
        bytes_append_byte(bytes, (uint8_t)('1' + random_below(random, 9)));
    bytes_append_byte(bytes, ' ');
}

static void fill_heavy(struct bytes *bytes, struct random *random)
{
    size_t heavy = (size_t)random_log(random, 4 * LONG_PIECE, HEAVY_LINE_BYTES);
    size_t all = heavy + (size_t)random_between(random, LIGHT_BYTES / 2, LIGHT_BYTES);

    while (bytes->length < heavy)
        append_long(bytes, random);
    bytes_append_byte(bytes, '\n');
    while (bytes->length < all) {
        bytes_append_byte(bytes, (uint8_t)('2' + random_below(random, 8)));
        bytes_append_byte(bytes, '\n');
    }
}

static void fill_counted(struct bytes *bytes, struct random *random)
{
    size_t all = (size_t)random_between(random, COUNTED_BYTES / 2, COUNTED_BYTES);
    char text[32];

    while (bytes->length < all) {
        int length = snprintf(text, sizeof text, "%u%c", (unsigned)random_below(random, 100000),
                              random_chance(random, 100) ? '\n' : ' ');

        bytes_append(bytes, text, (size_t)length);
    }
}

static void describe_spray(struct source *source, struct random *random)
{
    source->format = SOURCE_RANGE;
    source->access = SOURCE_NOTHING;
    source->units = (uint64_t)random_between(random, SPRAY_ELEMENTS / 4, SPRAY_ELEMENTS);
    mpz_set_ui(source->begin, random_below(random, 1000));
    mpz_set_ui(source->step, 1);
}

void shape_source(enum shape shape, struct source *source, struct bytes *bytes,
                  struct random *random)
{
    source->format = SOURCE_TEXT;
    if (shape == SHAPE_HEAVY) {
        source->access = random_chance(random, 300) ? SOURCE_STREAM : SOURCE_FILE;
        fill_heavy(bytes, random);
    } else if (shape == SHAPE_SPRAY) {
        describe_spray(source, random);
    } else {
        source->access = SOURCE_FILE;
        fill_counted(bytes, random);
    }
}
