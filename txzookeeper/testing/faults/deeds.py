"""What an actor does, picked at random; each deed keeps account of what it may claim."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final

from twisted.internet.defer import Deferred

from txzookeeper import constants as c
from txzookeeper.client import Operations
from txzookeeper.errors import (
    BadVersionException,
    NodeExistsException,
    NoNodeException,
    NotEmptyException,
    NoWatcherException,
    SessionExpiredException,
)
from txzookeeper.event import ClientEvent
from txzookeeper.records import Stat
from txzookeeper.standing import StandingWatch
from txzookeeper.testing.faults.actor import Actor
from txzookeeper.testing.faults.claims import Made, OneShot, Register, View, child_sign, data_sign
from txzookeeper.watches import Watch

Deed = Callable[[Actor], Coroutine[Deferred[Any], Any, None]]

ACTORS: Final = 3
SHARED: Final = "/shared"
FLICKERING: Final = [f"{SHARED}/f{number}" for number in range(3)]
"""Nodes that everybody makes and deletes."""
EPHEMERALS: Final = "/ephemerals"
SEQUENCE: Final = "/sequence"


def operations(actor: Actor) -> Operations:
    """Give the operations of an actor's client: those that wait, or those that do not."""
    return actor.client.fail_fast if actor.chance.random() < 0.1 else actor.client


def any_register(actor: Actor) -> str:
    """Give the path of somebody's register; mostly it is the same one."""
    number = actor.chance.randrange(ACTORS)
    common = ["/r-0-0"] * 6
    return actor.chance.choice([*common, f"/r-{number}-0", f"/r-{number}-1", f"/p-{number}-0"])


async def write(actor: Actor) -> None:
    """Set a register, in a transaction if it has several nodes."""
    free = [each for each in actor.registers if actor.hasty or not each.busy]
    if not free:
        return
    register = actor.chance.choice(free)
    register.busy = True
    register.attempted += 1
    number = register.attempted
    outcome = await actor.call("set", _written(operations(actor), register, number))
    if outcome.good:
        register.acknowledge(number)
    register.busy = False


def _written(client: Operations, register: Register, number: int) -> Deferred[Any]:
    data = b"%d" % number
    if len(register.paths) == 1:
        return client.set(register.paths[0], data)
    transaction = client.transaction()
    for path in register.paths:
        transaction.set(path, data)
    return transaction.commit()


async def write_in_vain(actor: Actor) -> None:
    """Try a transaction that cannot be: nothing of it happens."""
    register = actor.chance.choice(actor.registers)
    transaction = operations(actor).transaction().set(register.paths[0], b"-1")
    doomed = transaction.check(SHARED, 12345).commit()
    outcome = await actor.call("vain transaction", doomed, BadVersionException)
    if outcome.good:
        actor.ledger.complain("A transaction that cannot be was carried out.")


async def read(actor: Actor) -> None:
    """Read a register."""
    path = any_register(actor)
    outcome = await actor.call("get", operations(actor).get(path))
    if outcome.good:
        actor.numbers.saw(path, int(outcome.result[0]))


async def read_many(actor: Actor) -> None:
    """Read some registers at once."""
    paths = [any_register(actor) for _ in range(3)]
    request = operations(actor).multi_read()
    for path in paths:
        request.get(path)
    outcome = await actor.call("multi_read", request.commit())
    for path, result in zip(paths, outcome.result if outcome.good else (), strict=False):
        if isinstance(result, Exception):
            actor.ledger.complain(f"Reading {path} with others failed: {result!r}")
        else:
            actor.numbers.saw(path, int(result[0]))


async def sync(actor: Actor) -> None:
    """Synchronize."""
    await actor.call("sync", operations(actor).sync())


async def flicker(actor: Actor) -> None:
    """Make or delete a node that everybody makes and deletes."""
    path, client = actor.chance.choice(FLICKERING), operations(actor)
    if actor.chance.random() < 0.5:
        await actor.call("create", client.create(path), NodeExistsException)
    else:
        await actor.call("delete", client.delete(path), NoNodeException, NotEmptyException)


async def make_ephemeral(actor: Actor) -> None:
    """Make an ephemeral node."""
    actor.names += 1
    path = f"{EPHEMERALS}/{actor.number}-{actor.names}"
    made = operations(actor).create(path, flags=c.EPHEMERAL)
    outcome = await actor.call("create ephemeral", made, NodeExistsException)
    if outcome.good:
        actor.made.append(Made(path, actor.life, actor.ephemeral_life))


