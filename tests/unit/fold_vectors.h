/* A line of unit/vectors/fold_text.py or fold_json.py: a job, the input, and what its fold says. */
#ifndef SHEAF_TESTS_FOLD_VECTORS_H
#define SHEAF_TESTS_FOLD_VECTORS_H

#include "folding.h"
#include "vectors.h"

#include <inttypes.h>

static inline enum cut_kind fold_vector_cut(const char *name)
{
    if (!strcmp(name, "every"))
        return CUT_EVERY;
    if (!strcmp(name, "split"))
        return CUT_SPLIT;
    return strcmp(name, "total") ? CUT_SUBLISTS : CUT_TOTAL;
}

static inline enum element_type fold_vector_type(const char *name)
{
    if (!strcmp(name, "int"))
        return ELEMENT_INT;
    return strcmp(name, "float") ? ELEMENT_AUTO : ELEMENT_FLOAT;
}

static inline size_t fold_vector_bytes(const char *hex, uint8_t *out)
{
    size_t length = 0;
    unsigned byte;

    for (; *hex != '-' && *hex; hex += 2) {
        sscanf(hex, "%2x", &byte);
        out[length++] = (uint8_t)byte;
    }
    return length;
}

/* The values, then "! kind unit line". */
static inline void fold_vector_say(const struct segment *segment, struct bytes *out)
{
    char text[96];

    folding_say_values(segment, out);
    if (segment->fault.kind) {
        snprintf(text, sizeof text, "! %d %" PRIu64 " %" PRIu64 " ", (int)segment->fault.kind,
                 segment->fault.unit, segment->fault.line);
        bytes_append(out, text, strlen(text));
    }
    out->length -= out->length != 0;
    bytes_append_byte(out, 0);
}

static inline bool fold_vector_is(const struct segment *segment, const char *wanted)
{
    struct bytes got = {0};
    bool same;

    fold_vector_say(segment, &got);
    same = !strcmp((char *)got.data, wanted);
    if (!same)
        printf("\n    got %.300s\n    wanted %.300s", (char *)got.data, wanted);
    bytes_clear(&got);
    return same;
}

struct fold_vector {
    struct folding folding;
    uint8_t *data;
    size_t bytes;
    const char *wanted;
    int behind; /* where the words behind the job's begin in the line */
};

/* Everything but the source's shape and its units. */
static inline void fold_vector_read(struct fold_vector *vector, char *line,
                                    enum source_format format)
{
    char op[16], type[16], cut[16];
    unsigned size;
    char *hex = strchr(line, '|') + 1;
    char *wanted = strchr(hex, '|') + 1;

    hex[-1] = 0;
    wanted[-1] = 0;
    if (sscanf(line, "%15s %15s %15s %u%n", op, type, cut, &size, &vector->behind) != 4)
        abort();
    folding_init(&vector->folding, format, op_find(op)->kind,
                 (struct cut){.kind = fold_vector_cut(cut), .size = size, .parts = size});
    vector->folding.spec.type = fold_vector_type(type);
    vector->data = malloc(strlen(hex) + 1);
    vector->bytes = fold_vector_bytes(hex, vector->data);
    vector->wanted = wanted;
}

static inline void fold_vector_clear(struct fold_vector *vector)
{
    folding_clear(&vector->folding);
    free(vector->data);
}

/* Whole, and from two slices. */
static inline bool fold_vector_holds(struct fold_vector *vector)
{
    struct folding *folding = &vector->folding;
    size_t end = folding->units + 1;
    struct segment left, right;
    bool ok;

    folding_piece(folding, 0, end, &left);
    ok = fold_vector_is(&left, vector->wanted);
    segment_clear(&left);
    folding_piece(folding, 0, end / 2, &left);
    folding_piece(folding, end / 2, end, &right);
    segment_glue(&left, &right, &folding->spec);
    ok &= fold_vector_is(&left, vector->wanted);
    segment_clear(&left);
    return ok;
}

static inline bool fold_vector_check(char *line, enum source_format format)
{
    struct fold_vector vector;
    bool ok;

    fold_vector_read(&vector, line, format);
    folding_set(&vector.folding, vector.data, vector.bytes);
    ok = fold_vector_holds(&vector);
    fold_vector_clear(&vector);
    return ok;
}

/* One input, cut into sublists; the sentence it must end with, from the whole and from every single
 * cut. */
static inline void check_sentence(enum source_format format, enum op_kind op, const char *input,
                                  size_t length, const char *sentence)
{
    struct folding folding;
    struct bytes said = {0};

    folding_init(&folding, format, op, (struct cut){.kind = CUT_SUBLISTS});
    folding_set(&folding, input, length);
    for (size_t cut = 0; cut <= length; cut++) {
        struct segment left, right;

        folding_piece(&folding, 0, cut ? cut : length + 1, &left);
        if (cut) {
            folding_piece(&folding, cut, length + 1, &right);
            segment_glue(&left, &right, &folding.spec);
        }
        said.length = 0;
        if (left.fault.kind)
            fault_sentence(&left.fault, &folding.spec, &said);
        bytes_append_byte(&said, 0);
        if (strcmp((char *)said.data, sentence) != 0)
            printf("\n    cut %zu: %s\n    wanted: %s", cut, (char *)said.data, sentence);
        CU_ASSERT_STRING_EQUAL((char *)said.data, sentence);
        segment_clear(&left);
    }
    bytes_clear(&said);
    folding_clear(&folding);
}

#endif
