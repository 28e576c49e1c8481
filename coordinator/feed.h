/*
 * Standard input and files that travel by value: a thread that reads what the node asks for, so
 * that a slow pipe or disk never stops the loop. The thread starts with the first request; requests
 * are answered in order.
 */
#ifndef SHEAF_COORDINATOR_FEED_H
#define SHEAF_COORDINATOR_FEED_H

#include "base/error.h"
#include "core/node.h"

struct feed;

/* spec and streams (a descriptor per source, -1: none) are borrowed until feed_free(). */
int feed_new(struct feed **out, const struct job_spec *spec, const int *streams,
             struct error *error);
void feed_free(struct feed **out);
/* Readable when an answer is there. */
int feed_fd(const struct feed *feed);
void feed_ask(struct feed *feed, uint32_t source, uint64_t unit, uint64_t units);
/* The next answer as an EVENT_INPUT without its time; false: none. */
bool feed_take(struct feed *feed, struct event *event);
/* Bytes of a stream read so far. */
uint64_t feed_bytes(struct feed *feed, uint32_t source);

#endif
