#!/usr/bin/env python3
"""op.py SEED COUNT: operation, expected text of the value, elements as text. Sums of ints are
Python's sum, with a float among them the Fraction rounded once; products are math.prod."""
import math
import random
import sys
from fractions import Fraction


def round_fraction(value):
    try:
        return value.numerator / value.denominator
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def sum_of(elements):
    if all(type(element) is int for element in elements):
        return str(sum(elements))
    floats = [element for element in elements if type(element) is float]
    special = [element for element in floats if not math.isfinite(element)]
    if special:
        return repr(sum(special)).replace("-nan", "nan")
    if all(type(element) is float and element == 0 and math.copysign(1, element) < 0 for element in elements):
        return "-0.0"
    return repr(round_fraction(sum(map(Fraction, elements))))


def int_of(rng):
    size = rng.choice((3, 10, 31, 32, 62, 63, 63, 64, 65, 200, 3000))
    value = rng.choice((rng.getrandbits(size), (1 << size) - rng.randrange(3)))
    return rng.choice((-1, 1)) * value


def float_of(rng):
    return rng.choice((0.0, -0.0, rng.gauss(0, 1), rng.uniform(-1, 1) * 10.0 ** rng.randrange(-300, 308),
                       float(rng.randrange(-100, 100)), rng.choice((-1, 1)) * 5e-324, 1.7976931348623157e308))


def sum_case(rng):
    kind = rng.randrange(5)
    if kind == 0:
        elements = [int_of(rng) for _ in range(rng.randrange(20))]
    elif kind == 1:
        elements = [rng.choice((-0.0, -0.0, -0.0, 0.0, 0)) for _ in range(rng.randrange(1, 4))]
    elif kind == 2:
        elements = [float_of(rng) for _ in range(rng.randrange(1, 20))]
    else:
        elements = [rng.choice((int_of, float_of))(rng) for _ in range(rng.randrange(1, 12))]
        elements += [-element for element in elements[:rng.randrange(1, 12)]]
    if rng.randrange(20) == 0:
        elements += rng.choices((math.inf, -math.inf, math.nan), k=rng.randrange(1, 3))
    rng.shuffle(elements)
    return "sum", sum_of(elements), elements


def product_case(rng):
    elements = [int_of(rng) for _ in range(rng.randrange(30))]
    if rng.randrange(3):
        elements = [element or 1 for element in elements]
    if rng.randrange(2):
        elements = [rng.randrange(-9, 10) or 1 for _ in range(rng.randrange(300))]
    return "product", str(math.prod(elements)), elements


def main():
    rng, count = random.Random(int(sys.argv[1])), int(sys.argv[2])
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    for i in range(count):
        name, value, elements = (product_case if i % 4 == 3 else sum_case)(rng)
        print(name, value, *map(repr, elements))


main()
