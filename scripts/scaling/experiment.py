"""The sweep: runs in random order, each checked and kept at once, so that it can go on where it stopped."""

import csv
import datetime
import hashlib
import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import time

from scaling import places
from scaling.workloads import Problem

COUNTS = ("elements", "bytes", "tasks", "pieces", "retries")
COLUMNS = ("workload", "mode", "workers", "repeat", "is_warm_up", "seconds", "open", "count", "fold", "print", "wall", *COUNTS,
           "answer", "problem", "started")


def said(*command, **more):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20, **more).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def cpu_name():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def circumstances(place):
    """All that is needed to repeat it, or to explain why another machine says otherwise."""
    return {"sheaf": said(places.SHEAF, "--version"), "git_commit": said("git", "rev-parse", "HEAD", cwd=places.TOP),
            "git_changes": said("git", "status", "--porcelain", cwd=places.TOP).count("\n"),
            "place": place.describe(), "host": platform.node(), "cpu": cpu_name(), "cores": place.cores(),
            "kernel": platform.release(), "python": platform.python_version(),
            "gnuplot": said("gnuplot", "--version"), "load_at_start": os.getloadavg()[0]}


def plan(options, seed):
    """Every run: a warm-up of each kind first, the rest in random order."""
    kinds = [{"workload": workload.text, "mode": mode, "workers": workers} for workload in options.workloads
             for mode in options.modes for workers in options.workers]
    draw = random.Random(seed)
    warm = [dict(kind, repeat=0, is_warm_up=True) for kind in kinds]
    runs = [dict(kind, repeat=i + 1, is_warm_up=False) for kind in kinds for i in range(options.repeat)]
    draw.shuffle(warm)
    draw.shuffle(runs)
    return warm + runs


def key(run):
    return tuple(run[name] for name in ("workload", "mode", "workers", "repeat"))


class Results:
    """results.json and results.csv in a folder; each run is on the disk before the next begins."""

    def __init__(self, folder, settings, about):
        self.folder = folder
        self.path = folder / "results.json"
        self.data = {"settings": settings, "circumstances": about, "runs": []}
        if self.path.exists():
            self.go_on(settings)

    def go_on(self, settings):
        try:
            data = json.loads(self.path.read_text())
            was = data["settings"]
        except (ValueError, KeyError):
            raise Problem(f"{self.path}: not the results of a sweep; remove it, or choose another --out") from None
        differing = sorted(name for name in settings if was.get(name) != settings[name])
        if differing:
            raise Problem(f"{self.path}: of another sweep (its {', '.join(differing)} differ); choose another --out")
        self.data = data

    def done(self):
        return {key(run) for run in self.data["runs"] if not run["problem"]}

    def add(self, run):
        self.data["runs"] = [old for old in self.data["runs"] if key(old) != key(run)] + [run]
        self.save()

    def save(self):
        self.write(self.path, lambda file: json.dump(self.data, file, indent=1))
        self.write(self.folder / "results.csv", self.write_rows)

    def write_rows(self, file):
        writer = csv.DictWriter(file, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.data["runs"])

    @staticmethod
    def write(path, content):
        """The whole file or, when it is stopped meanwhile, the one that was there."""
        new = path.with_name(f"{path.name}.new")
        with open(new, "w", newline="") as file:
            content(file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


class Answers:
    """What each job must answer: what one process of this machine answers to it."""

    def __init__(self, timeout):
        self.timeout = timeout
        self.known = {}

    def expected(self, arguments):
        name = " ".join(arguments)
        if name not in self.known:
            try:
                done = subprocess.run([places.SHEAF, *arguments, "-j", "1", "-q"], capture_output=True, stdin=subprocess.DEVNULL,
                                      env=places.environment(None), timeout=self.timeout, check=False)
            except subprocess.TimeoutExpired:
                raise Problem(f"sheaf {name}: {too_long(self.timeout)}") from None
            if done.returncode:
                raise Problem(f"sheaf {name}: {sentence(done.stderr)}")
            self.known[name] = fingerprint(done.stdout)
        return self.known[name]


def too_long(seconds):
    return f"it did not end within {seconds:g} s"


def fingerprint(answer):
    return hashlib.sha256(answer).hexdigest()[:16]


def sentence(text):
    lines = [line for line in text.decode(errors="replace").splitlines() if not line.startswith("{")]
    return lines[-1].removeprefix("sheaf: ") if lines else "it ended without a word"


def measure(run, workload, place, answers, options, trace):
    """Run it once; the run with what was measured, or with a problem."""
    scale = run["workers"] if run["mode"] == "weak" else 1
    arguments = workload.arguments(scale, options.seed)
    expected = answers.expected(arguments)
    run = dict(run, problem="", started=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"))
    begin = time.monotonic()
    try:
        done = place.run(run["workers"], arguments, trace, options.timeout)
    except subprocess.TimeoutExpired:
        return dict(run, problem=too_long(options.timeout))
    wall = time.monotonic() - begin
    if done.returncode:
        return dict(run, problem=f"exit status {done.returncode}: {sentence(done.stderr)}")
    if fingerprint(done.stdout) != expected:
        return dict(run, problem="the answer is not that of one process")
    lines = [line for line in done.stderr.splitlines() if line.startswith(b"{")]
    if not lines:
        return dict(run, problem="it ended without saying its times")
    stats = json.loads(lines[-1])
    phases = stats.pop("seconds")
    return dict(run, wall=wall, answer=expected, **phases, **{name: stats[name] for name in COUNTS},
                seconds=phases["open"] + phases["count"] + phases["fold"])


def sweep(options, place, results, say):
    """Whether every run has succeeded."""
    workloads = {workload.text: workload for workload in options.workloads}
    answers = Answers(options.timeout)
    runs = plan(options, options.seed)
    done = results.done()
    for number, run in enumerate(runs):
        if key(run) in done:
            continue
        traces = options.out / "traces" / "-".join(str(part).replace("/", "_") for part in key(run))
        shutil.rmtree(traces, ignore_errors=True)
        # One trace of each kind is enough to look at, and it costs a little time: not that of a run that counts.
        is_traced = run["is_warm_up"]
        if is_traced:
            traces.mkdir(parents=True)
        run = measure(run, workloads[run["workload"]], place, answers, options, traces.resolve() if is_traced else None)
        if is_traced:
            place.take_traces(traces)
        results.add(run)
        say(f"{number + 1}/{len(runs)} {run['workload']} {run['mode']} on {run['workers']}: "
            + (run["problem"] or f"{run['seconds']:.4f} s") + (" (warm-up)" if run["is_warm_up"] else ""))
    return not any(run["problem"] for run in results.data["runs"])
