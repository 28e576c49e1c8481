#include "folded.h"
#include "unit.h"
#include "vectors.h"

enum { ELEMENTS_MAX = 1000 };

static void through_the_wire(const struct op *op, struct partial *partial)
{
    struct bytes bytes = {0};
    struct reader in;

    op->settle(partial, NO_LIMIT);
    partial_encode(partial, &bytes);
    in = reader_of(bytes.data, bytes.length);
    CU_ASSERT(partial_decode(partial, op->identity, &in));
    CU_ASSERT_EQUAL(reader_left(&in), 0);
    bytes_clear(&bytes);
}

/* The elements in order, in a random grouping. */
static void fold_somehow(const struct op *op, struct partial *partial, char **elements,
                         size_t count)
{
    struct partial right;
    size_t cut = (size_t)rand() % (count + 1);

    partial_init(partial, op->identity);
    partial->open = rand() % 2;
    if (rand() % 3 == 0 || count < 2) {
        for (size_t i = 0; i < count; i++)
            add_token(op, partial, elements[i]);
    } else {
        fold_somehow(op, partial, elements, cut);
        fold_somehow(op, &right, elements + cut, count - cut);
        if (rand() % 2)
            through_the_wire(op, &right);
        CU_ASSERT_EQUAL(op->join(partial, &right, NO_LIMIT), OP_OK);
        CU_ASSERT(!right.open && right.small == op->identity && !right.factors && !right.exact);
        partial_clear(&right);
    }
    if (rand() % 4 == 0)
        through_the_wire(op, partial);
}

static bool is_as_python_reduces_it(char *line)
{
    const struct op *op = op_find(strsep(&line, " "));
    const char *expected = strsep(&line, " ");
    char *elements[ELEMENTS_MAX];
    size_t count = 0;
    bool same = true;

    while (line && (elements[count] = strsep(&line, " ")))
        count++;
    for (int round = 0; round < 5; round++) {
        struct partial partial;
        char *found;

        fold_somehow(op, &partial, elements, count);
        found = finished(op, &partial, ELEMENT_AUTO);
        same = same && !strcmp(found, expected);
        free(found);
    }
    return same;
}

static void any_grouping_gives_what_python_gives(void)
{
    srand(1);
    vectors_recorded("op", is_as_python_reduces_it);
    vectors_live("op", 7, 4000, is_as_python_reduces_it);
}

static void a_void_partial_yields_nothing_and_an_open_one_the_identity(void)
{
    static const struct {
        const struct op *op;
        enum element_type type;
        const char *text;
    } TABLE[] = {
        {&OP_SUM_TABLE, ELEMENT_AUTO, "0"},        {&OP_SUM_TABLE, ELEMENT_INT, "0"},
        {&OP_SUM_TABLE, ELEMENT_FLOAT, "0.0"},     {&OP_PRODUCT_TABLE, ELEMENT_AUTO, "1"},
        {&OP_PRODUCT_TABLE, ELEMENT_FLOAT, "1.0"},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct partial partial, right;
        struct values values = {0};
        char *text;

        partial_init(&partial, TABLE[i].op->identity);
        partial_init(&right, TABLE[i].op->identity);
        TABLE[i].op->finish(&partial, TABLE[i].type, NO_LIMIT, &values);
        CU_ASSERT_EQUAL(values.count, 0);
        TABLE[i].op->join(&partial, &right, NO_LIMIT);
        TABLE[i].op->finish(&partial, TABLE[i].type, NO_LIMIT, &values);
        CU_ASSERT_EQUAL(values.count, 0);
        text = finished(TABLE[i].op, &partial, TABLE[i].type);
        CU_ASSERT_STRING_EQUAL(text, TABLE[i].text);
        free(text);
    }
}

static void the_type_float_makes_a_float_of_ints(void)
{
    static const struct {
        const char *elements[3];
        const char *text;
    } TABLE[] = {
        {{"2"}, "2.0"},
        {{"9007199254740993"}, "9007199254740992.0"},
        {{"9007199254740993", "1e-300"}, "9007199254740994.0"},
        {{"123456789012345678901234567890"}, "1.2345678901234568e+29"},
        {{"-0.0", "0"}, "0.0"},
        {{"-0.0", "-0.0"}, "-0.0"},
    };

    for (size_t i = 0; i < sizeof TABLE / sizeof *TABLE; i++) {
        struct partial partial;
        char *text;

        partial_init(&partial, 0);
        for (int j = 0; j < 3 && TABLE[i].elements[j]; j++)
            add_token(&OP_SUM_TABLE, &partial, TABLE[i].elements[j]);
        text = finished(&OP_SUM_TABLE, &partial, ELEMENT_FLOAT);
        CU_ASSERT_STRING_EQUAL(text, TABLE[i].text);
        free(text);
    }
}

static void a_product_refuses_floats(void)
{
    double real = 1.5;
    struct partial partial, right;

    partial_init(&partial, 1);
    partial_init(&right, 1);
    CU_ASSERT_EQUAL(OP_PRODUCT_TABLE.add_float(&partial, real), OP_FLOAT_REFUSED);
    CU_ASSERT_EQUAL(OP_PRODUCT_TABLE.add_lanes(&partial, LANE_F64, &real, 1, NO_LIMIT),
                    OP_FLOAT_REFUSED);
    CU_ASSERT(!partial.open);
    OP_SUM_TABLE.add_float(&right, real); /* as a peer may send it */
    CU_ASSERT_EQUAL(OP_PRODUCT_TABLE.join(&partial, &right, NO_LIMIT), OP_FLOAT_REFUSED);
    CU_ASSERT(!OP_PRODUCT_TABLE.takes_floats);
    partial_clear(&partial);
}

static void operations_are_found_by_name_and_kind(void)
{
    CU_ASSERT_PTR_EQUAL(op_find("sum"), &OP_SUM_TABLE);
    CU_ASSERT_PTR_EQUAL(op_find("product"), &OP_PRODUCT_TABLE);
    CU_ASSERT_PTR_NULL(op_find("su"));
    CU_ASSERT_PTR_EQUAL(op_of(OP_PRODUCT), &OP_PRODUCT_TABLE);
    CU_ASSERT_PTR_NULL(op_of((enum op_kind)77));
}

static const struct unit_case CASES[] = {
    {"any grouping gives what Python gives", any_grouping_gives_what_python_gives},
    {"a void partial yields nothing and an open one the identity",
     a_void_partial_yields_nothing_and_an_open_one_the_identity},
    {"the type float makes a float of ints", the_type_float_makes_a_float_of_ints},
    {"a product refuses floats", a_product_refuses_floats},
    {"operations are found by name and kind", operations_are_found_by_name_and_kind},
};

UNIT_MAIN("op", CASES)
