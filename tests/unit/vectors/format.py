#!/usr/bin/env python3
"""format.py SEED COUNT: bits of doubles and Python's repr of them, all powers of two first."""
import random
import struct
import sys


def double_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def cases(rng, count):
    for exponent in range(-1074, 1024):
        yield bits_of(2.0**exponent)
    for exponent in range(-324, 309):
        bits = bits_of(float(f"1e{exponent}"))
        yield from (bits, bits + 1, max(bits, 1) - 1)
    for bits in (0, 1, 2, 3, 0x7FEFFFFFFFFFFFFF, 0x0010000000000000, 0x000FFFFFFFFFFFFF,
                 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000):
        yield from (bits, bits ^ 1 << 63)
    for i in range(count):
        bits = rng.getrandbits(64)
        if i % 4 == 1:  # subnormals
            bits &= 0x800FFFFFFFFFFFFF >> rng.randrange(12, 52) | 1 << 63
        elif i % 4 == 2:  # ordinary sizes
            bits = bits_of(rng.choice((-1, 1)) * rng.uniform(0, 10 ** rng.randrange(-6, 20)))
        elif i % 4 == 3:  # few digits
            bits = bits_of(rng.randrange(10**6) / 10 ** rng.randrange(12))
        yield bits


def main():
    rng = random.Random(int(sys.argv[1]))
    for bits in cases(rng, int(sys.argv[2])):
        print(f"{bits:016x} {double_of(bits)!r}")


main()
