"""Records survive the wire, and nothing from the wire can do harm."""

from __future__ import annotations

from typing import Any, get_args, get_origin, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from txzookeeper import constants as c
from txzookeeper.errors import (
    MarshallingErrorException,
    NonsensePacketError,
    PacketError,
    TruncatedPacketError,
)
from txzookeeper.jute import Given, Int32, Int64, decode, encode
from txzookeeper.multi import (
    Part,
    decode_multi,
    decode_multi_response,
    encode_multi,
    encode_multi_response,
)
from txzookeeper.operations import REPLIES, REQUESTS
from txzookeeper.records import (
    CheckRequest,
    ConnectRequest,
    ConnectResponse,
    CreateRequest,
    ErrorResponse,
    GetChildrenResponse,
    GetDataRequest,
    GetDataResponse,
    MultiHeader,
    ReplyHeader,
    RequestHeader,
    WatcherEvent,
)

KINDS: list[type[Any]] = sorted(
    {
        *REQUESTS.values(),
        *REPLIES.values(),
        *(ConnectRequest, ConnectResponse, RequestHeader, ReplyHeader, WatcherEvent, MultiHeader),
    },
    key=lambda kind: kind.__name__,
)

quick = settings(max_examples=100, deadline=None)


def values(hint: Any) -> st.SearchStrategy[Any]:
    """Give the values that a field of this annotation can have."""
    if hint in (Int32, Int64):
        bits = 31 if hint == Int32 else 63
        return st.integers(-(2**bits), 2**bits - 1)
    if get_origin(hint) is tuple:
        return st.lists(values(get_args(hint)[0]), max_size=4).map(tuple)
    simple: dict[Any, st.SearchStrategy[Any]] = {bool: st.booleans(), bytes: st.binary(max_size=20)}
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    simple |= {
        str: text,
        Given: text,
        str | None: st.none() | text,
        bytes | None: st.none() | simple[bytes],
    }
    return simple[hint] if hint in simple else made(hint)


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Give records of a kind."""
    hints = get_type_hints(kind, include_extras=True)
    return st.tuples(*(values(hint) for hint in hints.values())).map(lambda all: kind(*all))


def parts(kinds: dict[int, type[Any]]) -> st.SearchStrategy[list[Part]]:
    """Give the parts of transactions."""
    one = st.one_of(*(st.tuples(st.just(op), made(kind)) for op, kind in kinds.items()))
    return st.lists(one, max_size=4)


MULTI_OPS = (c.CREATE_OP, c.DELETE_OP, c.SET_DATA_OP, c.CHECK_OP)


class RoundTripTests(SynchronousTestCase):
    """What is encoded can be decoded."""

    @quick
    @given(st.one_of(*(made(kind) for kind in KINDS)))
    def test_every_record(self, record: Any) -> None:
        """Every record comes back as it was, wherever in a buffer it lies."""
        raw = encode(record)
        self.assertEqual(decode(type(record), raw), record)
        around = b"xxx" + raw + b"yyyy"
        self.assertEqual(decode(type(record), around, 3, 3 + len(raw)), record)

    @quick
    @given(parts({op: REQUESTS[op] for op in MULTI_OPS}))
    def test_transaction(self, sent: list[Part]) -> None:
        """A transaction's request comes back as it was."""
        self.assertEqual(decode_multi(encode_multi(sent)), sent)

    @quick
    @given(parts({op: REPLIES[op] for op in (*MULTI_OPS, c.ERROR_OP)}))
    def test_transaction_reply(self, sent: list[Part]) -> None:
        """A transaction's reply comes back as it was, errors included."""
        self.assertEqual(decode_multi_response(encode_multi_response(sent)), sent)

    def test_known_bytes(self) -> None:
        """A request looks on the wire as ZooKeeper's own client writes it."""
        raw = encode(GetDataRequest("/a", True))
        self.assertEqual(raw, b"\x00\x00\x00\x02/a\x01")

    def test_old_server(self) -> None:
        """A server that leaves out the read-only flag is understood."""
        answer = ConnectResponse(0, 4000, 7, b"secret", False)
        self.assertEqual(decode(ConnectResponse, encode(answer)[:-1]), answer)

    def test_null(self) -> None:
        """A null list, string or buffer reads as an empty one, unless it is told from one."""
        null = b"\xff\xff\xff\xff"
        self.assertEqual(decode(GetChildrenResponse, null), GetChildrenResponse(()))
        create = decode(CreateRequest, bytes(4) + null + null + bytes(4))
        self.assertEqual(create, CreateRequest("", None, (), 0))
        self.assertEqual(decode(GetDataResponse, null + bytes(68)).data, b"")


