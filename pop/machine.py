"""The machine that this is."""

import os
import platform
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

import pop
from pop.errors import BadLabel, BadStateDirectory
from pop.model import Machine
from pop.paths import check_name

HARDWARE = Path("/sys/class/dmi/id/product_uuid")
SYSTEM = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))
NOT_AN_ID = frozenset({"", "0" * 32, "f" * 32, "uninitialized"})
"""What firmware and images say when they have no id."""


def machine_id(
    kept: Path,
    hardware: Path = HARDWARE,
    system: tuple[Path, ...] = SYSTEM,
    make: Callable[[], uuid.UUID] = uuid.uuid1,
) -> str:
    """This machine's id: the hardware's, else the system's, else one that is made once and kept.

    @param kept: the file where a made one is.
    @raise BadStateDirectory: it can be neither read nor kept.
    """
    for path in (hardware, *system):
        found = _read_id(path)
        if found:
            return found
    return kept_id(kept, make)


def kept_id(path: Path, make: Callable[[], uuid.UUID] = uuid.uuid1) -> str:
    """The id in a file; if there is none yet, one is made.

    @raise BadStateDirectory: it can be neither read nor kept.
    """
    found = _read_id(path)
    if found:
        return found
    made = str(make())
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_suffix(".new")
        with open(draft, "w", opener=_private) as file:
            file.write(made + "\n")
        draft.replace(path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise BadStateDirectory(directory=path.parent, reason=reason) from error
    return made


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read_id(path: Path) -> str | None:
    try:
        text = path.read_text().strip().lower()
    except (OSError, UnicodeDecodeError):
        return None
    if text.replace("-", "") in NOT_AN_ID:
        return None
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return None


def describe(machine: str, labels: Mapping[str, str]) -> Machine:
    """What is known of this machine."""
    return Machine(
        id=check_name("machine", machine),
        host=socket.gethostname(),
        addresses=tuple(sorted(_addresses())),
        labels=labels,
        pop=pop.__version__,
        python=platform.python_version(),
    )


def _addresses() -> set[str]:
    """Those that other machines may reach."""
    found = [entry for entries in psutil.net_if_addrs().values() for entry in entries]
    inet = (socket.AF_INET, socket.AF_INET6)
    addresses = {entry.address.partition("%")[0] for entry in found if entry.family in inet}
    return {a for a in addresses if not a.startswith(("127.", "fe80:")) and a != "::1"}


def parse_labels(texts: tuple[str, ...]) -> dict[str, str]:
    """Labels from the command line.

    @raise BadLabel: one is not C{KEY=VALUE}.
    """
    pairs = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise BadLabel(label=text)
        pairs[key] = value
    return pairs
