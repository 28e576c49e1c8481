"""`sheaf up`: a farm of hosts over ssh, for one command. Against real sshds on hosts that are network
namespaces; what needs no network, with a stand-in for ssh."""

import contextlib
import os
import pathlib
import signal
import subprocess
import tempfile
import unittest

import farm
import hosts
from farm import SHEAF, sheaf

REASON = hosts.missing("sshd", "ssh", "ssh-keygen")
LONG = ("product", "1..3000000000", "--every", "1000")  # nobody waits for its end


class TestWithoutNetwork(farm.TestCase):
    """The stand-in runs the command here, as ssh would there."""

    def setUp(self):
        self.directory = self.enterContext(tempfile.TemporaryDirectory())
        self.ssh = pathlib.Path(self.directory) / "ssh"
        self.ssh.write_text('#!/bin/sh\ncase $1 in lost*) echo "$1: no such host" >&2; exit 255;; esac\n'
                            'exec sh -c "$2"\n')
        self.ssh.chmod(0o755)

    def file(self, text):
        path = pathlib.Path(self.directory) / "hosts.txt"
        path.write_text(text)
        return str(path)

    def up(self, text, *arguments, **more):
        return sheaf("up", "--hosts", self.file(text), *arguments,
                     env=farm.environment(SHEAF_SSH=str(self.ssh)), **more)

    def test_a_job_with_two_hosts(self):
        result = self.up("# all of them\none 1\n\n  two\t2 # and more\n", "--", "sum", "random:1000", "--every",
                         "500")
        alone = sheaf("sum", "random:1000", "--every", "500")
        self.assertEqual((result.status, result.out), (0, alone.out), result)
        lines = sorted(result.err.splitlines())
        self.assertRegex(lines[0], r"^sheaf: 2 of 2 hosts are up; the farm is tcp://127\.0\.0\.1:\d+$")
        self.assertEqual(lines[1:], ["sheaf: one: up", "sheaf: two: up"])

    def test_lines_that_do_not_parse_are_named_and_skipped(self):
        path = self.file("")
        result = self.up("one 1\n-oProxyCommand=x\ntwo 0\nthree 4x\nfour 1 2\n", "-q", "--", "sum", "6", "7")
        self.assertEqual((result.status, result.out), (0, "13\n"), result)
        number = "the number of processes is a whole number from 1 to 65536"
        self.assertEqual(result.err.splitlines(), [
            f"sheaf: {path}: line 2: a host's name does not begin with '-'; this line is skipped",
            f"sheaf: {path}: line 3: {number}; this line is skipped",
            f"sheaf: {path}: line 4: {number}; this line is skipped",
            f"sheaf: {path}: line 5: expected a host and, after it, at most a number of processes; "
            "this line is skipped"])

    def test_the_status_is_the_commands(self):
        self.assertEqual(self.up("one 1\n", "--", "sum", "1..x").status, 2)

    def test_some_hosts_are_not_up(self):
        result = self.up("one 1\nlost1\nlost2\n", "--", "sum", "6", "7")
        self.assertEqual((result.status, result.out), (0, "13\n"), result)
        self.assertIn("sheaf: lost1: not up: lost1: no such host (status 255)\n", result.err)
        self.assertIn("sheaf: 1 of 3 hosts are up; ", result.err)

    def test_no_host_is_up(self):
        result = self.up("lost1\nlost2\n", "--", "sum", "6", "7")
        self.assertEqual((result.status, result.out), (3, ""), result)
        self.assertTrue(result.err.endswith("sheaf: no host is up\n"), result)

    def test_hosts_without_the_program(self):
        self.assertEqual(self.up("one\n", "--", "sum", "6", "7").status, 0)  # the one beside `sheaf` is found
        self.assertEqual(self.up("one\n", "--worker", farm.WORKER, "--", "sum", "6", "7").status, 0)
        result = self.up("one\n", "--worker", "no-such-worker", "--", "sum", "6", "7")
        self.assertEqual(result.status, 3, result)
        self.assertIn("sheaf: one: not up: there is no no-such-worker there (status 127)\n", result.err)

    def test_a_host_that_does_not_join_in_time(self):
        self.ssh.write_text("#!/bin/sh\necho still booting >&2\nexec cat\n")
        result = self.up("one\n", "--wait", "0.3", "--", "sum", "6", "7")
        self.assertEqual(result.status, 3, result)
        self.assertIn("sheaf: one: not up: it did not join in time (--wait); the last it said: still "
                      "booting\n", result.err)

    def test_a_port_of_its_own_at_an_address_that_only_the_hosts_know(self):
        port = farm.free_port()
        self.ssh.write_text('#!/bin/sh\nprintf %s "$2" >"${0%/*}/asked"\nexec sh -c "$2"\n')
        result = self.up("one 1\n", "--listen", f"tcp://*:{port}", "--address", "localhost", "--", "sum", "6", "7")
        self.assertEqual((result.status, result.out), (0, "13\n"), result)
        self.assertIn(f" 'localhost' '{port}' ", (pathlib.Path(self.directory) / "asked").read_text())

    def test_no_wait_is_for_ever_as_elsewhere(self):
        self.ssh.write_text('#!/bin/sh\nsleep 0.2\nexec sh -c "$2"\n')
        result = self.up("one 1\n", "--wait", "0", "--", "sum", "6", "7")
        self.assertEqual((result.status, result.out), (0, "13\n"), result)

    def test_wrong_use(self):
        self.assert_fails(sheaf("up"), 2, "sheaf: which hosts? --hosts FILE (see sheaf up --help)")
        self.assert_fails(sheaf("up", "--hosts", "/nowhere"), 2,
                          "sheaf: /nowhere: cannot be opened: No such file or directory")
        self.assert_fails(self.up("# none\n"), 2,
                          f"sheaf: {self.directory}/hosts.txt: names no host")
        self.assert_fails(self.up("one\n", "--listen", "ipc:///tmp/x"), 2,
                          "sheaf: --listen ipc:///tmp/x: expected tcp://ADDRESS:PORT, as other hosts are to "
                          "reach it")
        self.assert_fails(self.up("one\n", "--listen", "tcp://*:70000"), 2,
                          "sheaf: --listen tcp://*:70000: a port is a number from 1 to 65535")

    def test_an_address_in_use(self):
        with farm.Farm(self.directory, workers=1) as other:
            result = self.up("one\n", "--listen", other.url, "--", "sum", "6", "7")
        self.assertEqual(result.status, 3, result)
        self.assertEqual(result.err, f"sheaf: {other.url}: the address is in use\n"
                                     "sheaf: the coordinator has ended with status 3\n")


