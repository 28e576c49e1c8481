#!/usr/bin/env python3
"""token.py SEED COUNT: grammar (T text, J JSON), kind (I int, B big, F float, R range, X bad),
value (decimal for ints, bits for floats) and the token. The value of a token is what Python's int,
float and json make of it; which tokens are one is said by the two patterns."""
import json
import math
import random
import re
import struct
import sys

TEXT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
WORD = re.compile(r"[+-]?(inf|infinity|nan)", re.ASCII | re.IGNORECASE)
FIXED = """0 -0 +0 00 007 -007 1 +1 -1 9223372036854775807 9223372036854775808 -9223372036854775808
-9223372036854775809 18446744073709551615 18446744073709551616 99999999999999999999 1. .5 +.5 -.5 . +. -.
+ - ++1 +-1 -+1 --1 1_000 0x10 0b1 1e 1e+ 1e- 1e5 1E5 1e+5 1e-5 1.e5 .e5 e5 1e5.0 1e400 -1e400 1e-400
-1e-400 1e309 1.7976931348623157e308 1.7976931348623158e308 1.7976931348623159e308 179769313486231580e291
2e308 5e-324 2.4703282292062327e-324 2.4703282292062328e-324 2e-324 2.2250738585072014e-308
2.2250738585072011e-308 1e23 8.5e22 9007199254740993 9007199254740993.0 9007199254740992.5 inf -inf +inf
Infinity -INFINITY +infinity nan NaN -nan +NAN infinit in na nano infi nan(1) 1e999999999999999999999999
1e-999999999999999999999999 0e999999999999999999999999 0.0 -0.0 -0e0 00.5 01 1.5f 1,5 ١ 1e1e1 1..5 1.5.2
0.1e1_0 true null 1/2 1d5 0x1p3 1e0005 1e-0005 123456789012345678901234567890e-30 0.000000000000000000001""".split()
FIXED += [f"{(2**53 + 3) * 5**1076}e-1076"]  # past halfway by the 54th bit alone, which strtod() may lose


def bits_of(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def expect_text(token):
    if WORD.fullmatch(token):
        value = float(token)
        return "F", "nan" if math.isnan(value) else f"{bits_of(value):016x}"
    if not TEXT.fullmatch(token):
        return "X", "-"
    if re.fullmatch(r"[+-]?\d+", token, re.ASCII):
        return expect_int(int(token))
    return expect_float(float(token))


def expect_int(value):
    return ("I" if -(2**63) <= value < 2**63 else "B"), str(value)


def expect_float(value):
    return ("R", "-") if math.isinf(value) else ("F", f"{bits_of(value):016x}")


def refuse(word):
    raise ValueError(word)


def expect_json(token):
    try:
        value = json.loads(token, parse_constant=refuse)
    except ValueError:
        return "X", "-"
    if type(value) is int:
        return expect_int(value)
    return expect_float(value) if type(value) is float else ("X", "-")


def digits(rng, most):
    return "".join(rng.choice("0123456789") for _ in range(rng.randrange(most)))


def halfway(rng):
    """Exactly between two doubles, or next to that: all digits count."""
    mantissa = 2 * rng.randrange(2**52, 2**53) + 1
    exponent = rng.choice((rng.randrange(-1075, -950), rng.randrange(-200, 200)))
    if exponent < 0:
        text = str(mantissa * 5**-exponent) + f"e{exponent}"
    else:
        text = str(mantissa * 2**exponent) + "e0"
    more = rng.choice(("", "0" * 50 + "1", "0" * 1000 + "1", "0" * 1000))
    number, power = text.split("e")
    return f"{number}{more}e{int(power) - len(more)}"


def spelled(rng, number, power):
    """number * 10^power, the point anywhere: before, within or behind the digits, or none."""
    sign = rng.choice(("", "-"))
    kind = rng.randrange(4)
    if kind == 0 and -len(number) - 400 < power < -len(number):
        return f"{sign}0.{'0' * (-power - len(number))}{number}"
    if kind == 1:
        return f"{sign}{number}e{power}"
    zeros = "0" * rng.choice((0, 0, 3, 1500))
    if kind == 2:
        return f"{sign}0.{zeros}{number}e{power + len(number) + len(zeros)}"
    point = rng.randrange(1, len(number))
    return f"{sign}{number[:point]}.{number[point:]}{zeros}e{power + len(number) - point}"


def cut(rng, number, power):
    """Its first digits, or all and zeros behind them; and then perhaps one more that counts."""
    digits_kept = rng.choice((rng.randrange(760, 801), 767, 768, 769, len(number), len(number), 2000))
    number, power = number[:digits_kept], power + max(0, len(number) - digits_kept)
    more = "0" * max(0, digits_kept - len(number)) + rng.choice(("", "", "1", "0"))
    return spelled(rng, number + more, power - len(more))


def subnormal(rng):
    """Half its last bit and perhaps a little more, down to its 54th bit or about there; then cut."""
    bits = rng.choice((52, 52, 51, 50, rng.randrange(1, 50)))
    below = rng.choice((54 - bits, 54 - bits, rng.randrange(1, 6)))
    dropped = 1 << (below - 1) | rng.choice((0, 1, 1, rng.getrandbits(below)))
    kept = 1 << (bits - 1) | rng.getrandbits(bits - 1) & -rng.choice((1, 2, 2))
    exponent = 1074 + below
    return cut(rng, str((kept << below | dropped) * 5**exponent), -exponent)


def overflow(rng):
    """At the greatest double and at what is no longer rounded to it, with a long tail."""
    edge = (2**54 - rng.choice((1, 1, 2, 3))) * 2**970
    tail = rng.choice(("0", "9")) * rng.randrange(450, 1800)
    tail += rng.choice(("", "1"))
    return spelled(rng, str(edge - (tail[0] == "9")) + tail, -len(tail))


def random_token(rng, i):
    kind = i % 7
    if kind == 0:
        return halfway(rng)
    if kind == 6:
        return overflow(rng) if i % 5 == 0 else subnormal(rng)
    if kind == 1:
        return repr(struct.unpack("<d", struct.pack("<Q", rng.getrandbits(64)))[0])
    if kind == 2:
        return rng.choice(("", "-", "+")) + digits(rng, 25)
    if kind == 3:
        return "".join(rng.choice("0123456789..eE+-") for _ in range(rng.randrange(1, 9)))
    token = rng.choice(("", "-", "+")) + digits(rng, 25) + "." + digits(rng, 25)
    return token + (f"e{rng.randrange(-340, 330)}" if kind == 4 else "")


def main():
    rng, count = random.Random(int(sys.argv[1])), int(sys.argv[2])
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    sys.stdout.reconfigure(encoding="utf-8")
    for token in FIXED + [random_token(rng, i) for i in range(count)]:
        print("T", *expect_text(token), token)
        print("J", *expect_json(token), token)


main()
