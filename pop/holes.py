"""Taking away the beginning of a file that others are appending to (Linux: fallocate(2)).

A hole reads as zeros and takes no room; nothing else moves, so those who write at the end and those
who read behind it notice nothing. To take the range out and move up the rest would be tidier
(C{FALLOC_FL_COLLAPSE_RANGE}), but was seen to lose what others were just appending, about once in
10,000 times (ext4, Linux 6.18).
"""

import ctypes
import errno
import os
from functools import cache
from typing import Any, Final

KEEP_SIZE: Final = 0x01
PUNCH_HOLE: Final = 0x02
"""From C{linux/falloc.h}."""

_UNSUPPORTED: Final = (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.ETXTBSY)


class NoHoles(OSError):
    """This system or file system cannot do it."""


def punch(descriptor: int, end: int) -> None:
    """Make the beginning of a file a hole.

    From its very beginning, though most of that was one before: what is punched out piece by piece
    leaves the blocks in which two pieces meet, full of zeros.

    @raise NoHoles: not here.
    @raise OSError: it failed.
    """
    _allocate(descriptor, PUNCH_HOLE | KEEP_SIZE, 0, end)


def require(descriptor: int) -> None:
    """Make sure that holes can be punched here, by one where there is nothing.

    @raise NoHoles: they cannot.
    """
    beyond = os.fstat(descriptor).st_size + (1 << 30)
    _allocate(descriptor, PUNCH_HOLE | KEEP_SIZE, beyond, 1)


def first_data(descriptor: int) -> int:
    """Where a file's content begins: behind the zeros at its head, wherever these come from."""
    try:
        offset = os.lseek(descriptor, 0, os.SEEK_DATA)
    except OSError as error:
        if error.errno != errno.ENXIO:
            raise
        return os.fstat(descriptor).st_size  # it is all hole
    while chunk := os.pread(descriptor, 1 << 16, offset):
        zeros = len(chunk) - len(chunk.lstrip(b"\0"))
        offset += zeros
        if zeros < len(chunk):
            break
    return offset


def _allocate(descriptor: int, mode: int, offset: int, length: int) -> None:
    fallocate = _fallocate()
    if fallocate is None:
        raise NoHoles(errno.ENOSYS, os.strerror(errno.ENOSYS))
    while fallocate(descriptor, mode, offset, length) != 0:
        number = ctypes.get_errno()
        if number == errno.EINTR:
            continue
        kind = NoHoles if number in _UNSUPPORTED else OSError
        raise kind(number, os.strerror(number))


@cache
def _fallocate() -> Any:
    function = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return function
