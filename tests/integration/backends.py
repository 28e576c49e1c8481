"""One list of cases on every backend: the pool of this machine, a farm over ZeroMQ, ranks over MPI.

SHEAF_TEST_BACKEND says which (local, zmq or mpi; local by itself). A test that uses this writes commands
as for one machine; sheaf() and command() add what the backend needs and take out what only a pool of
this machine has. The answer and the sentences must not change by it.
"""

import os
import shutil
import tempfile
import unittest

import farm
import mpirun

BACKEND = os.environ.get("SHEAF_TEST_BACKEND", "local")
RANKS = 2
if BACKEND not in ("local", "zmq", "mpi"):
    raise ValueError(f"SHEAF_TEST_BACKEND is '{BACKEND}', not local, zmq or mpi")

# Tests may run as root; and mpirun would wait two seconds for the other ranks after one that fails.
MPIRUN = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
          "OMPI_MCA_odls_base_sigkill_timeout": "0", "PRTE_MCA_odls_base_sigkill_timeout": "0"}


class State:
    farm = None


def set_up():
    """A test file's setUpModule: a coordinator and two workers for all its tests."""
    if BACKEND == "zmq":
        directory = tempfile.TemporaryDirectory(prefix="sheaf-test-")
        unittest.addModuleCleanup(directory.cleanup)
        State.farm = farm.Farm(directory.name, workers=2, processes=2)
        State.farm.__enter__()
        unittest.addModuleCleanup(State.farm.__exit__)
    if BACKEND == "mpi" and not shutil.which("mpirun"):
        raise unittest.SkipTest("no mpirun here (scripts/setup)")


def without_processes(arguments):
    """The arguments without -j N, which is for a pool of this machine."""
    kept = list(arguments)
    while "-j" in kept:
        place = kept.index("-j")
        del kept[place:place + 2]
    return kept


def command(*arguments):
    """The whole command line of `sheaf …` on the backend."""
    arguments = list(map(str, arguments))
    if BACKEND == "zmq":
        arguments = [*without_processes(arguments), "--farm", State.farm.url]
    if BACKEND == "mpi":
        room = [] if RANKS <= len(os.sched_getaffinity(0)) else ["--oversubscribe"]
        return [*mpirun.words(), "-n", str(RANKS), *room, farm.SHEAF, *arguments, "--backend", "mpi"]
    return [farm.SHEAF, *arguments]


def environment(mark=None, **more):
    return farm.environment(mark, **(MPIRUN if BACKEND == "mpi" else {}), **more)


def sheaf(*arguments, **more):
    """Run `sheaf` on the backend, to its end."""
    more.setdefault("env", environment())
    return farm.run(command(*arguments), **more)


def some(cases):
    """All cases; every fourth one where each costs half a second."""
    return list(cases)[::4] if BACKEND == "mpi" else cases


def only_on(*names, because):
    """For a test, or a class of tests, of something that the other backends do not have or that is the same there."""
    return unittest.skipUnless(BACKEND in names, because)


def only_local(because):
    return only_on("local", because=because)
