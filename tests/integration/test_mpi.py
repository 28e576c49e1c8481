"""Ranks of an mpirun: any number of them, what happens when one ends, and what is said when they cannot begin."""

import contextlib
import os
import pathlib
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import uuid

import farm
import mpirun
from farm import BUILD, SHEAF, WORKER

ANSWER = "5050\n15050\n25050\n35050\n"
MPIRUN = shutil.which("mpirun")
MODULE = BUILD / "sheaf-link-mpi.so"
LAUNCH = [*(mpirun.words() or []), "--oversubscribe"]


def environment(mark=None, **more):
    """For ranks, also of root. What OpenMPI itself loses of its memory is not ours to find."""
    return farm.environment(mark, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                            ASAN_OPTIONS="detect_leaks=0", **more)


def ranks(count, *arguments):
    return [*LAUNCH, "-n", str(count), SHEAF, *map(str, arguments), "--backend", "mpi"]


def by_rank(*commands):
    """Another command on each rank. (Several programs in one command make the mpirun of OpenMPI 5.0.7 crash.)"""
    cases = " ".join(f"{rank}) exec {shlex.join(map(str, command))};;" for rank, command in enumerate(commands))
    return [*LAUNCH, "-n", str(len(commands)), "sh", "-c", f"case $OMPI_COMM_WORLD_RANK in {cases} esac"]


def run(command, **more):
    more.setdefault("env", environment())
    return farm.run(list(map(str, command)), **more)


def name_of(pid):
    """What a process of a job is: mpirun, sheaf, sheaf-worker, or leaf; None when it is gone."""
    with contextlib.suppress(OSError):
        words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        program = pathlib.Path(os.fsdecode(words[0])).name
        return "leaf" if b"--leaf" in words else program
    return None


class Job:
    """An endless job on ranks, whose processes can be found by name. It leaves nothing running."""

    def __init__(self, count):
        self.mark = uuid.uuid4().hex
        self.count = count
        self.directory = tempfile.TemporaryDirectory(prefix="sheaf-mpi-")
        program, *arguments = ranks(count, "sum", "random:9000000000000000000", "-j", 1, "-v")
        self.running = farm.Running(program, arguments, self.directory.name, environment(self.mark))
        self.pid = self.running.pid

    def __enter__(self):
        farm.wait_until(lambda: self.running.error_text().count("joined mpi:") == self.count - 1, what="all ranks")
        return self

    def __exit__(self, *_):
        for pid in farm.marked(self.mark):
            farm.kill(pid)
        self.running.process.wait(farm.TIMEOUT)
        self.directory.cleanup()

    def pids(self, name):
        return [pid for pid in farm.marked(self.mark) if name_of(pid) == name]

    def end(self):
        """Its status and what it said on standard error; nothing of it runs any more."""
        result = self.running.wait(30)
        farm.wait_until(lambda: not farm.marked(self.mark), 10, what="nothing left")
        return result.status, result.err


@unittest.skipUnless(MPIRUN and MODULE.exists(), "no MPI here, or built without it")
class Ranks(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-mpi-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def test_any_number_of_ranks(self):
        for count in (1, 2, 4, 8):
            with self.subTest(ranks=count):
                self.assert_gives(run(ranks(count, "sum", "1..400", "--every", 100, "-j", 1)), ANSWER)

    def test_outside_of_mpirun_it_is_one_rank(self):
        self.assert_gives(farm.sheaf("sum", "1..400", "--every", 100, "--backend", "mpi"), ANSWER)

    @unittest.skipUnless(os.geteuid() == 0, "that is how all of this runs")
    def test_as_another_user(self):
        self.directory.chmod(0o777)
        for name in ("sheaf", "sheaf-worker", "sheaf-link-mpi.so"):
            shutil.copy(BUILD / name, self.directory)
        command = [str(self.directory / "sheaf") if word == SHEAF else word
                   for word in ranks(2, "sum", "1..400", "--every", 100)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=farm.TIMEOUT,
                              user=65534, group=65534, extra_groups=[], cwd=self.directory, check=False,
                              env=farm.environment(HOME=str(self.directory), TMPDIR=str(self.directory),
                                                   ASAN_OPTIONS="detect_leaks=0"))
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ANSWER), done.stderr)

    def test_data_of_any_size_by_value(self):
        path = self.directory / "long.txt"
        path.write_text("".join(f"{i} {i}\n" for i in range(700000)))
        answer = farm.sheaf("sum", path)
        result = run(ranks(3, "sum", path, "--data", "value", "-j", 1))
        self.assert_gives(result, answer.out)
        digits = "7" * 3_000_000
        path.write_text(f"{digits}\n1\n")
        self.assert_gives(run(ranks(2, "sum", path, "--total", "--data", "value")), digits[:-1] + "8\n")

    def test_nothing_else_loads_mpi(self):
        for program in (SHEAF, WORKER):
            done = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=20, check=True)
            self.assertNotIn("mpi", done.stdout)

    def test_only_short_standard_input_through_the_mpirun_of_openmpi_5(self):
        as_launched = environment(OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="1", PRTE_LAUNCHED="1")
        for source in (["-"], [], ["/dev/stdin"], ["1..2", "-"]):
            result = farm.sheaf("sum", *source, "--total", "--backend", "mpi", stdin="1\n" * 16384, env=as_launched)
            self.assert_gives(result, "16387\n" if len(source) == 2 else "16384\n")
            result = farm.sheaf("sum", *source, "--total", "--backend", "mpi", stdin="1\n" * 16385, env=as_launched)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn("give a file", result.err)
        self.assert_gives(farm.sheaf("sum", "1..2", "--backend", "mpi", stdin="1\n" * 99999, env=as_launched), "3\n")


