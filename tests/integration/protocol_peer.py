"""A peer of the protocol written from common/wire/PROTOCOL.md alone: no ZeroMQ, no MessagePack library.

ZMTP 3.0 (https://rfc.zeromq.org/spec/23/) with the NULL mechanism on a plain socket, and as much MessagePack as
the page asks for.
"""

import contextlib
import socket
import struct
import threading
import time

VERSION = 1
HELLO, WELCOME, REFUSED, HEARTBEAT, BYE, JOB, FORGET, TASK = range(1, 9)
CANCEL, ROOM, RESULT, DECLINED, ASK_STATUS, STATUS = range(9, 15)
WORKER, CLIENT, OBSERVER, PROCESS = 1, 2, 3, 4
FOLD, COUNT, GLUE = 1, 2, 3
HAS_PAYLOAD = (TASK, RESULT, STATUS)


def pack(value):
    """MessagePack in widths that are allowed but not the shortest: a reader must take any."""
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return b"\xcf" + struct.pack(">Q", value) if value >= 0 else b"\xd3" + struct.pack(">q", value)
    if isinstance(value, str):
        return b"\xda" + struct.pack(">H", len(value.encode())) + value.encode()
    if isinstance(value, bytes):
        return b"\xc6" + struct.pack(">I", len(value)) + value
    return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(pack, value))


def unpack(data, at=0):
    """One item: its value and where the next begins."""
    first = data[at]
    at += 1

    def number(form):
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)

    def run(count, start):
        return data[start:start + count], start + count

    def items(count, start):
        values = []
        for _ in range(count):
            value, start = unpack(data, start)
            values.append(value)
        return values, start

    if first < 0x80:
        return first, at
    if first >= 0xE0:
        return first - 256, at
    if first in (0xC2, 0xC3):
        return first == 0xC3, at
    if first & 0xF0 == 0x90:
        return items(first & 0x0F, at)
    if first & 0xE0 == 0xA0:
        return run(first & 0x1F, at)
    if 0xCC <= first <= 0xD3:
        return number((">B", ">H", ">I", ">Q", ">b", ">h", ">i", ">q")[first - 0xCC])
    forms = {0xC4: ">B", 0xC5: ">H", 0xC6: ">I", 0xD9: ">B", 0xDA: ">H", 0xDB: ">I", 0xDC: ">H", 0xDD: ">I"}
    count, at = number(forms[first])
    return (items if first >= 0xDC else run)(count, at)


class Connection:
    """One end of a ZMTP connection: the socket, and what it says it is."""

    def __init__(self, connected, kind):
        self.socket = connected
        self.messages = []
        self.socket.sendall(b"\xff" + bytes(8) + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + bytes(32))
        greeting = self.read(64)
        assert greeting[0] == 0xFF and greeting[9] == 0x7F and greeting[10] >= 3
        self.send_frame(b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind, 4)
        flags, body = self.read_frame()
        assert flags & 4 and body.startswith(b"\x05READY"), body

    def close(self):
        self.socket.close()

    def read(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise EOFError("the other side closed the connection")
            data += more
        return data

    def send_frame(self, body, flags):
        if len(body) < 256:
            self.socket.sendall(bytes([flags, len(body)]) + body)
        else:
            self.socket.sendall(bytes([flags | 2]) + struct.pack(">Q", len(body)) + body)

    def read_frame(self):
        flags = self.read(1)[0]
        length = struct.unpack(">Q", self.read(8))[0] if flags & 2 else self.read(1)[0]
        return flags, self.read(length)

    def send_raw(self, *frames):
        for i, frame in enumerate(frames):
            self.send_frame(frame, 1 if i + 1 < len(frames) else 0)

    def send(self, *messages):
        """Each message is a list, with a payload (bytes) behind it if its type has one."""
        header, payload = [], b""
        for message in messages:
            message = list(message)
            if message[0] in HAS_PAYLOAD:
                payload += message[-1]
                message[-1] = len(message[-1])
            header.append(message)
        self.send_raw(*([pack(header)] + ([payload] if payload else [])))

    def read_batch(self):
        frames = []
        while True:
            flags, body = self.read_frame()
            if flags & 4:
                if body.startswith(b"\x04PING"):
                    self.send_frame(b"\x04PONG" + body[7:], 4)
                continue
            frames.append(body)
            if not flags & 1:
                return frames

    def receive(self):
        """The next message; its payload stands where its length stood."""
        while not self.messages:
            frames = self.read_batch()
            header, end = unpack(frames[0])
            assert end == len(frames[0]) and len(frames) <= 2
            payload = frames[1] if len(frames) == 2 else b""
            for message in header:
                if message[0] in HAS_PAYLOAD:
                    length = message[-1]
                    message[-1], payload = payload[:length], payload[length:]
                    assert len(message[-1]) == length
                self.messages.append(message)
            assert not payload
        return self.messages.pop(0)

    def receive_type(self, kind, timeout=20):
        """The next message of that type; others are passed over."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            message = self.receive()
            if message[0] == kind:
                return message
        raise TimeoutError(f"no message of type {kind}")


class Peer(Connection):
    """A DEALER connected to one ROUTER."""

    def __init__(self, url, timeout=20):
        host, port = url.removeprefix("tcp://").rsplit(":", 1)
        super().__init__(socket.create_connection((host, int(port)), timeout), b"DEALER")


class Host(threading.Thread):
    """Listens as a coordinator would; `serve` is called with each connection, a socket, until it returns."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.serve = serve
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self.listener.getsockname()[1]}"
        self.connections = 0
        self.start()

    def run(self):
        while True:
            try:
                connected, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connected.settimeout(20)
            with connected, contextlib.suppress(OSError, EOFError, AssertionError):
                self.serve(connected)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(20)
