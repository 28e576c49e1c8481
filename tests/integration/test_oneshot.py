"""The one-shot command, as a user types it: answers, formats, options, bad input, ends. On every backend."""

import fractions
import json
import math
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import uuid

import backends
import farm
from backends import command, sheaf

setUpModule = backends.set_up

try:
    import numpy
except ImportError:  # a bare machine; the rest is tested all the same
    numpy = None


def lines(values):
    return "".join(f"{value}\n" for value in values)


def npy(descr, shape, data, fortran=False, version=1):
    """An .npy file by hand, so that numpy is not needed."""
    header = f"{{'descr': {descr!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    length = 10 if version == 1 else 12
    header += b" " * (-(length + len(header) + 1) % 64) + b"\n"
    size = struct.pack("<H" if version == 1 else "<I", len(header))
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


class Files(farm.TestCase):
    """Tests in a directory of their own."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-test-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def file(self, name, content):
        path = self.directory / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def run_here(self, *arguments, **more):
        return sheaf(*arguments, cwd=self.directory, **more)


class Gallery(Files):
    """The examples of the README."""

    def test_ranges_every(self):
        self.assert_gives(sheaf("sum", "1..400", "--every", 100), "5050\n15050\n25050\n35050\n")

    def test_lists_in_json(self):
        rows = [list(range(i, i + 100)) for i in (1, 101, 201, 301)]
        path = self.file("lists.json", json.dumps(rows))
        self.assert_gives(sheaf("sum", path), "5050\n15050\n25050\n35050\n")
        self.assert_gives(sheaf("sum", path, "--output", "json"), "[5050,15050,25050,35050]\n")

    def test_lists_in_text(self):
        path = self.file("lists.txt", "1 2 3 4\n5 6 7 8\n9 10 11 12\n13 14 15 16\n")
        self.assert_gives(sheaf("product", path), "24\n1680\n11880\n43680\n")

    def test_numbers(self):
        self.assert_gives(sheaf("product", 6, 7), "42\n")
        self.assert_gives(sheaf("sum", -5, 3), "-2\n")
        self.assert_gives(sheaf("sum", 9223372036854775807, 1), "9223372036854775808\n")

    def test_factorials(self):
        self.assert_gives(sheaf("product", "1..20"), "2432902008176640000\n")
        self.assert_gives(sheaf("product", "1..1000"), f"{math.factorial(1000)}\n")

    def test_a_large_factorial_has_all_its_digits(self):
        result = sheaf("product", "1..100000")
        self.assertEqual(result.status, 0, result.err)
        self.assertEqual(len(result.out), 456574 + 1)
        # A sum of digits by nines, and by elevens, knows a wrong digit; Legendre's count the zeros.
        self.assertEqual(sum(map(int, result.out.strip())) % 9, 0)
        self.assertEqual(sum(int(d) * (-1) ** i for i, d in enumerate(result.out.strip())) % 11, 0)
        zeros = sum(100000 // 5**k for k in range(1, 8))
        self.assertEqual(len(result.out.strip()) - len(result.out.strip().rstrip("0")), zeros)

    def test_standard_input(self):
        text = lines(range(1, 1000001))
        self.assert_gives(sheaf("sum", "-", "--total", stdin=text), "500000500000\n")
        self.assert_gives(sheaf("sum", "--total", stdin=text), "500000500000\n")

    def test_floats_are_exact(self):
        path = self.file("floats.txt", "1e100 1 -1e100\n")
        self.assert_gives(sheaf("sum", path), "1.0\n")

    def test_big_integers_among_floats(self):
        large = "1" + 5000 * "0"
        path = self.file("mixed.txt", f"{large} 1.5 -{large}\n")
        self.assert_gives(sheaf("sum", path), "1.5\n")


class Formats(Files):
    def test_text(self):
        cases = [
            ("1,2;3\t4 5\n", "15\n"), ("1 , 2 ;3\n", "6\n"), ("\n\n", "0\n0\n"), ("1\r\n2\r\n", "1\n2\n"),
            ("1\n2", "1\n2\n"), ("", ""), (" \n", "0\n"), ("+5 -3\n", "2\n"), ("\ufeff7\n", "7\n"),
            ("inf 1\n", "inf\n"), ("inf -inf\n", "nan\n"), ("-0.0\n", "-0.0\n"), ("-0.0 0\n", "0.0\n"),
            ("1e308 1e308 -1e308\n", "1e+308\n"), ("0.1 0.2\n", "0.30000000000000004\n"),
            (".5 5.\n", "5.5\n"),
        ]
        for text, answer in backends.some(cases):
            with self.subTest(text=text):
                self.assert_gives(sheaf("sum", self.file("a.txt", text)), answer)
                self.assert_gives(sheaf("sum", "-", stdin=text), answer)

    def test_an_empty_line_is_an_empty_product(self):
        self.assert_gives(sheaf("product", "-", stdin="\n2 3\n"), "1\n6\n")

    def test_header_is_skipped_in_each_source(self):
        self.file("a.csv", "x,y\n1,2\n")
        self.file("b.csv", "x,y\n3,4\n")
        self.assert_gives(self.run_here("sum", "--header", "a.csv", "b.csv"), "3\n7\n")

    def test_json(self):
        cases = [
            ("[1,2,3]", "6\n"), ("[[1],[2,3],[]]", "1\n5\n0\n"), ("[]", "0\n"), ("[[]]", "0\n"),
            ("[1,2]\n[3]\n", "3\n3\n"), ("[1.5, 2]", "3.5\n"), (f"[{10**30},1]", f"{10**30 + 1}\n"),
            (" [ [ 1 , 2 ] ,\n [ -3e0 ] ] ", "3\n-3.0\n"),
        ]
        for text, answer in backends.some(cases):
            with self.subTest(text=text):
                self.assert_gives(sheaf("sum", self.file("a.json", text)), answer)
                self.assert_gives(sheaf("sum", "-", "--format", "json", stdin=text), answer)

    def test_npy(self):
        ints = list(range(-50, 50))
        for code, descr in backends.some((("<q", "<i8"), (">q", ">i8"), ("<i", "<i4"), (">h", ">i2"),
                                          ("<d", "<f8"), (">f", ">f4"), ("<e", "<f2"), ("b", "|i1"))):
            data = b"".join(struct.pack(code, v) for v in ints)
            for version in backends.some((1, 2, 3)):
                with self.subTest(descr=descr, version=version):
                    is_float = code[-1] in "dfe"
                    path = self.file("a.npy", npy(descr, (10, 10), data, version=version))
                    rows = [sum(ints[i:i + 10]) for i in range(0, 100, 10)]
                    self.assert_gives(sheaf("sum", path), lines(map(float, rows) if is_float else rows))
                    columns = [sum(ints[i::10]) for i in range(10)]
                    path = self.file("f.npy", npy(descr, (10, 10), data, True, version))
                    self.assert_gives(sheaf("sum", path), lines(map(float, columns) if is_float else columns))
                    with open(path, "rb") as stream:
                        self.assert_gives(sheaf("sum", "-", "--format", "npy", stdin=stream.read()),
                                          lines(map(float, columns) if is_float else columns))

    def test_npy_of_one_dimension_and_booleans(self):
        path = self.file("a.npy", npy("|b1", (5,), b"\1\0\1\1\0"))
        self.assert_gives(sheaf("sum", path), "3\n")

    def test_an_npy_stream_has_as_many_elements_as_its_header_promises(self):
        for fortran in (False, True):
            for elements in (3, 5):
                data = npy("<i8", (2, 2), struct.pack(f"<{elements}q", *range(elements)), fortran)
                result = sheaf("sum", "-", "--format", "npy", stdin=data)
                self.assertEqual(result.status, 2, result)
                self.assertIn("standard input: ", result.err)

    def test_raw(self):
        path = self.file("a.bin", struct.pack(">5i", 1, 2, 3, 4, -50))
        self.assert_gives(sheaf("sum", path, "--format", "raw", "--dtype", ">i32"), "-40\n")
        self.assert_gives(sheaf("sum", "-", "--format", "raw", "--dtype", ">i32", stdin=path.read_bytes()),
                          "-40\n")

    def test_json_output_of_special_floats_reads_back(self):
        result = sheaf("sum", "-", "--output", "json", stdin="inf\n-inf\nnan\n1.5\n")
        self.assertEqual(result.status, 0, result)
        values = json.loads(result.out)
        self.assertEqual(values[:2] + values[3:], [math.inf, -math.inf, 1.5])
        self.assertTrue(math.isnan(values[2]))

    def test_sources_follow_one_another(self):
        self.file("a.txt", "1 2\n3")
        self.file("b.json", "[[4],[5]]")
        result = self.run_here("sum", "a.txt", "b.json", "1..3", 7, 8, "a.txt")
        self.assert_gives(result, "3\n3\n4\n5\n6\n15\n3\n3\n")

    def test_a_file_with_a_number_for_a_name(self):
        self.file("7", "1 1\n")
        self.assert_gives(self.run_here("sum", "./7"), "2\n")


class Cuts(Files):
    def test_every(self):
        self.assert_gives(sheaf("sum", "1..10", "--every", 4), "10\n26\n19\n")
        self.assert_gives(sheaf("sum", "-", "--every", 2, stdin="1 2 3\n4\n5\n"), "3\n7\n5\n")

    @backends.only_on("local", "zmq", because="mpirun has standard output of its own")
    def test_empty_float_sublists_cost_nothing(self):
        self.assert_gives(sheaf("sum", 1, "--split", 5, "--type", "float"), "1.0\n" + 4 * "0.0\n")
        self.assert_gives(sheaf("sum", 1, "--split", 6, "--type", "float", "--output", "json"),
                          "[1.0,0.0,0.0,0.0,0.0,0.0]\n")
        process = subprocess.Popen(command("sum", 1, "--split", 2000000000, "--type", "float"),
                                   stdout=subprocess.PIPE, env=backends.environment())
        self.assertEqual(process.stdout.read(7), b"1.0\n0.0")
        process.stdout.close()
        self.assertEqual(process.wait(timeout=farm.TIMEOUT), 141)

    def test_split(self):
        self.assert_gives(sheaf("sum", "1..10", "--split", 3), "10\n18\n27\n")
        self.assert_gives(sheaf("sum", "1..2", "--split", 4), "1\n2\n0\n0\n")
        text = self.file("a.txt", "1 2 3\n4 5\n6 7 8 9 10\n")
        self.assert_gives(sheaf("sum", text, "--split", 3), "10\n18\n27\n")
        self.assert_gives(sheaf("sum", "-", "--split", 3, stdin=text.read_bytes()), "10\n18\n27\n")

    def test_total(self):
        self.assert_gives(sheaf("sum", "-", "--total", stdin="1 2\n\n3.5\n"), "6.5\n")
        self.assert_gives(sheaf("sum", "-", "--total", stdin=""), "0\n")
        self.assert_gives(sheaf("product", "1..3", 7, "--total"), "42\n")
        self.assert_gives(sheaf("sum", "1..1000000", "--every", 1000, "--total"), "500000500000\n")
        self.assert_gives(sheaf("sum", "-", "--split", 7, "--total", stdin="1 2\n3 4\n"), "10\n")

    def test_types(self):
        self.assert_gives(sheaf("sum", 1, 2, "--type", "float"), "3.0\n")
        self.assert_fails(sheaf("product", 1, 2, "--type", "float"), 2,
                          "sheaf: --type float: product takes integers only, so far")

    def test_ranges(self):
        cases = [("5..1", "0"), ("5..1:-1", "15"), ("-3..3", "0"), ("1..10:3", "22"), ("-5..-1", "-15"),
                 (f"{10**30}..{10**30 + 2}", str(3 * 10**30 + 3)), ("1..1000000000000", str(5 * 10**23 + 5 * 10**11))]
        for text, answer in backends.some(cases):
            with self.subTest(range=text):
                self.assert_gives(sheaf("sum", text), answer + "\n")

    def test_the_longest_ranges(self):
        last = 2**63 - 1
        part = last // 7  # without a rest
        cases = [((f"1..{last}",), [last * (last + 1) // 2]),
                 ((f"-{2**62 - 1}..{2**62 - 1}",), [0]),
                 ((f"1..{last}", f"1..{last}", f"1..{last}", "--total"), [3 * last * (last + 1) // 2]),
                 ((f"1..{last}", "--every", 2**62), [2**61 * (2**62 + 1), last * (last + 1) // 2 - 2**61 * (2**62 + 1)]),
                 ((f"1..{last}", "--split", 7), [part * (part + 1) // 2 + i * part**2 for i in range(7)]),
                 ((f"1..{last}", f"1..{last}", "--split", 2), 2 * [last * (last + 1) // 2])]
        for arguments, answer in cases:
            with self.subTest(arguments=arguments):
                self.assert_gives(sheaf("sum", *arguments), lines(answer))
        for option in (("--every", last), ("--split", 5)):
            self.assert_fails(sheaf("sum", f"1..{last}", f"1..{last}", "1", *option), 2,
                              "sheaf: --every and --split number the elements, and can number at most "
                              "18446744073709551614 in all sources together")


class Sameness(Files):
    """The same answer, and the same sentence, for every number of processes and every cut."""

    ways = {
        "local": [["-j", 1], ["-j", 2], ["-j", 4], ["-j", 3, "--task-elements", 1000],
                  ["-j", 2, "--task-elements", 77], ["-j", 2, "--data", "value"],
                  ["-j", 2, "--memory", "4M", "--task-ms", 1]],
        "zmq": [[], ["--task-elements", 1777], ["--data", "value"], ["--memory", "4M", "--task-ms", 1]],
        "mpi": [["-j", 2, "--data", "value"], ["-j", 1, "--task-elements", 1777]],
    }[backends.BACKEND]

    def check_all(self, arguments, answer, stdin=b""):
        for way in self.ways:
            with self.subTest(arguments=arguments, way=way):
                result = sheaf(*arguments, *way, stdin=stdin)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(result.out, answer)

    def test_random_integers(self):
        def element(seed, index):
            z = (seed + (index + 1) * 0x9E3779B97F4A7C15) % 2**64
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2**64
            z ^= z >> 31
            return z - 2**64 if z >= 2**63 else z

        ten = [element(0, i) for i in range(10)]
        self.check_all(["sum", "random:10", "--every", 1], "".join(f"{e}\n" for e in ten))
        for e in ten:
            self.assertIn(str(e), (farm.ROOT / "README.md").read_text())
        many = [element(2**64 - 1, i) for i in range(100000)]
        source = f"random:100000:{2**64 - 1}"
        self.check_all(["sum", source], f"{sum(many)}\n")
        self.check_all(["product", source, "--split", 50000],
                       "".join(f"{a * b}\n" for a, b in zip(many[::2], many[1::2])))
        self.check_all(["sum", 1, "random:0:5", "random:1", 2], f"1\n0\n{ten[0]}\n2\n")

    def test_text_of_all_kinds(self):
        draw = random.Random(1)
        rows = []
        for _ in range(3000):
            kind = draw.randrange(4)
            count = draw.randrange(0, 12)
            if kind == 0:
                rows.append([draw.randrange(-10**6, 10**6) for _ in range(count)])
            elif kind == 1:
                rows.append([draw.randrange(-10**40, 10**40) for _ in range(count)])
            elif kind == 2:
                rows.append([draw.uniform(-1, 1) * 10.0**draw.randrange(-300, 300) for _ in range(count)])
            else:
                rows.append([draw.choice([1, 2.5, 10**20, -7]) for _ in range(count)])

        def exact(row):
            if not any(isinstance(v, float) for v in row):
                return str(sum(row))
            return repr(float(sum(map(fractions.Fraction, row))))

        path = self.file("a.txt", "".join(" ".join(map(repr, row)) + "\n" for row in rows))
        answer = lines(map(exact, rows))
        self.check_all(["sum", path], answer)
        self.check_all(["sum", "-"], answer, stdin=path.read_bytes())
        path = self.file("a.json", json.dumps(rows))
        self.check_all(["sum", path], answer)

    def test_products(self):
        draw = random.Random(2)
        rows = [[draw.randrange(-10**9, 10**9) for _ in range(draw.randrange(0, 60))] for _ in range(2000)]
        path = self.file("a.txt", "".join(" ".join(map(str, row)) + "\n" for row in rows))
        self.check_all(["product", path], lines(map(math.prod, rows)))
        flat = [value for row in rows for value in row]
        every = lines(math.prod(flat[i:i + 17]) for i in range(0, len(flat), 17))
        self.check_all(["product", path, "--every", 17], every)

    def test_every_and_split_of_large_text(self):
        draw = random.Random(3)
        values = [draw.randrange(-10**draw.randrange(1, 12), 10**12) for _ in range(200000)]
        text, column = [], 0
        for value in values:
            column = (column + 1) % 13
            text.append(str(value) + ("\n" if column == 0 else draw.choice([" ", ",", "\t", " ; "])))
        path = self.file("a.txt", "".join(text).rstrip(" ,\t;"))
        every = lines(sum(values[i:i + 1000]) for i in range(0, len(values), 1000))
        self.check_all(["sum", path, "--every", 1000], every)
        self.check_all(["sum", "-", "--every", 1000], every, stdin=path.read_bytes())
        sizes = [len(values) // 7 + (i < len(values) % 7) for i in range(7)]
        starts = [sum(sizes[:i]) for i in range(8)]
        split = lines(sum(values[a:b]) for a, b in zip(starts, starts[1:]))
        self.check_all(["sum", path, "--split", 7], split)
        self.check_all(["sum", "-", "--split", 7], split, stdin=path.read_bytes())

    def test_arrays(self):
        draw = random.Random(4)
        values = [draw.randrange(-2**63, 2**63) for _ in range(60000)]
        data = struct.pack("<60000q", *values)
        path = self.file("a.npy", npy("<i8", (600, 100), data))
        self.check_all(["sum", path], lines(sum(values[i:i + 100]) for i in range(0, 60000, 100)))
        self.check_all(["sum", path, "--total"], f"{sum(values)}\n")
        path = self.file("f.npy", npy("<i8", (600, 100), data, fortran=True))
        self.check_all(["sum", path], lines(sum(values[i::600]) for i in range(600)))
        floats = [draw.uniform(-1, 1) * 2.0**draw.randrange(-1000, 1000) for _ in range(60000)]
        path = self.file("d.npy", npy("<f8", (60000,), struct.pack("<60000d", *floats)))
        self.check_all(["sum", path], f"{math.fsum(floats)!r}\n")

    def test_faults(self):
        good = "".join(f"{i} {i}\n" for i in range(20000))
        path = self.file("a.txt", good + "1 abc 2\n" + good + "1,,2\n")
        at = len(good) + 2
        sentences = set()
        for way in self.ways:
            result = sheaf("sum", path, *way)
            self.assertEqual(result.status, 2, result)
            sentences.add(result.err)
            expected = lines(2 * i for i in range(20000))
            self.assertTrue(expected.startswith(result.out), way)
        self.assertEqual(len(sentences), 1, sentences)
        self.assertEqual(sentences.pop(), f"sheaf: {path}: line 20001, byte {at}: 'abc' is not a number\n")


class BadInput(Files):
    """A sentence with the file and the place, status 2, and no answer that could be taken for whole."""

    def check(self, arguments, sentence, status=2, out="", **more):
        with self.subTest(arguments=arguments):
            result = self.run_here(*arguments, **more)
            self.assert_fails(result, status, sentence)
            self.assertEqual(result.out, out)

    def test_tokens(self):
        for text, sentence in backends.some((
            ("1\n2 0x10\n", "a.txt: line 2, byte 4: '0x10' is not a number"),
            ("1 abc\n", "a.txt: line 1, byte 2: 'abc' is not a number"),
            ("1_000\n", "a.txt: line 1, byte 0: '1_000' is not a number"),
            ("1e400\n", "a.txt: line 1, byte 0: '1e400' is too large for a float"),
        )):
            self.file("a.txt", text)
            result = self.run_here("sum", "a.txt")
            with self.subTest(text=text):
                self.assert_fails(result, 2, "sheaf: " + sentence)

    def test_empty_fields_and_lone_returns(self):
        for text in backends.some(("1,,2\n", ",1\n", "1,\n", "1 ; ;2\n", "1\r2\n")):
            for source in ("a.txt", "-"):
                with self.subTest(text=text, source=source):
                    self.file("a.txt", text)
                    result = self.run_here("sum", source, stdin=text)
                    self.assertEqual(result.status, 2, result)
                    self.assertEqual(result.out, "")
                    name = "a.txt" if source == "a.txt" else "standard input"
                    self.assertTrue(result.err.startswith(f"sheaf: {name}: line 1, byte "), result)

    def test_json(self):
        for text in backends.some(("[1,2", "[[1],[2", "", "[1,,2]", "[1 2]", '["a"]', "[true]", "[null]", '{"a":1}',
                                   "[[1],2]", "[1,[2]]", "[1]]", "[1] [2]", "5", "[01]", "[1,]")):
            with self.subTest(text=text):
                self.file("a.json", text)
                result = self.run_here("sum", "a.json")
                self.assertEqual(result.status, 2, result)
                self.assertTrue(result.err.startswith("sheaf: a.json: "), result)
                self.assertEqual(result.err.count("\n"), 1)

    def test_a_fault_leaves_json_open(self):
        result = sheaf("sum", "-", "--output", "json", stdin="1\n2\nx\n")
        self.assertEqual(result.status, 2, result)
        self.assertNotIn("]", result.out)
        with self.assertRaises(ValueError):
            json.loads(result.out)

    def test_results_before_the_fault_are_whole_lines(self):
        text = lines(range(100000)) + "x\n" + lines(range(1000))
        result = sheaf("sum", "-", stdin=text)
        self.assertEqual(result.status, 2, result)
        self.assertTrue(lines(range(100000)).startswith(result.out))
        self.assertTrue(not result.out or result.out.endswith("\n"))
        self.assertEqual(result.err, "sheaf: standard input: line 100001, byte 588890: 'x' is not a number\n")

    def test_npy(self):
        good = npy("<i8", (2, 3), bytes(48))
        for name, content in backends.some((
            ("magic", b"\x93NUMPX" + good[6:]), ("short", good[:9]), ("header", good[:40]), ("data", good[:-1]),
            ("version", good[:6] + b"\x07\0" + good[8:]), ("complex", npy("<c16", (3,), bytes(48))),
            ("object", npy("|O", (3,), bytes(48))), ("large", npy("<i8", (2**40, 3), bytes(48))),
            ("overflow", npy("<i8", (2**40, 2**40), bytes(48))), ("negative", npy("<i8", (-1, 3), bytes(48))),
            ("deep", npy("<i8", (2, 1, 3), bytes(48))), ("empty", b""),
            ("long", good[:8] + b"\xff\xff" + good[10:]),
        )):
            with self.subTest(name=name):
                self.file(f"{name}.npy", content)
                result = self.run_here("sum", f"{name}.npy")
                self.assertEqual(result.status, 2, result)
                self.assertTrue(result.err.startswith(f"sheaf: {name}.npy: "), result)
                self.assertEqual(result.out, "")

    def test_files_that_cannot_be_read(self):
        (self.directory / "folder").mkdir()
        for name in ("missing.txt", "folder"):
            with self.subTest(name=name):
                result = self.run_here("sum", name)
                self.assertEqual(result.status, 2, result)
                self.assertTrue(result.err.startswith(f"sheaf: {name}: "), result)

    def test_a_file_that_may_not_be_read(self):
        """Not by root either, when it has no more rights than others."""
        path = self.file("secret.txt", "1\n")
        path.chmod(0)
        bare = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        if bare and not shutil.which("setpriv"):
            self.skipTest("no setpriv here")
        if subprocess.run([*bare, "true"], capture_output=True, check=False).returncode:
            self.skipTest("root may not give up its rights here")
        for cut in ([], ["--split", "2"]):
            done = subprocess.run([*bare, farm.SHEAF, "sum", "secret.txt", *cut], capture_output=True, check=False,
                                  cwd=self.directory, timeout=farm.TIMEOUT, env=farm.environment())
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (2, b"", b"sheaf: secret.txt: cannot be opened: Permission denied\n"))

    def test_what_is_no_regular_file(self):
        os.mkfifo(self.directory / "pipe")
        threading.Thread(target=lambda: (self.directory / "pipe").write_text("1 2\n3\n"), daemon=True).start()
        self.assert_gives(self.run_here("sum", "pipe"), "3\n3\n")
        self.assert_gives(self.run_here("sum", "/dev/null", "--total"), "0\n")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.directory / "socket"))
            self.assert_fails(self.run_here("sum", "socket"), 2,
                              "sheaf: socket: cannot be opened: No such device or address")

    def test_names_are_one_line_and_steer_no_terminal(self):
        for name, shown in ((b"a\nb\tc", "a\\nb\\tc"), (b"\x1b[31mred", "\\x1b[31mred"), (b"it's \"it\"", "it's \"it\""),
                            ("grün €".encode(), "grün €"), (b"\xff\xc3", "\\xff\\xc3"), (b"\xc2\x9b2J", "\\xc2\\x9b2J")):
            (self.directory / os.fsdecode(name)).write_bytes(b"1\nx\n")
            with self.subTest(name=name):
                self.assert_fails(self.run_here("sum", os.fsdecode(name), "--total"), 2,
                                  f"sheaf: {shown}: line 2, byte 2: 'x' is not a number")
                self.assert_fails(self.run_here("sum", os.fsdecode(name + b"!")), 2,
                                  f"sheaf: {shown}!: cannot be opened: No such file or directory")

    def test_ranges(self):
        for text in backends.some(("1..", "1..5:0", "1..x", "..5", "1..1000000000000000000000")):
            with self.subTest(range=text):
                result = sheaf("sum", text)
                self.assertEqual(result.status, 2, result)
                self.assertEqual(result.err.count("\n"), 1)
                self.assertIn(text, result.err)

    @backends.only_local(because="no job begins")
    def test_random_integers(self):
        for text in ("random:", "random:x", "random:-1", "random:1:", "random:1:2:3",
                     "random:18446744073709551616", "random:1:18446744073709551616"):
            self.check(["sum", text],
                       f"sheaf: {text}: expected random:N or random:N:SEED, both whole numbers below "
                       f"2^64 (a file of that name is ./{text})")
        self.check(["sum", "random:9223372036854775808"],
                   "sheaf: random:9223372036854775808: at most 9223372036854775807 random integers")

    @backends.only_local(because="no job begins")
    def test_options(self):
        self.check(["sum", "1..4", "--evry", "2"],
                   "sheaf: unknown option '--evry'; the nearest known one is '--every' (see sheaf sum --help)")
        self.check(["sum", "1..4", "--every", "2", "--split", "2"],
                   "sheaf: --every and --split contradict each other; give one of them")
        self.check(["sum", "1..4", "--every", "0"], "sheaf: --every: '0' is not a whole number from 1 on")
        self.check(["sum", "1..4", "--every", "18446744073709551615"],
                   "sheaf: --every: '18446744073709551615' is too large; at most 9223372036854775807")
        self.check(["sum", "1..4", "--memory", "99999999999T"],
                   "sheaf: --memory: '99999999999T' is too large; at most 9223372036854775807 bytes")
        self.check(["sum", ""], "sheaf: '': cannot be opened: No such file or directory")
        self.check(["worker"],
                   "sheaf: a worker is a program of its own: sheaf-worker (see sheaf-worker --help)")
        self.check(["sum", "1..4", "--output", "xml"], "sheaf: --output: 'xml' is not one of text|json")
        self.check(["sum", "a", "--format", "raw"],
                   "sheaf: --format raw needs --dtype: i8 … u64, f16, f32 or f64")
        self.check(["sun", "1..4"], "sheaf: 'sun' is not a command; the nearest is 'sum' (see sheaf --help)")
        self.check(["sum", "1", "-j", "2"],
                   "sheaf: -j is for processes on this machine, but SHEAF_FARM sends the job to "
                   "tcp://127.0.0.1:1; give one of them",
                   env=farm.environment(SHEAF_FARM="tcp://127.0.0.1:1"))
        result = sheaf("sum", "1", "--farm", "nonsense")
        self.assertEqual(result.status, 2, result)
        self.assertIn("nonsense", result.err)

    @backends.only_local(because="no job begins")
    def test_more_sources_than_a_job_can_describe(self):
        # As many arguments as that need room that a limit of the system may not give.
        soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
        room = 64 * 2**20
        if hard != resource.RLIM_INFINITY and hard < room:
            self.skipTest("no room for so many arguments")
        name = "1" * 60 + ".." + "1" * 60
        done = subprocess.run([farm.SHEAF, "sum", *[name] * 40000], capture_output=True, check=False, timeout=60,
                              env=farm.environment(),
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_STACK, (room, hard)))
        self.assertEqual(done.returncode, 2, done.stderr[:300])
        self.assertEqual(done.stderr, b"sheaf: 40000 sources with names this long are too many for one job "
                                      b"(4 MiB describe it at most); give fewer at a time\n")

    def test_a_float_in_a_product_is_refused(self):
        result = sheaf("product", "-", stdin="1 2\n3 1.5\n")
        self.assertEqual(result.status, 2, result)
        self.assertIn("standard input: line 2, byte 6: ", result.err)

    def test_type_int_refuses_floats(self):
        result = sheaf("sum", "-", "--type", "int", stdin="1 2.5\n")
        self.assertEqual(result.status, 2, result)
        self.assertIn("standard input: line 1, byte 2: '2.5'", result.err)

    def test_a_value_past_the_limit(self):
        result = sheaf("product", "1..100000", "--max-value", "1K")
        self.assertEqual(result.status, 1, result)
        self.assertEqual(result.out, "")


@backends.only_local(because="no job begins")
class Help(farm.TestCase):
    def test_each_command_explains_itself_with_examples(self):
        for command in ([], ["sum"], ["product"], ["coordinator"], ["status"]):
            with self.subTest(command=command):
                result = sheaf(*command, "--help")
                self.assertEqual((result.status, result.err), (0, ""))
                self.assertIn("Example", result.out)
                self.assertNotRegex(result.out, r" \n")
                if command != ["coordinator"]:
                    self.assertIn("141", result.out)
        result = sheaf("--version")
        self.assertRegex(result.out, r"^sheaf \d+\.\d+\.\d+\n$")

    def test_help_to_a_full_disk_is_a_sentence(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([farm.SHEAF, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=20, check=False)
        self.assertEqual(done.returncode, 1)


class Ends(Files):
    """Full disks, readers that go, Ctrl-C: what is left behind is nothing."""

    def start(self, *arguments, **more):
        mark = uuid.uuid4().hex
        more.setdefault("stdin", subprocess.DEVNULL)
        process = subprocess.Popen(command(*arguments), stdout=more.pop("stdout", subprocess.PIPE),
                                   stderr=subprocess.PIPE, env=backends.environment(mark),
                                   start_new_session=True, **more)
        self.addCleanup(self.end, process, mark)
        return process, mark

    def end(self, process, mark):
        for pid in farm.marked(mark):
            farm.kill(pid)
        process.wait(20)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    @backends.only_on("local", "zmq", because="mpirun has standard output of its own")
    def test_a_full_disk_is_a_sentence(self):
        for source in (["1..4"], ["1..1000000", "--every", "1"]):
            with open("/dev/full", "wb") as full:
                process, _ = self.start("sum", *source, stdout=full)
                _, err = process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)
            self.assertEqual(err.decode(), "sheaf: standard output cannot be written: No space left on device\n")

    @backends.only_on("local", "zmq", because="mpirun has standard output of its own")
    def test_head_ends_it_quietly(self):
        process, mark = self.start("sum", "1..100000000000", "--every", "1")
        self.assertEqual(process.stdout.readline(), b"1\n")
        process.stdout.close()
        self.assertEqual(process.wait(20), 141)
        self.assertEqual(process.stderr.read(), b"")
        farm.wait_until(lambda: not farm.marked(mark), what="nothing left")

    @backends.only_on("local", "zmq", because="mpirun takes signals for itself")
    def test_ctrl_c(self):
        for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            process, mark = self.start("sum", "1..100000000000", "--every", "1")
            process.stdout.read(100)
            process.send_signal(number)  # while the output is stuck: nobody reads on
            self.assertEqual(process.wait(20), status)
            farm.wait_until(lambda: not farm.marked(mark), what="nothing left")

    @backends.only_on("local", "zmq", because="mpirun takes signals for itself")
    def test_ctrl_c_while_input_is_awaited(self):
        process, mark = self.start("sum", "-", stdin=subprocess.PIPE)
        process.stdin.write(b"1 2\n")
        process.stdin.flush()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        farm.wait_until(lambda: not farm.marked(mark), what="nothing left")

    def test_answers_come_while_input_is_still_open(self):
        process, _ = self.start("sum", "-", stdin=subprocess.PIPE)
        process.stdin.write(b"1 2\n3 4\n5")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), b"3\n")
        self.assertEqual(process.stdout.readline(), b"7\n")
        process.stdin.close()
        self.assertEqual(process.stdout.readline(), b"5\n")
        self.assertEqual(process.wait(20), 0)

    @backends.only_local(because="the processes are the client's own")
    def test_killed_pool_processes_cost_no_answer(self):
        path = self.file("a.txt", lines(f"{i} {i}" for i in range(300000)))
        with open(self.directory / "out", "wb") as out:
            process, _ = self.start("sum", path, "-j", 2, "--task-elements", 3000, stdout=out)
        killed = 0
        # Three deaths would be a piece's fault, if this machine let nothing else happen in between.
        while process.poll() is None and killed < 2:
            for pid in farm.children(process.pid)[:1]:
                farm.kill(pid)
                killed += 1
            time.sleep(0.01)
        self.assertEqual(process.wait(60), 0, process.stderr.read())
        self.assertEqual((self.directory / "out").read_text(), lines(2 * i for i in range(300000)))

    @backends.only_local(because="the processes are the client's own")
    def test_a_stopped_pool_process_is_replaced(self):
        path = self.file("a.txt", lines(f"{i} {i}" for i in range(300000)))
        with open(self.directory / "out", "wb") as out:
            process, _ = self.start("sum", path, "-j", 2, "--task-elements", 3000, stdout=out)
        time.sleep(0.02)
        for pid in farm.children(process.pid)[:1]:
            farm.kill(pid, signal.SIGSTOP)
        self.assertEqual(process.wait(60), 0, process.stderr.read())
        self.assertEqual((self.directory / "out").read_text(), lines(2 * i for i in range(300000)))

    def test_stats_are_one_json_object(self):
        result = sheaf("sum", "1..1000000", "--every", 10, "--stats")
        self.assertEqual(result.status, 0)
        stats = json.loads(result.err)
        self.assertEqual(stats["elements"], 1000000)
        self.assertEqual(set(stats["seconds"]), {"open", "count", "fold", "print"})

    @backends.only_on("local", "zmq", because="mpirun takes its time to begin")
    def test_progress_is_for_terminals_or_on_demand(self):
        stdin = lines(range(1000))
        self.assertEqual(sheaf("sum", "-", stdin=stdin).err, "")
        process, _ = self.start("sum", "-", "--progress", "always", stdin=subprocess.PIPE)
        process.stdin.write(b"1\n")
        process.stdin.flush()
        err = process.stderr.read(1).decode()  # sleeps until it shows something
        process.stdin.close()
        process.wait(20)
        err += process.stderr.read().decode()
        self.assertEqual(err[0], "\r")
        self.assertTrue(err.endswith("\r\x1b[K"), err)


@backends.only_local(because="of one process")
class Speed(Files):
    def test_a_small_job_is_quick(self):
        path = self.file("a.txt", "1 2 3 4\n" * 4)
        best = 1.0
        for _ in range(10):
            begin = time.monotonic()
            self.assert_gives(sheaf("sum", path), "10\n" * 4)
            best = min(best, time.monotonic() - begin)
        self.assertLess(best, 0.05)  # 15 ms on a quiet machine; this one may be busy or sanitized


if __name__ == "__main__":
    unittest.main(verbosity=2)
