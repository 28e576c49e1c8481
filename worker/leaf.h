/*
 * The leaf: what runs inside a pool process. It takes the tasks of its parent one at a time, first
 * come, first served, folds or glues, and answers each with one result.
 */
#ifndef SHEAF_WORKER_LEAF_H
#define SHEAF_WORKER_LEAF_H

#include "base/error.h"

/*
 * Serve the parent at the other end of `fd` until it is gone: OK. ERROR_PROTOCOL: it sent what no
 * parent may send.
 */
int leaf_run(int fd, struct error *error);

#endif
