#!/usr/bin/env python3
"""Sheaf's figures, each beside its reference in the same run.

A figure and its reference take turns, several rounds of both; what is printed is the median of
each, its spread (lowest to highest), and the ratio or rate that must hold. Only the standard library
is used; NumPy and the clients of a farm are measured where they are.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SHEAF_BUILD", TOP / "build"))
SHEAF = str(BUILD / "sheaf")
WORKER = str(BUILD / "sheaf-worker")
REFERENCE = str(BUILD / "bench-reference")
TRIPS = str(BUILD / "bench-trips")
NODE = str(BUILD / "bench-node")
MPI_REFERENCE = str(BUILD / "bench-mpi-reference")
MPI_LINK = str(BUILD / "bench-mpi")
# Two ranks. Cores are not bound, so that a rank's pool and threads have all of them; mpirun refuses root otherwise.
MPIRUN = ("mpirun", "-n", "2", "--bind-to", "none", *(("--oversubscribe",) if os.cpu_count() < 2 else ()))
os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT", "1")
os.environ.setdefault("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1")
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
TIMEOUT = 600


def wall(*command, stdin=None):
    """Seconds of a whole command, from its start to its end, its output thrown away."""
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    try:
        start = time.monotonic()
        subprocess.run(command, stdin=source, stdout=subprocess.DEVNULL, timeout=TIMEOUT, check=True)
        return time.monotonic() - start
    finally:
        if stdin:
            source.close()


def told(*command):
    """The seconds that a reference says it took."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=TIMEOUT, check=True)
    return float(done.stderr)


def told_sum(*runs):
    """The seconds of several runs, added up."""
    return lambda: sum(run() for run in runs)


def sheaf(*arguments):
    return lambda: wall(SHEAF, *map(str, arguments))


def reference(*arguments):
    return lambda: told(REFERENCE, *map(str, arguments))


def numpy_sum(path):
    code = ("import sys, time, numpy\nstart = time.monotonic()\n"
            "numpy.load(sys.argv[1], mmap_mode='r').sum()\n"
            "print(time.monotonic() - start, file=sys.stderr)")
    if subprocess.run([PYTHON, "-c", "import numpy"], capture_output=True, check=False).returncode:
        return None
    return lambda: told(PYTHON, "-c", code, str(path))


class Figure:
    """What is measured, what it is measured beside, and what must hold.

    must: ("ratio", x): seconds at most x times the reference's; ("times faster", x): the reference's
    seconds at least x times ours; ("seconds", x): at most; ("rate", x): `amount` per second at least.
    """

    def __init__(self, name, ours, beside, must, amount=None, unit=""):
        self.name = name
        self.ours = ours
        self.beside = [(label, run) for label, run in beside if run]
        self.must = must
        self.amount = amount
        self.unit = unit

    def measure(self, rounds):
        ours = []
        beside = {label: [] for label, _ in self.beside}
        for _ in range(rounds):
            for label, run in self.beside:
                beside[label].append(run())
            ours.append(self.ours())
        return ours, beside

    def verdict(self, ours, first):
        """The number that must hold, and whether it does."""
        kind, bound = self.must
        if kind == "ratio":
            value = ours / first
            return value, value <= bound
        if kind == "times faster":
            value = first / ours
            return value, value >= bound
        if kind == "rate":
            value = self.amount / ours
            return value, value >= bound
        return ours, ours <= bound


def spread(samples):
    return {"median": statistics.median(samples), "low": min(samples), "high": max(samples)}


def run_figure(figure, rounds):
    ours, beside = figure.measure(rounds)
    result = {"name": figure.name, "seconds": spread(ours),
              "beside": {label: spread(samples) for label, samples in beside.items()},
              "must": {"kind": figure.must[0], "bound": figure.must[1]}}
    first = next(iter(result["beside"].values()))["median"] if beside else None
    result["value"], result["holds"] = figure.verdict(result["seconds"]["median"], first)
    return result


def readable(seconds):
    for factor, unit in ((1, "s"), (1e3, "ms")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e6:.3g} us"


def line_of(samples):
    return (f"{readable(samples['median'])} "
            f"({readable(samples['low'])} to {readable(samples['high'])})")


def print_result(result, unit):
    kind, bound = result["must"]["kind"], result["must"]["bound"]
    forms = {"ratio": f"{result['value']:.2f} x, at most {bound:g} x",
             "times faster": f"{result['value']:.2f} x faster, at least {bound:g} x",
             "seconds": f"at most {readable(bound)}",
             "rate": f"{result['value']:.3g} {unit}/s, at least {bound:.3g}"}
    mark = "holds" if result["holds"] else "MISSED"
    print(f"{result['name']}\n    sheaf: {line_of(result['seconds'])}")
    for label, samples in result["beside"].items():
        print(f"    {label}: {line_of(samples)}")
    print(f"    {mark}: {forms[kind]}", flush=True)


