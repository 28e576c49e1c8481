"""Ranks on three hosts: the lines of deploy/mpi, a host without the program, a cable that is pulled."""

import os
import pathlib
import tempfile
import time
import unittest

import farm
import hosts
from farm import SHEAF

# What mpirun starts another host's part with, as it would ssh: the words of the command are joined for a
# shell. A host has its own name, and its own view of the files.
ENTER = """\
#!/bin/sh
set -eu
host=$1
shift
exec ip netns exec "$host" unshare --uts --mount sh -euc '
    mount --bind {directory}/known-hosts /etc/hosts
    hostname "$1"
    if [ -e {directory}/without-"$1" ]; then
        mount -t tmpfs none {programs}
    fi
    exec sh -c "$2"' enter "$host" "$*"
"""
# As deploy/mpi/README.md advises: by themselves mpirun's daemons look after each other every five minutes.
WATCHFUL = ["--mca", "oob_tcp_keepalive_time", 5, "--mca", "oob_tcp_keepalive_intvl", 1,
            "--mca", "oob_tcp_keepalive_probes", 3]


def setUpModule():
    lack = hosts.missing("unshare", "mpirun")
    if lack:
        print(f"skipped: {lack}", flush=True)
        raise unittest.SkipTest(lack)


class ThreeHosts(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        network = hosts.Hosts(3)
        network.__enter__()
        self.addCleanup(network.__exit__)
        self.hosts = network.hosts
        self.enter = self.write("enter", ENTER.format(directory=self.directory, programs=farm.BUILD))
        self.enter.chmod(0o755)
        self.write("known-hosts", "127.0.0.1 localhost\n" +
                   "".join(f"{host.address} {host.name}\n" for host in self.hosts))
        # Rank 0, which hands out the work, and one that works on the first; one on each other.
        self.list = self.write("hosts", "".join(f"{host.name} slots={slots}\n"
                                                for host, slots in zip(self.hosts, (2, 1, 1))))

    def write(self, name, text):
        path = self.directory / name
        path.write_text(text)
        return path

    def mpirun(self, *arguments):
        """Start it on the first host."""
        environment = farm.environment(OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1",
                                       OMPI_MCA_plm_rsh_agent=str(self.enter), PRTE_MCA_plm_ssh_agent=str(self.enter))
        return farm.Running(str(self.enter), [self.hosts[0].name, "mpirun", "--hostfile", self.list, "--map-by", "node",
                                              "--bind-to", "none", *arguments, "--backend", "mpi"],
                            self.directory, environment)

    def check_nothing_is_left(self):
        farm.wait_until(lambda: not any(host.names() for host in self.hosts), 30, what="an end of all processes")

    def test_the_answer(self):
        path = self.write("lists.txt", "".join(f"{i} {i}\n" for i in range(100000)))
        result = self.mpirun(SHEAF, "sum", path, "--task-elements", 10000, "--stats").wait()
        self.assertEqual((result.status, result.out), (0, "".join(f"{2 * i}\n" for i in range(100000))), result)
        self.assertIn('"workers":3,', result.err)
        self.check_nothing_is_left()

    def test_a_host_without_the_program(self):
        self.write(f"without-{self.hosts[1].name}", "")
        job = self.mpirun(SHEAF, "sum", "1..400", "--every", 100)
        result = job.wait()
        self.assertNotEqual(result.status, 0)
        self.assertEqual(result.out, "", result)
        self.assertRegex(job.error_text(), rf"(?s)unable to launch.*/sheaf\nNode: +{self.hosts[1].name}\n")
        self.check_nothing_is_left()

    def test_a_pulled_cable_ends_the_job(self):
        far = self.hosts[2]
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        job = self.mpirun(*WATCHFUL, SHEAF, "sum", pipe)
        # Its reader is rank 0, which has heard from all others before it answers anything.
        with open(pipe, "wb") as writer:
            writer.write(b"1 2\n")
            writer.flush()
            farm.wait_until(lambda: job.out_path.read_bytes() == b"3\n", farm.TIMEOUT, what="the first answer")
            far.set_cable(False)
            pulled = time.monotonic()
            result = job.wait()
        self.assertLess(time.monotonic() - pulled, 40)
        self.assertNotEqual(result.status, 0, result)
        self.assertRegex(result.err, rf"sheaf: worker {far.name} \(pid \d+\) is lost")
        self.assertRegex(job.error_text(), rf"(?s)lost communication.*Remote daemon: .* on node {far.name}\n")
        # The far host's own part learns of it when it can be told.
        far.set_cable(True)
        self.check_nothing_is_left()


if __name__ == "__main__":
    unittest.main(verbosity=2)
