/* Every bound of the program, in one place. */
#ifndef SHEAF_BASE_LIMITS_H
#define SHEAF_BASE_LIMITS_H

#include <stdint.h>

#define KIB UINT64_C(1024)
#define MIB (KIB * 1024)
#define GIB (MIB * 1024)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

#define PROTOCOL_VERSION 1u

#define VALUE_SLICE_BYTES_MAX MIB        /* a slice that travels by value */
#define RESULT_BYTES_MAX MIB             /* closed values in one result */
#define VALUE_BYTES_DEFAULT GIB          /* --max-value */
#define MEMORY_BYTES_DEFAULT (128 * MIB) /* --memory: the window of a node, shared by its jobs */
#define HEAVY_BYTES 512u     /* an event loop glues no values longer than this (64 limbs) */
#define FAULT_TEXT_BYTES 40u /* input quoted in a sentence */

#define TASK_NS_DEFAULT (20 * NS_PER_MS) /* --task-ms */
#define HEARTBEAT_NS NS_PER_S
#define SILENCE_NS (5 * NS_PER_S) /* a child silent for this long is lost */
#define CLIENT_SILENCE_NS (60 * NS_PER_S)
#define GIVE_UP_NS_DEFAULT (30 * NS_PER_S)
#define MPI_GIVE_UP_NS_DEFAULT (120 * NS_PER_S) /* … for all ranks to begin */
#define UP_WAIT_NS_DEFAULT (30 * NS_PER_S)      /* sheaf up: for a host to join */
#define PAUSE_NS NS_PER_S /* a step this late means that we ourselves were stopped */

#define PROCESS_DEATHS_MAX 3u /* deaths a started range may cause in pool processes … */
#define DAEMON_DEATHS_MAX 8u  /* … and in worker daemons */
#define CHECKPOINTS_PER_RESULT 64u
#define CHECKPOINTS_MAX 4096u

#define SOURCES_MAX 1000000u
#define PATH_BYTES_MAX 4096u
#define NPY_HEADER_BYTES_MAX (64 * KIB)
#define BATCH_MESSAGES_MAX 4096u         /* messages in one wire batch */
#define BATCH_HEADER_BYTES_MAX (4 * MIB) /* its msgpack frame; a job names its sources there */
#define FRAME_BYTES_MAX (2 * MIB)        /* a frame on a socket; longer payloads travel in parts */

#endif
