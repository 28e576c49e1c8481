"""The farm of deploy/docker-compose.yml, with the files as they are shipped, on a real Docker engine.

The image's base is made by scripts/base-image under the name that the Dockerfile expects, where the engine has
no image of that name; it is kept for the next run.
"""

import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

import farm
import many_hosts

COMPOSE_FILE = farm.ROOT / "deploy" / "docker-compose.yml"
BASE, IMAGE, USER = "debian:12-slim", "sheaf", "7400"
OVER_BASE_MAX = 60 * 2**20  # bytes
PROJECT = f"sheaf-test-{os.getpid()}"
BUILD_SECONDS = 1500


def call(*arguments, timeout=180, stdin=b"", env=None):
    return subprocess.run([str(a) for a in arguments], input=stdin, capture_output=True, timeout=timeout, env=env,
                          check=False)


def must(*arguments, **more):
    done = call(*arguments, **more)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, arguments))}: {done.stderr.decode(errors='replace')[-3000:]}")
    return done.stdout.decode()


def missing():
    compose = ["docker", "compose"]
    if not shutil.which("docker") or call("docker", "info").returncode:
        return "no Docker engine runs here", None
    if call(*compose, "version").returncode:
        compose = ["docker-compose"]
        if not shutil.which("docker-compose"):
            return "no docker-compose here", None
    return None, compose


REASON, COMPOSE = missing()


class Containers:
    """The composed farm, under a project name of its own."""

    def __init__(self, directory, cpus=1):
        self.data = pathlib.Path(directory)
        self.data.chmod(0o755)
        self.env = dict(os.environ, SHEAF_DATA=str(self.data), SHEAF_CPUS=str(cpus))
        self.cut_off = {}

    def __enter__(self):
        try:
            must(*self.compose("up", "-d", "--scale", "worker=0", "coordinator"), env=self.env)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        call(*self.compose("kill"), env=self.env)
        call(*self.compose("down", "-t", "0", "--remove-orphans"), env=self.env)
        # A client whose test failed is no part of `down` everywhere.
        left = call("docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={PROJECT}").stdout.split()
        if left:
            call("docker", "rm", "-f", *(name.decode() for name in left))
            call(*self.compose("down"), env=self.env)

    def compose(self, *arguments):
        return [*COMPOSE, "-f", COMPOSE_FILE, "-p", PROJECT, *arguments]

    def ids(self, service):
        return must(*self.compose("ps", "-q", service), env=self.env).split()

    def scale(self, count):
        must(*self.compose("up", "-d", "--no-recreate", "--scale", f"worker={count}", "coordinator", "worker"),
             env=self.env)
        # Which container is the first must not change when one is lost.
        self.workers = self.ids("worker")

    def client(self, *arguments):
        return [str(a) for a in self.compose("run", "--rm", "-T", "client", *arguments)]

    def start_client(self, *arguments):
        return subprocess.Popen(self.client(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, env=self.env)

    def run_client(self, *arguments, stdin=b""):
        done = call(*self.client(*arguments), stdin=stdin, env=self.env)
        return done.stdout, done.stderr, done.returncode

    def seen(self, path):
        return f"/data/{path.name}"

    def workers_seen(self):
        done = call("docker", "exec", *self.ids("coordinator"), "sheaf", "status", "--output", "json")
        return json.loads(done.stdout)["workers"] if done.returncode == 0 else []

    def kill(self, i):
        must("docker", "kill", self.workers[i])

    def pause(self, i):
        must("docker", "pause", self.workers[i])

    def unpause(self, i):
        must("docker", "unpause", self.workers[i])

    def cut(self, i):
        must("docker", "network", "disconnect", f"{PROJECT}_farm", self.workers[i])

    def mend(self, i):
        must("docker", "network", "connect", f"{PROJECT}_farm", self.workers[i])

    def stop_coordinator(self):
        must(*self.compose("stop", "coordinator"), env=self.env)

    def start_coordinator(self):
        must(*self.compose("start", "coordinator"), env=self.env)


def image_bytes(name):
    return int(must("docker", "image", "inspect", "-f", "{{.Size}}", name))


@unittest.skipIf(REASON, REASON)
class TestCompose(many_hosts.Cases, farm.TestCase):
    @classmethod
    def setUpClass(cls):
        must(farm.ROOT / "scripts" / "base-image", 12, BASE, timeout=BUILD_SECONDS)
        must(*COMPOSE, "-f", COMPOSE_FILE, "build", "coordinator", timeout=BUILD_SECONDS)

    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.harness = self.enterContext(Containers(directory, cpus=2 if "quota" in self.id() else 1))

    def test_the_image_is_small_and_without_a_compiler_and_without_root(self):
        self.assertLessEqual(image_bytes(IMAGE) - image_bytes(BASE), OVER_BASE_MAX)
        inside = must("docker", "run", "--rm", "--entrypoint", "sh", IMAGE, "-c",
                      "id -u; pwd; for tool in cc gcc cmake ninja make; do command -v $tool; done; true")
        self.assertEqual(inside, f"{USER}\n/data\n")
        self.assertEqual(must("docker", "run", "--rm", IMAGE, "sum", "1..100"), "5050\n")

    def test_containers_may_do_little_and_are_healthy(self):
        self.scale(1)
        for name in (*self.harness.ids("coordinator"), *self.harness.workers):
            farm.wait_until(lambda: must("docker", "inspect", "-f", "{{.State.Health.Status}}", name) == "healthy\n",
                            60, 0.5, "a healthy container")
            host = json.loads(must("docker", "inspect", name))[0]["HostConfig"]
            self.assertTrue(host["ReadonlyRootfs"])
            self.assertEqual(host["CapDrop"], ["ALL"])
            self.assertIn("no-new-privileges:true", host["SecurityOpt"])
            self.assertEqual(host["RestartPolicy"]["Name"], "unless-stopped")
            self.assertGreater(host["Memory"], 0)
        # The check asks the program: cut off, a worker is not healthy.
        check = ("docker", "exec", self.harness.workers[0], "sh", "-c", 'sheaf status --give-up 1 --worker "$(hostname)"')
        self.assertEqual(call(*check).returncode, 0)
        self.harness.stop_coordinator()
        self.assertEqual(call(*check).returncode, 3)

    def test_the_pool_follows_the_cpu_quota(self):
        self.scale(1)
        self.assertEqual([worker["slots"] for worker in self.harness.workers_seen()],
                         [min(2, len(os.sched_getaffinity(0)))])

    def test_a_stopped_worker_drains(self):
        self.scale(2)
        job = self.job()
        job.wait_for_more()
        must("docker", "stop", "-t", "60", self.harness.workers[0])
        state = json.loads(must("docker", "inspect", self.harness.workers[0]))[0]["State"]
        self.assertEqual(state["ExitCode"], 0)
        job.wait_for_more()
        self.assert_whole(job)

    def test_the_example_of_the_readme(self):
        self.scale(4)
        out, err, status = self.harness.run_client("sum", "1..1000000", "--every", "1000", "--total")
        self.assertEqual((out, status), (b"500000500000\n", 0), err)


if __name__ == "__main__":
    unittest.main()
