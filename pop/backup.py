"""Backups of a database of the ZODB, and of the files that belong to it."""

import os
import shutil
import subprocess
from pathlib import Path

from pop.errors import NotBackedUp


def back_up(data: Path, blobs: Path, directory: Path, repozo: str = "repozo") -> str:
    """Add what is new to a backup, and say what that was.

    The files come after the database, so that none is missing; what is there is never written
    again, so it need not be copied but where the backup is on another file system.

    @param directory: of the backup.
    @param repozo: the ZODB's own tool for that.
    @raise NotBackedUp: it cannot be done.
    """
    if not data.exists():
        raise NotBackedUp(directory=directory, reason=f"there is no database {data}")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _run(repozo, data, directory)
        count = sum(_keep(blobs / name, directory / "blobstorage" / name) for name in _files(blobs))
    except OSError as error:
        reason = f"{error.filename or directory}: {error.strerror}"
        raise NotBackedUp(directory=directory, reason=reason) from error
    return f"Backed up the database and {count} new files to {directory}."


def _files(blobs: Path) -> list[Path]:
    """All that are complete, from there."""
    found = (path.relative_to(blobs) for path in sorted(blobs.rglob("*")) if path.is_file())
    return [name for name in found if name.parts[0] != "tmp"]


def _run(repozo: str, data: Path, directory: Path) -> None:
    command = [repozo, "--backup", f"--repository={directory}", f"--file={data}"]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        raise NotBackedUp(directory=directory, reason=f"repozo: {said[-1].rstrip('.')}")


def _keep(path: Path, copy: Path) -> bool:
    """Whether it is new."""
    if copy.exists():
        return False
    copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(path, copy)
    except OSError:
        shutil.copy2(path, copy)
    return True
