"""scripts/scale: the laws it fits, and a small experiment from the sweep to the pictures."""

import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import farm

SCRIPTS = farm.ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))

from scaling import fits, plots  # noqa: E402: the path comes first

NO_GNUPLOT = None if shutil.which("gnuplot") else "no gnuplot here"


class TestLaws(unittest.TestCase):
    """Points that follow a law exactly give back its parameters."""

    def test_amdahl(self):
        points = [(p, fits.amdahl_at({"serial_fraction": 0.08}, p)) for p in (1, 2, 4, 16)]
        self.assertAlmostEqual(fits.amdahl(points)["serial_fraction"], 0.08)
        for p, s in points[1:]:
            self.assertAlmostEqual(fits.karp_flatt(p, s), 0.08)

    def test_gustafson(self):
        points = [(p, fits.gustafson_at({"serial_fraction": 0.3}, p)) for p in (1, 2, 8)]
        self.assertAlmostEqual(fits.gustafson(points)["serial_fraction"], 0.3)

    def test_universal(self):
        points = [(p, fits.universal_at({"sigma": 0.05, "kappa": 0.002}, p)) for p in (1, 2, 4, 8, 32)]
        fit = fits.universal(points)
        self.assertAlmostEqual(fit["sigma"], 0.05)
        self.assertAlmostEqual(fit["kappa"], 0.002)

    def test_parameters_are_not_below_0(self):
        better = [(1, 1.0), (2, 2.2), (4, 4.5)]
        self.assertEqual(fits.amdahl(better), {"serial_fraction": 0.0})
        self.assertEqual(fits.universal(better), {"sigma": 0.0, "kappa": 0.0})

    def test_too_few_points(self):
        self.assertIsNone(fits.amdahl([(1, 1.0)]))
        self.assertIsNone(fits.universal([(1, 1.0), (2, 1.9)]))

    def test_quartiles(self):
        self.assertEqual(fits.median([3, 1, 2]), 2)
        self.assertEqual(fits.median([4, 1, 2, 3]), 2.5)
        self.assertEqual(fits.quartiles([1, 2, 3, 4, 5]), (2, 4))


class TestTraces(unittest.TestCase):
    def test_lines_that_something_else_was_said_into_are_passed_over(self):
        with tempfile.TemporaryDirectory() as directory:
            (pathlib.Path(directory) / "up-1.trace").write_text(
                "trace one 7 0 fold 10.5 11.5 100\n"
                "trace one 7 0 fold 11.5sheaf-worker: lost tcp://10.0.0.1:7400\n"
                "trace one 7 1 fold 12.0\n"
                "trace two 8 1 count 11.0 12.0 50\n")
            self.assertEqual(plots.read_traces(pathlib.Path(directory)),
                             [("one/7/0", "fold", 10.5, 11.5), ("two/8/1", "count", 11.0, 12.0)])


