/* Text whose elements carry numbers is counted in pieces by all children, then cut where numbers
 * are known. */
#include "folding.h"
#include "node_drive.h"

enum { CLIENT = 1, FIRST_WORKER, WORKERS = 3, TEXT_BYTES = 700000, PIECES_MAX = 1000 };

static void fill(struct bytes *text)
{
    uint64_t random = 7;
    char number[32];

    while (text->length < TEXT_BYTES) {
        int length;

        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        length = snprintf(number, sizeof number, "%llu%s", (unsigned long long)(random >> 50),
                          random >> 40 & 15 ? " " : "  ,\n");
        bytes_append(text, number, (size_t)length);
    }
}

struct counting {
    struct drive drive;
    struct folding folding;
    struct bytes text;
    struct slice folds[PIECES_MAX];
    size_t counts, fold_count;
    uint64_t largest; /* bytes counted by one child in one task */
    bool counted_by[WORKERS];
};

static void answer_count(struct counting *c, peer_id worker, const struct message_task *task)
{
    struct segment segment;
    struct message result;

    folding_count(&c->folding, task->slice, &segment);
    result = drive_result(task, &segment);
    c->counts++;
    c->counted_by[worker - FIRST_WORKER] = true;
    if (task->slice.end.unit - task->slice.begin.unit > c->largest && !task->slice.end.source)
        c->largest = task->slice.end.unit - task->slice.begin.unit;
    drive_message(&c->drive, worker, &result);
}

static void answer_fold(struct counting *c, peer_id worker, const struct message_task *task)
{
    struct segment segment;
    struct message result;

    if (c->fold_count < PIECES_MAX)
        c->folds[c->fold_count++] = task->slice;
    folding_fold(&c->folding, task->slice, &segment);
    result = drive_result(task, &segment);
    drive_message(&c->drive, worker, &result);
}

/* Answer what was asked, in rounds, until nothing more is asked for. */
static void run(struct counting *c)
{
    for (size_t seen = 1; seen;) {
        struct actions asked = c->drive.done;

        seen = 0;
        c->drive.done = (struct actions){0};
        for (size_t i = 0; i < asked.count; i++) {
            const struct action *action = &asked.items[i];

            if (action->type != ACTION_SEND || action->message.type != MESSAGE_TASK)
                continue;
            seen++;
            if (action->message.task.kind == TASK_COUNT)
                answer_count(c, action->peer, &action->message.task);
            else
                answer_fold(c, action->peer, &action->message.task);
        }
        actions_free(&asked);
    }
}

static void begin(struct counting *c, struct cut cut)
{
    struct job_spec *spec = memory_new(sizeof *spec);

    *c = (struct counting){0};
    fill(&c->text);
    folding_init(&c->folding, SOURCE_TEXT, OP_SUM, cut);
    folding_set(&c->folding, c->text.data, c->text.length);
    c->folding.spec.sources[0].path = memory_text("/data/numbers");
    job_spec_copy(spec, &c->folding.spec);
    drive_new(&c->drive, 0);
    drive_hello(&c->drive, CLIENT, ROLE_CLIENT, 0);
    for (peer_id i = 0; i < WORKERS; i++)
        drive_hello(&c->drive, FIRST_WORKER + i, ROLE_WORKER, 2);
    drive_ask(&c->drive, CLIENT, spec, UINT64_MAX);
    run(c);
}

static void end(struct counting *c)
{
    drive_free(&c->drive);
    folding_clear(&c->folding);
    bytes_clear(&c->text);
}

static void a_large_text_is_counted_by_all_children(void)
{
    struct counting c;

    begin(&c, (struct cut){.kind = CUT_EVERY, .size = 1000});
    CU_ASSERT(c.counts >= WORKERS);
    for (int i = 0; i < WORKERS; i++)
        CU_ASSERT_TRUE(c.counted_by[i]);
    CU_ASSERT(c.largest <= c.text.length / WORKERS + 65536);
    end(&c);
}

static void slices_begin_with_the_number_that_counting_tells(void)
{
    struct counting c;

    begin(&c, (struct cut){.kind = CUT_EVERY, .size = 1000});
    CU_ASSERT(c.fold_count > WORKERS);
    for (size_t i = 0; i < c.fold_count; i++) {
        struct slice known = folding_slice(&c.folding, c.folds[i].begin, c.folds[i].end);

        CU_ASSERT_EQUAL(c.folds[i].element, known.element);
        CU_ASSERT_EQUAL(c.folds[i].in_token, known.in_token);
    }
    end(&c);
}

static const struct unit_case cases[] = {
    {"a large text is counted by all children", a_large_text_is_counted_by_all_children},
    {"slices begin with the number that counting tells",
     slices_begin_with_the_number_that_counting_tells},
};

UNIT_MAIN("counting", cases)
