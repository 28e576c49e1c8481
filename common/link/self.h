/* What a shell says of itself and of this process when it makes a node. */
#ifndef SHEAF_LINK_SELF_H
#define SHEAF_LINK_SELF_H

#include "core/node.h"

/* Host, pid and a seed of its own; heartbeat and silence times and the other defaults. */
void self_describe(struct node_options *options);

#endif
