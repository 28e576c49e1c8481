"""What must hold on a farm of several hosts, whatever a host is: the cases that containers and network
namespaces share. A harness says how a worker is killed, paused or cut off there."""

import math
import threading
import time

import farm


class Job:
    """A job whose input goes on until the test has done what it wants to see survived.

    harness.start_client(arguments) gives a process with pipes. Lines are fed at the pace of the farm.
    """

    WIDTH = 300

    def __init__(self, client):
        self.client = client
        self.fed = 0
        self.wanted = threading.Event()
        self.out, self.err = b"", b""
        self.threads = [threading.Thread(target=target) for target in (self.feed, self.read, self.hear)]
        for thread in self.threads:
            thread.start()

    def line(self, number):
        return range(number + 1, number + 1 + self.WIDTH)

    def feed(self):
        try:
            while not self.wanted.is_set():
                text = "".join(" ".join(map(str, self.line(self.fed + i))) + "\n" for i in range(20))
                self.client.stdin.write(text.encode())
                self.client.stdin.flush()
                self.fed += 20
                time.sleep(0.01)
            self.client.stdin.close()
        except BrokenPipeError:
            pass

    def read(self):
        for data in iter(lambda: self.client.stdout.read1(1 << 16), b""):
            self.out += data

    def hear(self):
        for data in iter(lambda: self.client.stderr.read1(1 << 12), b""):
            self.err += data

    def lines(self):
        return self.out.count(b"\n")

    def wait_for_more(self, count=40):
        """Until it has answered that many lines more."""
        goal = self.lines() + count
        farm.wait_until(lambda: self.lines() >= goal or self.client.poll() is not None, 90, what=f"{count} answers")

    def end(self):
        """No more input; the status when it has ended."""
        self.wanted.set()
        status = self.client.wait(120)
        for thread in self.threads:
            thread.join(farm.TIMEOUT)
        self.client.stdout.close()
        self.client.stderr.close()
        return status

    def expected(self):
        return "".join(f"{math.prod(self.line(i))}\n" for i in range(self.fed)).encode()


class Cases:
    """Mixed into a farm.TestCase with `self.harness`, which has a coordinator and no worker at first."""

    def job(self):
        job = Job(self.harness.start_client("product", "-"))
        self.addCleanup(job.wanted.set)
        return job

    def assert_whole(self, job):
        status = job.end()
        self.assertEqual(status, 0, job.err)
        self.assertTrue(job.out == job.expected(), f"the answer to {job.fed} lines differs")

    def scale(self, count):
        self.harness.scale(count)
        farm.wait_until(lambda: len(self.harness.workers_seen()) == count, 60, 0.2, f"{count} workers")

    def test_one_two_and_four_workers_give_the_same_bytes(self):
        text = self.harness.data / "numbers.txt"
        rows = [[(i * 7919 + k) % 100003 for k in range(50)] for i in range(4000)]
        text.write_text("".join(" ".join(map(str, row)) + "\n" for row in rows))
        text.chmod(0o644)
        expected = "".join(f"{math.prod(row)}\n" for row in rows).encode()
        for count in (1, 2, 4):
            self.scale(count)
            for arguments, stdin in ((("product", self.harness.seen(text)), b""), (("product", "-"), text.read_bytes())):
                with self.subTest(workers=count, arguments=arguments):
                    out, err, status = self.harness.run_client(*arguments, stdin=stdin)
                    self.assertEqual(status, 0, err)
                    self.assertTrue(out == expected)

    def test_scaled_up_and_down_during_a_job(self):
        self.scale(1)
        job = self.job()
        job.wait_for_more()
        self.scale(4)
        job.wait_for_more()
        self.scale(2)
        job.wait_for_more()
        self.assert_whole(job)

    def test_a_killed_worker(self):
        self.scale(2)
        job = self.job()
        job.wait_for_more()
        self.harness.kill(0)
        job.wait_for_more()
        self.assert_whole(job)

    def test_a_paused_worker(self):
        self.scale(2)
        job = self.job()
        job.wait_for_more()
        self.harness.pause(0)
        # Longer than it takes to give up a silent worker.
        farm.wait_until(lambda: len(self.harness.workers_seen()) == 1, 60, 0.2, "the loss of a worker")
        job.wait_for_more()
        self.harness.unpause(0)
        farm.wait_until(lambda: len(self.harness.workers_seen()) == 2, 60, 0.2, "its return")
        job.wait_for_more()
        self.assert_whole(job)

    def test_a_worker_that_is_cut_off_and_comes_back(self):
        self.scale(2)
        job = self.job()
        job.wait_for_more()
        self.harness.cut(0)
        farm.wait_until(lambda: len(self.harness.workers_seen()) == 1, 60, 0.2, "the loss of a worker")
        job.wait_for_more()
        self.harness.mend(0)
        farm.wait_until(lambda: len(self.harness.workers_seen()) == 2, 60, 0.2, "its return")
        job.wait_for_more()
        self.assert_whole(job)

    def test_a_coordinator_that_is_stopped_and_started_again(self):
        self.scale(2)
        job = self.job()
        job.wait_for_more()
        self.harness.stop_coordinator()
        self.harness.start_coordinator()
        job.wait_for_more()
        self.assert_whole(job)
