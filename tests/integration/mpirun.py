"""What is not the same in all releases of mpirun."""

import functools
import re
import shutil
import subprocess

# What mpirun adds on standard error when a rank ends with another status than 0.
NOTICE = re.compile(r"-{70,}\n.*?\n-{70,}\n", re.S)


@functools.cache
def words():
    """The command, without ranks and programs, as quiet as it can be; None where there is none."""
    if not shutil.which("mpirun"):
        return None
    said = subprocess.run(["mpirun", "--version"], capture_output=True, text=True, timeout=20, check=False).stdout
    quiet = ["-q"] if re.search(r"\) [1-4]\.", said) else []  # later ones cannot be told to be
    return ["mpirun", *quiet, "--bind-to", "none"]


def without_notices(text):
    return NOTICE.sub("", text)