class Data:
    """Files made once, kept in the build folder, named by kind and count."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def make(self, kind, count):
        ending = {"text": "txt", "repr": "txt", "json": "json"}.get(kind, "npy")
        path = self.folder / f"{kind}-{count}.{ending}"
        if not path.exists():
            partial = path.with_suffix(".part")
            subprocess.run([REFERENCE, "make", kind, partial, str(count)], check=True)
            partial.rename(path)
        with open(path, "rb") as file:  # into the page cache
            while file.read(1 << 22):
                pass
        return path


def array_figures(data, scale):
    many = int(1e8 * scale)
    ints = data.make("int64", many)
    normal = data.make("normal", many)
    wide = data.make("wide", many)
    rows = data.make("rows", many)
    loop = "bare 2-thread loop"
    yield Figure(f"sum of {many} int64, .npy", sheaf("sum", ints),
                 [(loop, reference("sum-int64", ints)), ("NumPy, its sum alone", numpy_sum(ints))],
                 ("ratio", 2.0))
    yield Figure(f"exact sum of {many} doubles of ordinary spread, .npy", sheaf("sum", normal),
                 [(loop + ", inexact", reference("sum-double", normal)),
                  ("NumPy, its inexact sum alone", numpy_sum(normal))], ("ratio", 2.5))
    yield Figure(f"exact sum of {many} doubles of any spread, .npy", sheaf("sum", wide),
                 [(loop + ", inexact", reference("sum-double", wide))], ("ratio", 5.0))
    yield Figure(f"sums of {many // 100} rows of 100, .npy, as text", sheaf("sum", rows),
                 [("bare loop that prints", reference("sum-rows", rows))], ("ratio", 2.0))


def text_figures(data, scale):
    for kind, bound, beside in (("text", 2e9, "sum-text"), ("json", 1e9, "sum-text"),
                                ("repr", 0.7e9, "sum-text-double")):
        path = data.make(kind, int(3e7 * scale))
        label = {"text": "6-digit integers in text", "json": "6-digit integers in JSON",
                 "repr": "floats as repr prints them"}[kind]
        name = "strtod() loop" if kind == "repr" else "a digit at a time"
        yield Figure(f"{label}, one process", sheaf("sum", path, "-j", 1),
                     [(name, reference(beside, path))], ("rate", bound), path.stat().st_size, "B")


def product_figures(data, scale):
    many = int(1e6 * scale)
    path = data.make("int64", many)
    yield Figure(f"product of {many} int64, .npy, in decimal", sheaf("product", path, "--total"),
                 [("GMP product tree and text, one core", reference("product", path))],
                 ("times faster", 8.0))
    yield Figure("100000!", sheaf("product", "1..100000"),
                 [("mpz_fac_ui and text", reference("factorial", 100000))], ("seconds", 0.025))


def small_figures(folder):
    path = folder / "four-lines.txt"
    path.write_text("1 2 3 4\n5 6 7 8\n9 10 11 12\n13 14 15 16\n", encoding="ascii")
    yield Figure("sum of a four-line file, whole command", sheaf("sum", path),
                 [("python3 -c pass", lambda: wall(PYTHON, "-c", "pass")),
                  ("true", lambda: wall("true"))], ("seconds", 0.015))
    yield Figure("scripts/run sum 1..400 --every 100",
                 lambda: wall(str(TOP / "scripts/run"), "sum", "1..400", "--every", "100"),
                 [("sheaf itself", sheaf("sum", "1..400", "--every", "100"))], ("seconds", 0.050))


NODE_PIECES = 1_000_000


def node_seconds(children):
    """Seconds that bench-node takes for its pieces: it prints the children and the rate."""
    done = subprocess.run([NODE, str(children)], capture_output=True, timeout=TIMEOUT, check=True)
    _, rate = done.stdout.split()
    return NODE_PIECES / float(rate)


def node_figures():
    ten = ("10 children", lambda: node_seconds(10))
    yield Figure(f"the scheduler alone, 10 children, {NODE_PIECES} pieces", ten[1], [],
                 ("rate", 3e6), NODE_PIECES, "pieces")
    for children in (1000, 100_000):
        yield Figure(f"the scheduler alone, {children} children, {NODE_PIECES} pieces",
                     lambda children=children: node_seconds(children), [ten], ("ratio", 1.5))


def trip_figures(farm):
    pair = ("bare socketpair round trip", reference("trip-pair", 10000))
    routers = reference("trip-router", 3000)
    yield Figure("one task through the local pool and back",
                 lambda: told(TRIPS, "pool", WORKER, "10000"), [pair], ("ratio", 1.5))
    yield Figure("one task through client, coordinator, daemon, leaf and back",
                 lambda: told(TRIPS, "farm", farm.url, "3000"),
                 [("two bare ROUTER-DEALER round trips and one socketpair round trip",
                   told_sum(routers, pair[1]))], ("ratio", 1.5))


class Farm:
    """A coordinator and one worker with its pool; ended with the block."""

    def __init__(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.url = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        self.processes = []

    def __enter__(self):
        self.start(SHEAF, "coordinator", "--listen", self.url)
        self.start(WORKER, "--connect", self.url)
        wall(SHEAF, "sum", "1..10", "--farm", self.url, "-q")
        return self

    def start(self, *command):
        self.processes.append(subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                               stderr=subprocess.DEVNULL))

    def coordinator_peak_bytes(self):
        status = pathlib.Path(f"/proc/{self.processes[0].pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.split("VmHWM:")[1].split()[0])

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()


def farm_figures(data, scale, farm):
    many = max(int(2e6 * scale), 1000)
    path = data.make("int64", many)
    yield Figure(f"{many} one-element pieces through coordinator, worker and pool",
                 sheaf("sum", path, "--task-elements", 1, "--farm", farm.url),
                 [("bare client-router-dealer round trip", reference("trip-router", 2000))],
                 ("rate", 500_000), many, "pieces")
    yield Figure("a job of one task through a farm, whole command",
                 sheaf("sum", "1", "2", "--farm", farm.url),
                 [("sheaf --version", sheaf("--version"))], ("seconds", 0.050))


def fold_seconds(*command):
    """The seconds between the first and the last piece, without the start of all ranks."""
    done = subprocess.run(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          timeout=TIMEOUT, check=True)
    return json.loads(done.stderr)["seconds"]["fold"]


def mpi_figures(data, scale):
    def bare(*arguments):
        return lambda: told(*MPIRUN, MPI_REFERENCE, *map(str, arguments))

    def link(*arguments):
        return lambda: told(*MPIRUN, MPI_LINK, *map(str, arguments))

    if not shutil.which("mpirun") or not os.access(MPI_LINK, os.X_OK):
        return
    many = max(int(5e5 * scale), 1000)
    path = data.make("int64", many)
    yield Figure(f"{many} one-element pieces over MPI, from the first to the last",
                 lambda: fold_seconds(*MPIRUN, SHEAF, "sum", path, "--task-elements", 1, "--backend", "mpi", "--stats"),
                 [("bare MPI master and worker, a task a message, one under way", bare("tasks", many)),
                  ("the same, eight under way", bare("ahead", many))],
                 ("ratio", 2.0))
    mebibytes = max(int(2000 * scale), 100)
    yield Figure(f"{mebibytes} MiB by value to one rank, over the link", link("bytes", mebibytes),
                 [("bare MPI master and worker, 1 MiB a message, two under way", bare("bytes", mebibytes))],
                 ("ratio", 1 / 0.9))
    yield Figure("one task over the link and back", link("trip", 20000),
                 [("bare MPI round trip", bare("trip", 20000))], ("seconds", 20e-6))
    yield Figure("one task over the link and back, after 10 ms of rest", link("trip", 100, 10000),
                 [("without pauses", link("trip", 100, 10000, "spin"))], ("seconds", 2.5e-3))


def memory_result(farm):
    peak = farm.coordinator_peak_bytes()
    return {"name": "the coordinator's largest resident size, all jobs above", "bytes": peak,
            "must": {"kind": "bytes", "bound": 64 << 20}, "holds": peak <= 64 << 20}


def measure_all(options, emit):
    results = []

    def take(figures):
        for figure in figures:
            if options.only in figure.name:
                results.append(run_figure(figure, options.rounds))
                emit(results[-1], figure.unit)

    data = Data(pathlib.Path(options.data))
    with tempfile.TemporaryDirectory() as folder:
        take(small_figures(pathlib.Path(folder)))
        take(array_figures(data, options.scale))
        take(text_figures(data, options.scale))
        take(product_figures(data, options.scale))
        take(node_figures())
        take(mpi_figures(data, options.scale))
        with Farm() as farm:
            take(trip_figures(farm))
            take(farm_figures(data, options.scale, farm))
            results.append(memory_result(farm))
            if not options.output == "json":
                print(f"{results[-1]['name']}\n    {results[-1]['bytes'] / (1 << 20):.1f} MiB, at most 64")
    return results


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each figure (5)")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the data's size (1)")
    parser.add_argument("--only", default="", help="only figures whose name contains this")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    parser.add_argument("--data", default=str(BUILD / "bench-data"), help="where the files are kept")
    parser.add_argument("--clean", action="store_true", help="remove the files afterwards")
    options = parser.parse_args()
    quiet = options.output == "json"
    results = measure_all(options, (lambda *_: None) if quiet else print_result)
    if quiet:
        json.dump({"cores": os.cpu_count(), "scale": options.scale, "figures": results}, sys.stdout)
        print()
    if options.clean:
        shutil.rmtree(options.data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
