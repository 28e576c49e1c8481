/*
 * What stands where in each message: one table that the encoder and the decoder both follow, so
 * that they cannot disagree. The order of the fields is that of PROTOCOL.md.
 */
#ifndef SHEAF_WIRE_WIRE_LAYOUT_H
#define SHEAF_WIRE_WIRE_LAYOUT_H

#include "core/message.h"

#include <stdint.h>

enum field_kind {
    FIELD_U64,
    FIELD_U32, /* in [least, most]; enums too */
    FIELD_BOOL,
    FIELD_TEXT,   /* char array of `most` bytes, terminator included */
    FIELD_PAYLOAD /* length of the message's part of the payload frame; always the last field */
};

struct field {
    enum field_kind kind;
    uint32_t offset; /* in struct message */
    uint32_t least, most;
};

enum { FIELDS_MAX = 15 };

struct layout {
    uint32_t count;
    struct field fields[FIELDS_MAX];
};

/* By message type. A JOB's spec follows its fields as one more item (wire_spec.h). */
extern const struct layout WIRE_LAYOUTS[MESSAGE_TYPES];

#endif
