"""A Slurm of its own for a test: munged, slurmctld and two nodes on this machine.

Folders, key and ports are its own: no service of the machine is used or disturbed. Everything is
stopped and removed with the block. Slurm's daemons want to be root here (SlurmUser=root); what_lacks()
says why there is none.

OpenMPI speaks PMIx alone, which is what srun must offer: --mpi=pmix, the default set here.
"""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import uuid

import farm

PROGRAMS = ("munged", "slurmctld", "slurmd", "srun", "sbatch", "scontrol", "sinfo", "mpirun", "unshare")
START = 60  # seconds for all of it to be up, on a loaded machine

CONFIGURATION = """\
ClusterName=sheaf
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={directory}/munge.socket
CredType=cred/munge
StateSaveLocation={directory}/state
SlurmctldPidFile={directory}/slurmctld.pid
SlurmctldLogFile={directory}/slurmctld.log
SlurmdSpoolDir={directory}/spool-%n
SlurmdPidFile={directory}/slurmd-%n.pid
SlurmdLogFile={directory}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SwitchType=switch/none
MpiDefault=pmix
ReturnToService=2
TmpFS={directory}/tmp-%n
TreeWidth=16
KillWait=2
InactiveLimit=0
CompleteWait=0
PrologFlags=NoHold
PropagateResourceLimits=NONE
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP OverSubscribe=FORCE:4
"""


def find(program):
    """The path of a program that may be in a folder for root only."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def what_lacks():
    """Why there can be no Slurm here; None when there can be."""
    if os.geteuid() != 0:
        return "starting Slurm's daemons needs root"
    missing = [program for program in PROGRAMS if not find(program)]
    if missing:
        return f"no {', '.join(missing)} here (scripts/setup --dev)"
    if subprocess.run(["unshare", "--uts", "--pid", "--fork", "--mount-proc", "true"], capture_output=True, check=False).returncode:
        return "this root may not give a node its own host name"
    return None


def free_ports(count):
    """Ports that are free now, all different."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


