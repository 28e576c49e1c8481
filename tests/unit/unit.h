/* The few lines every unit test shares: a table of named cases, run by CUnit, exit status 1 on a
 * failure. */
#ifndef SHEAF_TESTS_UNIT_H
#define SHEAF_TESTS_UNIT_H

#include <CUnit/Basic.h>

struct unit_case {
    const char *name; /* the behaviour, as a sentence */
    CU_TestFunc run;
};

static inline int unit_run(const char *suite_name, const struct unit_case *cases, size_t count)
{
    CU_pSuite suite;
    unsigned failures;

    if (CU_initialize_registry() != CUE_SUCCESS)
        return 1;
    suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        CU_add_test(suite, cases[i].name, cases[i].run);
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_basic_run_tests();
    failures = CU_get_number_of_failures();
    CU_cleanup_registry();
    return failures ? 1 : 0;
}

#define UNIT_MAIN(suite, cases)                                                                    \
    int main(void)                                                                                 \
    {                                                                                              \
        return unit_run(suite, cases, sizeof(cases) / sizeof *(cases));                            \
    }

#endif
