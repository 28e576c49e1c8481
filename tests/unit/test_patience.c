/* What counts as waiting. */
#include "base/limits.h"
#include "base/patience.h"
#include "unit.h"

#define LOOK_NS (100 * NS_PER_MS)

static int64_t wait_for(struct patience *patience, int64_t *now_ns, int looks)
{
    int64_t waited_ns = 0;

    for (int i = 0; i < looks; i++) {
        *now_ns += LOOK_NS;
        waited_ns = patience_look(patience, true, *now_ns);
    }
    return waited_ns;
}

static void waiting_adds_up_and_begins_anew(void)
{
    struct patience patience = {0};
    int64_t now_ns = 77 * NS_PER_S;

    CU_ASSERT_EQUAL(patience_look(&patience, true, now_ns), 0);
    CU_ASSERT_EQUAL(wait_for(&patience, &now_ns, 35), 35 * LOOK_NS);
    CU_ASSERT_EQUAL(patience_look(&patience, false, now_ns), 0);
    CU_ASSERT_EQUAL(patience_look(&patience, true, now_ns + 900 * NS_PER_MS), 0);
    now_ns += 900 * NS_PER_MS;
    CU_ASSERT_EQUAL(wait_for(&patience, &now_ns, 5), 5 * LOOK_NS);
}

static void being_stopped_is_no_waiting(void)
{
    struct patience patience = {0};
    int64_t now_ns = 77 * NS_PER_S;

    CU_ASSERT_EQUAL(patience_look(&patience, true, now_ns), 0);
    CU_ASSERT_EQUAL(wait_for(&patience, &now_ns, 20), 20 * LOOK_NS);
    now_ns += 3600 * NS_PER_S;
    CU_ASSERT_EQUAL(wait_for(&patience, &now_ns, 5), 24 * LOOK_NS);
}

static const struct unit_case CASES[] = {
    {"waiting adds up, and begins anew", waiting_adds_up_and_begins_anew},
    {"being stopped is no waiting", being_stopped_is_no_waiting},
};
UNIT_MAIN("patience", CASES)
