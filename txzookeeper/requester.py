"""Who makes requests: below which node of the server, how large, and on which session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred, fail

from txzookeeper import constants as c
from txzookeeper.batch import read_results
from txzookeeper.call import Call, Observe, Read
from txzookeeper.channel import Channel
from txzookeeper.errors import NoNodeException, RequestTooLargeException, ZooKeeperException
from txzookeeper.jute import encode, reader
from txzookeeper.multi import Part
from txzookeeper.path import check_path, to_server
from txzookeeper.records import Stat
from txzookeeper.watches import EXIST, Watch

T = TypeVar("T")

read_stat: Final[Read[Stat]] = reader(Stat)


class Requester(ABC):
    """How operations become calls on a session; see its heirs for the operations."""

    _channel: Channel
    _chroot: str
    _max_packet: int

    @abstractmethod
    def _submit(self, call: Call[Any]) -> None:
        """Hand a call over to the session."""

    @abstractmethod
    def _observer(self, parts: list[Part]) -> Observe | None:
        """Give who is to be told of the answer to these changes."""

    def _ask(
        self,
        op: int,
        path: str,
        request: tuple[Any, ...],
        read: Read[T],
        *,
        sequence: bool = False,
        observe: Observe | None = None,
        optional: bool = False,
    ) -> Deferred[T]:
        """Ask for something about a node."""
        try:
            check_path(path, sequence)
            return self._call(Call(op, path, encode(request), read, observe, optional))
        except ZooKeeperException:
            return fail()

    def _ask_server(self, op: int, request: tuple[Any, ...], read: Read[T]) -> Deferred[T]:
        """Ask for something that is about no node of the program's."""
        try:
            return self._call(Call(op, None, encode(request), read))
        except ZooKeeperException:
            return fail()

    def _change(
        self, op: int, path: str, request: tuple[Any, ...], read: Read[T], sequence: bool = False
    ) -> Deferred[T]:
        observe = self._observer([(op, request)])
        return self._ask(op, path, request, read, sequence=sequence, observe=observe)

    def _watch(
        self,
        op: int,
        kind: Callable[[str, bool], Any],
        path: str,
        read: Read[T],
        watch_kind: int,
        chroot: str | None = None,
    ) -> tuple[Deferred[T], Watch]:
        full = to_server(self._chroot if chroot is None else chroot, path)
        watches = self._channel.watches
        watch = watches.new(full)

        leaning = watches.lean(full)

        def observe(code: int, _: object) -> None:
            if leaning:
                watches.leaned(full)
            if code == 0:
                watches.arm(watch_kind, full, watch)
            elif code == NoNodeException.code and op == c.EXISTS_OP:
                watches.arm(EXIST, full, watch)

        request = kind(full, not leaning)
        optional = op == c.EXISTS_OP
        return self._ask(op, path, request, read, observe=observe, optional=optional), watch

    def _multi(self, op: int, parts: list[Part], body: bytes) -> Deferred[list[Part]]:
        observe = self._observer(parts) if op == c.MULTI_OP else None
        try:
            return self._call(Call(op, None, body, partial(read_results, len(parts)), observe))
        except ZooKeeperException:
            return fail()

    def _call(self, call: Call[T]) -> Deferred[T]:
        size = len(call.body) + 8
        if size > self._max_packet:
            message = f"The request has {size} bytes; the limit is {self._max_packet}."
            raise RequestTooLargeException(call.path, message)
        self._submit(call)
        return call.deferred

    def _full(self, path: str) -> str:
        return to_server(self._chroot, path)
