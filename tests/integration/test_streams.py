"""Pipes that come slowly, end early or are closed at the other end: what is said, and when."""

import itertools
import os
import resource
import struct
import subprocess
import threading
import time
import unittest

import backends
import farm
from backends import command, sheaf
from farm import SHEAF, Result

setUpModule = backends.set_up

BOM = b"\xef\xbb\xbf"


def fed(*arguments, parts, stdout=subprocess.PIPE):
    """Run `sheaf` with standard input that comes in parts: bytes, or seconds to wait."""
    process = subprocess.Popen(command(*arguments), stdin=subprocess.PIPE, stdout=stdout,
                               stderr=subprocess.PIPE, env=backends.environment())

    def feed():
        try:
            for part in parts:
                if isinstance(part, bytes):
                    process.stdin.write(part)
                    process.stdin.flush()
                else:
                    time.sleep(part)
            process.stdin.close()
        except BrokenPipeError:
            pass

    feeder = threading.Thread(target=feed)
    feeder.start()
    try:
        err = process.stderr.read()
        out = process.stdout.read() if process.stdout else b""
        status = process.wait(farm.TIMEOUT)
    finally:
        process.kill()
        process.wait()
        feeder.join()
        for stream in (process.stdin, process.stdout, process.stderr):
            try:
                if stream:
                    stream.close()
            except BrokenPipeError:
                pass
    return Result(status, out, err)


