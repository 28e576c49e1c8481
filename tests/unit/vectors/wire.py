#!/usr/bin/env python3
"""Print one message of every type as PROTOCOL.md lays it out, in hexadecimal: vectors/wire.txt.

Written from the page alone, with nothing but struct: what a client in another language would do.
"""
import struct


def integer(n):
    if -32 <= n < 0:
        return struct.pack("b", n)
    if n < 0:
        code, form = next((c, f) for c, f, low in ((0xD0, ">b", -2**7), (0xD1, ">h", -2**15),
                                                   (0xD2, ">i", -2**31), (0xD3, ">q", -2**63)) if n >= low)
        return bytes([code]) + struct.pack(form, n)
    if n < 128:
        return bytes([n])
    code, form = next((c, f) for c, f, top in ((0xCC, ">B", 2**8), (0xCD, ">H", 2**16),
                                               (0xCE, ">I", 2**32), (0xCF, ">Q", 2**64)) if n < top)
    return bytes([code]) + struct.pack(form, n)


def string(text):
    assert len(text) < 32
    return bytes([0xA0 | len(text)]) + text.encode()


def binary(data):
    assert len(data) < 256
    return bytes([0xC4, len(data)]) + data


def array(items):
    assert len(items) < 65536
    start = bytes([0x90 | len(items)]) if len(items) < 16 else b"\xdc" + struct.pack(">H", len(items))
    return start + b"".join(map(item, items))


def item(value):
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    return {int: integer, str: string, bytes: binary, list: array}[type(value)](value)


def big(n):
    if -2**63 <= n < 2**63:
        return n
    return bytes([n < 0]) + abs(n).to_bytes((abs(n).bit_length() + 7) // 8, "little")


UNKNOWN = 2**64 - 1
SOURCES = [
    [1, 1, 0, b"", b"1..400", 400, 0, 0, 0, 1, big(-1), big(-10**20)],
    [2, 3, 0, b"/data/a.txt", 5, 997, 1000, 1700000000123456789, 3, 1],
    [4, 3, 6, b"b.npy", b"../b.npy", 12, 152, -1, 128, 1, 8, 1 | 8, 3, 4],
    [2, 2, 0, b"", b"the command line", 4, 0, 0, 0, 1, b"6 7\n"],
]
SPEC = [2, 1, [2, 100, 0, UNKNOWN], 0, 2**30, SOURCES]
MESSAGES = [
    [1, 1, 1, "node-1", 4711, 8, 64, UNKNOWN],
    [2, 1, 16, 128, UNKNOWN],
    [3, "no"],
    [4, 5],
    [5],
    [6, 7, SPEC],
    [7, 7],
    [8, 7, 300, 1, 1, 0, 128, 1, 0, 70000, True, 2**40, 2, 3, True, 5],
    [11, 7, 300, 1, 1, 0, 128, 0, 133, 123456, 0, True, 5, 7],
    [9, 7, 300, 1],
    [10, 7, 300, 1, 65536],
    [12, 7, 300, 1, 1, 2],
    [13],
    [14, 2],
]
batch = b"\xdc" + struct.pack(">H", len(MESSAGES)) + b"".join(map(item, MESSAGES))
text = batch.hex()
for at in range(0, len(text), 96):
    print(text[at:at + 96])
