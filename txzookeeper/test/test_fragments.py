"""Packets arrive whole, in however many pieces they come."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from txzookeeper.errors import NonsensePacketError, OversizedPacketError
from txzookeeper.fragments import Fragments, packet_length


class FragmentsTests(SynchronousTestCase):
    """The pieces of one packet."""

    def test_joined(self) -> None:
        """They are given when the last one is there, with what follows it."""
        fragments = Fragments()
        self.assertFalse(fragments.waiting)
        fragments.keep(b"ab", 3)
        self.assertIsNone(fragments.joined(b"c"))
        self.assertTrue(fragments.waiting)
        self.assertEqual(fragments.joined(b"def"), b"abcdef")
        self.assertFalse(fragments.waiting)

    def test_again(self) -> None:
        """Nothing of a packet is left when the next one comes."""
        fragments = Fragments()
        for _ in range(2):
            fragments.keep(b"a", 1)
            self.assertEqual(fragments.joined(b"b"), b"ab")


class LengthTests(SynchronousTestCase):
    """What a packet says of its length."""

    def test_good(self) -> None:
        """It is read where it lies, and may be the limit."""
        self.assertEqual(packet_length(b"..\0\0\0\x07", 2, 7), 7)

    def test_bad(self) -> None:
        """One that is too long or negative is refused, and the error says how long it is."""
        error = self.assertRaises(OversizedPacketError, packet_length, b"\0\0\0\x08", 0, 7)
        self.assertEqual(str(error), "The server sent a packet of 8 bytes; the limit is 7.")
        error = self.assertRaises(NonsensePacketError, packet_length, b"\xff\xff\xff\xff", 0, 7)
        self.assertEqual(str(error), "The server sent a packet of -1 bytes.")
