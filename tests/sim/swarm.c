#include "swarm.h"

#include "random.h"

#include "base/limits.h"

#include <string.h>

static const char *const CLASS_NAMES[SWARM_CLASSES] = {
    [SWARM_DELAY] = "delay",
    [SWARM_BANDWIDTH] = "bandwidth",
    [SWARM_CUT] = "cut",
    [SWARM_HALF_OPEN] = "half-open",
    [SWARM_PARTITION] = "partition",
    [SWARM_REPLAY] = "replay",
    [SWARM_DUPLICATE] = "duplicate",
    [SWARM_PAUSE] = "pause",
    [SWARM_CRASH_TOP] = "crash-coordinator",
    [SWARM_CRASH_WORKER] = "crash-worker",
    [SWARM_CRASH_CLIENT] = "crash-client",
    [SWARM_LEAF_CRASH] = "leaf-crash",
    [SWARM_LEAF_SLOW] = "leaf-slow",
    [SWARM_LEAF_NONSENSE] = "leaf-nonsense",
    [SWARM_ABSENT] = "absent-files",
    [SWARM_CLOCKS] = "clocks",
    [SWARM_POISON] = "poison",
    [SWARM_CANCEL] = "cancel",
    [SWARM_DRAIN] = "drain",
    [SWARM_SLOW_READER] = "slow-reader",
    [SWARM_TINY] = "tiny",
    [SWARM_LATE] = "late",
    [SWARM_HEAVY] = "heavy",
    [SWARM_COUNTED] = "counted",
    [SWARM_BLIND] = "blind",
    [SWARM_HOSTILE] = "hostile",
    [SWARM_OBSERVER] = "observer",
    [SWARM_FOREIGN] = "foreign",
    [SWARM_LISTEN] = "listen",
    [SWARM_RESUME] = "resume",
};

enum { SHAPED_BYTES_PER_S = 1000000 };
#define BIT(class) (UINT32_C(1) << (class))

static const uint32_t HARMLESS = BIT(SWARM_CLOCKS) | BIT(SWARM_SLOW_READER) | BIT(SWARM_TINY) |
                                 BIT(SWARM_LATE) | BIT(SWARM_DELAY) | BIT(SWARM_HEAVY) |
                                 BIT(SWARM_COUNTED) | BIT(SWARM_OBSERVER) | BIT(SWARM_FOREIGN);

const char *swarm_class_name(unsigned class)
{
    return CLASS_NAMES[class];
}

bool swarm_has(const struct swarm *swarm, enum swarm_class class)
{
    return swarm->classes & BIT(class);
}

bool swarm_is_harmless(const struct swarm *swarm)
{
    return !(swarm->classes & ~HARMLESS);
}

static uint32_t draw_classes(struct random *random)
{
    static const uint32_t DENSITIES[] = {0, 80, 150, 300, 500};
    uint32_t density = DENSITIES[random_below(random, 5)];
    uint32_t classes = 0;

    for (unsigned class = 0; class < SWARM_HEAVY; class ++)
        if (random_chance(random, density))
            classes |= BIT(class);
    return classes;
}

/* Classes that came later have a stream of their own: the worlds of seeds that are kept stay. */
static uint32_t draw_later_classes(uint64_t seed)
{
    static const uint32_t DENSITIES[] = {0, 0, 150, 300};
    struct random random = random_stream(seed, 7);
    uint32_t density = DENSITIES[random_below(&random, 4)];
    uint32_t classes = 0;

    for (unsigned class = SWARM_HEAVY; class < SWARM_RESUME; class ++)
        if (random_chance(&random, density))
            classes |= BIT(class);
    return classes;
}

/* A window that the light values alone would fill. */
static void draw_window(struct swarm *swarm, uint64_t seed)
{
    struct random random = random_stream(seed, 8);
    uint64_t memory_bytes = (uint64_t)random_log(&random, 32 * 1024, 512 * 1024);

    uint32_t credit = (uint32_t)random_below(&random, 4); /* not limited now and then */

    if (swarm_has(swarm, SWARM_HEAVY) && memory_bytes < swarm->memory_bytes)
        swarm->memory_bytes = memory_bytes;
    if (swarm_has(swarm, SWARM_TINY))
        swarm->credit = credit;
    /* A megabyte at 20 kB/s, heartbeats behind it, would be silence: the real link sends parts. */
    if (swarm->bytes_per_s && swarm->bytes_per_s < SHAPED_BYTES_PER_S &&
        (swarm_has(swarm, SWARM_HEAVY) || swarm_has(swarm, SWARM_COUNTED)))
        swarm->bytes_per_s = SHAPED_BYTES_PER_S;
}

