"""Where a sweep runs: processes here, containers, hosts over ssh, ranks of MPI. Each place runs `sheaf` with a
number of slots, one process each, and tells what it is."""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from scaling.workloads import Problem

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SHEAF_BUILD", TOP / "build"))
SHEAF = str(BUILD / "sheaf")
NOT_ALL_THERE = 3  # as `sheaf` ends where no farm is
COMPOSE_FILE = TOP / "deploy" / "docker-compose.yml"


def environment(trace, **more):
    kept = {name: value for name, value in os.environ.items() if name != "SHEAF_FARM"}
    if trace:
        kept["SHEAF_TRACE"] = str(trace)
    return dict(kept, **more)


class Local:
    """Processes of this machine."""

    name = "local"

    def __init__(self, options):
        pass

    def describe(self):
        return "processes of one machine"

    def cores(self):
        return len(os.sched_getaffinity(0))

    def run(self, slots, arguments, trace, timeout):
        return subprocess.run([SHEAF, *arguments, "-j", str(slots), "--stats", "-q"], capture_output=True,
                              stdin=subprocess.DEVNULL, env=environment(trace), timeout=timeout, check=False)

    def take_traces(self, trace):
        """Traces that do not come into the folder by themselves."""

    def close(self):
        pass


class Hosts(Local):
    """Hosts over ssh: the slots spread evenly over the lines of the file."""

    name = "hosts"

    def __init__(self, options):
        try:
            text = pathlib.Path(options.hosts).read_text()
        except OSError as error:
            raise Problem(f"{options.hosts}: {error.strerror}") from None
        self.hosts = [line.split("#")[0].split()[0] for line in text.splitlines() if line.split("#")[0].split()]
        if not self.hosts:
            raise Problem(f"{options.hosts}: names no host")

    def describe(self):
        return f"{len(self.hosts)} hosts over ssh: {', '.join(self.hosts)}"

    def cores(self):
        return None  # nobody has asked the hosts

    def run(self, slots, arguments, trace, timeout):
        counts = [slots // len(self.hosts) + (i < slots % len(self.hosts)) for i in range(len(self.hosts))]
        with tempfile.NamedTemporaryFile("w", suffix=".hosts") as file:
            file.write("".join(f"{host} {count}\n" for host, count in zip(self.hosts, counts) if count))
            file.flush()
            done = subprocess.run([SHEAF, "up", "--hosts", file.name, "-q", "--", *arguments, "--stats", "-q"],
                                  capture_output=True, stdin=subprocess.DEVNULL, env=environment(trace),
                                  timeout=timeout, check=False)
        # The job runs with the hosts that there are; as a measurement of so many slots it is none.
        lost = [line for line in done.stderr.splitlines() if b": not up: " in line or b": gone: " in line]
        if lost:
            done.returncode, done.stderr = done.returncode or NOT_ALL_THERE, b"\n".join(lost)
        return done


class Compose(Local):
    """Containers of deploy/docker-compose.yml, a slot each. Files are seen as /data/NAME."""

    name = "compose"

    def __init__(self, options):
        if not shutil.which("docker") or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode:
            raise Problem("--on compose: no Docker engine runs here")
        has_plugin = not subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode
        if not has_plugin and not shutil.which("docker-compose"):
            raise Problem("--on compose: there is neither 'docker compose' nor 'docker-compose'")
        self.command = ["docker", "compose"] if has_plugin else ["docker-compose"]
        self.project = f"sheaf-scale-{os.getpid()}"
        self.override = tempfile.NamedTemporaryFile("w", suffix=".yml")
        # A worker says on its standard output what it did; the data may lie anywhere.
        self.override.write("services: {worker: {environment: {SHEAF_TRACE: '-'}}}\n")
        self.override.flush()
        self.data = TOP / "deploy" / "data"
        self.slots = None
        # Of this checkout, not the one that some earlier checkout left.
        self.must("build", "coordinator")

    def describe(self):
        return "containers on one machine"

    def compose(self, *arguments, **more):
        command = [*self.command, "-f", str(COMPOSE_FILE), "-f", self.override.name, "-p", self.project, *arguments]
        return subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, SHEAF_CPUS="1", SHEAF_DATA=str(self.data)), check=False, **more)

    def must(self, *arguments):
        done = self.compose(*arguments)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines() or ["it failed without a word"]
            raise Problem(f"--on compose: {said[-1]}")

    def up(self, slots):
        if slots == self.slots:
            return
        self.must("up", "-d", "--scale", f"worker={slots}", "coordinator", "worker")
        self.slots = slots
        self.wait(slots)

    def wait(self, slots):
        for _ in range(300):
            done = self.compose("exec", "-T", "coordinator", "sheaf", "status", "--output", "json")
            if done.returncode == 0 and len(json.loads(done.stdout)["workers"]) == slots:
                return
            time.sleep(0.1)
        raise Problem(f"--on compose: {slots} workers did not join within 30 s")

    def run(self, slots, arguments, trace, timeout):
        self.up(slots)
        if any(argument.startswith("/") for argument in arguments):
            folder = {str(pathlib.Path(a).parent) for a in arguments if a.startswith("/")}.pop()
            if folder != str(self.data):
                self.data, self.slots = pathlib.Path(folder), None
                self.up(slots)
            arguments = [f"/data/{pathlib.Path(a).name}" if a.startswith("/") else a for a in arguments]
        client = f"{self.project}-client"
        try:
            done = self.compose("run", "--rm", "-T", "--name", client, "client", *arguments, "--stats", "-q", timeout=timeout)
        except subprocess.TimeoutExpired:
            # Only the command is gone; the container and its job would go on beside the next run.
            subprocess.run(["docker", "rm", "-f", client], capture_output=True, check=False)
            raise
        done.stderr = b"\n".join(line for line in done.stderr.splitlines() if line.startswith((b"{", b"sheaf")))
        return done

    def take_traces(self, trace):
        """What the workers of the last run said; stopping them makes them say the rest."""
        self.compose("stop", "worker")
        lines = self.compose("logs", "--no-color", "worker").stdout.decode(errors="replace").splitlines()
        found = [line[line.index("trace "):] for line in lines if "| trace " in line]
        (trace / "compose.trace").write_text("".join(f"{line}\n" for line in found))
        self.slots = None

    def close(self):
        self.compose("down", "-t", "5", "--remove-orphans")


class Mpi(Local):
    """Ranks: one that coordinates, and a worker of one process for each slot."""

    name = "mpi"

    def __init__(self, options):
        if not shutil.which("mpirun"):
            raise Problem("--on mpi: there is no mpirun here")

    def describe(self):
        return "MPI ranks of one process each, and one that coordinates"

    def run(self, slots, arguments, trace, timeout):
        root = ({"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"} if os.geteuid() == 0 else {})
        crowded = ["--oversubscribe"] if slots + 1 > self.cores() else []
        forward = ["-x", "SHEAF_TRACE"] if trace else []
        return subprocess.run(["mpirun", "-n", str(slots + 1), "--bind-to", "none", *crowded, *forward, SHEAF, *arguments,
                               "--backend", "mpi", "-j", "1", "--stats", "-q"], capture_output=True,
                              stdin=subprocess.DEVNULL, env=environment(trace, **root), timeout=timeout, check=False)


PLACES = {place.name: place for place in (Local, Compose, Hosts, Mpi)}
