"""A client amid faults, with all that it claims."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred

from txzookeeper import constants as c
from txzookeeper.client import ZookeeperClient
from txzookeeper.event import ClientEvent
from txzookeeper.managed import ManagedClient
from txzookeeper.testing.faults.claims import Life, Made, Numbers, OneShot, Register, View
from txzookeeper.testing.faults.ledger import Ledger, Outcome
from txzookeeper.testing.world import World

T = TypeVar("T")

SESSION_TIMEOUT: Final = 2000
REGISTERS: Final = 2
"""How many registers of one node each actor has; it has one of two nodes as well."""


class Actor:
    """Somebody with a client, who calls, watches, gives up and begins anew.

    One who is ``hasty`` writes to a register again before the last writing is acknowledged. A
    ``witness`` says whether a node is there at this moment, so that a session that its client gives
    up for lost can be seen to be there still.
    """

    def __init__(
        self, number: int, world: World, chance: Random, ledger: Ledger, hasty: bool
    ) -> None:
        self.number = number
        self.hasty = hasty
        self.world = world
        self.chance = chance
        self.ledger = ledger
        # Apart from the actor's own, so that what he does is not up to how his connections fare.
        self._dice = Random(chance.random())
        self.kind = chance.choice([ZookeeperClient, ManagedClient])
        self.registers = [Register(f"/r-{number}-{each}") for each in range(REGISTERS)]
        self.registers.append(Register(f"/p-{number}-0", f"/p-{number}-1"))
        self.made: list[Made] = []
        self.watches: list[OneShot] = []
        self.views: list[View] = []
        self.names = 0
        self.witness: Callable[[str], bool] | None = None
        self.life = Life()
        self.client_life = Life()
        self.client = self._new_client()

    @property
    def ephemeral_life(self) -> Life:
        """How long the ephemeral nodes live that are made now."""
        return self.client_life if self.kind is ManagedClient else self.life

    def call(
        self, name: str, deferred: Deferred[T], *allowed: type[Exception]
    ) -> Deferred[Outcome[T]]:
        """Give the outcome of a call, which may be cancelled on the way."""
        if self.chance.random() < 0.04:
            self.ledger.begin("cancelling", self._cancel(deferred))
        return self.sure(name, deferred, *allowed)

    def sure(
        self, name: str, deferred: Deferred[T], *allowed: type[Exception]
    ) -> Deferred[Outcome[T]]:
        """Give the outcome of a call that is not cancelled."""
        return self.ledger.call(f"{name} of client {self.number}", deferred, *allowed)

    async def begin(self) -> None:
        """Connect, with a new client if need be."""
        if self.client.unrecoverable:
            # We may stand in the midst of its telling everybody.
            await self.world.sleep(0)
            self._check_watches()
            self.client = self._new_client()
        await self.sure("connect", self.client.connect())

    async def end(self) -> None:
        """Close the client: afterwards nothing is due to it."""
        self.life.over = self.client_life.over = True
        await self.sure("close", self.client.close())
        self._check_watches()

    async def renew(self) -> None:
        """Close the client, and go on with another one."""
        await self.end()
        self.client = self._new_client()
        await self.begin()

    async def hand_over(self) -> None:
        """Go on in the same session with another client."""
        left = await self.sure("hand_over", self.client.hand_over())
        if not left.good:
            await self.renew()
            return
        self._check_watches()
        # Who would have made its nodes again on another session does so no more.
        self.client_life.over = True
        self.client = self._new_client(self.life)
        await self.sure("connect again", self.client.connect(client_id=left.result))
        if self.client.unrecoverable:
            await self.begin()

    async def settle(self) -> None:
        """Wait until the client is connected, and has been told of all that happened."""
        while True:
            if self.client.unrecoverable:
                await self.begin()
            if (await self.sure("the last set", self.client.set(f"/last-{self.number}"))).good:
                return

    def _new_client(self, life: Life | None = None) -> ZookeeperClient:
        client = self.world.client(self.kind, session_timeout=SESSION_TIMEOUT, chance=self._dice)
        self.life, self.client_life = life or Life(), Life()
        # A session begins wherever its server stands; within it nothing goes back.
        self.numbers = Numbers(self.ledger.complain)
        client.subscribe_session(self._told(client))
        return client

    def _told(self, client: ZookeeperClient) -> Callable[[ClientEvent], None]:
        def told(event: ClientEvent) -> None:
            if event.connection_state == c.EXPIRED_SESSION_STATE and client is self.client:
                self.life.over = True
                self.life = Life()
                self.numbers = Numbers(self.ledger.complain)
            if event.connection_state == c.LOST_STATE and self.witness is not None:
                self._bear_witness(self.witness)

        return told

    def _bear_witness(self, is_there: Callable[[str], bool]) -> None:
        for made in self.made:
            mine = made.life and made.born is self.life and not self.life.robbed
            if mine and not made.deleting and not is_there(made.path):
                self.ledger.complain(f"{made.path} is gone, and its client learns it only now.")

    async def _cancel(self, deferred: Deferred[Any]) -> None:
        await self.world.sleep(self.chance.choice([0, 0, 0.01, 0.1]))
        if not deferred.called:
            deferred.cancel()

    def _check_watches(self) -> None:
        for watch in self.watches:
            for complaint in watch.verify_end():
                self.ledger.complain(complaint)
        self.watches.clear()
        self.views.clear()
