"""Packets that come in pieces: the beginning is kept until the rest is there."""

from __future__ import annotations

from struct import Struct
from typing import Final

from txzookeeper.errors import NonsensePacketError, OversizedPacketError

_LENGTH: Final = Struct(">i")


def packet_length(data: bytes, offset: int, limit: int) -> int:
    """Give the length of the packet that begins there, after these four bytes.

    Raises ``OversizedPacketError`` if it is above the limit, ``NonsensePacketError`` if below 0.
    """
    length: int = _LENGTH.unpack_from(data, offset)[0]
    if length > limit:
        message = f"The server sent a packet of {length} bytes; the limit is {limit}."
        raise OversizedPacketError(message=message)
    if length < 0:
        raise NonsensePacketError(message=f"The server sent a packet of {length} bytes.")
    return length


class Fragments:
    """The pieces of one packet, joined once however many they are.

    ``waiting`` says whether there are any.
    """

    __slots__ = ("_missing", "_pieces", "waiting")

    def __init__(self) -> None:
        self.waiting = False
        self._pieces: list[bytes] = []
        self._missing = 0

    def keep(self, piece: bytes, missing: int) -> None:
        """Keep the beginning of a packet, of which so many bytes are to come."""
        self.waiting = True
        self._pieces = [piece]
        self._missing = missing

    def joined(self, data: bytes) -> bytes | None:
        """Add what has come; give everything if the packet is whole, else None."""
        self._pieces.append(data)
        self._missing -= len(data)
        if self._missing > 0:
            return None
        pieces, self._pieces = self._pieces, []
        self.waiting = False
        return b"".join(pieces)
