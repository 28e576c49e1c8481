#include "base/patience.h"

#include "base/limits.h"

int64_t patience_look(struct patience *patience, bool is_waiting, int64_t now_ns)
{
    int64_t passed_ns = now_ns - patience->looked_ns;

    if (!is_waiting || !patience->is_waiting)
        patience->waited_ns = 0;
    else
        patience->waited_ns += passed_ns < PAUSE_NS ? passed_ns : 0;
    patience->is_waiting = is_waiting;
    patience->looked_ns = now_ns;
    return patience->waited_ns;
}
