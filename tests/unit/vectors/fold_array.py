#!/usr/bin/env python3
"""fold_array.py SEED COUNT: arrays in memory and what folding them must give: see folding.py.

Behind the job stand the lane (as in enum lane), float16, bool, big-endian, rows, columns."""
import random
import struct
import sys

from folding import Job

LANES = "bBhHiIqQfd"


def elements(rng, form, count):
    width = struct.calcsize(form)
    data = rng.randbytes(width * count)
    if form in "efd" and rng.random() < 0.8:
        scale = 1.0 if form == "e" else 10.0 ** rng.randrange(-30, 30)
        data = struct.pack(f"<{count}{form}", *(rng.choice([-0.0, 0.0, 1.0, rng.gauss(0, scale)]) for _ in range(count)))
    return data


def main(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        job = Job(rng)
        lane = rng.randrange(len(LANES))
        half, boolean = lane == 8 and rng.random() < 0.5, lane == 1 and rng.random() < 0.5
        form = "e" if half else LANES[lane]
        rows, columns = (1, rng.randrange(60)) if rng.random() < 0.5 else (rng.randrange(8), rng.randrange(9))
        data = elements(rng, form, rows * columns)
        big = rng.random() < 0.4
        order = ">" if big else "<"
        values = list(struct.unpack(f"{order}{rows * columns}{form}", data))
        if boolean:
            values = [int(value != 0) for value in values]
        events = []
        fault = values and isinstance(values[0], float) and job.fault_of(values[0])
        for row in range(0 if fault else rows):
            events.append(("open",))
            events += [("element", value) for value in values[row * columns:(row + 1) * columns]]
            events.append(("boundary",))
        if fault:
            events.append(("fault", fault, 0, 0, 0))
        print(job.header(), lane, int(half), int(boolean), int(big), rows, columns, end="|")
        print(data.hex() or "-", job.answer(events, len(values)), sep="|")


main(int(sys.argv[1]), int(sys.argv[2]))
