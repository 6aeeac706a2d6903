"""Taking a tree out of a data directory, and into a new one, while no server runs there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TextIO

from txzookeeper import archive
from txzookeeper.datadirectory import DataDirectory, sync_directory
from txzookeeper.store import Image, Store, blank
from txzookeeper.trouble import BadArchive, CannotExport, HasData, NoData


def export_tree(directory: Path, target: Path) -> int:
    """Write an archive of a data directory, and say how many nodes it has.

    It appears when it is whole, in the place of any that was there. Raises a `Trouble`.
    """
    image = _loaded(directory)
    part = target.with_name(f".{target.name}.part")
    try:
        with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            count = write_tree(image, file)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
        sync_directory(target.absolute().parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise CannotExport(file=target, reason=error.strerror or error) from error
    return count


def show_tree(directory: Path, file: TextIO) -> int:
    """Write an archive of a data directory to an open file, and say how many nodes it has."""
    return write_tree(_loaded(directory), file)


def write_tree(image: Image, file: TextIO) -> int:
    """Write an archive's lines, and say how many nodes it has."""
    count = -1
    for line in archive.written(image):
        file.write(line)
        count += 1
    return count


def import_tree(directory: Path, source: Path, secret: bytes) -> int:
    """Fill a new data directory from an archive, and say how many nodes it has.

    Either all is there afterwards or nothing. Raises a `Trouble`.
    """
    try:
        with source.open(encoding="utf-8") as file:
            image = archive.read(file, secret)
    except OSError as error:
        raise BadArchive(file=source, reason=error.strerror or error) from error
    except ValueError as error:
        raise BadArchive(file=source, reason=error) from error
    home = DataDirectory(directory)
    home.hold()
    try:
        _fill(home, image)
    finally:
        home.release()
    return len(image.nodes)


def _fill(home: DataDirectory, image: Image) -> None:
    if home.store.exists():
        raise HasData(directory=home.path)
    new = Store(home.store.with_suffix(".new"))
    for left_over in home.path.glob(f"{new.path.name}*"):
        left_over.unlink()
    new.open(image)
    new.close()
    new.path.replace(home.store)
    sync_directory(home.path)


def _loaded(directory: Path) -> Image:
    home = DataDirectory(directory)
    if not home.store.exists():
        raise NoData(directory=home.path)
    home.hold()
    store = Store(home.store)
    try:
        store.open(blank(b""))
        return store.load()
    finally:
        store.close()
        home.release()