def shell(command):
    """Run a line of bash in which $SHEAF is the program; the status is the program's, first in a pipe."""
    done = subprocess.run(["bash", "-c", f"{command}\nexit ${{PIPESTATUS[0]}}"], capture_output=True,
                          timeout=farm.TIMEOUT, env=farm.environment(SHEAF=SHEAF), check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@backends.only_local(because="of this process and its descriptors")
class Output(farm.TestCase):
    def test_a_failed_write_is_noticed_while_input_is_awaited(self):
        for device, status, sentence in (
            ("/dev/full", 1, b"sheaf: standard output cannot be written: No space left on device\n"),
            (None, 141, b"")):
            reader, stdout = os.pipe() if device is None else (None, os.open(device, os.O_WRONLY))
            if reader is not None:
                os.close(reader)
            with self.subTest(device=device), subprocess.Popen(
                    ["bash", "-c", "echo 1; exec sleep 20"], stdout=subprocess.PIPE) as source:
                try:
                    # A timeout says that the program waits for more input first.
                    done = subprocess.run([SHEAF, "sum", "-"], stdin=source.stdout, stdout=stdout, check=False,
                                          stderr=subprocess.PIPE, timeout=10, env=farm.environment())
                finally:
                    source.kill()
                self.assertEqual((done.returncode, done.stderr), (status, sentence))
            os.close(stdout)

    def test_help_for_a_reader_that_is_gone(self):
        for arguments in (["sum", "--help"], ["--version"], ["coordinator", "--help"]):
            for program in (SHEAF, farm.WORKER):
                reader, writer = os.pipe()
                os.close(reader)
                with self.subTest(program=program, arguments=arguments):
                    given = arguments if program == SHEAF else arguments[-1:]
                    done = subprocess.run([program, *given], stdout=writer, stderr=subprocess.PIPE,
                                          timeout=20, env=farm.environment(), check=False)
                    self.assertEqual((done.returncode, done.stderr), (141, b""))
                os.close(writer)

    def test_closed_descriptors(self):
        cases = (
            ("sum 1..3 >&-", "sheaf: standard output cannot be written: Bad file descriptor\n"),
            ("sum --help >&-", "sheaf: standard output cannot be written: Bad file descriptor\n"),
        )
        for command, sentence in cases:
            with self.subTest(command=command):
                result = shell(f'"$SHEAF" {command}')
                self.assertEqual((result.status, result.out, result.err), (1, "", sentence))
        result = shell('"$SHEAF" sum - <&-')
        self.assertEqual((result.status, result.out), (2, ""))
        self.assertIn("Bad file descriptor", result.err)
        self.assertEqual(shell('"$SHEAF" sum 1..3 <&- 2>&-').out, "6\n")


class Places(farm.TestCase):
    """The byte that a sentence names is that of the whole input, however the input came."""

    def test_a_fault_behind_a_header_or_a_mark(self):
        cuts = (["--split", 2], ["--every", 2], ["--total"], [])
        for cut, mark in backends.some(itertools.product(cuts, (BOM, b""))):
            with self.subTest(mark=mark, cut=cut):
                result = sheaf("sum", "-", "--header", *cut, stdin=mark + b"a,b\n1\n2\nx\n")
                self.assert_fails(result, 2, f"sheaf: standard input: line 4, byte {8 + len(mark)}: "
                                             "'x' is not a number")

    def test_a_split_stream_that_is_only_a_header(self):
        self.assert_gives(sheaf("sum", "-", "--header", "--split", 2, stdin="a,b\n"), "0\n0\n")
        self.assert_gives(sheaf("sum", "-", "--header", "--split", 2, stdin="a,b\n1\n2\n"), "1\n2\n")

    def test_a_split_array_stream(self):
        header = b"{'descr': '<i8', 'fortran_order': False, 'shape': (4,), }"
        data = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + struct.pack("<4q", 1, 2, 3, 4)
        self.assert_gives(sheaf("sum", "-", "--format", "npy", "--split", 2, stdin=data), "3\n7\n")

    def test_a_raw_stream_that_ends_inside_an_element(self):
        said = set()
        for parts in ([bytes(12)], [bytes(8), 0.3, bytes(4)], [bytes(3), 0.2, bytes(5), 0.2, bytes(4)]):
            result = fed("sum", "-", "--format", "raw", "--dtype", "i64", parts=parts)
            self.assertEqual((result.status, result.out), (2, ""), result)
            said.add(result.err)
        self.assertEqual(len(said), 1, said)

    def test_the_whole_elements_before_a_torn_one_are_judged_first(self):
        for parts in ([struct.pack("<d", 1.5) + bytes(4)], [struct.pack("<d", 1.5), 0.3, bytes(4)]):
            result = fed("product", "-", "--format", "raw", "--dtype", "f64", parts=parts)
            self.assertEqual((result.status, result.out), (2, ""), result)
            self.assertIn("element 0: this is a float", result.err)


class Marks(farm.TestCase):
    @backends.only_on("local", "zmq", because="a rank that waits may be busy")
    def test_a_mark_that_comes_in_parts_costs_no_time(self):
        for way in (["--format", "json"], ["--format", "text"]):
            text = b"[1]\n" if "json" in way else b"1\n"
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            result = fed("sum", "-", *way, parts=[BOM[:1], 1.5, BOM[1:] + text])
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            self.assert_gives(result, "1\n")
            busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self.assertLess(busy, 0.7)

    def test_a_mark_before_json(self):
        for arguments in (["-", "--format", "json"], ["-", "--format", "json", "--split", 1]):
            self.assert_gives(sheaf("sum", *arguments, stdin=BOM + b"[1,2]"), "3\n")
        result = sheaf("sum", "-", "--format", "json", stdin=BOM + b"[1,x]")
        self.assertEqual(result.status, 2)
        self.assertIn("byte 6", result.err)

    def test_half_a_mark_is_no_number(self):
        result = fed("sum", "-", parts=[BOM[:2]])
        self.assertEqual((result.status, result.out), (2, ""), result)
        self.assertIn("line 1, byte 0", result.err)


@backends.only_local(because="of the memory of processes of this machine")
class TokensWithoutEnd(farm.TestCase):
    """What cannot be a number ends the job as soon as that is known, and digits when they are too many."""

    def assert_ends(self, command, sentence, status=2):
        """`command` is a line of bash that ends in `exec $SHEAF …`; no process of it takes much memory."""
        process = subprocess.Popen(["bash", "-c", command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   env=farm.environment(SHEAF=SHEAF))
        watch = threading.Timer(farm.TIMEOUT, process.kill)
        watch.start()
        try:
            err = process.stderr.read().decode()
            _, code, usage = os.wait4(process.pid, 0)  # the usage is that of the children, too
            process.returncode = os.waitstatus_to_exitcode(code)
        finally:
            watch.cancel()
            process.stderr.close()
        self.assertEqual(err, f"sheaf: {sentence}\n")
        self.assertEqual(process.returncode, status, err)
        self.assertLess(usage.ru_maxrss, 200 << 10, "KiB")

    def test_a_device_of_zero_bytes(self):
        self.assert_ends("exec $SHEAF sum /dev/zero",
                         "/dev/zero: line 1, byte 0: '" + "\\x00" * 40 + "' (cut) is not a number")

    def test_letters_on_one_line(self):
        self.assert_ends("exec $SHEAF sum - < <(yes | tr -d '\\n')",
                         "standard input: line 1, byte 0: '" + "y" * 40 + "' (cut) is not a number")

    def test_a_number_that_goes_on_as_none(self):
        self.assert_ends("exec $SHEAF product - < <(printf '1 2\\n3 1234'; yes . | tr -d '\\n')",
                         "standard input: line 2, byte 6: '1234" + "." * 36 + "' (cut) is not a number")

    def test_a_string_in_json(self):
        self.assert_ends("exec $SHEAF sum - --format json < <(printf '[1,\"'; yes | tr -d '\\n')",
                         "standard input: line 1, byte 3: '\"" + "y" * 39 + "' (cut) is not a number")

    def test_digits_that_are_more_than_a_value_may_have(self):
        for digit in "1", "0":
            self.assert_ends(f"exec $SHEAF sum - --max-value 8M < <(yes {digit} | tr -d '\\n')",
                             "a value would be larger than 8388608 bytes (--max-value)", status=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
