"""--checkpoint: a command that is killed at any moment goes on in its next run; what cannot be used is refused."""

import contextlib
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import tempfile
import time
import unittest
import uuid

import backends
import farm
import mpirun
from farm import Running, sheaf

RANDOM = random.Random(int(os.environ.get("SHEAF_TEST_SEED", "1")))
LIVES_MAX = 4  # runs that are killed, of one command; the next one is let be
OFTEN = ("--checkpoint-every", "0.01")
GOES_ON = "going on from there"
# Millions of values take minutes then; the thread and the files are the same with fewer.
SANITIZED = b"__asan_init" in pathlib.Path(farm.SHEAF).read_bytes()


class Checkpoint(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-checkpoint-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.kept = self.directory / "kept"
        self.runs = []
        self.addCleanup(self.end_runs)

    def end_runs(self):
        for run in self.runs:
            if run.is_running():
                run.send(signal.SIGKILL)
            run.process.wait(farm.TIMEOUT)

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def start(self, *arguments, **more):
        arguments = [*arguments, "--checkpoint", self.kept, *OFTEN]
        run = Running(farm.SHEAF, arguments, self.directory, farm.environment(), **more)
        self.runs.append(run)
        return run

    def run_kept(self, *arguments, **more):
        return sheaf(*arguments, "--checkpoint", self.kept, cwd=self.directory, **more)

    def left(self):
        """What is there of the checkpoint."""
        return sorted(path.name for path in self.directory.iterdir() if path.name.startswith("kept"))

    def answers_kept(self):
        """Bytes of answers that belong to the checkpoint; -1: there is none."""
        return struct.unpack_from("<Q", self.kept.read_bytes(), 80)[0] if self.kept.exists() else -1

    def wait_until_kept(self, run, answers=0):
        farm.wait_until(lambda: self.answers_kept() >= answers or not run.is_running(), pause=0.002,
                        what="a checkpoint")
        self.assertTrue(run.is_running(), run.error_text())

    def kill(self, run, number=signal.SIGKILL):
        run.send(number)
        return run.wait()

    def lines(self, count, width=10, floats=False):
        rng = random.Random(count)
        number = (lambda: f"{rng.uniform(-1e9, 1e9)!r}") if floats else (lambda: str(rng.randrange(-10**6, 10**6)))
        return "".join(" ".join(number() for _ in range(width)) + "\n" for _ in range(count))


class Kills(Checkpoint):
    """Every command is killed again and again, then let be: the output is the uninterrupted one's."""

    def survive(self, *arguments):
        begin = time.monotonic()
        expected = sheaf(*arguments, cwd=self.directory, timeout=120)
        took = time.monotonic() - begin
        self.assertEqual(expected.status, 0, expected)
        resumed = 0
        for _ in range(LIVES_MAX):
            run = self.start(*arguments)
            try:
                run.process.wait(RANDOM.uniform(0, took))
                break
            except subprocess.TimeoutExpired:
                result = self.kill(run)
                self.assertTrue(expected.out.startswith(result.out))
                resumed += GOES_ON in result.err
        else:
            run = self.start(*arguments)
        result = run.wait(120)
        self.assertEqual((result.status, result.out == expected.out), (0, True), result)
        self.assertEqual(self.left(), [])
        return resumed + (GOES_ON in result.err)

    def test_at_random_moments(self):
        text = self.file("lines.txt", self.lines(20000))
        floats = self.file("floats.txt", self.lines(8000, floats=True))
        rows = self.lines(10000).split("\n")[:-1]
        lists = self.file("lists.json", "[" + ",".join(f"[{row.replace(' ', ',')}]" for row in rows) + "]")
        values = struct.pack("<200000q", *(i * i * 7919 - 5 for i in range(200000)))
        header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (20000, 10), }"
        header += b" " * (117 - len(header)) + b"\n"
        array = self.file("rows.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values)
        small = ("--task-elements", 200)
        commands = [
            ("sum", text, *small),
            ("sum", text, "--output", "json", *small),
            ("product", text, *small),
            ("sum", text, "--every", 7, *small),
            ("sum", text, "--split", 300, *small),
            ("product", text, "--total"),
            ("sum", floats, *small),
            ("sum", floats, "--total", *small),
            ("sum", lists, *small),
            ("sum", array, "--task-elements", 20),
            ("sum", array, text, lists, "--data", "value", *small),
            ("sum", "1..3000000", "--every", 3, "--task-elements", 100),
            ("sum", "random:10000000", "--every", 10),
            ("product", "1..300000"),
        ]
        if SANITIZED:
            commands = commands[:9:4]
        resumed = 0
        for command in commands:
            with self.subTest(command=command):
                resumed += self.survive(*command)
        self.assertGreater(resumed, len(commands) // 2)

    def test_with_workers_from_outside(self):
        text = self.file("lines.txt", self.lines(20000))
        command = ("sum", text, "--every", 7, "--task-elements", 20)
        url = f"tcp://127.0.0.1:{farm.free_port()}"
        worker = Running(farm.WORKER, ["--connect", url, "-j", "1"], self.directory, farm.environment())
        self.runs.append(worker)
        expected = sheaf(*command)
        run = self.start(*command, "--listen", url, "-j", 1)
        self.wait_until_kept(run)
        self.kill(run)
        result = self.start(*command, "--listen", url, "-j", 1).wait()
        self.assertEqual((result.status, result.out), (0, expected.out), result)
        self.assertIn(GOES_ON, result.err)
        self.assertEqual(self.left(), [])


    @unittest.skipUnless(shutil.which("mpirun"), "no mpirun here (scripts/setup)")
    def test_with_the_ranks_of_an_mpirun(self):
        command = ("sum", "random:1000000000", "--every", 1000)
        room = [] if len(os.sched_getaffinity(0)) > 1 else ["--oversubscribe"]
        arguments = ["-n", "2", *room, farm.SHEAF, *command, "--backend", "mpi", "-j", "1",
                     "--checkpoint", self.kept, *OFTEN]
        mark = uuid.uuid4().hex
        first, *words = mpirun.words()
        run = Running(first, [*words, *arguments], self.directory, farm.environment(mark, **backends.MPIRUN))
        self.runs.append(run)
        self.wait_until_kept(run, 1000)
        for pid in farm.marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        run.wait()
        farm.wait_until(lambda: not farm.marked(mark), what="an end of all ranks")
        result = self.run_kept(*command)  # by this machine's pool: who works may change
        self.assertEqual((result.status, result.out == sheaf(*command).out), (0, True), result)
        self.assertIn(GOES_ON, result.err)
        self.assertEqual(self.left(), [])


LONG = ("sum", "random:1000000000", "--every", 1000)  # much longer than it takes to keep something of it


class Ends(Checkpoint):
    """What becomes of the files, and of the answer, when a run ends in other ways."""


    def test_nothing_is_left_of_a_job_that_is_over(self):
        self.assert_gives(self.run_kept("sum", "1..400", "--every", 100), "5050\n15050\n25050\n35050\n")
        self.assertEqual(self.left(), [])
        path = self.file("bad.txt", "1 2\n3 oops\n")
        self.assertEqual(self.run_kept("sum", path).status, 2)
        self.assertEqual(self.left(), [])

    def test_a_signal_keeps_what_is_counted_by_then(self):
        run = Running(farm.SHEAF, [*LONG, "--checkpoint", self.kept, "--checkpoint-every", "1000"], self.directory,
                      farm.environment())
        self.runs.append(run)
        farm.wait_until(lambda: run.out_path.stat().st_size > 100000, what="some output")
        self.assertFalse(self.kept.exists())
        printed = self.kill(run, signal.SIGTERM)
        self.assertEqual(printed.status, 128 + signal.SIGTERM)
        self.assertEqual(self.left(), ["kept", "kept.out"])
        again = self.start(*LONG)
        farm.wait_until(lambda: again.out_path.stat().st_size > len(printed.out), what="more output")
        result = self.kill(again)
        self.assertIn(GOES_ON, result.err)
        self.assertTrue(result.out.startswith(printed.out))

    def test_a_reader_that_leaves_loses_nothing(self):
        command = ("sum", "random:6000000", "--every", 10)
        with subprocess.Popen([farm.SHEAF, *map(str, command), "--checkpoint", self.kept], stdout=subprocess.PIPE,
                              env=farm.environment()) as process:
            process.stdout.readline()
            process.stdout.close()
            self.assertEqual(process.wait(farm.TIMEOUT), 141)
        result = self.run_kept(*command)
        self.assertEqual((result.status, result.out), (0, sheaf(*command).out))
        self.assertIn(GOES_ON, result.err)

    @unittest.skipIf(SANITIZED, "too many values")
    def test_the_bytes_behind_those_that_count_are_dropped(self):
        command = ("sum", "1..3000000", "--every", 3, "--task-elements", 100)
        run = self.start(*command)
        self.wait_until_kept(run, 100)
        self.kill(run)
        with open(f"{self.kept}.out", "ab") as out:
            out.write(b"torn")
        pathlib.Path(f"{self.kept}.new").write_bytes(b"torn")
        result = self.run_kept(*command)
        self.assertEqual((result.status, result.out), (0, sheaf(*command).out))
        self.assertEqual(self.left(), [])

    @unittest.skipIf(SANITIZED, "too many values")
    def test_a_full_disk_ends_the_job_and_keeps_what_was_there(self):
        command = ("sum", "1..7000000", "--every", 2)
        most = 24 << 20  # more than the pool's shared memory, less than the answers
        arguments = [farm.SHEAF, *map(str, command), "--checkpoint", str(self.kept), *OFTEN]
        done = subprocess.run(
            arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=farm.TIMEOUT, env=farm.environment(),
            check=False, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
        sentence = f"sheaf: {self.kept}.out: cannot be written (what was kept before stays): File too large\n"
        self.assertEqual((done.returncode, done.stderr.decode()), (1, sentence))
        self.assertGreater(self.answers_kept(), 0)
        result = self.run_kept(*command)
        self.assertEqual((result.status, result.out == sheaf(*command).out), (0, True), result)
        self.assertIn(GOES_ON, result.err)
        self.assertEqual(self.left(), [])

    def test_a_checkpoint_that_cannot_be_replaced_ends_the_job(self):
        run = self.start(*LONG)
        self.wait_until_kept(run)
        before = self.kept.read_bytes()
        farm.wait_until(lambda: self.make_folder(f"{self.kept}.new"), pause=0.001, what="a folder in its place")
        result = run.wait()
        sentence = f"sheaf: {self.kept}: cannot be written (what was kept before stays): Is a directory\n"
        self.assertEqual((result.status, result.err), (1, sentence))
        self.assertGreaterEqual(len(self.kept.read_bytes()), len(before) // 2)
        self.assertEqual(self.left(), ["kept", "kept.new", "kept.out"])
        os.rmdir(f"{self.kept}.new")
        again = self.start(*LONG)
        farm.wait_until(lambda: GOES_ON in again.error_text(), what="that it goes on")

    @staticmethod
    def make_folder(path):
        try:
            os.mkdir(path)
        except FileExistsError:  # it is being written
            return False
        return True


class Refusals(Checkpoint):
    """A sentence and status 2, and nothing is touched."""

    def keep(self, *command):
        """Kill it with a checkpoint of some answers; again where it was over before one was seen."""
        for _ in range(20):
            run = self.start(*command)
            farm.wait_until(lambda: self.answers_kept() >= 200 or not run.is_running(), pause=0.002, what="a checkpoint")
            self.kill(run)
            if self.kept.exists():
                return
        self.fail("it ends too soon to be killed")

    def refused(self, result, words):
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertEqual(result.err.count("\n"), 1, result)
        self.assertIn(words, result.err)

    def test_other_jobs(self):
        text = self.file("lines.txt", self.lines(20000))
        other = self.file("other.txt", self.lines(20000))
        small = ("--task-elements", 10)
        self.keep("sum", text, *small)
        before = self.kept.read_bytes()
        self.refused(self.run_kept("product", text), "another operation")
        self.refused(self.run_kept("sum", other), "other sources")
        self.refused(self.run_kept("sum", text, other), "other sources")
        self.refused(self.run_kept("sum", text, "--every", 3), "another cut")
        self.refused(self.run_kept("sum", text, "--type", "float"), "--type")
        self.refused(self.run_kept("sum", text, "--max-value", "1M"), "--max-value")
        os.utime(text)
        self.refused(self.run_kept("sum", text), "changed since")
        self.assertEqual(self.kept.read_bytes(), before)

    def test_files_that_are_torn_or_of_somebody_else(self):
        self.keep(*LONG)
        whole = self.kept.read_bytes()
        out = pathlib.Path(f"{self.kept}.out")
        answers = out.read_bytes()
        damaged = bytearray(whole)
        damaged[len(whole) // 2] ^= 1
        wrong = bytearray(answers)
        wrong[100] ^= 1
        for content, words in ((whole[:-1], "torn"), (whole[:30], "torn"), (bytes(damaged), "torn"), (b"", "no checkpoint"),
                               (b"1 2 3\n", "no checkpoint"), (whole[:8] + b"\2" + whole[9:], "another version")):
            self.kept.write_bytes(content)
            self.refused(self.run_kept(*LONG), words)
            self.assertEqual(self.kept.read_bytes(), content)
            self.assertEqual(out.read_bytes(), answers)
        self.kept.write_bytes(whole)
        for content, words in ((answers[:100], "does not hold what"), (bytes(wrong), "does not hold what"),
                               (b"an answer of mine\n", "was not written by sheaf")):
            out.write_bytes(content)
            self.refused(self.run_kept(*LONG), words)
            self.assertEqual(out.read_bytes(), content)
        out.unlink()
        self.refused(self.run_kept(*LONG), "does not hold what")
        self.assertFalse(out.exists())

    def test_places_that_cannot_be_used(self):
        self.refused(sheaf("sum", "1..3", "--checkpoint", self.directory / "no" / "kept"), "No such file or directory")
        self.refused(sheaf("sum", "1..3", "--checkpoint", "/proc/kept"), "cannot be written")
        self.refused(sheaf("sum", "1..3", "--checkpoint", ""), "Its name is empty")
        self.kept.mkdir()
        self.refused(self.run_kept("sum", "1..3"), "not a regular file")
        self.assertEqual(self.left(), ["kept"])

    def test_an_answer_that_goes_where_answers_are_kept(self):
        with open(f"{self.kept}.out", "wb") as out:
            done = subprocess.run([farm.SHEAF, "sum", "1..3", "--checkpoint", self.kept], stdout=out, timeout=farm.TIMEOUT,
                                  stderr=subprocess.PIPE, env=farm.environment(), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"is standard output", done.stderr)
        self.assertEqual(self.left(), ["kept.out"])

    def test_streams_and_farms(self):
        self.refused(self.run_kept("sum", "-", stdin="1 2\n"), "standard input is a stream")
        self.refused(self.run_kept("sum", "-", "--split", 2, stdin="1 2\n"), "standard input is a stream")
        self.refused(self.run_kept("sum", "1..3", "--farm", "tcp://127.0.0.1:1"), "--farm")
        self.refused(self.run_kept("sum", "1..3", env=farm.environment(SHEAF_FARM="tcp://127.0.0.1:1")), "SHEAF_FARM")
        self.assertEqual(self.left(), [])

    def test_two_at_once(self):
        command = ("sum", "random:6000000", "--every", 10)
        first = self.start(*command)
        self.wait_until_kept(first)
        first.send(signal.SIGSTOP)
        self.refused(self.run_kept(*command), "another run")
        first.send(signal.SIGCONT)
        result = first.wait()
        self.assertEqual((result.status, result.out), (0, sheaf(*command).out))
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()
