"""Directories of an agent's own, some of which its children pass through."""

import hashlib
import os
import tempfile
from pathlib import Path


def notify_directory(state_dir: Path) -> Path:
    """Where the notify sockets lie: in the state directory, unless its path is too long for one."""
    inside = state_dir / "notify"
    if len(os.fsencode(inside)) <= 80:
        return inside
    short = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"pop-{os.geteuid()}-{short}"


def socket_path(state_dir: Path, name: str) -> Path:
    """Where a socket of the agent's own is: beside its files, unless that path is too long."""
    inside = state_dir / name
    return inside if len(os.fsencode(inside)) <= 100 else notify_directory(state_dir) / name


def passing_mode() -> int:
    """The mode of a directory that children may have to pass through.

    Those of an agent that is root may be other users; they see nothing in there but their own.
    """
    return 0o711 if os.geteuid() == 0 else 0o700


def own_directory(path: Path, mode: int) -> None:
    """Make a directory that is there for nobody else, or make sure that it is ours.

    @raise OSError: it cannot be made, or somebody else did.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        raise OSError(0, f"{path} belongs to somebody else")
    path.chmod(mode)
