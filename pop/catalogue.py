"""The service types installed here, found by Twisted's plugin system."""

from collections.abc import Iterable, Mapping
from typing import Any

from twisted.plugin import getPlugins
from twisted.python.modules import getModule
from zope.interface import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

import pop.services
from pop.errors import BadName, BrokenType, NoSuchType, PopError
from pop.frozen import frozen
from pop.interfaces import IServiceType, ISettings
from pop.model import Instance, Service, Target
from pop.paths import check_name
from pop.placeholders import check
from pop.policy import Checks, Limits, Logs, Restarts, megabytes, rlimits, seconds_away, umask
from pop.program import Launch, Program
from pop.sentence import did_you_mean
from pop.settings import validate


@frozen
class Catalogue:
    """Service types by name, and what kept others from being among them."""

    types: Mapping[str, Any]
    broken: tuple[PopError, ...] = ()

    def type(self, name: str) -> Any:
        """The L{IServiceType} of that name.

        @raise NoSuchType: with the nearest name that there is.
        """
        if name in self.types:
            return self.types[name]
        raise NoSuchType(type=name, hint=did_you_mean(name, self.types))

    def launch(self, service: Service, machine: str) -> Launch:
        """All that is needed to run a service on a machine.

        @raise PopError: its type is not here, or does not take its settings.
        """
        kind = self.type(service.type)
        settings = validate(kind.name, kind.settings, service.settings)
        program = kind.program(settings, Instance(service.name, machine))
        known = {"service": service.name, "machine": machine, **settings.as_json()}
        return _launch(kind.name, program, settings, known, service.target)


def _launch(
    type_name: str, program: Program, settings: Any, known: Mapping[str, Any], target: Target
) -> Launch:
    """A program with what the common settings say."""

    def filled_check(setting: str) -> str | None:
        text = getattr(settings, setting)
        return None if text is None else check(type_name, setting, text, known)

    return Launch(
        program=program,
        environment=settings.environment,
        directory=settings.directory,
        user=settings.user,
        group=settings.group,
        groups=settings.groups,
        umask=None if settings.umask is None else umask(settings.umask),
        limits=_limits(settings),
        sockets=settings.sockets,
        processes=settings.processes,
        stop_signal=settings.stop_signal,
        grace_period=settings.grace_period,
        start_timeout=settings.start_timeout,
        restarts=Restarts(settings.restart, settings.max_failures, settings.failure_window),
        checks=Checks(
            readiness=filled_check("readiness"),
            liveness=filled_check("liveness"),
            interval=settings.check_interval,
            timeout=settings.check_timeout,
            failures=settings.check_failures,
            successes=settings.check_successes,
            watchdog=settings.watchdog,
        ),
        logs=Logs(
            size=megabytes(settings.log_size),
            age=None if settings.log_hours is None else settings.log_hours * 3600,
            keep=settings.log_keep,
        ),
        stop_after=seconds_away(settings.on_disconnect),
        generation=target.generation,
        restart_batch=target.batch,
        roll_batch=settings.roll_batch or 0,
    )


def _limits(settings: Any) -> Limits:
    memory = None if settings.memory is None else megabytes(settings.memory)
    return Limits(rlimits(settings.limits), memory, settings.cpu)


def load_types() -> Catalogue:
    """Load every module under C{pop/services/}, wherever on C{sys.path} that lies.

    A module that does not import and a type that does not keep L{IServiceType}'s promise are
    named in C{broken}; the others load.
    """
    broken: list[PopError] = list(_broken_modules())
    types: dict[str, Any] = {}
    for found in getPlugins(IServiceType, pop.services):
        try:
            _verify(found, types)
        except PopError as error:
            broken.append(error)
        else:
            types[found.name] = found
    return Catalogue(dict(sorted(types.items())), tuple(broken))


def _broken_modules() -> Iterable[BrokenType]:
    for module in getModule(pop.services.__name__).iterModules():
        try:
            module.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # whatever a stranger's module raises, SystemExit included
            reason = f"{type(error).__name__}: {error}"
            yield BrokenType(module=module.filePath.path, reason=_line(reason))


def _line(text: str) -> str:
    """One line, without the full stop that the sentence has."""
    return " ".join(text.split()).rstrip(".")


def _verify(found: Any, known: Mapping[str, Any]) -> None:
    where = f"{type(found).__module__}.{type(found).__qualname__}"

    def broken(reason: str) -> BrokenType:
        return BrokenType(module=where, reason=reason)

    try:
        verifyObject(IServiceType, found)
    except Invalid as error:
        raise broken(_line(str(error).partition(": ")[2] or str(error))) from error
    if not isinstance(found.name, str):
        raise broken("its name is not a text")
    try:
        check_name("service type", found.name)
    except BadName as error:
        raise broken(
            f"its name cannot be {error.fields['name']!r}: {error.fields['reason']}"
        ) from error
    if found.name in known:
        other = type(known[found.name]).__module__
        raise broken(f'{other} has a type "{found.name}" already')
    if not isinstance(found.settings, InterfaceClass) or not found.settings.extends(
        ISettings, strict=False
    ):
        raise broken("its settings do not extend pop.interfaces.ISettings")
