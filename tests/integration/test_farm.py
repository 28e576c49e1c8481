"""A coordinator, worker daemons and clients as real processes, with crashes: each costs time, never an answer."""

import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import farm
from farm import Farm, sheaf


NO_WORKER = "waiting for one to join\n"
LONG = ("1..1000000000", "--every", "1000")  # minutes of work for a product


def lines(values):
    return "".join(f"{value}\n" for value in values)


class FarmTest(farm.TestCase):
    """Tests in a directory of their own, with input whose answer is known."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-farm-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def text(self, rows, seed=1):
        """A text file of `rows` lines and the sums of its lines, as printed."""
        draw = random.Random(seed)
        path = self.directory / f"text-{rows}-{seed}.txt"
        values = [[draw.randrange(-10**6, 10**6) for _ in range(8)] for _ in range(rows)]
        path.write_text("".join(" ".join(map(str, row)) + "\n" for row in values))
        return path, lines(map(sum, values))

    def gives(self, client, answer, timeout=60):
        result = client.wait(timeout)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(result.out, answer)
        return result


class Work(FarmTest):
    def test_the_gallery_through_a_farm(self):
        with Farm(self.directory, workers=1, processes=2) as a_farm:
            self.assert_gives(a_farm.run("sum", "1..400", "--every", 100), "5050\n15050\n25050\n35050\n")
            self.assert_gives(a_farm.run("product", "1..20"), "2432902008176640000\n")
            self.assert_gives(a_farm.run("sum", "-", "--total", stdin=lines(range(1, 1000001))), "500000500000\n")
            self.assert_gives(a_farm.run("product", 6, 7), "42\n")
            local = sheaf("product", "1..20000")
            self.assert_gives(a_farm.run("product", "1..20000"), local.out)
            result = a_farm.run("sum", "-", stdin="1\n2 x\n")
            self.assert_fails(result, 2, "sheaf: standard input: line 2, byte 4: 'x' is not a number")

    def test_three_workers_and_four_clients_at_once(self):
        with Farm(self.directory, workers=3) as a_farm:
            jobs = []
            for seed in range(4):
                path, answer = self.text(50000, seed)
                arguments = ["--data", "value"] if seed % 2 else []
                jobs.append((a_farm.start_client("sum", path, *arguments), answer))
            for client, answer in jobs:
                self.gives(client, answer)

    def test_cuts_through_a_farm(self):
        path, _ = self.text(20000)
        with Farm(self.directory, workers=2) as a_farm:
            for cut in (["--every", 1000], ["--split", 7], ["--total"]):
                local = sheaf("sum", path, *cut)
                self.assertEqual(local.status, 0, local)
                for data in ("auto", "value"):
                    with self.subTest(cut=cut, data=data):
                        self.assert_gives(a_farm.run("sum", path, *cut, "--data", data), local.out)
                self.assert_gives(a_farm.run("sum", "-", *cut, stdin=path.read_bytes()), local.out)

    def test_a_short_job_is_not_stuck_behind_a_long_one(self):
        with Farm(self.directory, workers=2) as a_farm:
            client = a_farm.start_client("product", *LONG, stdout=subprocess.DEVNULL)
            farm.wait_until(lambda: a_farm.status()["jobs"], what="a job")
            self.assert_gives(a_farm.run("sum", "1..10"), "55\n")
            self.assertTrue(client.is_running())

    def test_the_environment_names_the_farm(self):
        with Farm(self.directory, workers=1) as a_farm:
            env = dict(a_farm.env(), SHEAF_FARM=a_farm.url)
            self.assert_gives(sheaf("sum", "1..4", env=env), "10\n")

    def test_a_one_shot_takes_workers_from_outside(self):
        path, answer = self.text(200000)
        with Farm(self.directory) as a_farm:
            url = f"tcp://127.0.0.1:{farm.free_port()}"
            client = a_farm.start(farm.SHEAF, "sum", path, "--listen", url, "-j", 1, "--task-elements", 5000)
            a_farm.start(farm.WORKER, "--connect", url, "-j", 1)
            self.gives(client, answer)


class Status(FarmTest):
    def test_status_lists_workers_and_jobs(self):
        with Farm(self.directory, workers=2, processes=3) as a_farm:
            status = a_farm.status()
            self.assertEqual([worker["slots"] for worker in status["workers"]], [3, 3])
            self.assertEqual({worker["pid"] for worker in status["workers"]}, {w.pid for w in a_farm.workers})
            text = sheaf("status", "--farm", a_farm.url, env=a_farm.env())
            self.assertEqual(text.status, 0)
            self.assertEqual(text.out.splitlines()[0].split(),
                             ["host", "pid", "slots", "running", "done", "rate", "state"])
            self.assertTrue(text.out.endswith("\nno jobs\n"), text)
            a_farm.start_client("product", *LONG, stdout=subprocess.DEVNULL)
            farm.wait_until(lambda: [(job["op"], job["state"]) for job in a_farm.status()["jobs"]] ==
                            [("product", "running")], what="a job that runs")

    def test_status_of_one_host(self):
        host = socket.gethostname()
        with Farm(self.directory, workers=1) as a_farm:
            result = sheaf("status", "--farm", a_farm.url, "--worker", host, "--output", "json")
            self.assertEqual([row["host"] for row in json.loads(result.out)["workers"]], [host])
            result = sheaf("status", "--farm", a_farm.url, "--worker", host)
            self.assertRegex(result.out, rf"\Ahost .*\n{host} .*\n\Z")
            self.assert_fails(sheaf("status", "--farm", a_farm.url, "--worker", "elsewhere"), 1,
                              f"sheaf: {a_farm.url}: no worker of host 'elsewhere' has joined")

    def test_nobody_there(self):
        url = f"tcp://127.0.0.1:{farm.free_port()}"
        result = sheaf("status", "--farm", url, "--give-up", "0.5")
        self.assert_fails(result, 3, f"sheaf: {url}: no coordinator answers (waited 0.5 s)")
        result = sheaf("sum", "1..4", "--farm", url, "--give-up", "0.5", "-q")
        self.assert_fails(result, 3, f"sheaf: {url}: no coordinator answers (waited 0.5 s)")
        self.assertEqual(result.out, "")

    def test_an_address_in_use_is_a_sentence(self):
        with Farm(self.directory) as a_farm:
            farm.wait_until(lambda: "listening" in a_farm.coordinator.error_text(), what="the coordinator")
            result = sheaf("coordinator", "--listen", a_farm.url, timeout=10)
            self.assert_fails(result, 3, f"sheaf: {a_farm.url}: the address is in use")


class Crashes(FarmTest):
    rows = 300000

    def start(self, a_farm, *arguments):
        path, answer = self.text(self.rows)
        client = a_farm.start_client("sum", path, "--task-elements", 20000, *arguments)
        farm.wait_until(lambda: a_farm.status()["jobs"] or not client.is_running(), pause=0.005, what="a job")
        return client, answer

    def test_killed_worker_daemons(self):
        for arguments in ([], ["--data", "value"]):
            with self.subTest(arguments=arguments), Farm(self.directory, workers=3) as a_farm:
                client, answer = self.start(a_farm, *arguments)
                a_farm.workers[0].send(signal.SIGKILL)
                time.sleep(0.05)
                a_farm.workers[1].send(signal.SIGKILL)
                self.gives(client, answer)

    def test_a_frozen_worker_daemon(self):
        with Farm(self.directory, workers=2) as a_farm:
            client, answer = self.start(a_farm)
            a_farm.workers[0].send(signal.SIGSTOP)
            self.gives(client, answer)
            a_farm.workers[0].send(signal.SIGCONT)
            # Thawed, it is welcome again.
            a_farm.wait_for_workers(2)
            self.assert_gives(a_farm.run("sum", "1..100"), "5050\n")

    def test_killed_pool_processes_of_daemons(self):
        with Farm(self.directory, workers=2) as a_farm:
            client, answer = self.start(a_farm)
            # Twice in all: where a busy machine lets nothing happen in between, the same piece is hit
            # each time, and three times are the piece's fault.
            for worker in a_farm.workers:
                for pid in farm.children(worker.pid)[:1]:
                    farm.kill(pid)
                time.sleep(0.05)
            self.gives(client, answer)

    def test_a_coordinator_that_is_killed_and_started_again(self):
        for arguments in ([], ["--data", "value"]):
            with self.subTest(arguments=arguments), Farm(self.directory, workers=2) as a_farm:
                client, answer = self.start(a_farm, *arguments)
                a_farm.coordinator.send(signal.SIGKILL)
                a_farm.coordinator.wait()
                time.sleep(0.3)
                a_farm.start_coordinator()
                self.gives(client, answer)

    def test_a_coordinator_that_was_stopped_for_a_while(self):
        with Farm(self.directory, workers=2) as a_farm:
            client, answer = self.start(a_farm)
            a_farm.coordinator.send(signal.SIGSTOP)
            time.sleep(3)
            a_farm.coordinator.send(signal.SIGCONT)
            self.gives(client, answer)

    def test_a_client_that_is_killed_leaves_no_job(self):
        with Farm(self.directory, workers=1) as a_farm:
            client = a_farm.start_client("product", *LONG, stdout=subprocess.DEVNULL)
            farm.wait_until(lambda: a_farm.status()["jobs"], what="a job")
            client.send(signal.SIGINT)
            self.assertEqual(client.wait().status, 130)
            farm.wait_until(lambda: not a_farm.status()["jobs"], what="no job")
            self.assert_gives(a_farm.run("sum", "1..100"), "5050\n")

    def test_a_client_that_is_shot_leaves_no_job(self):
        for arguments in (["product", *LONG], ["sum", "-"]):
            with self.subTest(arguments=arguments), Farm(self.directory, workers=2) as a_farm:
                reader, writer = os.pipe()
                client = a_farm.start_client(*arguments, stdin=reader, stdout=subprocess.DEVNULL)
                os.close(reader)
                os.write(writer, b"1\n2")
                farm.wait_until(lambda a_farm=a_farm: a_farm.status()["jobs"], what="a job")
                client.send(signal.SIGKILL)
                client.wait()
                os.close(writer)
                farm.wait_until(lambda a_farm=a_farm: not a_farm.status()["jobs"], what="no job")
                farm.wait_until(lambda a_farm=a_farm: [w["running"] for w in a_farm.status()["workers"]] == [0, 0],
                                what="idle workers")
                self.assert_gives(a_farm.run("sum", "1..100"), "5050\n")

    def test_without_workers_the_job_waits_and_says_so(self):
        with Farm(self.directory) as a_farm:
            client = a_farm.start_client("sum", "1..100")
            farm.wait_until(lambda: NO_WORKER in client.error_text(), what="a notice")
            a_farm.start_worker()
            self.gives(client, "5050\n")

    def test_when_the_last_worker_is_gone_the_job_waits_for_the_next(self):
        with Farm(self.directory, workers=1) as a_farm:
            client, answer = self.start(a_farm)
            a_farm.workers[0].send(signal.SIGKILL)
            farm.wait_until(lambda: NO_WORKER in client.error_text() or not client.is_running(),
                            20, what="a notice")
            a_farm.start_worker()
            self.gives(client, answer)


class Drain(FarmTest):
    def test_a_drained_worker_finishes_what_it_holds(self):
        path, answer = self.text(300000)
        with Farm(self.directory, workers=2) as a_farm:
            client = a_farm.start_client("sum", path, "--task-elements", 20000)
            farm.wait_until(lambda: a_farm.status()["jobs"] or not client.is_running(), pause=0.005, what="a job")
            a_farm.workers[0].send(signal.SIGTERM)
            self.assertEqual(a_farm.workers[0].wait().status, 0)
            self.gives(client, answer)

    def test_an_idle_worker_drains_at_once_and_stops_at_a_second_signal(self):
        with Farm(self.directory, workers=1) as a_farm:
            a_farm.workers[0].send(signal.SIGTERM)
            self.assertEqual(a_farm.workers[0].wait().status, 0)
            for number in (signal.SIGINT, signal.SIGHUP):
                worker = a_farm.start_worker()
                farm.wait_until(lambda: f"joined {a_farm.url}" in worker.error_text(), what="joined")
                worker.send(number)
                result = worker.wait()
                self.assertEqual(result.status, 128 + number, result)
                self.assertNotIn("stopped", result.err)

    def test_the_coordinator_stops_cleanly(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with Farm(self.directory, workers=1) as a_farm:
                a_farm.coordinator.send(number)
                self.assertEqual(a_farm.coordinator.wait().status, 0)

    def test_a_worker_says_what_happens(self):
        with Farm(self.directory, workers=1) as a_farm:
            worker = a_farm.workers[0]
            a_farm.coordinator.send(signal.SIGKILL)
            a_farm.coordinator.wait()
            farm.wait_until(lambda: f"lost {a_farm.url}" in worker.error_text(), what="lost")
            a_farm.start_coordinator()
            farm.wait_until(lambda: f"rejoined {a_farm.url}" in worker.error_text(), what="rejoined")

    def test_a_worker_that_had_a_coordinator_gives_up(self):
        with Farm(self.directory, workers=1, worker_arguments=["--give-up", "1"]) as a_farm:
            a_farm.coordinator.send(signal.SIGKILL)
            self.assertEqual(a_farm.workers[0].wait().status, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