static void draw_size(struct swarm *swarm, struct random *random)
{
    swarm->workers = (uint32_t)random_log(random, 1, 12);
    swarm->slots_max = (uint32_t)random_log(random, 1, 6);
    swarm->clients = (uint32_t)random_log(random, 1, 5);
    swarm->oneshots = random_chance(random, 250) ? 1 : 0;
    /* Now and then a very large farm; the world is given less time then. */
    if (random_chance(random, 4)) {
        swarm->workers = (uint32_t)random_between(random, 300, 2000);
        swarm->slots_max = 1;
        swarm->clients = 1;
    }
}

static void draw_blind(struct swarm *swarm, uint64_t seed)
{
    struct random random = random_stream(seed, 9);

    if (!swarm_has(swarm, SWARM_BLIND))
        return;
    swarm->workers = (uint32_t)random_between(&random, 1, 2);
    swarm->clients = 1;
    swarm->blind = (uint32_t)random_between(&random, 66, 100);
}

uint32_t swarm_class_bit(const char *name)
{
    for (unsigned class = 0; class < SWARM_CLASSES; class ++)
        if (!strcmp(CLASS_NAMES[class], name))
            return BIT(class);
    return 0;
}

/* A stream of its own, as the class came later: the other dice of a seed stay what they were. */
static void draw_resume(struct swarm *swarm, uint64_t seed, struct swarm_filter filter)
{
    struct random random = random_stream(seed, 10);

    if (swarm->oneshots && random_chance(&random, 500))
        swarm->classes |= BIT(SWARM_RESUME) & ~filter.off;
    if (swarm_has(swarm, SWARM_RESUME) && !swarm->oneshots)
        swarm->oneshots = 1;
}

void swarm_draw(struct swarm *swarm, uint64_t seed, struct swarm_filter filter)
{
    struct random random = random_stream(seed, 1);
    uint32_t classes = draw_classes(&random) | draw_later_classes(seed);
    struct swarm drawn = {.classes = (classes | filter.on) & ~filter.off};
    int64_t delay_ns = random_log(&random, NS_PER_MS / 10, 300 * NS_PER_MS);
    int64_t bytes_per_s = random_log(&random, 20000, 100000000);
    int64_t tiny_memory = random_log(&random, 16 * 1024, 4 << 20);
    uint32_t tiny_credit = (uint32_t)random_between(&random, 1, 2);
    bool is_tiny = swarm_has(&drawn, SWARM_TINY);
    bool is_slow = swarm_has(&drawn, SWARM_DELAY);

    draw_size(&drawn, &random);
    drawn.heal_ns = random_log(&random, NS_PER_S, 40 * NS_PER_S);
    drawn.delay_ns = is_slow ? delay_ns : NS_PER_MS / 10;
    drawn.jitter_ns = is_slow ? delay_ns : NS_PER_MS / 100;
    drawn.bytes_per_s = swarm_has(&drawn, SWARM_BANDWIDTH) ? bytes_per_s : 0;
    drawn.fault_gap_ns = random_log(&random, 50 * NS_PER_MS, 10 * NS_PER_S);
    drawn.losses_max = (uint32_t)random_below(&random, 4) + 1;
    drawn.task_ns = random_log(&random, NS_PER_MS, 400 * NS_PER_MS);
    drawn.by_value = random_chance(&random, 150);
    drawn.batches_of_one = random_chance(&random, 500) && is_tiny;
    drawn.memory_bytes = is_tiny ? (uint64_t)tiny_memory : 8 * MIB;
    drawn.leaf_credit = is_tiny ? tiny_credit : 64;
    draw_window(&drawn, seed);
    draw_blind(&drawn, seed);
    if (swarm_has(&drawn, SWARM_LISTEN))
        drawn.oneshots = 1;
    draw_resume(&drawn, seed, filter);
    *swarm = drawn;
}
