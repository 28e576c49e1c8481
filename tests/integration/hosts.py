"""Several hosts on one machine: network namespaces with addresses of their own, joined by a bridge.

The bridge lies in a namespace of its own, which stands for the user's machine: the network of the machine
that runs the test is not touched. Needs root and iproute2.
"""

import contextlib
import os
import pathlib
import shutil
import subprocess

import farm

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin:/sbin:/bin")


def missing(*more):
    """Why hosts cannot be made here, or None."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    for tool in ("ip", *more):
        if not shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"no '{tool}' here"
    done = run("ip", "netns", "add", f"sheaf-probe-{os.getpid()}")
    if done.returncode:
        return f"no network namespaces here: {done.stderr.decode().strip()}"
    run("ip", "netns", "del", f"sheaf-probe-{os.getpid()}")
    return None


def run(*arguments):
    return subprocess.run(arguments, capture_output=True, timeout=farm.TIMEOUT, check=False)


def must(*arguments):
    done = run(*arguments)
    if done.returncode:
        raise AssertionError(f"{' '.join(arguments)}: {done.stderr.decode()}")


class Host:
    """One namespace; `inside(…)` is a command that runs there."""

    def __init__(self, name, address):
        self.name, self.address = name, address
        self.started = []

    def inside(self, *arguments):
        return ["ip", "netns", "exec", self.name, *map(str, arguments)]

    def start(self, *arguments, **more):
        process = subprocess.Popen(self.inside(*arguments), stdin=subprocess.DEVNULL,
                                   start_new_session=True, **more)
        self.started.append(process)
        return process

    def pids(self):
        """All processes of the host."""
        return [int(pid) for pid in run("ip", "netns", "pids", self.name).stdout.split()]

    def names(self):
        """What runs on the host, by the program's name, zombies apart."""
        found = []
        for pid in self.pids():
            with contextlib.suppress(OSError):
                name, state = pathlib.Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
                if state.split()[0] != "Z":
                    found.append(name)
        return found

    def set_cable(self, is_plugged):
        must("ip", "-n", self.name, "link", "set", "eth0", "up" if is_plugged else "down")


class Hosts:
    """`user` and `count` hosts in one network. As a context manager it leaves nothing behind."""

    def __init__(self, count):
        mark = f"sheaf-{os.getpid()}"
        self.user = Host(f"{mark}-user", "10.77.0.1")
        self.hosts = [Host(f"{mark}-{i}", f"10.77.0.{i + 2}") for i in range(count)]

    def __enter__(self):
        try:
            self.make()
        except BaseException:
            self.__exit__()
            raise
        return self

    def make(self):
        user = self.user.name
        must("ip", "netns", "add", user)
        must("ip", "-n", user, "link", "set", "lo", "up")
        must("ip", "-n", user, "link", "add", "bridge", "type", "bridge")
        must("ip", "-n", user, "address", "add", f"{self.user.address}/24", "dev", "bridge")
        must("ip", "-n", user, "link", "set", "bridge", "up")
        for i, host in enumerate(self.hosts):
            must("ip", "netns", "add", host.name)
            must("ip", "-n", host.name, "link", "set", "lo", "up")
            must("ip", "-n", user, "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0",
                 "netns", host.name)
            must("ip", "-n", user, "link", "set", f"port{i}", "master", "bridge", "up")
            must("ip", "-n", host.name, "address", "add", f"{host.address}/24", "dev", "eth0")
            must("ip", "-n", host.name, "link", "set", "eth0", "up")

    def __exit__(self, *_):
        for host in (*self.hosts, self.user):
            for pid in host.pids():
                farm.kill(pid)
            for process in host.started:
                process.wait(farm.TIMEOUT)
            run("ip", "netns", "del", host.name)


class Ssh:
    """An sshd on each host that takes one key, and the client's configuration for them."""

    def __init__(self, directory, hosts):
        self.directory = pathlib.Path(directory)
        self.hosts = hosts
        self.key("user")
        self.key("host")
        self.key("stranger")
        self.config = self.directory / "client.conf"
        self.config.write_text("Host *\n" + "".join(f"  {line}\n" for line in (
            "User root", f"IdentityFile {self.directory}/user", "IdentitiesOnly yes",
            "StrictHostKeyChecking no", "UserKnownHostsFile /dev/null", "LogLevel ERROR",
            "BatchMode yes", "ConnectTimeout 3")))
        self.command = f"ssh -F {self.config}"

    def key(self, name):
        must("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.directory / name))

    def serve(self, host, key="user", more=""):
        """Start the host's sshd, and wait until it takes connections."""
        pathlib.Path("/run/sshd").mkdir(exist_ok=True)
        config = self.directory / f"{host.name}.conf"
        config.write_text(f"ListenAddress {host.address}\nHostKey {self.directory}/host\n"
                          f"AuthorizedKeysFile {self.directory}/{key}.pub\nStrictModes no\nUsePAM no\n"
                          f"PidFile none\nPermitRootLogin prohibit-password\nMaxStartups 100\n{more}\n")
        with open(self.directory / f"{host.name}.log", "wb") as log:
            host.start(SSHD, "-D", "-e", "-f", config, stdout=log, stderr=log)
        farm.wait_until(lambda: run(*self.hosts.user.inside(
            "python3", "-c", f"import socket; socket.create_connection(('{host.address}', 22), 2)"
        )).returncode == 0, what=f"{host.name}'s sshd")
