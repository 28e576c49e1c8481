"""Standard descriptors, signals and limits as others leave them to the programs: nohup, pipes that somebody else made
non-blocking, standard error that nobody reads, files that may not grow."""

import fcntl
import os
import resource
import signal
import subprocess
import tempfile
import time
import unittest

import farm
from farm import SHEAF, WORKER, Farm

ALL = range(200000)
ANSWER = "".join(f"{value}\n" for value in ALL).encode()


def full_pipe():
    """A pipe that takes nothing more, in blocking mode: writing to it stops the writer for ever."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        pass
    os.set_blocking(writer, True)
    return reader, writer


class Programs(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-descriptors-")
        self.addCleanup(directory.cleanup)
        self.directory = directory.name

    def start(self, *arguments, program=SHEAF, **more):
        for name in ("stdin", "stdout", "stderr"):
            more.setdefault(name, subprocess.PIPE)
        process = subprocess.Popen([program, *map(str, arguments)], env=farm.environment(), **more)
        self.addCleanup(self.end, process)
        return process

    def end(self, process):
        process.kill()
        process.wait(20)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()


class Signals(Programs):
    def test_what_was_ignored_at_the_start_stays_so(self):
        """As under nohup (SIGHUP), and in the background of a script (SIGINT)."""
        for number in (signal.SIGHUP, signal.SIGINT):
            process = self.start("sum", "-", preexec_fn=lambda number=number: signal.signal(number, signal.SIG_IGN))
            process.stdin.write(b"1 2\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"3\n")
            process.send_signal(number)
            process.stdin.write(b"3 4\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), b"7\n")
            process.stdin.close()
            self.assertEqual(process.wait(20), 0)

    def test_a_hangup_is_the_end_otherwise(self):
        process = self.start("sum", "-")
        process.stdin.write(b"1 2\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"3\n")
        process.send_signal(signal.SIGHUP)
        self.assertEqual(process.wait(20), 128 + signal.SIGHUP)

    def test_a_coordinator_and_a_worker_outlive_their_terminal(self):
        url = f"tcp://127.0.0.1:{farm.free_port()}"

        def ignore():
            signal.signal(signal.SIGHUP, signal.SIG_IGN)

        coordinator = self.start("coordinator", "--listen", url, preexec_fn=ignore)
        worker = self.start("--connect", url, "-j", 1, program=WORKER, preexec_fn=ignore)
        for _ in range(2):
            self.assertEqual(farm.sheaf("sum", "1..10", "--farm", url).out, "55\n")
            coordinator.send_signal(signal.SIGHUP)
            worker.send_signal(signal.SIGHUP)

    def test_children_are_told_apart_though_sigchld_was_ignored(self):
        process = self.start("sum", "-", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        process.stdin.write(b"1 2\n")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"3\n")
        with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
            ignored = next(int(line.split()[1], 16) for line in status if line.startswith("SigIgn"))
        self.assertFalse(ignored >> (signal.SIGCHLD - 1) & 1)


class Output(Programs):
    def test_a_pipe_that_somebody_made_non_blocking(self):
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        process = self.start("sum", f"{ALL[0]}..{ALL[-1]}", "--every", 1, stdout=writer)
        os.close(writer)
        time.sleep(0.3)  # the pipe is full by now
        with open(reader, "rb") as stream:
            self.assertEqual(stream.read(), ANSWER)
        self.assertEqual(process.wait(20), 0, process.stderr.read())
        self.assertEqual(process.stderr.read(), b"")

    def test_help_and_status_on_such_a_pipe(self):
        with Farm(self.directory) as a_farm:
            farm.wait_until(lambda: a_farm.run("status").status == 0, what="a coordinator that answers")
            for arguments in (["sum", "--help"], ["status", "--farm", a_farm.url]):
                reader, writer = full_pipe()
                os.set_blocking(writer, False)
                process = self.start(*arguments, stdout=writer)
                os.close(writer)
                time.sleep(0.3)
                with open(reader, "rb") as stream:
                    self.assertTrue(stream.read().strip(b"\0"))
                self.assertEqual(process.wait(20), 0, process.stderr.read())

    def test_input_that_somebody_made_non_blocking(self):
        for arguments in (["-"], ["-", "--split", 1]):
            process = self.start("sum", *arguments)
            os.set_blocking(process.stdin.fileno(), False)
            flags = fcntl.fcntl(process.stdin.fileno(), fcntl.F_GETFL)
            self.assertTrue(flags & os.O_NONBLOCK)
            time.sleep(0.2)
            os.write(process.stdin.fileno(), b"1 2")
            time.sleep(0.2)
            os.write(process.stdin.fileno(), b"0\n")
            process.stdin.close()
            self.assertEqual(process.stdout.read(), b"21\n")
            self.assertEqual(process.wait(20), 0)

    def test_a_file_that_may_not_grow(self):
        """No signal kills it: the write fails, and says why."""
        limit = 8 << 20
        with tempfile.TemporaryFile() as out:
            process = self.start("sum", "1..10000000", "--every", 1, stdout=out,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
            _, err = process.communicate(timeout=farm.TIMEOUT)
            self.assertEqual((process.returncode, err),
                             (1, b"sheaf: standard output cannot be written: File too large\n"))
            self.assertEqual(out.seek(0, os.SEEK_END), limit)

    def test_a_limit_that_leaves_no_room_to_work(self):
        process = self.start("sum", "1..10", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)))
        out, err = process.communicate(timeout=farm.TIMEOUT)
        self.assertEqual((process.returncode, out), (1, b""), err)
        self.assertIn(b"ulimit -f", err)
        self.assertEqual(err.count(b"\n"), 1)

    def test_a_value_that_such_a_limit_lets_no_process_have(self):
        """It travels in a file of memory, and ends the job instead of being tried for ever."""
        path = f"{self.directory}/big.txt"
        with open(path, "w", encoding="ascii") as file:
            file.write("7" * 6000000 + "\n")
        limit = 5 << 20
        process = self.start("sum", path, "-j", 1,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        out, err = process.communicate(timeout=farm.TIMEOUT)
        self.assertEqual((process.returncode, out), (1, b""), err)
        self.assertIn(b"line 1, byte 0: the piece that begins here killed its processes", err)


class Errors(Programs):
    def test_standard_error_that_nobody_reads(self):
        reader, writer = full_pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        for arguments, status in ((["sum", "x y"], 2), (["sum", "1..10", "--stats", "--progress", "always"], 0),
                                  (["nonsense"], 2)):
            process = self.start(*arguments, stderr=writer)
            process.communicate(timeout=farm.TIMEOUT)
            self.assertEqual(process.returncode, status)

    def test_a_farm_whose_notices_nobody_reads(self):
        reader, writer = full_pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        url = f"tcp://127.0.0.1:{farm.free_port()}"
        self.start("coordinator", "--listen", url, "-v", stderr=writer)
        self.start("--connect", url, "-j", 1, "-v", program=WORKER, stderr=writer)
        self.assertEqual(farm.sheaf("sum", "1..10", "--farm", url).out, "55\n")

    def test_a_farm_without_standard_descriptors(self):
        url = f"tcp://127.0.0.1:{farm.free_port()}"

        def close():
            for fd in range(3):
                os.close(fd)

        self.start("coordinator", "--listen", url, preexec_fn=close, stdin=None, stdout=None, stderr=None)
        self.start("--connect", url, "-j", 1, program=WORKER, preexec_fn=close, stdin=None, stdout=None, stderr=None)
        for _ in range(2):
            self.assert_gives(farm.sheaf("sum", "-", "--farm", url, "-q", stdin="1 2\n" * 1000), "3\n" * 1000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