class Slurm:
    """Nodes node1, node2, … with `cpus` processors each, whatever this machine has."""

    def __init__(self, nodes=2, cpus=4):
        self.names = [f"node{i + 1}" for i in range(nodes)]
        self.cpus = cpus
        self.mark = uuid.uuid4().hex
        self.directory = None
        self.daemons = []

    def __enter__(self):
        # A short name: a socket's path has 107 bytes at most.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="sheaf-slurm-", dir="/tmp"))
        try:
            self.configure()
            self.start_munge()
            self.start("slurmctld", "-D")
            for name in self.names:
                self.start_node(name)
            farm.wait_until(self.is_up, START, 0.1, "Slurm with all nodes idle")
        except BaseException as error:
            logs = self.logs()
            self.__exit__()
            raise AssertionError(f"Slurm did not start: {error}\n{logs}") from error
        return self

    def __exit__(self, *_):
        for daemon in reversed(self.daemons):
            if daemon.args[0] == find("unshare"):
                daemon.kill()  # the whole node
            else:
                daemon.terminate()
        for daemon in reversed(self.daemons):
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(10)
        # What Slurm started is no child of ours; it carries the mark.
        for pid in farm.marked(self.mark):
            farm.kill(pid)
        for daemon in self.daemons:
            daemon.wait(10)
        farm.wait_until(lambda: not farm.marked(self.mark), what="an end of all of Slurm's processes")
        farm.wait_until(self.remove, what="that nobody writes into Slurm's folder any more")

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        return not self.directory.exists()

    def configure(self):
        ports = free_ports(1 + len(self.names))
        host = socket.gethostname().split(".")[0]
        nodes = "\n".join(
            f"NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} "
            "State=UNKNOWN" for name, port in zip(self.names, ports[1:]))
        (self.directory / "slurm.conf").write_text(CONFIGURATION.format(
            host=host, directory=self.directory, controller_port=ports[0], nodes=nodes))
        version = subprocess.run([find("slurmd"), "-V"], capture_output=True, text=True, check=True)
        # Later ones want a group to themselves, also where nothing asks for one.
        if int(re.search(r"(\d+)\.", version.stdout).group(1)) >= 23:
            (self.directory / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
        (self.directory / "state").mkdir()
        names = " ".join(["localhost", host, *self.names])
        (self.directory / "hosts").write_text(f"127.0.0.1 {names}\n")

    def start_munge(self):
        key = self.directory / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.start("munged", "--foreground", "--force", f"--key-file={key}", f"--socket={self.directory}/munge.socket",
                   f"--pid-file={self.directory}/munged.pid", f"--seed-file={self.directory}/munged.seed",
                   f"--log-file={self.directory}/munged.log", "--num-threads=1")
        farm.wait_until((self.directory / "munge.socket").exists, START, what="munged's socket")

    def start_node(self, name):
        """A node has a host name of its own: ranks on two hosts of one name would share memory by it. Its
        processes end with it: Slurm's own outlive their daemon when they cannot report a job's end."""
        spool = self.directory / f"tmp-{name}"
        spool.mkdir()
        self.start("unshare", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-euc",
                   'mount --bind "$1" /etc/hosts; hostname "$2"; exec "$3" -D -N "$2"',
                   "node", self.directory / "hosts", name, find("slurmd"))

    def start(self, program, *arguments):
        with open(self.directory / f"{program}-{len(self.daemons)}.out", "wb") as out:
            self.daemons.append(subprocess.Popen([find(program), *map(str, arguments)], stdin=subprocess.DEVNULL,
                                                 stdout=out, stderr=out, env=self.environment()))

    def environment(self, **more):
        """For whatever talks to this Slurm, and for the programs in its jobs."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM", "SHEAF_"))}
        env.update({"SLURM_CONF": str(self.directory / "slurm.conf"), farm.MARK: self.mark,
                    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"})
        env.update(more)
        return env

    def is_up(self):
        done = self.run("sinfo", "-h", "-N", "-o", "%N %t")
        return done.status == 0 and sorted(done.out.split("\n")[:-1]) == [f"{name} idle" for name in self.names]

    def run(self, program, *arguments, timeout=farm.TIMEOUT, cwd=None, stdin=b"", **more):
        """Run one of Slurm's commands, or another with its environment, to the end."""
        done = subprocess.run([find(program), *map(str, arguments)], input=stdin, capture_output=True,
                              timeout=timeout, env=self.environment(**more), cwd=cwd or self.directory,
                              check=False)
        return farm.Result(done.returncode, done.stdout, done.stderr)

    def batch(self, *arguments, timeout=farm.TIMEOUT, **more):
        """Submit a batch job and wait for its end: its exit status, and what it wrote."""
        paths = [self.directory / f"batch-{uuid.uuid4().hex[:8]}.{kind}" for kind in ("txt", "err")]
        done = self.run("sbatch", "--parsable", f"--output={paths[0]}", f"--error={paths[1]}", *arguments, **more)
        if done.status != 0:
            return done
        # sbatch --wait looks every ten seconds.
        status = farm.wait_until(lambda: self.exit_status(done.out.strip()), timeout, 0.1, "an end of the batch job")
        texts = [path.read_text(errors="replace") if path.exists() else "" for path in paths]
        return farm.Result(int(status), *texts)

    def exit_status(self, job):
        """A job's exit status, in digits; None while it is not over. 128 + N: ended by signal N."""
        shown = self.run("scontrol", "show", "job", "-o", job).out
        state = re.search(r"JobState=(\S+)", shown).group(1)
        if state in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING"):
            return None
        code, number = re.search(r"ExitCode=(\d+):(\d+)", shown).groups()
        return code if number == "0" else str(128 + int(number))

    def logs(self):
        parts = [f"== {path.name}\n{path.read_text(errors='replace')[-2000:]}"
                 for path in sorted(self.directory.glob("*.log")) + sorted(self.directory.glob("*.out"))]
        return "\n".join(parts)
