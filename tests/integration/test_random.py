"""Random sources, cuts and ways to work, here and on a farm, against Python's integers and Fractions.

A case is made from SHEAF_SEED (default: 1) and its number; a failure names both. SHEAF_CASES and
SHEAF_SECONDS make it longer.
"""

import fractions
import json
import math
import os
import pathlib
import random
import struct
import tempfile
import time
import unittest

import farm
from farm import sheaf

SEED = int(os.environ.get("SHEAF_SEED", "1"))
CASES = int(os.environ.get("SHEAF_CASES", "250"))
SECONDS = float(os.environ.get("SHEAF_SECONDS", "12"))
CASES_MIN = 20  # also on a slow machine


# The oracle.

def exact_sum(values):
    """The value of a sublist's sum as it is printed."""
    if not any(isinstance(value, float) for value in values):
        return str(sum(values))
    odd = [value for value in values if isinstance(value, float) and not math.isfinite(value)]
    if odd:
        return repr(sum(odd))
    if all(isinstance(value, float) and value == 0 and math.copysign(1, value) < 0 for value in values):
        return "-0.0"
    total = sum(map(fractions.Fraction, values))
    try:
        return repr(float(total))
    except OverflowError:
        return "inf" if total > 0 else "-inf"


def cut_sublists(sublists, cut):
    """What the options make of the sublists that the sources have."""
    flat = [value for sublist in sublists for value in sublist]
    if not cut:
        return sublists
    if cut[0] == "--total":
        return [flat]
    number = cut[1]
    if cut[0] == "--every":
        return [flat[i:i + number] for i in range(0, len(flat), number)]
    begin, parts = 0, []
    for i in range(number):
        size = len(flat) // number + (i < len(flat) % number)
        parts.append(flat[begin:begin + size])
        begin += size
    return parts


def printed(op, sublists):
    reduce = exact_sum if op == "sum" else lambda values: str(math.prod(values))
    return "".join(reduce(sublist) + "\n" for sublist in sublists)


# Sources: each of these returns the sublists, and the file's ending and bytes.

def draw_int(draw):
    return draw.choice((
        lambda: draw.randrange(-9, 10), lambda: draw.randrange(-10**6, 10**6), lambda: draw.randrange(-2**63, 2**63),
        lambda: draw.choice((2**63 - 1, -2**63, 2**64, 10**18, -10**19)),
        lambda: draw.randrange(-10**draw.randrange(1, 120), 10**draw.randrange(1, 120))))()


def draw_float(draw):
    return draw.choice((
        lambda: draw.uniform(-100, 100), lambda: draw.randrange(-10**6, 10**6) / 100,
        lambda: draw.uniform(-1, 1) * 10.0**draw.randrange(-308, 308),
        lambda: draw.choice((0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, 2.0**53, 1e16, 0.1))))()


def draw_number(draw, op):
    kind = draw.random()
    if op == "product" or kind < 0.6:
        return draw_int(draw)
    return draw_float(draw)


def draw_sublists(draw, op):
    one_kind = draw.random() < 0.5
    largest = draw.choice((1, 4, 30))
    sublists = []
    for _ in range(draw.choice((0, 1, 3, 20, 300 if op == "sum" else 40))):
        is_float = op == "sum" and one_kind and draw.random() < 0.5
        length = draw.randrange(largest + 1)
        sublists.append([draw_float(draw) if is_float else draw_number(draw, op) for _ in range(length)])
    if op == "sum" and sublists and draw.random() < 0.1:
        draw.choice(sublists).append(draw.choice((math.inf, -math.inf, math.nan)))
    return sublists


def text_source(draw, op):
    sublists = draw_sublists(draw, op)
    newline = draw.choice(("\n", "\n", "\r\n"))
    separators = draw.choice(((" ",), (",",), (" ", "\t", ", ", " ;", "   ")))
    rows = []
    for sublist in sublists:
        row = "".join(repr(value) + draw.choice(separators) for value in sublist[:-1])
        rows.append(draw.choice(("", "", " ")) + row + "".join(map(repr, sublist[-1:])))
    text = newline.join(rows)
    # Without its newline an empty last line is none.
    if sublists and (not rows[-1] or draw.random() < 0.7):
        text += newline
    return sublists, ".txt", (b"\xef\xbb\xbf" if draw.random() < 0.1 else b"") + text.encode()


def json_source(draw, op):
    sublists = [[value for value in sublist if math.isfinite(value)] for sublist in draw_sublists(draw, op)]
    kind = draw.choice(("lists", "flat", "lines"))
    if kind == "flat":
        sublists = [[value for sublist in sublists for value in sublist]]
        text = json.dumps(sublists[0], indent=draw.choice((None, 1)))
    elif kind == "lines":
        text = "".join(json.dumps(sublist) + "\n" for sublist in sublists)
    else:
        text = json.dumps(sublists, indent=draw.choice((None, 2)), separators=draw.choice((None, (",", ":"))))
    if not sublists:
        return [[]], ".json", b"[]"  # one empty list
    return sublists, ".json", text.encode()


ARRAY_TYPES = [(kind, code, order) for kind, code in
               (("i1", "b"), ("u1", "B"), ("i2", "h"), ("u2", "H"), ("i4", "i"), ("u4", "I"), ("i8", "q"), ("u8", "Q"),
                ("f2", "e"), ("f4", "f"), ("f8", "d")) for order in "<>"]


