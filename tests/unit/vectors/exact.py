#!/usr/bin/env python3
"""exact.py SEED COUNT: the bits of the correctly rounded sum ("nan" for any nan), then the bits of
the doubles. The sum is Python's Fraction, rounded by int / int; math.fsum agrees where it applies."""
import math
import random
import struct
import sys
from fractions import Fraction


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def double_of(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def round_fraction(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def exact_sum(values):
    special = [value for value in values if not math.isfinite(value)]
    if special:
        return sum(special)
    rounded = round_fraction(sum(map(Fraction, values)))
    try:
        assert math.fsum(values) == rounded
    except OverflowError:
        pass
    return rounded


def spread(rng, size):
    """Doubles whose exponents span `size` binades somewhere."""
    low = rng.randrange(2048 - size)
    count = rng.choice((1, 2, 3, 10, 40))
    return [double_of(rng.getrandbits(1) << 63 | rng.randrange(low, low + size) << 52 | rng.getrandbits(52))
            for _ in range(count)]


def half(rng):
    """A sum on, or a last bit beside, the middle between two doubles."""
    value = rng.uniform(1, 2) * 2.0 ** rng.randrange(-900, 900)
    ulp = math.ulp(value)
    values = [value, ulp / 2]
    if rng.getrandbits(1):
        values.append(rng.choice((-1, 1)) * ulp * 2.0 ** -rng.randrange(2, 150))
    return values


def cancel(rng):
    values = spread(rng, rng.choice((10, 300, 2046)))
    rest = [5e-324 * rng.randrange(3), rng.uniform(-1, 1)]
    return values + [-value for value in values] + rng.sample(rest, rng.randrange(3))


def cases(rng, count):
    huge, tiny = sys.float_info.max, 5e-324
    yield from ([], [1.0], [huge, huge, -huge], [huge, math.ulp(huge) / 2], [huge, math.ulp(huge) / 4],
                [huge] * 3, [-huge] * 3, [tiny], [-tiny, tiny], [tiny] * 3, [1e100, 1.0, -1e100],
                [math.inf, 1.0], [-math.inf, 1.0], [math.inf, -math.inf], [math.nan, math.inf],
                [1.0, math.nan], [0.1] * 10, [2.0**53, 1.0], [2.0**53, 1.0, tiny], [2.2250738585072014e-308, -tiny])
    for i in range(count):
        kind = i % 6
        if kind == 0:
            values = half(rng)
        elif kind == 1:
            values = cancel(rng)
        elif kind == 2:
            values = [rng.gauss(0, 1) for _ in range(rng.randrange(60))]
        else:
            values = spread(rng, rng.choice((1, 30, 60, 100, 300, 2046)))
        rng.shuffle(values)
        yield values


def main():
    rng = random.Random(int(sys.argv[1]))
    for values in cases(rng, int(sys.argv[2])):
        total = exact_sum(values)
        print("nan" if math.isnan(total) else f"{bits_of(total):016x}", *(f"{bits_of(value):016x}" for value in values))


main()
