"""A worker, a client and an observer written from PROTOCOL.md alone, against the real programs."""

import json
import select
import struct
import tempfile
import threading
import time
import unittest

import farm
import protocol_peer as protocol

SESSION = 0xFEDCBA9876543210
END = [1, 0]  # the place behind the only source


def hello(role, slots=0, version=protocol.VERSION, session=SESSION):
    return [protocol.HELLO, version, role, "page", 1, slots, 4, session]


def partial(value):
    """Flags 1 (open) and 2 (has elements), and an integer."""
    if -2**63 <= value < 2**63:
        return b"\x03" + struct.pack("<q", value)
    magnitude = abs(value).to_bytes((abs(value).bit_length() + 7) // 8, "little")
    return bytes([0x13 | (0x20 if value < 0 else 0)]) + struct.pack("<Q", len(magnitude)) + magnitude


def values(value):
    if -2**63 <= value < 2**63:
        return struct.pack("<BQq", 1, 1, value)
    return struct.pack("<BQ", 4, len(str(value))) + str(value).encode()


def fold_range(begin, step, first, last, is_at_end):
    """The segment of the units [first, last) of a range, whose sum is one sublist."""
    count = last - first
    total = count * begin + step * (first + last - 1) * count // 2
    is_at_begin = first == 0
    head = tail = b"\0"
    closed = b""
    if is_at_begin and is_at_end:
        closed = values(total)
    elif is_at_end:
        head = partial(total)
    else:
        tail = partial(total)
    flags = (1 if is_at_begin or is_at_end else 0) | (2 if is_at_begin else 0)
    clean = b"\0"
    no_fault = b"\0"
    return (struct.pack("<BBQ", 1, flags, count) + clean + clean + no_fault + head + tail +
            struct.pack("<QQ", 0, len(closed)) + closed)


def read_values(data):
    """Packed values as a list."""
    found = []
    while data:
        kind, count = struct.unpack_from("<BQ", data)
        data = data[9:]
        if kind == 4:
            found.append(int(data[:count]))
            data = data[count:]
        elif kind in (3, 5):
            found += [struct.unpack_from("<q" if kind == 3 else "<d", data)[0]] * count
            data = data[8:]
        else:
            found += struct.unpack_from(f"<{count}{'q' if kind == 1 else 'd'}", data)
            data = data[8 * count:]
    return found


def skip_partial(data, at):
    flags = data[at]
    at += 1
    if flags & 16:
        at += 8 + struct.unpack_from("<Q", data, at)[0]
    elif flags & 2:
        at += 8
    if flags & 64:
        at += 4 + 4 * data[at + 3]
    return at


def closed_of(segment):
    """The closed values of a fold segment of a range: clean edges, no fault."""
    assert segment[0] == 1 and segment[10:13] == b"\0\0\0", segment[:40]
    at = skip_partial(segment, skip_partial(segment, 13))
    length = struct.unpack_from("<Q", segment, at + 8)[0]
    assert at + 16 + length == len(segment)
    return read_values(segment[at + 16:])


class Worker(threading.Thread):
    """Sums ranges, one slot; answers each task in two parts and every third only half."""

    def __init__(self, url):
        super().__init__(daemon=True)
        self.peer = protocol.Peer(url)
        self.jobs = {}
        self.tasks = 0
        self.is_stopped = False
        self.failure = None
        self.peer.send(hello(protocol.WORKER, slots=1))
        assert self.peer.receive_type(protocol.WELCOME)[-1] == SESSION

    def run(self):
        beat = 0
        try:
            while not self.is_stopped:
                if time.monotonic() >= beat:
                    self.peer.send([protocol.HEARTBEAT, 1])
                    beat = time.monotonic() + 1
                if self.peer.messages or select.select([self.peer.socket], [], [], 0.1)[0]:
                    self.take(self.peer.receive())
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure
        self.peer.close()

    def take(self, message):
        if message[0] == protocol.JOB:
            self.jobs[message[1]] = message[2]
        elif message[0] == protocol.FORGET:
            del self.jobs[message[1]]
        elif message[0] == protocol.TASK:
            self.fold(message)

    def fold(self, message):
        job, task, attempt, kind = message[1:5]
        source = self.jobs[job][5][0]
        assert kind == protocol.FOLD and source[0] == 1, message
        first, last = message[6], message[8]
        is_at_end = message[7:9] == END
        if is_at_end:
            last = source[5]
        self.tasks += 1
        middle = (first + last) // 2
        if middle > first:
            gives_back = self.tasks % 3 == 0
            self.answer(job, task, attempt, source, first, [0, middle], gives_back)
            if gives_back:
                return
            first = middle
        self.answer(job, task, attempt, source, first, END if is_at_end else [0, last], True)

    def answer(self, job, task, attempt, source, first, middle, done):
        last = source[5] if middle == END else middle[1]
        segment = fold_range(source[10], source[11], first, last, middle == END)
        self.peer.send([protocol.RESULT, job, task, attempt, protocol.FOLD, 0, first, *middle, 1000000, 0, done,
                        last - first, segment])


class Protocol(farm.TestCase):
    def setUp(self):
        directory = self.enterContext(tempfile.TemporaryDirectory())
        self.farm = self.enterContext(farm.Farm(directory))
        farm.wait_until(lambda: farm.sheaf("status", "--farm", self.farm.url).status == 0,
                        what="a coordinator that answers")

    if not hasattr(unittest.TestCase, "enterContext"):  # before Python 3.11
        def enterContext(self, context):
            value = context.__enter__()
            self.addCleanup(context.__exit__, None, None, None)
            return value

    def peer(self):
        peer = protocol.Peer(self.farm.url)
        self.addCleanup(peer.close)
        return peer

    def test_an_observer_gets_the_status_as_json(self):
        peer = self.peer()
        peer.send(hello(protocol.OBSERVER), [protocol.ASK_STATUS])
        welcome = peer.receive_type(protocol.WELCOME)
        self.assertEqual(welcome[1], protocol.VERSION)
        self.assertEqual(welcome[4], SESSION)
        status = json.loads(peer.receive_type(protocol.STATUS)[1])
        self.assertEqual(status["workers"], [])
        self.assertEqual(status["jobs"], [])

    def test_another_version_is_refused_with_a_sentence(self):
        peer = self.peer()
        peer.send([protocol.HELLO, 2, "what a later version says", [1, [2, b"x"]]])
        self.assertIn(b"version", peer.receive_type(protocol.REFUSED)[1])
        self.is_sent_away(peer)

    def is_sent_away(self, peer):
        with self.assertRaises((EOFError, ConnectionResetError)):
            peer.receive_type(protocol.BYE)

    def test_a_pool_process_is_not_believed(self):
        for greetings in ([protocol.PROCESS], [protocol.WORKER, protocol.PROCESS]):
            peer = self.peer()
            for role in greetings:
                peer.send(hello(role, slots=1))
            self.is_sent_away(peer)

    def test_bulk_of_who_was_not_welcomed_is_not_kept(self):
        peer = self.peer()
        part = b"\xc1" + struct.pack("<QQ", 2**32, 0)
        for frames in ([part, bytes(2**21)], [protocol.pack([[protocol.HEARTBEAT, 0]]), bytes(2**21)]):
            peer.send_raw(*frames)
            self.assertEqual(peer.receive_type(protocol.REFUSED)[1], b"")
        peer.send(hello(protocol.OBSERVER))
        self.assertEqual(peer.receive_type(protocol.WELCOME)[4], SESSION)

    def test_who_has_not_said_hello_is_asked_to(self):
        peer = self.peer()
        peer.send([protocol.HEARTBEAT, 0])
        self.assertEqual(peer.receive_type(protocol.REFUSED)[1], b"")

    def test_malformed_batches_harm_nobody(self):
        for frames in ([b"\xdd\xff\xff\xff\xff"], [b"\x91\x91\x0f"], [b"\x91\x92\x0e\x05", b"1234"], [b""],
                       [b"\x91\x91\x05"] * 3):
            self.peer().send_raw(*frames)
        self.test_an_observer_gets_the_status_as_json()

    def test_a_worker_written_from_the_page_is_given_work(self):
        worker = Worker(self.farm.url)
        worker.start()
        try:
            self.assert_gives(self.farm.run("sum", "1..10000000"), "50000005000000\n")
            self.assert_gives(self.farm.run("sum", "-5..-400000000000000000000:-100000000000"),
                              f"{sum_of_range(-5, -400000000000000000000, -100000000000)}\n")
        finally:
            worker.is_stopped = True
            worker.join(10)
        self.assertIsNone(worker.failure)
        self.assertGreater(worker.tasks, 0)

    def test_a_client_written_from_the_page_gets_its_answer(self):
        self.farm.start_worker()
        self.farm.wait_for_workers(1)
        peer = self.peer()
        peer.send(hello(protocol.CLIENT))
        peer.receive_type(protocol.WELCOME)
        source = [1, 1, 0, b"", b"a range", 400, 0, 0, 0, 1, 1, 1]
        peer.send([protocol.JOB, 9, [1, 0, [2, 100, 0, 0], 0, 2**30, [source]]],
                  [protocol.TASK, 9, 1, 1, protocol.FOLD, 0, 0, *END, 0, False, 2**20, 0, 0, False, b""])
        begin, found = [0, 0], []
        while True:
            result = peer.receive_type(protocol.RESULT)
            self.assertEqual(result[1:7], [9, 1, 1, protocol.FOLD, *begin])
            found += closed_of(result[-1])
            begin = result[7:9]
            if result[11]:
                break
        self.assertEqual(begin, END)
        self.assertEqual(found, [5050, 15050, 25050, 35050])
        peer.send([protocol.FORGET, 9])
        farm.wait_until(lambda: not self.farm.status()["jobs"], what="the end of the job")


    def client(self):
        """One that was welcomed, has described a job 9, the sum of a range, and its task of a number."""
        def task(number):
            return [protocol.TASK, 9, number, 1, protocol.FOLD, 0, 0, *END, 0, False, 2**20, 0, 0, False, b""]

        peer = self.peer()
        peer.send(hello(protocol.CLIENT))
        credit = peer.receive_type(protocol.WELCOME)[3]
        source = [1, 1, 0, b"", b"a range", 400, 0, 0, 0, 1, 1, 1]
        peer.send([protocol.JOB, 9, [1, 0, [2, 100, 0, 0], 0, 2**30, [source]]])
        return peer, credit, task

    def test_a_client_may_use_its_credit_and_no_more(self):
        peer, credit, task = self.client()
        for first in range(1, credit + 1, 1024):
            peer.send(*(task(number) for number in range(first, first + 1024)))
        peer.send([protocol.CANCEL, 9, 7, 1], task(credit + 1), [protocol.ASK_STATUS])
        self.assertEqual(len(json.loads(peer.receive_type(protocol.STATUS)[1])["jobs"]), 1)
        peer.send(task(credit + 2))
        self.is_sent_away(peer)
        self.assertEqual(self.farm.status()["jobs"], [])


def sum_of_range(begin, end, step):
    count = (end - begin) // step + 1
    return count * (2 * begin + (count - 1) * step) // 2


if __name__ == "__main__":
    unittest.main()
