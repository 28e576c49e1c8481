"""Bounded memory: streams far larger than the window, locally and through a farm.

SHEAF_TEST_LARGE=1 runs each case with the full 4 GiB; otherwise a part of it is enough to pass the bound if
something grows with the input.
"""

import os
import pathlib
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import farm
from farm import Farm

LARGE = os.environ.get("SHEAF_TEST_LARGE") == "1"
INPUT_BYTES = (4 << 30) if LARGE else (256 << 20)
BOUND = 200 << 20
TIMEOUT = 900 if LARGE else 200


class Peaks(threading.Thread):
    """Watches the resident size of every process that carries a mark."""

    def __init__(self, mark):
        super().__init__(daemon=True)
        self.mark = mark
        self.peaks = {}
        self.is_over = threading.Event()

    def run(self):
        while not self.is_over.wait(0.05):
            for pid in farm.marked(self.mark):
                self.peaks[pid] = max(self.peaks.get(pid, 0), farm.memory_peak(pid))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.is_over.set()
        self.join(20)


class Memory(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-memory-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def producer(self, command):
        process = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, env=farm.environment())
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        self.addCleanup(process.stdout.close)
        return process.stdout

    def check(self, peaks):
        self.assertTrue(peaks.peaks)
        if LARGE:
            print(f"{self.id()}: largest process {max(peaks.peaks.values()) >> 20} MiB")
        self.assertLess(max(peaks.peaks.values()), BOUND, peaks.peaks)

    def each_way(self, work):
        """On this machine and through a farm, watching every process: work(farm, the arguments that name it)."""
        for is_farm in (False, True):
            with self.subTest(farm=is_farm), Farm(self.directory, workers=2 if is_farm else 0) as a_farm:
                with Peaks(a_farm.mark) as peaks:
                    work(a_farm, ["--farm", a_farm.url] if is_farm else ["-j", "2"])
                self.check(peaks)

    def start(self, a_farm, command, *arguments):
        job = a_farm.start(farm.SHEAF, *arguments, stdin=self.producer(f"{command} | head -c {INPUT_BYTES}"),
                           stdout=subprocess.PIPE)
        self.addCleanup(job.process.stdout.close)
        return job

    def test_a_long_pipe(self):
        def work(a_farm, where):
            job = self.start(a_farm, "yes 1", "sum", "-", "--total", *where)
            self.assertEqual(job.process.stdout.read(), f"{INPUT_BYTES // 2}\n".encode())
            self.assertEqual(job.process.wait(TIMEOUT), 0)

        self.each_way(work)

    def test_empty_lines(self):
        def work(a_farm, where):
            job = self.start(a_farm, "yes ''", "sum", "-", *where)
            count = 0
            while block := job.process.stdout.read(1 << 20):
                count += block.count(b"0\n")
                self.assertEqual(len(block) % 2, 0)
            self.assertEqual(count, INPUT_BYTES)
            self.assertEqual(job.process.wait(TIMEOUT), 0)

        self.each_way(work)

    def test_results_that_nobody_reads(self):
        def work(a_farm, where):
            jobs = [self.start(a_farm, lines, "sum", "-", *where)
                    for lines in ("yes 12", "seq 1000000000 9999999999", "seq 0.5 9999999999")]
            time.sleep(20 if LARGE else 5)
            for job in jobs:
                self.assertTrue(job.is_running())
                job.send(signal.SIGINT)
                self.assertEqual(job.process.wait(30), 130)

        self.each_way(work)

    def test_a_heavy_sublist_before_very_many_light_ones(self):
        """The light values wait for the heavy one, in the window; nothing copies them all, again and again."""
        light = self.directory / "light.txt"
        light.write_bytes(b"2\n9\n4\n7\n3\n" * 1200000)
        with Farm(self.directory, workers=0) as here, Peaks(here.mark) as peaks:
            job = here.start(farm.SHEAF, "product", "1..200000", str(light), "--memory", "8M", stdout=subprocess.PIPE)
            self.addCleanup(job.process.stdout.close)
            heavy, rest = job.process.communicate(timeout=TIMEOUT)[0].split(b"\n", 1)
            self.assertEqual(job.process.returncode, 0)
        self.assertEqual((len(heavy), len(rest)), (973351, 2 * 6000000))
        self.assertTrue(rest == light.read_bytes())
        self.assertTrue(peaks.peaks)
        self.assertLess(max(peaks.peaks.values()), 64 << 20, peaks.peaks)

    def test_a_first_slice_on_a_frozen_worker(self):
        """Locally a frozen process of the pool, which is replaced; on a farm a daemon, which is given up."""
        def work(a_farm, where):
            job = self.start(a_farm, "yes 1", "sum", "-", "--total", *where)
            if a_farm.workers:
                farm.wait_until(lambda: a_farm.status()["jobs"], what="a job")
                a_farm.workers[0].send(signal.SIGSTOP)
            else:
                farm.kill(farm.wait_until(lambda: farm.children(job.pid), what="a process")[0], signal.SIGSTOP)
            self.assertEqual(job.process.stdout.read(), f"{INPUT_BYTES // 2}\n".encode())
            self.assertEqual(job.process.wait(TIMEOUT), 0)

        self.each_way(work)


if __name__ == "__main__":
    unittest.main(verbosity=2)