@unittest.skipUnless(MPIRUN and MODULE.exists(), "no MPI here, or built without it")
class Faults(farm.TestCase):
    """What ends, and how soon; every test looks that nothing is left."""

    def test_a_rank_that_is_killed_ends_all(self):
        with Job(3) as job:
            os.kill(job.pids("sheaf-worker")[0], signal.SIGKILL)
            status, err = job.end()
        self.assertNotEqual(status, 0)
        self.assertIn("sheaf: ", err)

    def test_rank_0_that_is_killed_ends_all(self):
        with Job(3) as job:
            os.kill(job.pids("sheaf")[0], signal.SIGKILL)
            status, _ = job.end()
        self.assertNotEqual(status, 0)

    def test_an_mpirun_that_is_killed_leaves_nobody(self):
        with Job(3) as job:
            os.kill(job.pid, signal.SIGKILL)
            job.end()

    def test_signals_to_mpirun_end_all_soon(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number), Job(3) as job:
                began = time.monotonic()
                os.kill(job.pid, number)
                status, _ = job.end()
                # mpirun itself waits for one second of the two; the rest is for a busy machine.
                self.assertLess(time.monotonic() - began, 10)
                self.assertNotEqual(status, 0)

    def end_some(self, count, name, number, most):
        """A job of known answer on so many ranks; processes of that name are sent a signal while it runs."""
        with tempfile.TemporaryDirectory(prefix="sheaf-mpi-") as directory:
            path = pathlib.Path(directory) / "a.txt"
            path.write_text("".join(f"{i} {i}\n" for i in range(300000)))
            mark = uuid.uuid4().hex
            program, *arguments = ranks(count, "sum", path, "-j", 1, "-v", "--task-elements", 3000)
            running = farm.Running(program, arguments, directory, environment(mark))
            farm.wait_until(lambda: running.error_text().count("joined mpi:") == count - 1, what="all ranks")
            ended = set()
            while len(ended) < most and running.is_running():
                for pid in [pid for pid in farm.marked(mark) if name_of(pid) == name and pid not in ended][:1]:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
                        ended.add(pid)
                time.sleep(0.02)
            result = running.wait()
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, "".join(f"{2 * i}\n" for i in range(300000)))

    def test_killed_pool_processes_cost_no_answer(self):
        self.end_some(2, "leaf", signal.SIGKILL, 2)

    def test_a_worker_that_is_to_end_leaves_its_work_to_the_others(self):
        self.end_some(3, "sheaf-worker", signal.SIGTERM, 1)


