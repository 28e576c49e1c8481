#!/usr/bin/env python3
"""fold_json.py SEED COUNT: JSON texts, right and wrong, and what folding them must give: see folding.py.

Where a text is right, Python's json module must have read the same from each document."""
import json
import math
import re
import sys

from folding import (CUT_OFF, DECIMAL_RANGE, NOT_A_NUMBER, NOT_NUMERIC, SYNTAX, command_line, number)

NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
TOKENS = re.compile(rb"[^ \t\r\n,\[\]]+|[,\[\]\n]")
sys.set_int_max_str_digits(0)


class Fault(Exception):
    pass


class Parser:
    """Recursive descent over the tokens; newlines are tokens between documents only."""

    def __init__(self, data, job):
        self.data, self.job, self.events = data, job, []
        self.tokens = [(match.group(), match.start()) for match in TOKENS.finditer(data)]

    def fail(self, kind, unit, started=0):
        self.events.append(("fault", kind, unit, self.data.count(b"\n", 0, unit), started))
        raise Fault

    def peek(self, newlines=False):
        while self.tokens and self.tokens[0][0] == b"\n" and not newlines:
            self.tokens.pop(0)
        return self.tokens[0][0] if self.tokens else None

    def take(self, *wanted):
        token = self.peek()
        if token is None:
            self.fail(CUT_OFF, len(self.data))
        if token not in wanted:
            self.fail(SYNTAX, self.tokens[0][1])
        self.tokens.pop(0)
        return token

    def number(self):
        token = self.peek()
        if token is None:
            self.fail(CUT_OFF, len(self.data))
        unit = self.tokens[0][1]
        if token in (b",", b"[", b"]"):
            self.fail(SYNTAX, unit)
        self.tokens.pop(0)
        match = NUMBER.fullmatch(token)
        if not match:
            self.fail(NOT_NUMERIC if token[:1] in b'"{tfn' else NOT_A_NUMBER, unit, 1)
        value = float(token) if match.group(2) or match.group(3) else int(token)
        fault = DECIMAL_RANGE if isinstance(value, float) and math.isinf(value) else self.job.fault_of(value)
        if fault:
            self.fail(fault, unit, 1)
        self.events.append(("element", value))

    def numbers(self):
        """Behind a '[' whose sublist this is."""
        self.events.append(("open",))
        if self.peek() != b"]":
            self.number()
            while self.take(b",", b"]") == b",":
                self.number()
        else:
            self.take(b"]")
        self.events.append(("boundary",))

    def document(self):
        if self.peek() != b"[":
            self.fail(NOT_NUMERIC if self.tokens[0][0][:1] in b'"{tfn' else SYNTAX, self.tokens[0][1])
        self.take(b"[")
        if self.peek() != b"[":
            return self.numbers()
        self.take(b"[")
        self.numbers()
        while self.take(b",", b"]") == b",":
            self.take(b"[")
            self.numbers()
        return None

    def parse(self):
        try:
            if self.peek() is None:
                self.fail(CUT_OFF, len(self.data))
            while self.peek() is not None:
                self.document()
                if self.peek(newlines=True) not in (None, b"\n"):
                    self.fail(SYNTAX, self.tokens[0][1])
        except Fault:
            pass
        return self.events


def check_with_json(data, events):
    decoder, text, lists = json.JSONDecoder(), data.decode(), []
    while text.strip():
        document, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        lists += document if document and isinstance(document[0], list) else [document]
    elements = [event[1] for event in events if event[0] == "element"]
    assert repr([value for sublist in lists for value in sublist]) == repr(elements)
    assert len(lists) == sum(event[0] == "boundary" for event in events)


def write_array(rng, numbers):
    space = rng.choice(["", "", " ", "\n"])
    return "[" + ("," + space).join(numbers) + rng.choice(["", space]) + "]"


def write(rng, job):
    plain = rng.random() < 0.5

    def numbers():
        return [str(rng.randrange(-10 ** 6, 10 ** 6)) if plain else number(rng) for _ in range(rng.randrange(9))]

    documents = []
    for _ in range(rng.choice([1, 1, 1, 2, 5])):
        if rng.random() < 0.4:
            documents.append(write_array(rng, numbers()))
        else:
            documents.append(write_array(rng, [write_array(rng, numbers()) for _ in range(rng.randrange(rng.choice([3, 20])))]))
    text = rng.choice(["\n", "\n\n", " \r\n"]).join(documents) + rng.choice(["", "\n"])
    if rng.random() < 0.4:
        at = rng.randrange(len(text))
        bad = rng.choice(["x", ",", "[", "]", '"a, b"', "true", "{}", "1e999", "01", "-", " ", "+1", "nan", "1.", "\0", ""])
        text = text[:at] + bad + text[at + rng.randrange(3):]
    if rng.random() < 0.05:
        text = text[:rng.randrange(len(text) + 1)]
    data = text.encode()
    events = Parser(data, job).parse()
    if not any(event[0] == "fault" for event in events):
        check_with_json(data, events)
    return data, events, len(re.findall(rb"[^ \t\r\n,\[\]]+", data))


if __name__ == "__main__":
    command_line(write, int(sys.argv[1]), int(sys.argv[2]))
