#include "op/op.h"

#include <string.h>

static const struct op *const TABLE[] = {&OP_SUM_TABLE, &OP_PRODUCT_TABLE};

const struct op *op_of(enum op_kind kind)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (TABLE[i]->kind == kind)
            return TABLE[i];
    return NULL;
}

const struct op *op_find(const char *name)
{
    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++)
        if (!strcmp(TABLE[i]->name, name))
            return TABLE[i];
    return NULL;
}
