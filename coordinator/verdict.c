#include "verdict.h"

#include "base/error.h"

int verdict_exit_status(const struct fault *fault)
{
    switch (fault->kind) {
    case FAULT_NONE:
        return 0;
    case FAULT_KILLED:
    case FAULT_VALUE_TOO_LARGE:
        return error_exit_status(ERROR_FAILED);
    case FAULT_NOT_A_NUMBER:
    case FAULT_EMPTY_FIELD:
    case FAULT_LONE_CR:
    case FAULT_DECIMAL_RANGE:
    case FAULT_NOT_AN_INTEGER:
    case FAULT_FLOAT_PRODUCT:
    case FAULT_JSON_SYNTAX:
    case FAULT_JSON_NOT_NUMERIC:
    case FAULT_JSON_CUT_OFF:
    case FAULT_CHANGED:
    case FAULT_UNREADABLE:
    case FAULT_KINDS:
        break;
    }
    return error_exit_status(ERROR_INPUT);
}

bool verdict_is_final(const struct fault *fault)
{
    return fault->kind != FAULT_KILLED && fault->kind != FAULT_UNREADABLE;
}
