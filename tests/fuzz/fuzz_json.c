/* Any bytes as JSON: the same values and the same fault, whole or cut and glued. */
#include "fuzz_cut.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    return fuzz_cut_run(SOURCE_JSON, data, length);
}
