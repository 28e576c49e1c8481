#!/usr/bin/env python3
"""exact_integer.py SEED COUNT: the bits of the correctly rounded sum, an integer, the bits of the doubles that
are added to it. The sum is Python's Fraction, rounded by int / int. Integers have up to 1300 bits: around the size
from which on no doubles bring the sum back into their range."""
import math
import random
import struct
import sys
from fractions import Fraction


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def round_fraction(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def integer_of(rng):
    size = rng.choice((1, 64, 1000, 1023, 1024, 1025, rng.randrange(1080, 1100), rng.randrange(1000, 1301)))
    value = rng.choice((1 << (size - 1), (1 << size) - 1, (1 << (size - 1)) | rng.getrandbits(size)))
    return rng.choice((-1, 1)) * value


def case(rng):
    integer = integer_of(rng)
    largest = -sys.float_info.max if integer > 0 else sys.float_info.max
    doubles = [rng.choice((-1, 1)) * math.ldexp(rng.random(), rng.randrange(-1074, 1024)) for _ in range(rng.randrange(5))]
    if rng.getrandbits(1):
        doubles += [largest] * rng.choice((1, 2, 3, 50))
    if rng.getrandbits(1):
        # Back into the range: all but a little of the integer is taken off again.
        integer = -sum(map(int, doubles)) + rng.choice((0, 1, -1, rng.getrandbits(900)))
    rng.shuffle(doubles)
    return integer, doubles


def main():
    rng = random.Random(int(sys.argv[1]))
    for _ in range(int(sys.argv[2])):
        integer, doubles = case(rng)
        total = round_fraction(sum(map(Fraction, doubles), Fraction(integer)))
        print(f"{bits_of(total + 0.0):016x}", integer, *(f"{bits_of(value):016x}" for value in doubles))


main()
