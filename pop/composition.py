"""The composition of an agent: its parts, and how they know one another."""

import random
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from pop.agent import Agent
from pop.catalogue import Catalogue
from pop.checks import Checker
from pop.cluster import Cluster
from pop.contact import Contact
from pop.daytime import iso_time
from pop.events import Event
from pop.files import IFile, Record
from pop.finished import Finished
from pop.instances import Instances
from pop.interfaces import IBuilder, ISpawner
from pop.journal import Entry
from pop.model import AgentInfo, Machine
from pop.preparations import Preparations
from pop.program import Launch
from pop.registration import Registration
from pop.reports import Reports
from pop.session import SessionNote
from pop.snapshot import Snapshot
from pop.turns import Turns

Probe = Callable[[str, Launch, str, float], Coroutine[Any, Any, None]]
"""(slot, launch, description, timeout): carries a check out; see L{pop.probes.Probes.probe}."""


def compose(
    *,
    cluster: Cluster,
    machine: Machine,
    info: AgentInfo,
    spawner: ISpawner,
    builder: IBuilder,
    probe: Probe,
    catalogue: Catalogue,
    chance: random.Random,
    wall: Callable[[], float],
    failed: Callable[[Exception], None],
    session: IFile,
    snapshot: IFile,
    finished: IFile,
    owner: Mapping[str, str],
    boot: str,
    keeps_services: Callable[[], bool],
    journal: Callable[[Entry], None] = lambda _: None,
    recent: Mapping[str, Sequence[Entry]] | None = None,
) -> Agent:
    """An agent from its parts: the one place that knows them all.

    Nothing here knows whether processes, ZooKeeper and time are real.

    @param session, snapshot, finished: where an agent keeps these for its successor, which reads
        the first two if the machine and C{owner} are the same, the first and last if C{boot} is.
    """
    clock = cluster.clock

    def watch(slot: str, launch: Launch, told: Callable[[Event], None]) -> Checker:
        ask = partial(probe, slot, launch)
        return Checker(clock, ask, launch.checks, told, chance.random)

    reports = Reports(cluster, machine.id, clock)
    over = Finished(Record("list of what has finished", finished, {"boot": boot}))
    owner = {**owner, "machine": machine.id}
    return Agent(
        machine=machine.id,
        cluster=cluster,
        registration=Registration(cluster, machine, info, reports, clock),
        reports=reports,
        contact=lambda changed: Contact(cluster, machine.id, clock, changed),
        session=SessionNote(Record("session", session, {**owner, "boot": boot})),
        snapshot=Snapshot(Record("snapshot", snapshot, owner)),
        instances=lambda changed: Instances(spawner, watch, clock, chance, over, changed),
        preparations=lambda changed: Preparations(builder, clock, chance.random, changed),
        catalogue=catalogue,
        clock=clock,
        wall=wall,
        failed=failed,
        keeps_services=keeps_services,
        journal=journal,
        recent=recent or {},
        turns=lambda changed: Turns(cluster, machine.id, changed, lambda: iso_time(wall())),
    )
