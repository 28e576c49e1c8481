"""Whatever answers at the coordinator's address, or nothing: a sentence in bounded time, and patience as it is told."""

import signal
import subprocess
import tempfile
import time
import unittest

import farm
import protocol_peer as protocol
from farm import SHEAF, WORKER, sheaf

VERSION_SENTENCE = "install the same version"


def nothing(_):
    pass


def silence(connected):
    connected.recv(1 << 16)
    while connected.recv(1 << 16):
        pass


def web(connected):
    connected.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    connected.recv(1 << 16)


def speaking(*answers):
    """A host that gives these messages for each HELLO, with its session in place of None."""
    def serve(connected):
        peer = protocol.Connection(connected, b"ROUTER")
        while True:
            hello = peer.receive_type(protocol.HELLO)
            for answer in answers:
                if isinstance(answer, bytes):
                    peer.send_raw(answer)
                else:
                    peer.send([hello[7] if item is None else item for item in answer])
    return serve


def refusing(text):
    return speaking([protocol.REFUSED, text])


WELCOME = [protocol.WELCOME, protocol.VERSION, 0, 4096, None]
NO_COORDINATOR = {
    "nothing": nothing,
    "silence": silence,
    "web": web,
    "garbage": speaking(b"\xff\xff garbage"),
    "later version": speaking([protocol.WELCOME, 2, "whatever it says"]),
    "welcome only": speaking(WELCOME),
}


class Hosts(farm.TestCase):
    def host(self, serve):
        host = protocol.Host(serve)
        self.addCleanup(host.close)
        return host

    def start(self, program, *arguments, **more):
        process = subprocess.Popen([program, *map(str, arguments)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=farm.environment(), **more)

        def end():
            process.kill()
            process.communicate(timeout=20)
        self.addCleanup(end)
        return process

    def test_status_of_what_is_no_coordinator(self):
        for name, serve in NO_COORDINATOR.items():
            with self.subTest(host=name):
                url = self.host(serve).url
                result = sheaf("status", "--farm", url, "--give-up", "0.4", timeout=20)
                self.assert_fails(result, 3, f"sheaf: {url}: no coordinator answers (waited 0.4 s)")

    def test_status_that_is_refused_or_is_no_status(self):
        url = self.host(refusing(VERSION_SENTENCE)).url
        self.assert_fails(sheaf("status", "--farm", url), 3, f"sheaf: the coordinator refused: {VERSION_SENTENCE}")
        url = self.host(speaking(WELCOME, [protocol.STATUS, b"{not json"])).url
        self.assert_fails(sheaf("status", "--farm", url), 3, f"sheaf: {url}: the answer is not a status")

    def test_what_a_status_says_does_not_steer_the_terminal(self):
        json = b'{"workers":[{"host":"a\\u001b[31m\\nb","pid":1}],"jobs":[]}'
        result = sheaf("status", "--farm", self.host(speaking(WELCOME, [protocol.STATUS, json])).url)
        self.assertEqual(result.status, 0, result)
        self.assertIn("a\\x1b[31m\\nb", result.out)

    def test_a_client_and_a_worker_give_up_when_nobody_answers(self):
        url = self.host(silence).url
        begin = time.monotonic()
        both = {"sheaf": self.start(SHEAF, "sum", "1..4", "--farm", url, "--give-up", "2.5"),
                "sheaf-worker": self.start(WORKER, "--connect", url, "--give-up", "2.5")}
        for name, process in both.items():
            _, err = process.communicate(timeout=20)
            self.assertGreater(time.monotonic() - begin, 2.4)
            self.assertEqual(process.returncode, 3)
            self.assertEqual(err.decode(), f"{name}: waiting for a coordinator at {url}\n"
                                           f"{name}: {url}: no coordinator answers (waited 2.5 s)\n")

    def test_what_is_said_again_and_again_is_said_once(self):
        host = self.host(refusing(VERSION_SENTENCE))
        process = self.start(SHEAF, "sum", "1..4", "--farm", host.url, "--give-up", "2.5")
        _, err = process.communicate(timeout=20)
        self.assertEqual(process.returncode, 3)
        self.assertEqual(err.decode().count(VERSION_SENTENCE), 1, err)

    def test_nought_is_for_ever(self):
        url = f"tcp://127.0.0.1:{farm.free_port()}"
        process = self.start(SHEAF, "sum", "1..4", "--farm", url, "--give-up", "0")
        time.sleep(1.5)
        with tempfile.TemporaryDirectory() as directory, farm.Farm(directory) as a_farm:
            a_farm.url = url
            a_farm.start_coordinator()
            a_farm.start_worker()
            out, _ = process.communicate(timeout=farm.TIMEOUT)
        self.assertEqual((process.returncode, out), (0, b"10\n"))

    def test_time_in_which_we_were_stopped_does_not_count(self):
        url = self.host(silence).url
        process = self.start(SHEAF, "sum", "1..4", "--farm", url, "--give-up", "2", "-q")
        time.sleep(0.4)
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.2)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.5)
        self.assertIsNone(process.poll())
        process.communicate(timeout=20)
        self.assertEqual(process.returncode, 3)


if __name__ == "__main__":
    unittest.main(verbosity=2)
