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
        self.assertLess(max(peaks.peaks.values()), BOUND, peaks.peaks)

    def each_way(self, command, arguments, look):
        """Run the job on this machine and through a farm, watching every process."""
        for is_farm in (False, True):
            with self.subTest(farm=is_farm), Farm(self.directory, workers=2 if is_farm else 0) as a_farm:
                with Peaks(a_farm.mark) as peaks:
                    where = ["--farm", a_farm.url] if is_farm else []
                    job = a_farm.start(farm.SHEAF, *arguments, *where, stdin=self.producer(command),
                                       stdout=subprocess.PIPE)
                    look(job)
                    job.process.stdout.close()
                self.check(peaks)

    def test_a_long_pipe(self):
        def look(job):
            self.assertEqual(job.process.stdout.read(), f"{INPUT_BYTES // 2}\n".encode())
            self.assertEqual(job.process.wait(TIMEOUT), 0)

        self.each_way(f"yes 1 | head -c {INPUT_BYTES}", ["sum", "-", "--total"], look)

    def test_empty_lines(self):
        def look(job):
            count = 0
            while block := job.process.stdout.read(1 << 20):
                count += block.count(b"0\n")
                self.assertEqual(len(block) % 2, 0)
            self.assertEqual(count, INPUT_BYTES)
            self.assertEqual(job.process.wait(TIMEOUT), 0)

        self.each_way(f"yes '' | head -c {INPUT_BYTES}", ["sum", "-"], look)

    def test_results_that_nobody_reads(self):
        def look(job):
            time.sleep(20 if LARGE else 5)
            self.assertTrue(job.is_running())
            job.send(signal.SIGINT)
            self.assertEqual(job.process.wait(10), 130)

        self.each_way(f"yes 12 | head -c {INPUT_BYTES}", ["sum", "-"], look)

    def test_a_first_slice_on_a_frozen_worker(self):
        with Farm(self.directory, workers=2) as a_farm, Peaks(a_farm.mark) as peaks:
            source = self.producer(f"yes 1 | head -c {INPUT_BYTES}")
            job = a_farm.start_client("sum", "-", "--total", stdin=source)
            farm.wait_until(lambda: a_farm.status()["jobs"], what="a job")
            a_farm.workers[0].send(signal.SIGSTOP)
            result = job.wait(TIMEOUT)
            self.assertEqual((result.status, result.out), (0, f"{INPUT_BYTES // 2}\n"), result)
        self.check(peaks)


if __name__ == "__main__":
    unittest.main(verbosity=2)