class NonsenseTests(SynchronousTestCase):
    """Whatever comes from the wire, it raises nothing but ``PacketError``."""

    @quick
    @given(st.sampled_from(KINDS), st.binary(max_size=200))
    def test_arbitrary_bytes(self, kind: type[Any], data: bytes) -> None:
        """Random bytes are a record or a named error."""
        for read in (lambda: decode(kind, data), lambda: decode_multi(data)):
            try:
                read()
            except PacketError:
                continue

    @quick
    @given(st.one_of(*(made(kind) for kind in KINDS)), st.data())
    def test_truncated(self, record: Any, data: st.DataObject) -> None:
        """A record that was cut short is refused, unless only an optional field is missing."""
        raw = encode(record)
        cut = raw[: data.draw(st.integers(0, max(len(raw) - 1, 0)))]
        try:
            again = decode(type(record), cut)
        except PacketError:
            return
        self.assertTrue(record[:-1] == again[:-1])

    def test_truncated_name(self) -> None:
        """A packet that ends too early is named so."""
        self.assertRaises(TruncatedPacketError, decode, ReplyHeader, bytes(15))
        self.assertRaises(TruncatedPacketError, decode, GetDataRequest, b"\0\0\0\x05/a\0")

    def test_lengths(self) -> None:
        """Negative lengths and lists longer than the packet are nonsense."""
        for raw in (b"\xff\xff\xff\xfe", b"\x7f\xff\xff\xff", b"\0\0\1\0" + bytes(16)):
            self.assertRaises(NonsensePacketError, decode, GetChildrenResponse, raw)

    def test_given(self) -> None:
        """What a request is about cannot be null."""
        self.assertRaises(NonsensePacketError, decode, GetDataRequest, b"\xff\xff\xff\xff\0")

    def test_text(self) -> None:
        """A string that is not UTF-8 is nonsense."""
        self.assertRaises(NonsensePacketError, decode, GetDataRequest, b"\0\0\0\x01\xff\0")

    def test_unknown_part(self) -> None:
        """A transaction with an unknown operation is nonsense."""
        raw = encode(MultiHeader(77, False, -1))
        self.assertRaises(NonsensePacketError, decode_multi, raw)

    def test_what_cannot_be_written(self) -> None:
        """A value that its field cannot hold is refused with one kind of error."""
        for wrong in (
            ErrorResponse(2**31),
            GetDataRequest(b"/a", False),  # type: ignore[arg-type]
            GetDataRequest("/\ud800", False),
            CreateRequest("/a", "text", (), 0),  # type: ignore[arg-type]
            CreateRequest("/a", b"", None, 0),  # type: ignore[arg-type]
        ):
            self.assertRaises(MarshallingErrorException, encode, wrong)

    def test_why_it_cannot_be_written(self) -> None:
        """Where it is of the wrong type, the error names its field and both types."""
        text: Any = "text"
        for wrong, sentence in (
            (
                CreateRequest("/a", text, (), 0),
                "CreateRequest cannot be written: its data must be bytes | None, not str.",
            ),
            (
                CheckRequest("/a", text),
                "CheckRequest cannot be written: its version must be int, not str.",
            ),
        ):
            error = self.assertRaises(MarshallingErrorException, encode, wrong)
            self.assertEqual(str(error), sentence)
