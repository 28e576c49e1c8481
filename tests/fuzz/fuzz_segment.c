/* Any bytes as an encoded segment: refused, or one that is encoded again and glued without harm. */
#include "../unit/folding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

/* What is decoded was encoded by nobody, so its second encoding is the one to hold. */
static void check_stable(const struct folding *folding, const struct segment *segment)
{
    struct bytes bytes = {0};
    struct segment again;

    segment_encode(segment, &bytes);
    if (!segment_decode(&again, op_of(folding->spec.op), bytes.data, bytes.length))
        abort();
    folding_round_trip(folding, &again);
    segment_clear(&again);
    bytes_clear(&bytes);
}

static void glue_to_itself(const struct folding *folding, const uint8_t *data, size_t length)
{
    struct segment left, right;
    struct bytes glued = {0};

    if (!segment_decode(&left, op_of(folding->spec.op), data, length))
        return;
    check_stable(folding, &left);
    if (!segment_decode(&right, op_of(folding->spec.op), data, length))
        abort();
    /* A segment is not its own neighbour, so the outcome need not make sense; it must be one. */
    segment_glue(&left, &right, &folding->spec);
    segment_encode(&left, &glued);
    bytes_clear(&glued);
    segment_clear(&left);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct folding folding;

    folding_init(&folding, SOURCE_TEXT, OP_SUM, (struct cut){.kind = CUT_SUBLISTS});
    folding.spec.value_bytes_max = 1000;
    glue_to_itself(&folding, data, length);
    folding.spec.op = OP_PRODUCT;
    glue_to_itself(&folding, data, length);
    folding_clear(&folding);
    return 0;
}
