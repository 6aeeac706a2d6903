"""C{twistd pop}: the agent as a twistd plugin."""

import os
import random
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pop.agent import Agent
from pop.builder import Builder
from pop.catalogue import Catalogue, load_types
from pop.cluster import Cluster
from pop.commands import Commands
from pop.composition import compose
from pop.configuration import Configuration, configure
from pop.daytime import iso_time
from pop.departure import Departure, Inheritance
from pop.doors import receive, receive_from_abroad, ways
from pop.errors import PopError
from pop.files import File
from pop.history import LAST
from pop.interfaces import IAdministration
from pop.journal import Journal, recent
from pop.kin import boot
from pop.logkeeper import LogKeeper
from pop.machine import describe, parse_labels
from pop.model import AgentInfo, Machine
from pop.office import Office
from pop.options import Options
from pop.policy import Logs
from pop.probes import Probes
from pop.process import Spawner
from pop.program import Launch
from pop.sockets import Sockets
from pop.stirring import by_inotify
from txzookeeper.dialer import plain_endpoint

__all__ = ["Options", "compose", "makeService"]

log = Logger()


def makeService(options: Options) -> IService:
    """Build the agent; what can be refused at once is, with a sentence and status 1."""
    from twisted.internet import reactor

    twistd: Any = options.parent or {}
    environment = dict(os.environ)
    inheritance = Inheritance.take(environment)
    sockets = Sockets(inheritance.sockets)
    try:
        configuration = configure(options.given(), environment)
        configuration.check_agent()
        machine = describe(configuration.machine, parse_labels(options.labels))
        configuration.state_dir.make()
        configuration.state_dir.hold(inheritance.lock)
    except PopError as error:
        raise SystemExit(f"pop: {error}") from error
    departure = Departure(
        reactor,
        configuration.state_dir,
        sockets,
        configuration.servers,
        [sys.executable, *sys.orig_argv[1:]],
        environment,
        twistd,
    )
    departure.prepare()
    agent = make_agent(
        reactor, configuration, machine, environment, load_types(), sockets, departure
    )
    if options["embedded"]:
        return _embedded(reactor, configuration, agent, twistd, departure)
    return agent


def _embedded(
    reactor: Any,
    configuration: Configuration,
    agent: Agent,
    twistd: Mapping[str, Any],
    departure: Departure,
) -> IService:
    """Put a ZooKeeper of its own before an agent."""
    from pop.embedded import EmbeddedAgent, embedded_server
    from txzookeeper.trouble import Trouble

    try:
        server = embedded_server(reactor, configuration)
    except (PopError, Trouble) as error:
        raise SystemExit(f"pop: {error}") from error
    if twistd and not twistd["nodaemon"]:
        server.before_fork()
    return EmbeddedAgent(
        server,
        agent,
        Cluster(configuration.client(reactor), configuration.paths, reactor),
        configuration.identity,
        refused=lambda error: _refuse(error, twistd.get("pidfile")),
        failed=departure.fail,
    )


def make_agent(
    reactor: Any,
    configuration: Configuration,
    machine: Machine,
    environment: Mapping[str, str],
    catalogue: Catalogue,
    sockets: Sockets,
    departure: Departure,
) -> Agent:
    """An agent on this machine's processes, files and clocks."""
    for broken in catalogue.broken:
        log.error("{broken}", broken=broken)
    state_dir = configuration.state_dir
    spawner = Spawner(reactor, state_dir.path, environment, sockets)
    commands = Commands(reactor, spawner.errand)
    journal = Journal(state_dir.journal, reactor)
    about = AgentInfo(
        os.getpid(),
        machine.host,
        str(state_dir.path),
        state_dir.id(),
        iso_time(_wall()),
        ways(configuration, machine),
    )

    def keeps() -> bool:
        return departure.keeps_services

    agent = compose(
        cluster=Cluster(configuration.client(reactor), configuration.paths, reactor),
        machine=machine,
        info=about,
        spawner=spawner,
        builder=Builder(spawner.environments, spawner.errand, spawner.output),
        probe=Probes(reactor, plain_endpoint(reactor), commands.run).probe,
        catalogue=catalogue,
        chance=random.Random(),
        wall=_wall,
        failed=departure.fail,
        session=File(state_dir.session),
        snapshot=File(state_dir.snapshot),
        finished=File(state_dir.finished),
        owner={"servers": configuration.servers, "root": configuration.paths.root},
        boot=boot(),
        keeps_services=keeps,
        journal=journal.add,
        recent=recent(state_dir.journal, LAST),
    )
    reactor.addSystemEventTrigger("during", "shutdown", journal.flush)
    in_thread = partial(_in_thread, reactor)
    _keep_logs(reactor, agent, state_dir.logs, in_thread)
    office = Office(reactor, agent, about, state_dir, spawner, catalogue, in_thread)
    reactor.addSystemEventTrigger("before", "shutdown", office.close)

    def administration() -> IAdministration:
        return office.administration

    receive(reactor, machine.id, administration, state_dir, sockets, keeps)
    if configuration.admin:
        receive_from_abroad(reactor, configuration, agent, administration, sockets, keeps, _wall)
    return agent


def _in_thread(reactor: Any, work: Callable[[], Any]) -> Deferred[Any]:
    """Do what may block in one of the reactor's threads."""
    from twisted.internet.threads import deferToThreadPool

    return deferToThreadPool(reactor, reactor.getThreadPool(), work)


def _keep_logs(
    reactor: Any,
    agent: Agent,
    directory: Path,
    in_thread: Callable[[Callable[[], Any]], Deferred[Any]],
) -> None:
    """Rotate the logs while the reactor runs, in its threads."""

    def policies() -> dict[str, Logs]:
        known = {instance.name: instance.want for instance in agent.instances.all()}
        return {slot: want.logs for slot, want in known.items() if isinstance(want, Launch)}

    keeper = LogKeeper(directory, reactor, _wall, in_thread, policies, by_inotify(reactor))
    reactor.callWhenRunning(keeper.start)
    reactor.addSystemEventTrigger("before", "shutdown", keeper.stop)


def _wall() -> float:
    from time import time  # noqa: TID251  # the root, where clocks come from

    return time()


def _refuse(error: Exception, pidfile: str | None) -> None:
    """End at once with status 1, before anything has begun."""
    log.critical("{error}", error=error)
    print(f"pop: {error}", file=sys.__stderr__, flush=True)
    if pidfile and os.path.exists(pidfile):
        os.unlink(pidfile)
    raise SystemExit(1)
