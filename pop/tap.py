"""C{twistd pop}: the agent as a twistd plugin."""

import os
import random
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from twisted.application.service import IService
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.usage import Options as UsageOptions
from twisted.python.usage import UsageError

from pop.agent import Agent
from pop.builder import Builder
from pop.catalogue import Catalogue, load_types
from pop.checks import Checker
from pop.cluster import Cluster
from pop.commands import Commands
from pop.configuration import Configuration, configure
from pop.contact import Contact
from pop.daytime import iso_time
from pop.departure import Departure, Inheritance
from pop.errors import PopError
from pop.events import Event
from pop.files import File, IFile, Record
from pop.finished import Finished
from pop.history import LAST
from pop.instances import Instances
from pop.interfaces import IBuilder, ISpawner
from pop.journal import Entry, Journal, recent
from pop.kin import boot
from pop.logkeeper import LogKeeper
from pop.machine import describe, parse_labels
from pop.model import AgentInfo, Machine
from pop.office import Office
from pop.policy import Logs
from pop.preparations import Preparations
from pop.probes import Probes
from pop.process import Spawner
from pop.program import Launch
from pop.reception import Reception, visitors, visitors_by_pb
from pop.registration import Registration
from pop.reports import Reports
from pop.session import SessionNote
from pop.snapshot import Snapshot
from pop.sockets import Sockets
from pop.statedir import StateDirectory
from pop.stirring import by_inotify
from pop.turns import Turns
from txzookeeper.dialer import plain_endpoint

log = Logger()
Probe = Callable[[str, Launch, str, float], Coroutine[Any, Any, None]]
"""(slot, launch, description, timeout): carries a check out; see L{pop.probes.Probes.probe}."""


class Options(UsageOptions):
    """What C{twistd pop} is told."""

    synopsis = "[options]"
    longdesc = (
        "Runs the services of this machine as ZooKeeper says. Every option but --host, --port"
        " and --label may also come from the environment, as POP_ZOOKEEPER, POP_PATH_PREFIX,"
        " POP_MACHINE_ID, POP_STATE_DIR, POP_SESSION_TIMEOUT, POP_ADMIN,"
        " POP_ADMIN_IDENTITY and POP_ADMIN_IDENTITY_FILE."
    )
    optFlags = [  # noqa: RUF012  # so Twisted wants it
        [
            "embedded",
            None,
            "run a ZooKeeper of its own, for this one machine, at the address of --zookeeper and"
            " with its data in the state directory; several machines need Apache ZooKeeper",
        ],
    ]
    optParameters = [  # noqa: RUF012  # so Twisted wants it
        ["zookeeper", None, None, "HOST:PORT[,HOST:PORT...][/chroot]  [default: localhost:2181]"],
        ["host", None, None, "ZooKeeper's host, instead of --zookeeper"],
        ["port", None, None, "ZooKeeper's port, instead of --zookeeper"],
        ["path-prefix", None, None, "where pop's nodes lie in ZooKeeper  [default: /]"],
        ["machine-id", None, None, "this machine's id  [default: the hardware's or system's]"],
        ["state-dir", None, None, "where the agent keeps its files"],
        ["session-timeout", None, None, "seconds until ZooKeeper gives it up  [default: 30]"],
        ["admin-identity", None, None, "USER:PASSWORD; seen by all in the process list"],
        ["admin-identity-file", None, None, "a file with USER:PASSWORD"],
        [
            "admin",
            None,
            None,
            "tls:PORT[:interface=ADDRESS][:host=NAME], to be administered from other machines, by"
            " those who have the admin identity",
        ],
    ]

    def __init__(self) -> None:
        super().__init__()
        self.labels: tuple[str, ...] = ()

    def opt_label(self, label: str) -> None:
        """KEY=VALUE, something to say of this machine; may be repeated"""
        self.labels += (label,)

    def postOptions(self) -> None:
        """Refuse what contradicts itself."""
        if self["zookeeper"] and (self["host"] or self["port"]):
            raise UsageError("Give either --zookeeper or --host and --port.")

    def given(self) -> dict[str, Any]:
        """The options by the names that L{configure} knows."""
        return {name.replace("-", "_"): value for name, value in self.items() if name != "embedded"}


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
        _ways(configuration, machine),
    )
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
        keeps_services=lambda: departure.keeps_services,
        journal=journal.add,
        recent=recent(state_dir.journal, LAST),
    )
    reactor.addSystemEventTrigger("during", "shutdown", journal.flush)
    in_thread = partial(_in_thread, reactor)
    _keep_logs(reactor, agent, state_dir.path / "log", in_thread)
    office = Office(reactor, agent, about, state_dir, spawner, catalogue, in_thread)
    reactor.addSystemEventTrigger("before", "shutdown", office.close)
    _receive(reactor, office, machine.id, state_dir, sockets, departure)
    if configuration.admin:
        _open(reactor, configuration, agent, office, sockets, departure)
    return agent


def _ways(configuration: Configuration, machine: Machine) -> dict[str, Any]:
    """Where administrators find an agent."""
    state_dir, at = configuration.state_dir, configuration.admin
    ways: dict[str, Any] = {"unix": str(state_dir.admin), "pb": str(state_dir.admin_pb)}
    if at:
        ways["tls"] = {"hosts": at.hosts(machine.host, machine.addresses), "port": at.port}
    return ways


def _open(
    reactor: Any,
    configuration: Configuration,
    agent: Agent,
    office: Office,
    sockets: Sockets,
    departure: Departure,
) -> None:
    """Let administrators of other machines in while the reactor runs."""
    from pop.abroad import Abroad

    assert configuration.admin and configuration.identity, "see Configuration.check_agent"
    abroad = Abroad(
        reactor,
        agent.cluster,
        configuration.identity,
        agent.machine,
        configuration.admin,
        lambda: office.administration,
        sockets,
        _wall,
    )
    reactor.callWhenRunning(abroad.open)
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: abroad.close(keep=departure.keeps_services)
    )


def _receive(
    reactor: Any,
    office: Office,
    machine: str,
    state_dir: StateDirectory,
    sockets: Sockets,
    departure: Departure,
) -> None:
    """Let administrators in while the reactor runs."""
    path, by_pb = str(state_dir.admin), str(state_dir.admin_pb)
    doors = {
        path: visitors(machine, lambda: office.administration, reactor, path),
        by_pb: visitors_by_pb(lambda: office.administration, reactor, by_pb),
    }
    reception = Reception(reactor, sockets, doors)
    reactor.callWhenRunning(reception.open)
    reactor.addSystemEventTrigger(
        "before", "shutdown", lambda: reception.close(keep=departure.keeps_services)
    )


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
