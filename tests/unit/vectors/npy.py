#!/usr/bin/python3
"""Record .npy files as numpy writes them, and damaged ones, beside what must be said of each.

Writes vectors/npy/*.npy and vectors/npy.tsv: file, then either
  ok  bytes-per-element  rows  columns  fortran  big-endian  begin-of-data  sum of all elements
or
  bad  a part of the sentence
"""
import io
import pathlib
import struct

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = HERE / "npy"
ROWS = []


def saved(array, version=(1, 0)):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, version=version)
    return out.getvalue()


def keep(name, data):
    (FOLDER / (name + ".npy")).write_bytes(data)


def good(name, array, version=(1, 0)):
    data = saved(array, version)
    keep(name, data)
    two = array.ndim == 2
    rows = array.shape[0] if two else 1
    columns = array.shape[1] if two else array.size
    fortran = (two and rows > 1 and columns > 1 and array.flags.f_contiguous)
    big = array.dtype.byteorder == ">"
    begin = len(data) - array.nbytes
    total = sum(float(x) for x in array.ravel())
    ROWS.append([name, "ok", array.itemsize, rows, columns, int(fortran), int(big), begin,
                 repr(total)])


def bad(name, data, sentence):
    keep(name, data)
    ROWS.append([name, "bad", sentence])


def with_header(text, body=b"", version=1, length=None):
    text = text.encode()
    length = len(text) if length is None else length
    size = struct.pack("<H", length) if version == 1 else struct.pack("<I", length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + body


def goods():
    for kind in "i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8".split():
        for order in "<>":
            base = np.array([1, 2, 3, 100, 5, 127], dtype=order + kind)
            good(f"one_{'le' if order == '<' else 'be'}_{kind}", base)
            good(f"two_{'le' if order == '<' else 'be'}_{kind}", base.reshape(2, 3))
            good(f"fortran_{'le' if order == '<' else 'be'}_{kind}",
                 np.asfortranarray(base.reshape(3, 2)))
    good("bool", np.array([True, False, True]))
    good("version2", np.arange(5, dtype="<i8"), (2, 0))
    good("version3", np.arange(5, dtype="<f8").reshape(1, 5), (3, 0))
    good("empty", np.zeros(0))
    good("no_rows", np.zeros((0, 3)))
    good("no_columns", np.zeros((3, 0), dtype="<i4"))
    good("scalar", np.array(7, dtype="<i4"))
    good("fortran_one_row", np.asfortranarray(np.arange(4).reshape(1, 4)))
    good("fortran_one_column", np.asfortranarray(np.arange(4).reshape(4, 1)))


def bads():
    ok = "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }"
    body = bytes(16)
    bad("magic", b"\x92NUMPY\x01\x00" + bytes(20), "magic")
    bad("nothing", b"", "magic")
    bad("magic_alone", b"\x93NUMPY", "ends inside")
    bad("descr_number", with_header(ok.replace("'<i8'", "8"), body), "descr in the .npy header is not a string")
    bad("short_start", b"\x93NUMPY\x01\x00", "ends inside")
    bad("short_start2", b"\x93NUMPY\x02\x00\x10\x00", "ends inside")
    bad("version4", with_header(ok, body, 4), "version 4.0")
    bad("version0", b"\x93NUMPY\x00\x00\x10\x00" + bytes(16), "version 0.0")
    bad("minor", b"\x93NUMPY\x01\x01\x10\x00" + bytes(16), "version 1.1")
    bad("header_cut", with_header(ok, b"", 1, 200), "ends inside")
    bad("header_too_long", with_header(ok, body, 2, 0x7fffffff), "too long")
    bad("no_dictionary", with_header("hello", body), "not a dictionary")
    bad("no_shape", with_header("{'descr': '<i8', 'fortran_order': False}", body), "has no shape")
    bad("twice", with_header(ok[:-1] + "'descr': '<i8'}", body), "'descr' stands in the .npy header twice")
    bad("other_key", with_header(ok[:-1] + "'colour': 'red'}", body), "'colour' stands")
    bad("open", with_header(ok[:-1], body), "dictionary")
    bad("behind", with_header(ok + " x", body), "dictionary")
    bad("order_number", with_header(ok.replace("False", "0"), body), "fortran_order in the .npy header is not True or False")
    bad("not_a_tuple", with_header(ok.replace("(2,)", "(2)"), body), "shape in the .npy header is not a tuple")
    bad("negative", with_header(ok.replace("(2,)", "(-2,)"), body), "shape in the .npy header is not a tuple")
    bad("list_shape", with_header(ok.replace("(2,)", "[2]"), body), "shape in the .npy header is not a tuple")
    bad("shape_larger", with_header(ok.replace("(2,)", "(3,)"), body), "promises 3 elements")
    bad("shape_smaller", with_header(ok.replace("(2,)", "(1,)"), body), "8 bytes follow")
    bad("overflow", with_header(ok.replace("(2,)", "(4294967296, 4294967296)"), body), "too large")
    bad("overflow_bytes", with_header(ok.replace("(2,)", "(2305843009213693952,)"), body),
        "too large")
    bad("overflow_number", with_header(ok.replace("(2,)", "(0, 99999999999999999999999)"), body),
        "too large")
    bad("three", saved(np.zeros((2, 2, 2))), "3 dimensions")
    bad("complex", saved(np.zeros(2, dtype="c16")), "complex numbers")
    bad("string", saved(np.array(["a", "b"])), "strings")
    bad("bytes", saved(np.array([b"a", b"b"])), "strings")
    bad("date", saved(np.array([1], dtype="M8[s]")), "dates")
    bad("duration", saved(np.array([1], dtype="m8[s]")), "durations")
    bad("record", saved(np.zeros(2, dtype=[("a", "<i4")])), "structured")
    bad("void", saved(np.zeros(2, dtype="V3")), "raw records")
    bad("object", with_header(ok.replace("<i8", "|O"), body), "Python objects")
    bad("longdouble", with_header(ok.replace("<i8", "<f16"), bytes(32)), "another width")
    bad("width", with_header(ok.replace("<i8", "<i3"), body), "unknown type")


FOLDER.mkdir(exist_ok=True)
for old in FOLDER.glob("*.npy"):
    old.unlink()
goods()
bads()
python2 = with_header("{'descr': '<i8', 'fortran_order': False, 'shape': (2L,), }", bytes(16))
keep("python2", python2)
ROWS.append(["python2", "ok", 8, 1, 2, 0, 0, len(python2) - 16, "0.0"])
with open(HERE / "npy.tsv", "w", encoding="ascii") as table:
    for row in ROWS:
        table.write("\t".join(map(str, row)) + "\n")
