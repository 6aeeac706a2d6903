"""Clients amid random faults, and what holds for them nevertheless.

`Trouble` does to the bytes between clients and servers whatever its seed says; a `Run` lets some
clients do random things amid it, and says what was not kept of all that is promised to them. The
same runs go on in memory, in virtual time, and against real servers through a TCP proxy:
``python -m txzookeeper.testing.faults`` does as many as it is told.
"""

from txzookeeper.testing.faults.run import Run, run_for_real, run_in_memory
from txzookeeper.testing.faults.trouble import Trouble

__all__ = ["Run", "Trouble", "run_for_real", "run_in_memory"]
