"""A farm on hosts with addresses of their own: network namespaces."""

import json
import pathlib
import signal
import subprocess
import tempfile
import unittest

import farm
import hosts
import many_hosts

REASON = hosts.missing()
WORKERS = 4


class Namespaces:
    """The user's host has the client, one the coordinator, the others a worker each."""

    def __init__(self, directory):
        self.data = pathlib.Path(directory)
        self.hosts = hosts.Hosts(WORKERS + 1)
        self.url = f"tcp://{self.hosts.hosts[0].address}:7400"
        self.running = 0

    def __enter__(self):
        self.hosts.__enter__()
        self.start_coordinator()
        return self

    def __exit__(self, *_):
        self.hosts.__exit__()

    def worker(self, i):
        return self.hosts.hosts[i + 1]

    def start_coordinator(self):
        self.hosts.hosts[0].start(farm.SHEAF, "coordinator", "--listen", "tcp://*:7400", "-q",
                                  env=farm.environment())

    def stop_coordinator(self):
        self.signal(self.hosts.hosts[0], signal.SIGTERM)
        farm.wait_until(lambda: not self.hosts.hosts[0].names(), what="an end of the coordinator")

    def signal(self, host, number):
        for pid in host.pids():
            farm.kill(pid, number)

    def scale(self, count):
        for i in range(self.running, count):
            self.worker(i).start(farm.WORKER, "--connect", self.url, "-j", "1", "-q", env=farm.environment())
        for i in range(count, self.running):
            self.signal(self.worker(i), signal.SIGTERM)
        self.running = count

    def client(self, *arguments, **more):
        command = self.hosts.user.inside(farm.SHEAF, *arguments, "--farm", self.url)
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                env=farm.environment(), **more)

    def start_client(self, *arguments):
        return self.client(*arguments)

    def run_client(self, *arguments, stdin=b""):
        client = self.client(*arguments)
        out, err = client.communicate(stdin, farm.TIMEOUT)
        return out, err, client.returncode

    def seen(self, path):
        return path

    def workers_seen(self):
        done = subprocess.run(self.hosts.hosts[0].inside(farm.SHEAF, "status", "--farm", self.url, "--output", "json"),
                              capture_output=True, env=farm.environment(), timeout=farm.TIMEOUT, check=False)
        return json.loads(done.stdout)["workers"] if done.returncode == 0 else []

    def kill(self, i):
        self.signal(self.worker(i), signal.SIGKILL)

    def pause(self, i):
        self.signal(self.worker(i), signal.SIGSTOP)

    def unpause(self, i):
        self.signal(self.worker(i), signal.SIGCONT)

    def cut(self, i):
        self.worker(i).set_cable(False)

    def mend(self, i):
        self.worker(i).set_cable(True)


@unittest.skipIf(REASON, REASON)
class TestNamespaces(many_hosts.Cases, farm.TestCase):
    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.harness = self.enterContext(Namespaces(directory))


if __name__ == "__main__":
    unittest.main()
