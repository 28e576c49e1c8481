/*
 * Planted faults: the simulator must find each (tests/sim). A build with -DSHEAF_MUTANT=NAME plants
 * one; in every other build MUTANT() is the constant 0 and costs nothing.
 */
#ifndef SHEAF_CORE_MUTANT_H
#define SHEAF_CORE_MUTANT_H

#define MUTANT_ONE_1 0, 1
#define MUTANT_PICK(a, b, ...) b
#define MUTANT_CALL(...) MUTANT_PICK(__VA_ARGS__, 0, 0)
#define MUTANT_JOIN(a, b) a##b
#define MUTANT_SET(x) MUTANT_CALL(MUTANT_JOIN(MUTANT_ONE_, x))
/* 1 when SHEAF_MUTANT_<name> is defined as 1, else 0. */
#define MUTANT(name) MUTANT_SET(SHEAF_MUTANT_##name)

#endif
