/*
 * Jobs of a special shape, for what random ones hardly ever meet.
 */
#ifndef SHEAF_SIM_SHAPES_H
#define SHEAF_SIM_SHAPES_H

#include "random.h"
#include "swarm.h"

#include "base/bytes.h"
#include "source/job.h"

enum shape {
    SHAPE_ANY = 0,
    SHAPE_HEAVY,   /* one long product of long numbers, then very many small ones */
    SHAPE_COUNTED, /* much text whose elements carry numbers */
    SHAPE_SPRAY    /* a range cut into very many sublists: results that come in parts */
};

enum shape shape_draw(const struct swarm *swarm, struct random *random);
/* What is asked for. The sources are still to be made. */
void shape_spec(enum shape shape, struct job_spec *spec, struct random *random);
/* One source: what it is, and its bytes. */
void shape_source(enum shape shape, struct source *source, struct bytes *bytes,
                  struct random *random);

#endif
