#!/usr/bin/env python3
"""Write powers.c: the 128 leading bits, rounded down, of each power of ten a double can need."""

FIRST, LAST = -342, 324


def leading_bits(exponent):
    numerator = 10 ** max(exponent, 0)
    denominator = 10 ** max(-exponent, 0)
    shift = 128 - (numerator.bit_length() - denominator.bit_length())
    for candidate in (shift - 1, shift, shift + 1):
        scaled = (numerator << max(candidate, 0)) // (denominator << max(-candidate, 0))
        if scaled.bit_length() == 128:
            return scaled
    raise AssertionError(exponent)


def main():
    print("/* Made by powers.py. */")
    print('#include "number/powers.h"\n')
    print("/* clang-format off */")
    print("const struct power POWERS[POWER_LAST - POWER_FIRST + 1] = {")
    row = []
    for exponent in range(FIRST, LAST + 1):
        bits = leading_bits(exponent)
        row.append(f"{{0x{bits >> 64:016x}, 0x{bits & (2**64 - 1):016x}}},")
        if len(row) == 2 or exponent == LAST:
            print("    " + " ".join(row))
            row = []
    print("};")


main()