@unittest.skipUnless(MPIRUN and MODULE.exists(), "no MPI here, or built without it")
class Beginnings(farm.TestCase):
    def test_a_sentence_for_options_is_said_once(self):
        result = run(ranks(3, "sum", 1, "--evry", 2))
        self.assertEqual((result.status, result.err.count("sheaf: ")), (2, 1), result)

    def test_a_trace_is_not_mixed_into_the_answer(self):
        for command in ([SHEAF, "sum", 1, 2, "-j", 1], ranks(2, "sum", 1, 2, "-j", 1)):
            result = run(command, env=environment(SHEAF_TRACE="-"))
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn(": SHEAF_TRACE=- is for the workers of a farm; ", result.err)

    def test_ranks_of_several_versions(self):
        test_mpi = BUILD / "test_mpi"
        if not test_mpi.exists():
            self.skipTest("the unit tests are not built")
        one, other = ([test_mpi, "--begin", version] for version in ("1", "2"))
        result = run(by_rank(one, one, one))
        self.assertEqual((result.status, result.err), (0, ""), result)
        result = run(by_rank(one, one, other))
        self.assertEqual(result.status, 3, result)
        self.assertRegex(result.err, r"^test_mpi: rank 2 on \S+ is sheaf 2, protocol \d+, rank 0 is sheaf 1, "
                                     r"protocol \d+: install the same version on every host\n$")

    def test_a_rank_that_never_begins(self):
        result = run(by_rank([SHEAF, "sum", 1, "--backend", "mpi", "--give-up", 2], ["sleep", 60]))
        self.assertEqual(result.status, 3, result)
        self.assertIn("sheaf: the ranks did not come together within 2 s", result.err)

    def test_a_rank_without_the_worker_program(self):
        with tempfile.TemporaryDirectory(prefix="sheaf-mpi-") as directory:
            for name in ("sheaf", "sheaf-link-mpi.so"):
                shutil.copy(BUILD / name, directory)
            alone = [pathlib.Path(directory) / "sheaf", "sum", 1, "--backend", "mpi"]
            result = run(by_rank([SHEAF, "sum", 1, "--backend", "mpi"], alone))
        self.assertNotEqual(result.status, 0)
        self.assertIn("sheaf-worker", result.err)
        self.assertIn("cannot be started", result.err)

    def test_a_rank_without_the_program(self):
        done = subprocess.run(["mpirun", "--oversubscribe", "-n", "2", "/nonexistent/sheaf", "sum", "1", "--backend", "mpi"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=farm.TIMEOUT,
                              env=environment(), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/sheaf", done.stdout + done.stderr)

    def test_more_processes_than_mpi_knows_of(self):
        env = environment(OMPI_COMM_WORLD_RANK="0", OMPI_COMM_WORLD_SIZE="2")
        env.pop("PMIX_RANK", None)
        result = run([SHEAF, "sum", 1, "--backend", "mpi", "--give-up", 10], env=env)
        self.assertEqual(result.status, 3, result)
        self.assertIn("rank 0 of 2 is rank 0 of 1 to MPI", result.err)

    def test_the_worker_alone_is_told_what_it_is_for(self):
        result = run([WORKER, "--connect", "mpi:"])
        self.assertEqual(result.status, 2)
        self.assertIn("mpirun", result.err)


class Options(farm.TestCase):
    def test_backends_and_what_contradicts_them(self):
        url = "tcp://127.0.0.1:1"
        for backend in ("local", "mpi"):
            for option in ("--farm", "--listen"):
                self.assert_fails(farm.sheaf("sum", 1, "--backend", backend, option, url), 2,
                                  f"sheaf: --backend {backend} and {option} contradict each other")
        self.assert_fails(farm.sheaf("sum", 1, "--backend", "zmq"), 2,
                          "sheaf: --backend zmq needs --farm URL (or SHEAF_FARM) or --listen URL")
        self.assertEqual(farm.sheaf("sum", 1, "--backend", "pvm").status, 2)

    def test_the_environment_counts_where_the_command_line_leaves_it_open(self):
        env = farm.environment(SHEAF_FARM="tcp://127.0.0.1:1")
        self.assert_gives(farm.sheaf("sum", 1, 2, "--backend", "local", "-j", 1, env=env), "3\n")
        for backend in ("auto", "zmq"):
            result = farm.sheaf("sum", 1, 2, "--backend", backend, "--give-up", 0.2, env=env)
            self.assertEqual(result.status, 3, result)


class Absent(farm.TestCase):
    def test_without_the_module_a_sentence_says_how_to_get_it(self):
        with tempfile.TemporaryDirectory(prefix="sheaf-mpi-") as directory:
            shutil.copy(SHEAF, directory)
            shutil.copy(WORKER, directory)
            result = run([pathlib.Path(directory) / "sheaf", "sum", 1, 2, "--backend", "mpi"])
            self.assertEqual((result.status, result.out), (1, ""), result)
            self.assertIn("install libopenmpi-dev and openmpi-bin", result.err)
            self.assert_gives(run([pathlib.Path(directory) / "sheaf", "sum", 1, 2]), "3\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