@unittest.skipIf(REASON, REASON)
class TestOverSsh(farm.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.hosts = self.enterContext(hosts.Hosts(3))
        self.ssh = hosts.Ssh(self.directory, self.hosts)
        self.env = farm.environment(SHEAF_SSH=self.ssh.command)

    def file(self, *lines):
        path = self.directory / "hosts.txt"
        path.write_text("".join(f"{line}\n" for line in lines))
        return path

    def all_up(self):
        for host in self.hosts.hosts:
            self.ssh.serve(host)
        return self.file(*(f"{host.address} 1" for host in self.hosts.hosts))

    def run_up(self, path, *arguments):
        command = self.hosts.user.inside(SHEAF, "up", "--hosts", path, *arguments)
        done = subprocess.run(command, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=farm.TIMEOUT, check=False)
        return farm.Result(done.returncode, done.stdout, done.stderr)

    def start_up(self, path, *arguments):
        command = self.hosts.user.inside(SHEAF, "up", "--hosts", path, *arguments)
        running = farm.Running(command[0], command[1:], self.directory, self.env)
        self.addCleanup(self.end, running)
        return running

    def end(self, running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.process.wait(farm.TIMEOUT)

    def wait_for_workers(self):
        farm.wait_until(lambda: all("sheaf-worker" in host.names() for host in self.hosts.hosts),
                        what="a worker on each host")

    def assert_nothing_is_left(self):
        def left():
            return {host.name: [name for name in host.names() if not name.startswith("sshd")]
                    for host in (*self.hosts.hosts, self.hosts.user)}
        farm.wait_until(lambda: not any(left().values()), what="an end of all that was started")

    def test_a_job_with_three_hosts(self):
        path = self.all_up()
        lists = self.directory / "lists.txt"
        lists.write_text("".join(f"{i} {i + 1}\n" for i in range(20000)))
        expected = "".join(f"{i * (i + 1)}\n" for i in range(20000))
        for data in ("reference", "value"):
            result = self.run_up(path, "--", "product", lists, "--data", data)
            self.assertEqual((result.status, result.out), (0, expected), result)
            self.assertIn("3 of 3 hosts are up", result.err)
            self.assert_nothing_is_left()

    def test_who_does_not_come_up_is_named_and_the_rest_goes_on(self):
        good, strange, old = self.hosts.hosts
        self.ssh.serve(good)
        self.ssh.serve(strange, key="stranger")
        # What a worker of another version does: it greets, and is told.
        peer = ("import sys; import protocol_peer as p; peer = p.Peer(sys.argv[1]); "
                "peer.send([p.HELLO, 2, 'more', [1]]); "
                "print('sheaf-worker: refused:', peer.receive_type(p.REFUSED)[1].decode(), file=sys.stderr)")
        script = self.directory / "old"
        script.write_text(f"#!/bin/sh\ncd {pathlib.Path(__file__).parent}\n"
                          "port=$(echo \"$SSH_ORIGINAL_COMMAND\" | awk -F \"'\" '{ print $(NF - 5) }')\n"
                          f'exec python3 -c "{peer}" "tcp://{self.hosts.user.address}:$port"\n')
        script.chmod(0o755)
        self.ssh.serve(old, more=f"ForceCommand {script}")
        path = self.file(good.address, strange.address, f"{old.address} 3", "10.77.0.99")
        result = self.run_up(path, "--", "sum", "1..100")
        self.assertEqual((result.status, result.out), (0, "5050\n"), result)
        self.assertIn("1 of 4 hosts are up", result.err)
        self.assertRegex(result.err, rf"sheaf: {strange.address}: not up: .*Permission denied")
        self.assertRegex(result.err, rf"sheaf: {old.address}: not up: refused: this peer speaks another version")
        self.assertRegex(result.err, r"sheaf: 10\.77\.0\.99: not up: ssh: connect to host 10\.77\.0\.99")

    def test_ctrl_c_takes_all_down(self):
        running = self.start_up(self.all_up(), "--", *LONG)
        self.wait_for_workers()
        farm.wait_until(lambda: running.out_path.stat().st_size, what="the first results")
        os.killpg(running.pid, signal.SIGINT)
        self.assertEqual(running.wait().status, 130)
        self.assert_nothing_is_left()

    def test_killed_it_takes_all_down(self):
        running = self.start_up(self.all_up(), "--", *LONG)
        self.wait_for_workers()
        running.send(signal.SIGKILL)
        running.wait()
        self.assert_nothing_is_left()

    def test_without_a_command_it_is_a_farm_until_told_to_stop(self):
        running = self.start_up(self.all_up())
        farm.wait_until(lambda: "3 of 3 hosts are up; the farm is tcp://127.0.0.1:7400" in running.error_text(),
                        what="the farm")
        done = subprocess.run(self.hosts.user.inside(SHEAF, "sum", "1..100", "--farm", "tcp://127.0.0.1:7400"),
                              env=self.env, capture_output=True, timeout=farm.TIMEOUT, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, b"5050\n"), done)
        running.send(signal.SIGTERM)
        self.assertEqual(running.wait().status, 0)
        self.assert_nothing_is_left()

    def test_a_host_that_goes_costs_no_answer(self):
        first = self.all_up()
        expected = sheaf("product", "1..60000", "--every", "3000").out
        running = self.start_up(first, "--", "product", "1..60000", "--every", "3000", "--task-ms", "5")
        self.wait_for_workers()
        lost = self.hosts.hosts[1]
        for pid in lost.pids():
            farm.kill(pid)
        result = running.wait()
        self.assertEqual((result.status, result.out), (0, expected), result)

    def test_when_all_hosts_are_gone_it_ends(self):
        running = self.start_up(self.all_up(), "--", *LONG)
        self.wait_for_workers()
        farm.wait_until(lambda: running.out_path.stat().st_size, what="the first results")
        for host in self.hosts.hosts:
            for pid in host.pids():
                farm.kill(pid)
        result = running.wait()
        self.assertEqual(result.status, 3, result.err)
        self.assertIn(": gone: ", result.err)
        self.assertIn("sheaf: every host is gone\n", result.err)
        self.assert_nothing_is_left()


if __name__ == "__main__":
    unittest.main()