class ScaleTest(farm.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = self.directory / "results"

    def command(self, *arguments):
        return [sys.executable, str(SCRIPTS / "scale"), "--out", str(self.out), *map(str, arguments)]

    def env(self, **more):
        return farm.environment(**{"SHEAF_BUILD": str(farm.BUILD), **more})

    def scale(self, *arguments, **more):
        done = subprocess.run(self.command(*arguments), capture_output=True, timeout=180, env=self.env(**more), check=False)
        return farm.Result(done.returncode, done.stdout, done.stderr)

    def runs(self):
        return json.loads((self.out / "results.json").read_text())["runs"]

    def rows(self):
        with open(self.out / "results.csv", newline="") as file:
            return list(csv.DictReader(file))


@unittest.skipIf(NO_GNUPLOT, NO_GNUPLOT)
class TestExperiment(ScaleTest):
    SMALL = ("--workload", "sum:300000", "--workload", "range-product:4000", "--workers", "1,2", "--repeat", "2",
             "--mode", "strong,weak", "--seed", "7")

    def test_from_the_sweep_to_the_report(self):
        result = self.scale(*self.SMALL)
        self.assertEqual(result.status, 0, result)
        rows = self.rows()
        self.assertEqual(len(rows), 2 * 2 * 2 * 3)
        self.assertEqual({row["problem"] for row in rows}, {""})
        self.assertTrue(all(float(row["seconds"]) > 0 for row in rows))
        about = json.loads((self.out / "results.json").read_text())["circumstances"]
        for name in ("sheaf", "git_commit", "host", "cpu", "cores", "kernel"):
            self.assertIn(name, about)
        report = (self.out / "report.md").read_text()
        for words in ("Amdahl's law: serial fraction = ", "Gustafson's law: serial fraction = ", "Karp–Flatt"):
            self.assertIn(words, report)
        for name in ("sum-300000-strong", "sum-300000-weak", "range-product-4000-strong"):
            for picture in ("speed-up", "efficiency", "karp-flatt", "phases", "gantt"):
                self.assertIn(f"(plots/{name}-{picture}.png)", report)
                self.assertTrue((self.out / "plots" / f"{name}-{picture}.png").read_bytes().startswith(b"\x89PNG"))
                self.assertIn("</svg>", (self.out / "plots" / f"{name}-{picture}.svg").read_text())
        bars = plots.read_traces(self.out / "traces" / "sum:300000-strong-2-0")
        self.assertTrue(bars)
        self.assertTrue(all(begin <= end for _, _, begin, end in bars))

    def test_interrupted_it_goes_on_where_it_stopped(self):
        running = farm.Running(self.command()[0], self.command(*self.SMALL)[1:], self.directory, self.env())
        farm.wait_until(lambda: running.error_text().count("\n") >= 5, what="five runs")
        os.killpg(running.pid, signal.SIGINT)
        self.assertEqual(running.wait().status, 130)
        before = self.runs()
        self.assertGreaterEqual(len(before), 5)
        # The one is written after the other, and each whole or not at all.
        self.assertIn(len(self.rows()), (len(before), len(before) - 1))
        result = self.scale(*self.SMALL)
        self.assertEqual(result.status, 0, result)
        after = self.runs()
        self.assertEqual(after[:len(before)], before)
        self.assertEqual((len(after), len(self.rows())), (24, 24))
        self.assertEqual(result.err.count("scale: "), 24 - len(before) + 1)

    def test_another_sweep_is_not_mixed_in(self):
        self.assertEqual(self.scale("--workload", "sum:1000", "--workers", "1", "--repeat", "1").status, 0)
        self.assert_fails(self.scale("--workload", "sum:1000", "--workers", "1,2", "--repeat", "3"), 2,
                          f"scale: {self.out}/results.json: of another sweep (its repeat, workers differ); choose another "
                          "--out")

    def test_a_wrong_answer_and_one_without_times_are_failed_runs(self):
        build = self.directory / "build"
        build.mkdir()
        # The program that is asked for 2 processes answers something else; for 3, it keeps the times to itself.
        (build / "sheaf").write_text(f'#!/bin/sh\ncase "$*" in *"-j 2"*) echo 1; echo "{{}}" >&2; exit 0;; '
                                     f'*"-j 3"*) exec {farm.SHEAF} "$@" 2>/dev/null;; esac\nexec {farm.SHEAF} "$@"\n')
        (build / "sheaf").chmod(0o755)
        result = self.scale("--workload", "sum:1000", "--workers", "1,2,3", "--repeat", "1", SHEAF_BUILD=str(build))
        self.assertEqual(result.status, 1, result)
        report = (self.out / "report.md").read_text()
        self.assertIn("sum:1000, strong, 2 slots: the answer is not that of one process", report)
        self.assertIn("sum:1000, strong, 3 slots: it ended without saying its times", report)

    def test_where_one_process_takes_too_long_nothing_can_be_compared(self):
        build = self.directory / "build"
        build.mkdir()
        (build / "sheaf").write_text('#!/bin/sh\ncase "$*" in *-j*) exec sleep 60;; esac\n')
        (build / "sheaf").chmod(0o755)
        self.assert_fails(self.scale("--workload", "sum:1", "--timeout", "0.5", SHEAF_BUILD=str(build)), 2,
                          "scale: sheaf sum random:1:1: it did not end within 0.5 s")

    def test_a_client_in_a_container_that_takes_too_long_is_removed(self):
        tools = self.directory / "bin"
        tools.mkdir()
        log = self.directory / "removed"
        (tools / "docker").write_text('#!/bin/sh\ncase "$*" in rm*) echo "$*" >>' f'"{log}";; *" exec "*) '
                                      'echo \'{"workers":[1]}\';; *" run "*) exec sleep 60;; esac\n')
        (tools / "docker").chmod(0o755)
        result = self.scale("--on", "compose", "--workload", "sum:1", "--workers", "1", "--repeat", "1", "--timeout", "3",
                            PATH=f"{tools}:{os.environ['PATH']}")
        self.assertEqual(result.status, 1, result)
        self.assertRegex(log.read_text(), r"^(rm -f sheaf-scale-\d+-client\n){2}$")

    def test_hosts_over_ssh(self):
        ssh = self.directory / "ssh"
        ssh.write_text('#!/bin/sh\nexec sh -c "$2"\n')
        ssh.chmod(0o755)
        file = self.directory / "hosts.txt"
        file.write_text("one 1 # first\ntwo\n")
        result = self.scale("--hosts", file, "--workload", "sum:100000", "--workers", "1,2", "--repeat", "1",
                            SHEAF_SSH=str(ssh))
        self.assertEqual(result.status, 0, result)
        slots = {bar[0] for bar in plots.read_traces(self.out / "traces" / "sum:100000-strong-2-0")}
        self.assertTrue(slots)
        self.assertIn("2 hosts over ssh: one, two", (self.out / "report.md").read_text())


    def test_a_run_without_one_of_its_hosts_is_a_failed_run(self):
        ssh = self.directory / "ssh"
        ssh.write_text('#!/bin/sh\ncase $1 in lost) echo "no way there" >&2; exit 255;; esac\nexec sh -c "$2"\n')
        ssh.chmod(0o755)
        file = self.directory / "hosts.txt"
        file.write_text("one\nlost\n")
        result = self.scale("--hosts", file, "--workload", "sum:1000", "--workers", "1,2", "--repeat", "1",
                            SHEAF_SSH=str(ssh))
        self.assertEqual(result.status, 1, result)
        self.assertEqual({row["problem"] for row in self.rows() if row["workers"] == "1"}, {""})
        self.assertEqual({row["problem"] for row in self.rows() if row["workers"] == "2"},
                         {"exit status 3: lost: not up: no way there (status 255)"})


class TestWrongUse(ScaleTest):
    def test_sentences(self):
        for arguments, sentence in (
                (("--workload", "sum"), "workload 'sum': expected one of sum:N, product:N, range-sum:N, range-product:N, "
                                        "reference:PATH, value:PATH, tasks:N"),
                (("--workload", "sum:x"), "'x': the size of a workload is a whole number from 1 on, such as 1000 or 1e6"),
                (("--workload", "value:/nowhere"), "workload 'value:/nowhere': there is no such file")):
            with self.subTest(arguments=arguments):
                self.assert_fails(self.scale(*arguments), 2, f"scale: {sentence}")

    @unittest.skipIf(NO_GNUPLOT, NO_GNUPLOT)
    def test_places_that_are_not_there(self):
        self.assert_fails(self.scale("--hosts", "/nowhere", "--workload", "sum:1"), 2,
                          "scale: /nowhere: No such file or directory")
        gnuplot_alone = self.directory / "bin"
        gnuplot_alone.mkdir()
        (gnuplot_alone / "gnuplot").symlink_to(shutil.which("gnuplot"))
        self.assert_fails(self.scale("--on", "compose", "--workload", "sum:1", PATH=str(gnuplot_alone)), 2,
                          "scale: --on compose: no Docker engine runs here")
        self.assert_fails(self.scale("--on", "mpi", "--workload", "sum:1", PATH=str(gnuplot_alone)), 2,
                          "scale: --on mpi: there is no mpirun here")

    @unittest.skipIf(NO_GNUPLOT, NO_GNUPLOT)
    def test_an_image_that_cannot_be_built_is_not_measured_as_it_was(self):
        tools = self.directory / "bin"
        tools.mkdir()
        (tools / "gnuplot").symlink_to(shutil.which("gnuplot"))
        (tools / "docker").write_text('#!/bin/sh\ncase "$*" in *" build "*) echo "no base image" >&2; exit 1;; esac\n')
        (tools / "docker").chmod(0o755)
        self.assert_fails(self.scale("--on", "compose", "--workload", "sum:1", PATH=f"{tools}:{os.environ['PATH']}"), 2,
                          "scale: --on compose: no base image")
        self.assertEqual(list(self.out.glob("results.*")), [])

    def test_without_gnuplot_it_says_so_before_it_runs_anything(self):
        self.assert_fails(self.scale("--workload", "sum:1", PATH="/nowhere"), 2,
                          "scale: there is no gnuplot here to draw with (Debian: apt install gnuplot-nox)")


if __name__ == "__main__":
    unittest.main()
