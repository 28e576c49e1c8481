"""What `cmake --install` puts in place works there, and wherever that is moved; and what scripts/run costs."""

import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time
import unittest

import farm
from farm import BUILD, ROOT, Result

RUN_MS_MAX = 50
MODULES = sorted(path.name for path in BUILD.glob("sheaf-link-*.so"))  # that of MPI is there where MPI is


@unittest.skipUnless(shutil.which("cmake"), "no cmake here")
class Install(farm.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="sheaf-install-")
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)

    def install(self, prefix, **more):
        done = subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix], capture_output=True, check=False,
                              timeout=farm.TIMEOUT, env=dict(os.environ, **more))
        self.assertEqual(done.returncode, 0, done.stderr)

    def run_program(self, program, *arguments, **more):
        done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False, timeout=farm.TIMEOUT,
                              cwd=self.directory, env=farm.environment(**more))
        return Result(done.returncode, done.stdout, done.stderr)

    def test_a_worker_that_cannot_run_ends_the_job(self):
        for name in ("sheaf", "sheaf-link-zmq.so"):
            shutil.copy(BUILD / name, self.directory)
        worker = self.directory / "sheaf-worker"
        worker.write_text("#!/bin/sh\nexit 127\n")
        worker.chmod(0o755)
        why = f"sheaf: {worker} ended before its first word, with status 127; "
        self.assert_fails(self.run_program(self.directory / "sheaf", "sum", "1..5", "-j", 2), 1,
                          f"{why}trying again\n{why}the job cannot go on")

    def check(self, sheaf, worker, **more):
        """Both programs find each other, and the module that a farm needs."""
        self.assert_gives(self.run_program(sheaf, "sum", "1..400", "--every", 100, "-j", 2, **more),
                          "5050\n15050\n25050\n35050\n")
        url = f"ipc://{self.directory}/socket"
        logs = [open(self.directory / name, "w+", encoding="utf-8") for name in ("coordinator", "worker")]
        programs = [subprocess.Popen(command, stderr=log, env=farm.environment(**more)) for command, log in
                    zip(([sheaf, "coordinator", "--listen", url], [worker, "--connect", url, "-j", "1"]), logs)]
        try:
            result = self.run_program(sheaf, "product", "1..20", "--farm", url, "--give-up", 30, "-q", **more)
            for log in logs:
                log.seek(0)
            self.assertEqual((result.status, result.out), (0, "2432902008176640000\n"),
                             (result, [log.read() for log in logs]))
        finally:
            for program, log in zip(programs, logs):
                program.kill()
                program.wait(20)
                log.close()

    def test_in_a_prefix_and_moved_and_through_a_link(self):
        prefix = self.directory / "first"
        self.install(prefix)
        installed = sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if not path.is_dir())
        self.assertEqual([pathlib.Path(name).name for name in installed],
                         ["sheaf", "sheaf-worker", *MODULES])
        self.check(prefix / "bin/sheaf", prefix / "bin/sheaf-worker")

        moved = self.directory / "a folder of another name"
        prefix.rename(moved)
        self.check(moved / "bin/sheaf", moved / "bin/sheaf-worker")

        links = self.directory / "links"
        links.mkdir()
        for name in ("sheaf", "sheaf-worker"):
            (links / name).symlink_to(moved / "bin" / name)
        self.check("sheaf", "sheaf-worker", PATH=f"{links}:{os.environ['PATH']}")

    def test_in_a_staging_folder(self):
        stage = self.directory / "stage"
        self.install("/opt/somewhere", DESTDIR=str(stage))
        self.check(stage / "opt/somewhere/bin/sheaf", stage / "opt/somewhere/bin/sheaf-worker")

    def test_a_program_without_the_other_says_which_is_missing(self):
        prefix = self.directory / "torn"
        self.install(prefix)
        (prefix / "bin/sheaf-worker").unlink()
        result = self.run_program(prefix / "bin/sheaf", "sum", "1..4")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn(f"{prefix}/bin/sheaf-worker", result.err)
        for module in prefix.rglob("*.so"):
            module.unlink()
        result = self.run_program(prefix / "bin/sheaf", "status", "--farm", "tcp://127.0.0.1:1")
        self.assertEqual((result.status, result.out), (1, ""), result)
        self.assertIn("sheaf-link-zmq.so", result.err)


@unittest.skipUnless(BUILD == ROOT / "build", "scripts/run is for the release build")
class Run(farm.TestCase):
    def test_it_costs_little_once_all_is_built(self):
        def milliseconds(program):
            begin = time.monotonic()
            subprocess.run([program, "--version"], check=True, stdout=subprocess.DEVNULL, timeout=farm.TIMEOUT,
                           env=farm.environment())
            return (time.monotonic() - begin) * 1000

        script = str(ROOT / "scripts/run")
        subprocess.run([script, "--version"], check=True, stdout=subprocess.DEVNULL, timeout=500)
        # In turn, so that what else this machine does hits both alike.
        pairs = [(milliseconds(script), milliseconds(farm.SHEAF)) for _ in range(10)]
        costs = [script - bare for script, bare in pairs]
        self.assertLess(min(min(costs), statistics.median(costs)), RUN_MS_MAX, pairs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
