"""What is known of this machine."""

import ipaddress
import uuid
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from pop.errors import BadLabel, BadName, BadStateDirectory
from pop.machine import describe, kept_id, machine_id, parse_labels

HARDWARE = "4C4C4544-0042-3610-8052-B4C04F4E3732"
SYSTEM = "9a8b7c6d5e4f40318273645546372819"
MADE = uuid.UUID("00000000-0000-1000-8000-000000000001")


class IdTests(SynchronousTestCase):
    """A machine's id: the hardware's, else the system's, else one that is made and kept."""

    def setUp(self) -> None:
        base = Path(self.mktemp())
        base.mkdir()
        self.hardware, self.system = base / "product_uuid", base / "machine-id"
        self.kept = base / "state" / "machine-id"

    def find(self, make: uuid.UUID = MADE) -> str:
        """What it is here."""
        return machine_id(self.kept, self.hardware, (self.system,), lambda: make)

    def test_hardware(self) -> None:
        """The hardware's counts most, and is written as UUIDs are."""
        self.hardware.write_text(HARDWARE + "\n")
        self.system.write_text(SYSTEM)
        self.assertEqual(HARDWARE.lower(), self.find())

    def test_system(self) -> None:
        """Where the hardware's cannot be read, it is the system's."""
        self.hardware.mkdir()
        self.system.write_text(SYSTEM + "\n")
        self.assertEqual("9a8b7c6d-5e4f-4031-8273-645546372819", self.find())

    def test_no_ids(self) -> None:
        """What firmware and images write that have none is not taken for one."""
        self.system.write_text(SYSTEM)
        for none in ("", "0" * 32, str(uuid.UUID(int=0)), "F" * 32, "Not Settable", "\xff"):
            self.hardware.write_text(none, encoding="latin-1")
            self.assertEqual(str(uuid.UUID(SYSTEM)), self.find(), none)
        self.system.write_text("uninitialized\n")
        self.assertEqual(str(MADE), self.find())

    def test_kept(self) -> None:
        """One that was made is the same from then on, and only its owner sees the directory."""
        self.assertEqual(str(MADE), self.find())
        self.assertEqual(str(MADE), self.find(uuid.UUID(SYSTEM)))
        self.assertEqual(0o700, self.kept.parent.stat().st_mode & 0o777)

    def test_later_hardware(self) -> None:
        """Nothing is made or kept where there is an id already."""
        self.hardware.write_text(HARDWARE)
        self.find()
        self.assertFalse(self.kept.parent.exists())

    def test_garbage(self) -> None:
        """A kept one that broke is made anew."""
        self.kept.parent.mkdir()
        self.kept.write_text("garbage")
        self.assertEqual(str(MADE), self.find())
        self.assertEqual(str(MADE), kept_id(self.kept))

    def test_cannot_be_kept(self) -> None:
        """Where none can be kept, that is said of the state directory."""
        self.kept.parent.write_text("a file in its place")
        error = self.assertRaises(BadStateDirectory, self.find)
        self.assertEqual(
            f"The state directory {self.kept.parent} cannot be used: File exists. Choose another"
            " with --state-dir.",
            str(error),
        )


class DescriptionTests(SynchronousTestCase):
    """What other machines are told of this one."""

    def test_described(self) -> None:
        """Its name, its versions and its labels."""
        found = describe("m1", {"rack": "7"})
        self.assertEqual(("m1", {"rack": "7"}), (found.id, found.labels))
        for text in (found.host, found.pop, found.python):
            self.assertTrue(text)

    def test_addresses(self) -> None:
        """Its addresses, without those that lead back to oneself, in order."""
        addresses = describe("m1", {}).addresses
        self.assertEqual(tuple(sorted(set(addresses))), addresses)
        for address in map(ipaddress.ip_address, addresses):
            self.assertFalse(address.is_loopback or address.is_link_local, address)

    def test_name(self) -> None:
        """An id that can be no node is refused."""
        self.assertRaises(BadName, describe, "a/b", {})


class LabelTests(SynchronousTestCase):
    """Labels from the command line."""

    def test_pairs(self) -> None:
        """Each is a key and a value; the last one of a key counts, and a value may be anything."""
        self.assertEqual(
            {"rack": "8", "role": "web=1", "spare": ""},
            parse_labels(("rack=7", "role=web=1", "spare=", "rack=8")),
        )
        self.assertEqual({}, parse_labels(()))

    def test_refused(self) -> None:
        """What is no pair is refused."""
        for text in ("rack", "=7", ""):
            error = self.assertRaises(BadLabel, parse_labels, (text,))
            self.assertEqual(f'The label "{text}" is not of the form KEY=VALUE.', str(error))
