/*
 * Any bytes as two encoded segments, as peers may send them: each refused, or one that is encoded
 * again and glued to the other without harm.
 *
 * The first byte chooses the job, the next two are the length of the left segment (little-endian);
 * the rest is the right one.
 */
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

static bool decode(const struct folding *folding, const uint8_t *data, size_t length,
                   struct segment *segment)
{
    if (!segment_decode(segment, op_of(folding->spec.op), data, length))
        return false;
    check_stable(folding, segment);
    return true;
}

/* They were made by different hands and are no neighbours, so the outcome need not make sense; it
 * must be one, and one that is believed: nobody is taken for the liar whose lie it passes on. */
static void glue(const struct folding *folding, const uint8_t *const data[2],
                 const size_t length[2])
{
    struct segment left, right;

    if (!decode(folding, data[0], length[0], &left))
        return;
    if (decode(folding, data[1], length[1], &right) && left.kind == right.kind) {
        segment_glue(&left, &right, &folding->spec);
        if (left.kind == SEGMENT_FOLD) /* checkpoints of no neighbours are in no order */
            check_stable(folding, &left);
    }
    segment_clear(&left);
    segment_clear(&right);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    enum { CHOICES = 3 };
    static const struct cut cuts[] = {
        {.kind = CUT_SUBLISTS}, {.kind = CUT_EVERY, .size = 2}, {.kind = CUT_TOTAL}};
    struct folding folding;
    size_t left;

    if (length < CHOICES)
        return 0;
    left = (size_t)data[1] | (size_t)data[2] << 8;
    left = left < length - CHOICES ? left : length - CHOICES;
    folding_init(&folding, SOURCE_TEXT, data[0] & 1 ? OP_PRODUCT : OP_SUM, cuts[data[0] / 2 % 3]);
    folding.spec.type = data[0] & 64 ? ELEMENT_FLOAT : ELEMENT_AUTO;
    folding.spec.value_bytes_max = 1000;
    glue(&folding, (const uint8_t *const[2]){data + CHOICES, data + CHOICES + left},
         (const size_t[2]){left, length - CHOICES - left});
    glue(&folding, (const uint8_t *const[2]){data + CHOICES + left, data + CHOICES},
         (const size_t[2]){length - CHOICES - left, left});
    folding_clear(&folding);
    return 0;
}
