"""Running the programs in tests: every start has a timeout, and nothing is left running.

The build to test is in SHEAF_BUILD (default: build/ of this tree).
"""

import contextlib
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import time
import unittest
import uuid

import mpirun

if hasattr(sys, "set_int_max_str_digits"):
    sys.set_int_max_str_digits(0)  # answers have any number of digits

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SHEAF_BUILD", ROOT / "build"))
SHEAF = str(BUILD / "sheaf")
WORKER = str(BUILD / "sheaf-worker")
TIMEOUT = 60  # of one command, unless said otherwise
MARK = "SHEAF_TEST_MARK"


def environment(mark=None, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("SHEAF_")}
    env[MARK] = mark or "none"
    env.update(more)
    return env


class Result:
    """What a command gave: status, out and err as text."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out.decode("utf-8", "replace") if isinstance(out, bytes) else out
        self.err = mpirun.without_notices(err.decode("utf-8", "replace") if isinstance(err, bytes) else err)

    def __repr__(self):
        return f"status {self.status}, out {self.out[:300]!r}, err {self.err[:600]!r}"


def run(command, stdin=b"", timeout=TIMEOUT, env=None, cwd=None):
    """Run a command to its end."""
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=timeout,
                          env=env or environment(), cwd=cwd, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def sheaf(*arguments, **more):
    """Run `sheaf` to its end."""
    return run([SHEAF, *map(str, arguments)], **more)


def marked(mark):
    """The pids of all processes that carry the mark in their environment."""
    wanted = f"{MARK}={mark}".encode()
    pids = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if wanted in (entry / "environ").read_bytes().split(b"\0"):
                if (entry / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                    pids.append(int(entry.name))
    return pids


def children(pid):
    """The pids of a process's children."""
    found = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def memory_peak(pid):
    """The largest resident size so far, in bytes; 0 when the process is gone."""
    with contextlib.suppress(OSError):
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def wait_until(condition, timeout=20, pause=0.02, what="a condition"):
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(pause)
    raise AssertionError(f"{what}: not within {timeout} s")


def free_port():
    """A port that nobody listens on, and that the system gives to no connection while a coordinator is away."""
    low = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(min(10240, low // 2), low)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def kill(pid, number=signal.SIGKILL):
    """A process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


class Running:
    """A command that runs beside the test; its output is gathered in files."""

    def __init__(self, program, arguments, directory, env, stdin=None, stdout=None):
        self.name = f"{pathlib.Path(program).name}-{uuid.uuid4().hex[:6]}"
        self.out_path = pathlib.Path(directory) / f"{self.name}.out"
        self.err_path = pathlib.Path(directory) / f"{self.name}.err"
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                [program, *map(str, arguments)], stdin=stdin or subprocess.DEVNULL,
                stdout=stdout or out, stderr=err, env=env, start_new_session=True)
        self.pid = self.process.pid

    def wait(self, timeout=TIMEOUT):
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s; it said: "
                                 f"{self.err_path.read_text()[-2000:]}") from None
        return Result(status, self.out_path.read_bytes(), self.err_path.read_bytes())

    def send(self, number):
        self.process.send_signal(number)

    def is_running(self):
        return self.process.poll() is None

    def error_text(self):
        return self.err_path.read_text(errors="replace")


class Farm:
    """A coordinator and its workers. As a context manager it leaves nothing running."""

    def __init__(self, directory, workers=0, processes=1, worker_arguments=()):
        self.directory = directory
        self.mark = uuid.uuid4().hex
        self.url = f"tcp://127.0.0.1:{free_port()}"
        self.coordinator = None
        self.workers = []
        self.first_workers = workers
        self.processes = processes
        self.worker_arguments = worker_arguments
        self.running = []

    def __enter__(self):
        try:
            self.start_coordinator()
            for _ in range(self.first_workers):
                self.start_worker()
            self.wait_for_workers(self.first_workers)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for pid in marked(self.mark):
            kill(pid)
        for running in self.running:
            running.process.wait(TIMEOUT)
        wait_until(lambda: not marked(self.mark), what="an end of all processes")

    def env(self):
        return environment(self.mark)

    def start(self, program, *arguments, **more):
        running = Running(program, arguments, self.directory, self.env(), **more)
        self.running.append(running)
        return running

    def start_coordinator(self):
        self.coordinator = self.start(SHEAF, "coordinator", "--listen", self.url)
        return self.coordinator

    def start_worker(self, *arguments):
        worker = self.start(WORKER, "--connect", self.url, "-j", self.processes, "-v",
                            *self.worker_arguments, *arguments)
        self.workers.append(worker)
        return worker

    def start_client(self, *arguments, **more):
        return self.start(SHEAF, *arguments, "--farm", self.url, **more)

    def run(self, *arguments, **more):
        """Without notices: what a busy machine makes a client wait for is no part of an answer."""
        more.setdefault("env", self.env())
        if arguments[0] in ("sum", "product"):
            arguments += ("-q",)
        return sheaf(*arguments, "--farm", self.url, **more)

    def status(self):
        result = sheaf("status", "--farm", self.url, "--output", "json", env=self.env())
        return json.loads(result.out) if result.status == 0 else {"workers": [], "jobs": []}

    def wait_for_workers(self, count, timeout=20):
        if count:
            wait_until(lambda: len(self.status()["workers"]) >= count, timeout, 0.05,
                       f"{count} workers")


class TestCase(unittest.TestCase):
    """Assertions on results."""

    def assert_gives(self, result, out, err=""):
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, out, result)
        self.assertEqual(result.err, err, result)

    def assert_fails(self, result, status, sentence):
        self.assertEqual(result.status, status, result)
        self.assertEqual(result.err, sentence + "\n", result)
