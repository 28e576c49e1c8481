"""The units for systemd: sound, hardened, and naming options that the programs take."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import farm

UNITS = sorted((farm.ROOT / "deploy" / "systemd").glob("*.service"))
EXPOSURE_MAX = 2.5  # of 10, as systemd-analyze security counts


@unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze here")
class TestUnits(farm.TestCase):
    def setUp(self):
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.units = []
        for unit in UNITS:  # where `cmake --install` puts the programs there may be none
            copy = directory / unit.name
            copy.write_text(unit.read_text().replace("/usr/local/bin/", f"{farm.BUILD}/"))
            self.units.append(copy)

    def analyze(self, *arguments):
        done = subprocess.run(["systemd-analyze", *map(str, arguments)], capture_output=True, text=True,
                              timeout=farm.TIMEOUT, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_there_is_one_for_the_coordinator_and_one_for_workers(self):
        self.assertEqual([unit.name for unit in UNITS], ["sheaf-coordinator.service", "sheaf-worker.service"])

    def test_systemd_finds_nothing_to_complain_of(self):
        for unit in self.units:
            with self.subTest(unit=unit.name):
                self.assertEqual(self.analyze("verify", "--man=no", unit), (0, ""))

    def test_verification_finds_what_is_wrong(self):
        self.units[0].write_text(self.units[0].read_text().replace("DynamicUser=yes", "DynamicUser=perhaps"))
        self.assertIn("perhaps", self.analyze("verify", "--man=no", self.units[0])[1])

    def test_they_may_do_little(self):
        for unit in self.units:
            with self.subTest(unit=unit.name):
                status, said = self.analyze("security", "--offline=yes", "--no-pager", unit)
                self.assertEqual(status, 0, said)
                exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", said).group(1))
                self.assertLessEqual(exposure, EXPOSURE_MAX, said)
                for line in ("DynamicUser=yes", "NoNewPrivileges=yes", "PrivateTmp=yes"):
                    self.assertIn(line, unit.read_text())

    def test_their_commands_are_understood(self):
        for unit in self.units:
            command = re.search(r"^ExecStart=(.*)$", unit.read_text(), re.M).group(1).split()
            options = [word for word in command if word.startswith("--")]
            subcommand = [word for word in command[1:2] if not word.startswith("-")]
            said = subprocess.run([command[0], *subcommand, "--help"], capture_output=True, text=True,
                                  timeout=farm.TIMEOUT, check=True).stdout
            for option in options:
                self.assertIn(option, said)


if __name__ == "__main__":
    unittest.main()
