"""What must hold amid the chaos, and what must be true when it is over."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from pop.test.chaos_sight import Seen, lost_lines, recognise
from pop.test.chaos_world import CAREFUL, GRACE, MANNERS, SESSION, Machine, World
from txzookeeper.errors import NoNodeException

REACTION = 20.0
"""Seconds that an agent may take to act on what it can know: it may have to be started first, to
find its ZooKeeper again, or to wait for a session to end; and the machine may be busy."""
STOPPED = GRACE + REACTION
ALONE = SESSION + 3.0
"""Seconds without ZooKeeper in which what minds that must have ended; some are for the start of an
agent on a busy machine."""
BOUND = 40.0
"""Seconds from the last trouble until everything is as it should be, the back-off of what was
killed again and again included."""


class Broken(Exception):
    """An invariant does not hold."""


class Judge:
    """Looks at a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(self) -> None:
        """Look once at what must hold at any time.

        @raise Broken: it does not.
        """
        seen = self._world.look()
        copies = Counter((each.machine, each.service) for each in seen if not each.kin)
        for place, count in copies.items():
            if count > MANNERS[place[1]]:
                self._look_closely(place, seen)
        for each in seen:
            self._expect_wanted(each)
            if each.service == CAREFUL:
                self._expect_in_touch(each)

    def _look_closely(self, place: tuple[str, str], seen: list[Seen]) -> None:
        """They were not looked at in one moment: those that live together now are too many."""
        found = [one for one in seen if (one.machine, one.service) == place and not one.kin]
        again = [one for one in found if recognise(one.pid, self._world.mark) == one]
        if len(again) > MANNERS[place[1]]:
            raise Broken(f"{len(again)} at once: {'; '.join(map(str, again))}")

    def _expect_wanted(self, seen: Seen) -> None:
        machine, wish = self._world.machines[seen.machine], self._world.wishes[seen.service]
        well_since = machine.well_since()
        if wish.on(seen.machine) or well_since is None:
            return
        if self._world.clock.seconds() - max(wish.changed, well_since) > STOPPED:
            raise Broken(f"it is not wanted any more, and runs on: {seen}")

    def _expect_in_touch(self, seen: Seen) -> None:
        """Its agent works, but has not heard of ZooKeeper for longer than it may run then."""
        machine, now = self._world.machines[seen.machine], self._world.clock.seconds()
        gone_at = max(machine.cut.since, machine.ill.since) + ALONE
        if machine.cut.reasons and not machine.ill.reasons and now > gone_at:
            raise Broken(f"ZooKeeper is away for longer than it may run then: {seen}")

    async def settle(self) -> None:
        """Wait until everything is as it should be.

        @raise Broken: it takes too long.
        """
        end = self._world.clock.seconds() + BOUND
        good = 0
        while good < 3:
            wrong = [words async for words in self._wrong()]
            good = 0 if wrong else good + 1
            if self._world.clock.seconds() > end:
                raise Broken(f"not as it should be {BOUND:g} s after all trouble:\n" + _list(wrong))
            self.look()
            await self._world.pause(0.2)

    def expect_the_same(self, before: set[Seen]) -> None:
        """After trouble that touched no child.

        @raise Broken: one is not there any more, or a new one is.
        """
        changed = {each for each in before ^ set(self._world.look()) if each.service != CAREFUL}
        if changed:
            gone, new = sorted(map(str, changed & before)), sorted(map(str, changed - before))
            raise Broken(f"nobody touched the children, but {gone} are gone and {new} are new")

    async def _wrong(self) -> Any:
        for machine in self._world.machines.values():
            agent = await self._world.node(f"/agents/{machine.id}")
            if agent is None or machine.agent is None or agent["pid"] != machine.agent.pid:
                yield f"{machine.id} is not registered by its agent: {agent}"
            for service in MANNERS:
                for words in await self._instance(machine, service):
                    yield f"{service} on {machine.id}: {words}"

    async def _instance(self, machine: Machine, service: str) -> list[str]:
        """Compare processes, nodes and what is wanted."""
        wish, world = self._world.wishes[service], self._world
        pid = await world.node(f"/machines/{machine.id}/{service}")
        state = await world.node(f"/services/{service}/state/{machine.id}")
        status = await world.node(f"/services/{service}/status/{machine.id}")
        every = [e for e in world.look() if (e.machine, e.service) == (machine.id, service)]
        found = [each for each in every if not each.kin]
        kin = len(every) - len(found)
        phase = status and status["phase"]
        if not wish.on(machine.id):
            held = "stopped" if machine.id in wish.machines else None
            facts = [not every, pid is None, state is None, phase == held]
            return [] if all(facts) else [f"not wanted, but {_said(every, pid, state, status)}"]
        facts = [
            len(found) == MANNERS[service],
            kin == (service == "family"),
            {each.version for each in found} == {str(wish.version)},
            pid in [each.pid for each in found],
            state is not None,
            phase == "ready",
        ]
        said = _said(every, pid, state, status)
        return [] if all(facts) else [f"wanted v{wish.version}, but {said}"]

    async def stopped(self) -> None:
        """After the agents were asked to stop: nothing may be left, and no line be lost.

        @raise Broken: something is, or was.
        """
        world = self._world
        if left := world.look():
            raise Broken("the agents have ended, and these run on:\n" + _list(map(str, left)))
        for machine in world.machines.values():
            for path in (f"/agents/{machine.id}", f"/machines/{machine.id}"):
                try:
                    names = await world.client.get_children(path)
                except NoNodeException:
                    continue
                if names or path.startswith("/agents"):
                    raise Broken(f"the agent of {machine.id} has ended, but {path} has {names}")
        logs = {machine.id: machine.log for machine in world.machines.values()}
        if lost := list(lost_lines(world.counts, logs)):
            raise Broken(_list(lost))


def _said(every: list[Seen], pid: object, state: object, status: object) -> str:
    runs = "; ".join(map(str, every)) or "nothing"
    return f"{runs} runs; pid node {pid}, state {state}, status {status}"


def _list(lines: Any) -> str:
    return "\n".join(f"  {line}" for line in _iterate(lines))


def _iterate(lines: Any) -> Iterator[str]:
    yield from lines