def draw_element(draw, kind, code):
    width = int(kind[1:])
    if kind[0] == "f":
        value = draw.uniform(-1, 1) * 10.0**draw.randrange(-4 if width < 8 else -300, 4 if width < 8 else 300)
        return struct.unpack(code, struct.pack(code, value))[0]
    low = -2**(8 * width - 1) if kind[0] == "i" else 0
    return draw.randrange(low, low + 2**(8 * width))


def npy_source(draw, op):
    kind, code, order = draw.choice([t for t in ARRAY_TYPES if op == "sum" or t[0][0] != "f"])
    rows, columns = draw.choice((1, 2, 7, 60)), draw.choice((1, 3, 16, 50))
    is_fortran = draw.random() < 0.3
    values = [[draw_element(draw, kind, code) for _ in range(columns)] for _ in range(rows)]
    stored = [row[i] for i in range(columns) for row in values] if is_fortran else [v for row in values for v in row]
    header = f"{{'descr': '{order}{kind}', 'fortran_order': {is_fortran}, 'shape': ({rows}, {columns}), }}".encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    data = struct.pack(f"{order}{len(stored)}{code}", *stored)
    return values, ".npy", b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + data


def range_source(draw, op):
    begin = draw_int(draw)
    step = draw.choice((1, 1, 2, -1, 7, -10**20))
    end = begin + step * draw.choice((-1, 0, 1, 10, 3000 if op == "sum" else 50))
    values = list(range(begin, end + (1 if step > 0 else -1), step))
    return [values], None, f"{begin}..{end}" + ("" if step == 1 else f":{step}")


MAKERS = {"text": text_source, "json": json_source, "npy": npy_source, "range": range_source}


def draw_cut(draw, sublists):
    elements = sum(map(len, sublists))
    return draw.choice((
        [], ["--total"], ["--every", draw.choice((1, 2, 7, 100, max(elements, 1)))],
        ["--split", draw.choice((1, 2, 5, 64, elements + 3))]))


def draw_way(draw):
    """Options that must not be seen in the answer."""
    way = []
    if draw.random() < 0.5:
        way += ["--task-elements", draw.choice((1, 3, 50, 1000))]
    if draw.random() < 0.5:
        way += ["--data", draw.choice(("auto", "reference", "value"))]
    if draw.random() < 0.2:
        way += ["--memory", "4M"]
    if draw.random() < 0.2:
        way += ["--task-ms", 1]
    return way


class Case:
    """Sources on disk, a command, and what it must print."""

    def __init__(self, number, directory):
        self.number = number
        self.draw = random.Random(f"{SEED}/{number}")
        self.op = self.draw.choice(("sum", "sum", "product"))
        self.sources, self.stdin, sublists = [], b"", []
        for i in range(self.draw.choice((1, 1, 1, 2, 4))):
            more, ending, content = MAKERS[self.draw.choice(sorted(MAKERS))](self.draw, self.op)
            sublists += more
            self.add(i, ending, content, directory)
        self.cut = draw_cut(self.draw, sublists)
        self.answer = printed(self.op, cut_sublists(sublists, self.cut))

    def add(self, i, ending, content, directory):
        if ending is None:
            self.sources.append(content)
            return
        path = directory / f"{i}{ending}"
        path.write_bytes(content)
        self.sources.append(path)
        self.only = content, {".txt": "text", ".json": "json", ".npy": "npy"}[ending]

    def as_stream(self):
        """The one source through standard input, or None."""
        if len(self.sources) != 1 or isinstance(self.sources[0], str):
            return None
        return ["-", "--format", self.only[1]], self.only[0]

    def commands(self):
        """Ways to run it: arguments, standard input."""
        yield self.sources, b""
        stream = self.as_stream()
        if stream:
            yield stream


class Random(farm.TestCase):
    def check(self, case, run, sources, stdin, way):
        arguments = [case.op, *sources, *case.cut, *way]
        if sources and sources[0] == "-" and "reference" in arguments:
            arguments[arguments.index("reference")] = "auto"
        result = run(*arguments, stdin=stdin)
        said = f"SHEAF_SEED={SEED}, case {case.number}: {' '.join(map(str, arguments))}"
        self.assertEqual((result.status, result.err), (0, ""), said)
        self.assertEqual(result.out, case.answer, said)

    def check_all(self, run, ways):
        begin = time.monotonic()
        for number in range(CASES):
            if number >= CASES_MIN and time.monotonic() - begin > SECONDS / 2:
                break
            with tempfile.TemporaryDirectory(prefix="sheaf-random-") as directory:
                case = Case(number, pathlib.Path(directory))
                for sources, stdin in case.commands():
                    self.check(case, run, sources, stdin, draw_way(case.draw) + ways(case.draw))

    def test_here(self):
        self.check_all(sheaf, lambda draw: ["-j", draw.choice((1, 2, 3))])

    def test_on_a_farm(self):
        with tempfile.TemporaryDirectory(prefix="sheaf-farm-") as directory:
            with farm.Farm(directory, workers=2) as a_farm:
                self.check_all(a_farm.run, lambda draw: [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