async def make_sequence(actor: Actor) -> None:
    """Make a node of a sequence."""
    made = operations(actor).create(f"{SEQUENCE}/n-", flags=c.SEQUENCE)
    outcome = await actor.call("create sequence", made)
    if outcome.good:
        actor.made.append(Made(outcome.result, actor.life))


async def unmake(actor: Actor) -> None:
    """Delete a node that was made here."""
    if actor.made:
        made = actor.chance.choice(actor.made)
        made.deleting = True
        await actor.call("delete own", operations(actor).delete(made.path), NoNodeException)


async def watch(actor: Actor) -> None:
    """Set a one-shot watch; perhaps give it up."""
    path, sign, result, waiting = _watch(actor, operations(actor))
    claim = OneShot(path, sign)
    actor.watches.append(claim)
    waiting.addCallbacks(claim.fired, lambda _: None)
    outcome = await actor.call("watch", result)
    if outcome.good:
        found = outcome.result
        claim.life, claim.armed = actor.life, True
        claim.known = sign(found if found is None or isinstance(found, Stat) else found[1])
        if actor.chance.random() < 0.1:
            claim.cancelled = True
            waiting.cancel()


def _watch(actor: Actor, client: Operations) -> tuple[str, Any, Deferred[Any], Watch]:
    match actor.chance.choice(["data", "existence", "children"]):
        case "data":
            path = any_register(actor)
            return path, data_sign, *client.get_and_watch(path)
        case "existence":
            path = actor.chance.choice([any_register(actor), *FLICKERING])
            return path, data_sign, *client.exists_and_watch(path)
        case _:
            path = actor.chance.choice([SHARED, EPHEMERALS])
            return path, child_sign, *client.get_children2_and_watch(path)


async def watch_on(actor: Actor) -> None:
    """Set a standing watch, and look whenever it says so; perhaps remove it at some time."""
    recursive = actor.chance.random() < 0.5
    path = SHARED if recursive else actor.chance.choice([any_register(actor), *FLICKERING])
    view = View(FLICKERING if recursive else [path])
    client = actor.client

    def told(event: ClientEvent) -> None:
        if client.unrecoverable or client is not actor.client:
            return
        for each in view.paths:
            if event.path in ("", each):
                actor.ledger.begin("looking", look(each))

    async def look(path: str) -> None:
        outcome = await actor.sure("look", client.exists(path))
        if outcome.good:
            view.seen[path] = outcome.result

    actor.views.append(view)
    outcome = await actor.sure("add_watch", client.add_watch(path, told, recursive))
    if not outcome.good or client is not actor.client:
        return
    view.armed = not view.removed
    for each in view.paths:
        actor.ledger.begin("looking", look(each))
    if actor.chance.random() < 0.3:
        await _remove_later(actor, view, outcome.result)


async def _remove_later(actor: Actor, view: View, watch: StandingWatch) -> None:
    await actor.world.sleep(actor.chance.uniform(0, 1))
    view.remove()
    await actor.sure("remove", watch.remove())


async def remove_watches(actor: Actor) -> None:
    """Take away all watches of a node."""
    path = any_register(actor)
    for watch in actor.watches:
        watch.removable = watch.removable or watch.path == path
    for view in actor.views:
        if view.paths == [path]:
            view.remove()
    removed = actor.client.remove_watches(path)
    await actor.call("remove_watches", removed, NoWatcherException)


async def authenticate(actor: Actor) -> None:
    """Add a credential."""
    credential = f"user{actor.chance.randrange(3)}:password"
    await actor.sure("add_auth", actor.client.add_auth("digest", credential))


async def renew(actor: Actor) -> None:
    """Close the client, and go on with another one."""
    await actor.renew()


async def hand_over(actor: Actor) -> None:
    """Go on in the same session with another client."""
    await actor.hand_over()


async def expire(actor: Actor) -> None:
    """Have the session end behind the client's back."""
    if actor.client.connected:
        actor.life.robbed = True
        with suppress(SessionExpiredException):
            await actor.world.expire(actor.client)


BACKGROUND: Final[dict[Deed, int]] = {
    write: 24,
    write_in_vain: 3,
    read: 12,
    read_many: 4,
    sync: 3,
    flicker: 16,
    make_ephemeral: 6,
    make_sequence: 3,
    unmake: 3,
    watch: 24,
    watch_on: 8,
    remove_watches: 2,
    authenticate: 2,
}
"""Deeds that may go on while others do, and how often each is picked."""

FOREGROUND: Final[dict[Deed, int]] = {renew: 1, hand_over: 1, expire: 1}
"""Deeds that an actor waits for."""
