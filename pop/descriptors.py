"""Descriptors above what the system gives at first.

An agent has one for each process that it watches, and most systems allow 1,024 unless one asks for
more. To ask once and for all would change what its children inherit, and some programs fare badly
with that; so the low numbers are kept free for what comes and goes, and the agent's limit is raised
for no longer than it takes to move what stays.
"""

import fcntl
import os
import resource


def lifted(number: int) -> int:
    """The same file under a number that is out of the way, if those below become few.

    The given number is closed in that case. None of them is passed on to children.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if number < soft // 2 or soft == resource.RLIM_INFINITY:
        return number
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        above = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, soft)
    except (OSError, ValueError):  # it may not be raised: then there is as much as there is
        return number
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    os.close(number)
    return above
