"""What a fold must say, in plain Python: elements and sublists with their faults to the values of a job.

A parser gives a list of events, up to the first fault: ("element", token), ("open",), ("boundary",), and then
("fault", kind, unit, line), where kind is a number of enum fault_kind."""
import math
import random
from fractions import Fraction

NOT_A_NUMBER, EMPTY_FIELD, LONE_CR, DECIMAL_RANGE, NOT_AN_INTEGER, FLOAT_PRODUCT, SYNTAX, NOT_NUMERIC, CUT_OFF = range(1, 10)


def exact_sum(values):
    floats = [value for value in values if isinstance(value, float)]
    if not floats:
        return sum(values)
    if not all(map(math.isfinite, floats)):
        return sum(value for value in floats if not math.isfinite(value))
    if len(floats) == len(values) and all(value == 0 and math.copysign(1, value) < 0 for value in floats):
        return -0.0
    total = sum(map(Fraction, values))
    try:
        return total.numerator / total.denominator
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def text_of(value):
    return "nan" if isinstance(value, float) and math.isnan(value) else repr(value)


class Job:
    def __init__(self, rng):
        self.op = rng.choice(["sum", "sum", "product"])
        self.kind = rng.choice(["auto", "auto", "auto", "int", "float"]) if self.op == "sum" else "auto"
        self.cut = rng.choice(["sublists", "sublists", "every", "split", "total"])
        self.size = rng.randrange(1, 6)

    def header(self):
        return f"{self.op} {self.kind} {self.cut} {self.size}"

    def value(self, elements):
        if self.op == "product":
            return text_of(math.prod(elements))
        total = exact_sum(elements)
        if self.kind == "float" and isinstance(total, int):
            total = exact_sum([total, 0.0])
        return text_of(total)

    def fault_of(self, value):
        if isinstance(value, float) and self.kind == "int":
            return NOT_AN_INTEGER
        return FLOAT_PRODUCT if isinstance(value, float) and self.op == "product" else None

    def sizes(self, count):
        """Sublists by number: where each ends."""
        if self.cut == "every":
            return range(self.size, count + self.size, self.size)
        base, larger = divmod(count, self.size)
        ends, end = [], 0
        for part in range(self.size):
            end += base + (part < larger)
            ends.append(end)
        return ends

    def by_sublists(self, events):
        values, current = [], None
        for event in events:
            if event[0] == "boundary":
                values += [] if current is None else [self.value(current)]
                current = None
            elif event[0] == "open":
                current = [] if current is None else current
            elif event[0] == "element":
                current = (current or []) + [event[1]]
        return values

    def by_number(self, events, count):
        """`count` elements start in the whole input. Behind a fault only what the start of a later element closed
        stands; the token at fault has started too if its event says so."""
        elements = [event[1] for event in events if event[0] == "element"]
        fault = events[-1] if events and events[-1][0] == "fault" else None
        started = len(elements) + (fault[4] if fault else 0)
        if self.cut == "total":
            return [] if fault else [self.value(elements)]
        values, begin = [], 0
        for end in self.sizes(count):
            if fault and started <= end:
                break
            values.append(self.value(elements[begin:end]))
            begin = end
        return values

    def answer(self, events, count):
        values = self.by_sublists(events) if self.cut == "sublists" else self.by_number(events, count)
        if events and events[-1][0] == "fault":
            values.append("! %d %d %d" % events[-1][1:4])
        return " ".join(values)


def number(rng):
    """A number as text, of every kind that matters."""
    digits = rng.choice([1, 1, 1, 2, 3, 6, 8, 9, 15, 16, 17, 18, 19, 20, 40])
    whole = str(rng.randrange(10 ** digits))
    sign = rng.choice(["", "", "-"])
    drawn = rng.random()
    if drawn < 0.75:
        return sign + whole
    if drawn < 0.9:
        return repr(rng.choice([1, -1]) * rng.random() * 10.0 ** rng.randrange(-30, 30))
    return rng.choice(["-0", "0", "0.0", "-0.0", "9223372036854775807", "-9223372036854775808", "1e308", "-1e308",
                       "1e-320", "4611686018427387904", "1E+2", "1.5e-3"])


def command_line(write, seed, count):
    """Print `count` cases: job, hex of the input, what the fold must say. write(rng) gives the input; the
    module's parse(data, job) its events and the number of elements that start."""
    rng = random.Random(seed)
    for _ in range(count):
        job = Job(rng)
        data, events, elements = write(rng, job)
        print(job.header(), data.hex() or "-", job.answer(events, elements), sep="|")
