#!/usr/bin/env python3
"""fold_text.py SEED COUNT: texts, right and wrong, and what folding them must give: see folding.py."""
import math
import re
import sys

from folding import (DECIMAL_RANGE, EMPTY_FIELD, LONE_CR, NOT_A_NUMBER, command_line, number)

INT = re.compile(rb"[+-]?[0-9]+")
FLOAT = re.compile(rb"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
SPECIAL = re.compile(rb"[+-]?(inf|infinity|nan)", re.IGNORECASE)
sys.set_int_max_str_digits(0)


def convert(token):
    """The value, or the kind of fault."""
    if INT.fullmatch(token):
        return int(token), None
    if SPECIAL.fullmatch(token):
        return float(token), None
    if not FLOAT.fullmatch(token):
        return None, NOT_A_NUMBER
    value = float(token)
    return (None, DECIMAL_RANGE) if math.isinf(value) else (value, None)


def parse_fields(content, unit, line, job, events):
    """One line up to its CR or newline. Returns whether it is right."""
    fields = re.split(rb"[,;]", content)
    at = unit
    for index, field in enumerate(fields):
        tokens = list(re.finditer(rb"[^ \t]+", field))
        last = index == len(fields) - 1
        if not tokens and len(fields) > 1:
            comma = at - 1 if last else at + len(field)
            events.append(("fault", EMPTY_FIELD, comma, line, 0))
            return False
        for token in tokens:
            value, fault = convert(token.group())
            fault = fault or job.fault_of(value)
            if fault:
                events.append(("fault", fault, at + token.start(), line, 1))
                return False
            events.append(("element", value))
        at += len(field) + 1
    return True


def parse(data, job):
    events, unit = [], 0
    for line, whole in enumerate(re.findall(rb"[^\n]*\n|[^\n]+", data)):
        content = whole.rstrip(b"\n")
        before = content.split(b"\r")[0]
        events.append(("open",))
        if not parse_fields(before, unit, line, job, events):
            return events
        if before != content and whole != before + b"\r\n":
            events.append(("fault", LONE_CR, unit + len(before), line, 0))
            return events
        events.append(("boundary",))
        unit += len(whole)
    return events


def write(rng, job):
    kind = rng.random()
    wrong = rng.random() < 0.4
    pieces = []
    for _ in range(rng.randrange(rng.choice([3, 12, 40]))):
        line = rng.choice([" ", " ", ",", ", ", "\t", ";", "  ", " ; "]).join(
            number(rng) if kind < 0.5 else str(rng.randrange(-10 ** 6, 10 ** 6)) for _ in range(rng.randrange(12)))
        pieces.append(rng.choice(["", "", "", " ", "  "]) + line + rng.choice(["", "", "", " "]))
        pieces.append(rng.choice(["\n", "\n", "\n", "\r\n", "\n\n"]))
    text = "".join(pieces)
    if wrong and text:
        at = rng.randrange(len(text))
        bad = rng.choice(["x", ",,", ",", "\r", "\0", "1_0", "--1", "1e999", ".", "\x80", "inf", "+5", "nan", "0x1", "1.", ".5"])
        text = text[:at] + bad + text[at + rng.randrange(2):]
    data = text.encode("latin-1")
    if rng.random() < 0.5:
        data = data.rstrip(b"\n")
    return data, parse(data, job), len(re.findall(rb"[^ \t,;\r\n]+", data))


if __name__ == "__main__":
    command_line(write, int(sys.argv[1]), int(sys.argv[2]))
