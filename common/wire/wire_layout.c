#include "wire/wire_layout.h"

#include "base/limits.h"

#include <assert.h>
#include <stddef.h>

/* Enums are stored and loaded as 32-bit numbers. */
static_assert(sizeof(enum role) == 4 && sizeof(enum task_kind) == 4, "enums are 32 bits wide");

#define FIELD(kind, member, least, most)                                                           \
    {                                                                                              \
        kind, (uint32_t)offsetof(struct message, member), least, most                              \
    }
#define U64(member) FIELD(FIELD_U64, member, 0, 0)
#define U32(member) FIELD(FIELD_U32, member, 0, UINT32_MAX)
#define ENUM(member, last) FIELD(FIELD_U32, member, 1, last)
#define BOOL(member) FIELD(FIELD_BOOL, member, 0, 1)
#define TEXT(member) FIELD(FIELD_TEXT, member, 0, sizeof(((struct message *)0)->member))
#define SOURCE(member) FIELD(FIELD_U32, member, 0, SOURCES_MAX)
#define PLACE(member) SOURCE(member.source), U64(member.unit)
#define PAYLOAD FIELD(FIELD_PAYLOAD, payload.length, 0, 0)

const struct layout WIRE_LAYOUTS[MESSAGE_TYPES] = {
    [MESSAGE_HELLO] = {7,
                       {U32(hello.version), ENUM(hello.role, ROLE_PROCESS), TEXT(hello.host),
                        U32(hello.pid), U32(hello.slots), U32(hello.credit_tasks),
                        U64(hello.session)}},
    [MESSAGE_WELCOME] = {4,
                         {U32(welcome.version), U32(welcome.slots), U32(welcome.credit_tasks),
                          U64(welcome.session)}},
    [MESSAGE_REFUSED] = {1, {TEXT(refused.text)}},
    [MESSAGE_HEARTBEAT] = {1, {U64(heartbeat.slots)}},
    [MESSAGE_JOB] = {1, {U64(job.job)}},
    [MESSAGE_FORGET] = {1, {U64(forget.job)}},
    [MESSAGE_TASK] = {15,
                      {U64(task.job), U64(task.task), U32(task.attempt), ENUM(task.kind, TASK_GLUE),
                       PLACE(task.slice.begin), PLACE(task.slice.end), U64(task.slice.element),
                       BOOL(task.slice.in_token), U64(task.room_bytes), U32(task.deaths),
                       U32(task.lost_daemons), BOOL(task.by_value), PAYLOAD}},
    [MESSAGE_CANCEL] = {3, {U64(cancel.job), U64(cancel.task), U32(cancel.attempt)}},
    [MESSAGE_ROOM] = {4, {U64(room.job), U64(room.task), U32(room.attempt), U64(room.more_bytes)}},
    [MESSAGE_RESULT] = {13,
                        {U64(result.job), U64(result.task), U32(result.attempt),
                         ENUM(result.kind, TASK_GLUE), PLACE(result.begin), PLACE(result.middle),
                         U64(result.busy_ns), U32(result.deaths), BOOL(result.done),
                         U64(result.units), PAYLOAD}},
    [MESSAGE_DECLINED] = {5,
                          {U64(declined.job), U64(declined.task), U32(declined.attempt),
                           ENUM(declined.reason, DECLINE_DRAINING), SOURCE(declined.source)}},
    [MESSAGE_STATUS] = {1, {PAYLOAD}},
};
