"""A Slurm cluster of two nodes on this machine: the batch script as it is shipped, and plain srun."""

import contextlib
import math
import os
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
import unittest

import farm
import slurm
from farm import SHEAF

BATCH = farm.ROOT / "deploy/slurm/sheaf.sbatch"
# Of srun, where the configuration binds no task to a processor, as that of this test.
UNBOUND = "srun: cluster configuration lacks support for cpu binding\n"
BARE = r"""
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    int rank, sum;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Reduce(&rank, &sum, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
    if (rank == 0)
        printf("%d\n", sum);
    MPI_Finalize();
}
"""


def lines(values):
    return "".join(f"{value}\n" for value in values)


class State:
    cluster = None
    directory = None


def setUpModule():
    lack = slurm.what_lacks()
    if lack:
        print(f"skipped: {lack}", flush=True)
        raise unittest.SkipTest(lack)
    directory = tempfile.TemporaryDirectory(prefix="sheaf-test-")
    unittest.addModuleCleanup(directory.cleanup)
    State.directory = pathlib.Path(directory.name)
    State.cluster = slurm.Slurm()
    State.cluster.__enter__()
    unittest.addModuleCleanup(State.cluster.__exit__)


def srun(*arguments, **more):
    # Quiet: not whether it had to wait for a job before to be gone.
    return State.cluster.run("srun", "-Q", *arguments, **more)


def batch(*arguments, options=("--nodes=2",), launch="srun"):
    result = State.cluster.batch(*options, BATCH, *arguments, SHEAF=SHEAF, SHEAF_LAUNCH=launch)
    return farm.Result(result.status, result.out, result.err.replace(UNBOUND, ""))


def program(pid):
    """The name of the program that a process runs; None when it is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/exe").resolve(strict=True).name
    except OSError:
        return None


def programs():
    """The pids of all of Sheaf's programs in the cluster."""
    return [pid for pid in farm.marked(State.cluster.mark) if program(pid) in ("sheaf", "sheaf-worker")]


def ranks():
    """The pids of the ranks by their number: the programs themselves, not their pools."""
    found = {}
    for pid in programs():
        with contextlib.suppress(OSError):
            parent = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
            number = re.search(rb"\0SLURM_PROCID=(\d+)\0", pathlib.Path(f"/proc/{pid}/environ").read_bytes())
            if number and program(parent) != "sheaf-worker":
                found[int(number.group(1))] = pid
    return found


class TheCluster(farm.TestCase):
    @unittest.skipUnless(shutil.which("mpicc"), "no mpicc here")
    def test_a_bare_program_runs_on_both_nodes(self):
        """When this fails, it is not Sheaf that is at fault."""
        source = State.directory / "bare.c"
        source.write_text(BARE)
        subprocess.run(["mpicc", source, "-o", State.directory / "bare"], check=True, timeout=60)
        self.assert_gives(srun("--nodes=2", "--ntasks=4", State.directory / "bare"), "6\n")


class Batch(farm.TestCase):
    """deploy/slurm/sheaf.sbatch."""

    def test_both_launchers_give_the_answer(self):
        draw = random.Random(5)
        rows = [[draw.randrange(-10**9, 10**9) for _ in range(draw.randrange(0, 60))] for _ in range(2000)]
        path = State.directory / "rows.txt"
        path.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
        for launch in ("srun", "mpirun"):
            with self.subTest(launch=launch):
                self.assert_gives(batch("product", path, launch=launch), lines(map(math.prod, rows)))

    def test_ranks_without_pools(self):
        values = list(range(-100000, 150000))
        path = State.directory / "values.npy"
        header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (250000,), }".ljust(117) + b"\n"
        path.write_bytes(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header +
                         struct.pack("<250000q", *values))
        self.assert_gives(batch("sum", path, "-j", 1, options=("--nodes=2", "--ntasks-per-node=2")),
                          f"{sum(values)}\n")

    def test_the_job_fails_with_the_command(self):
        path = State.directory / "bad.txt"
        path.write_text("1 2\n3 x\n")
        for launch in ("srun", "mpirun"):
            with self.subTest(launch=launch):
                result = batch("sum", path, launch=launch)
                self.assertEqual(result.status, 2, result)
                self.assertEqual(result.err.count(f"sheaf: {path}: line 2, byte 6: 'x' is not a number\n"), 1,
                                 result)

    def test_what_cannot_run_is_a_sentence(self):
        for arguments, launch in (([], "srun"), (["sum", "1"], "ssh")):
            result = batch(*arguments, options=(), launch=launch)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertEqual(result.err.count("\n"), 1, result)
            self.assertTrue(result.err.startswith("sheaf.sbatch: "), result)


class Srun(farm.TestCase):
    def test_the_answer(self):
        self.assert_gives(srun("--nodes=2", "--ntasks=4", SHEAF, "sum", "1..400", "--every", 100,
                               "--backend", "mpi"), "5050\n15050\n25050\n35050\n")

    def test_standard_input(self):
        text = lines(range(1, 100001))
        self.assert_gives(srun("--ntasks=3", SHEAF, "sum", "-", "--total", "--backend", "mpi", stdin=text.encode()),
                          "5000050000\n")

    def test_a_killed_rank_ends_the_job_and_is_named(self):
        for victim in (2, 0):
            with self.subTest(victim=victim):
                self.kill_one(victim)

    def kill_one(self, victim):
        pipe = State.directory / f"pipe-{victim}"
        os.mkfifo(pipe)
        # Without --kill-on-bad-exit srun itself would wait for the others for ever.
        result = []
        runner = threading.Thread(target=lambda: result.append(
            srun("--nodes=2", "--ntasks=4", "--kill-on-bad-exit=0", "--wait=0", SHEAF, "sum", pipe,
                 "--backend", "mpi")))
        runner.start()
        try:
            # Its reader is rank 0, which waits for more while this end is open.
            with open(pipe, "wb") as writer:
                writer.write(lines(range(1000)).encode())
                writer.flush()
                farm.wait_until(lambda: len(ranks()) == 4, farm.TIMEOUT, what="four ranks")
                os.kill(ranks()[victim], signal.SIGKILL)
                runner.join(farm.TIMEOUT)
        finally:
            runner.join(farm.TIMEOUT)
        self.assertFalse(runner.is_alive())
        self.assertEqual(result[0].status, 128 + signal.SIGKILL, result[0])
        self.assertRegex(result[0].err, rf"srun: error: node[12]: task {victim}: Killed\n")
        farm.wait_until(lambda: not programs(), what="an end of all ranks and their pools")


if __name__ == "__main__":
    unittest.main(verbosity=2)
