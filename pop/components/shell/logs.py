"""Commands on the log."""

import logging
from collections import deque
from typing import Any

from pop.components.bundle import BundleActivator
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.log import LOG_READER_SERVICE, LOG_SERVICE, LogReader
from pop.components.logentry import read_level
from pop.components.shell.commands import SERVICE_SHELL_COMMAND, Method
from pop.components.shell.session import Session


class NoLog(BundleException):
    """Nothing of the log is kept here. Start the bundle pop.components.log."""


class NoSuchLevel(BundleException):
    """There is no level {level}: it should be DEBUG, INFO, WARNING, ERROR or CRITICAL."""


class NotACount(BundleException):
    """{count} is no number of entries."""


class LogCommands:
    """Read the log, and write to it."""

    def __init__(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """Their own."""
        return "log"

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        return [
            ("log", self.log),
            ("level", self.level),
            ("loglevel", self.level),
            ("debug", self.debug),
            ("info", self.info),
            ("warn", self.warning),
            ("warning", self.warning),
            ("error", self.error),
        ]

    def log(self, session: Session, level: str = "WARNING", count: str = "") -> None:
        """Show what was logged last: at least of a level, and at most so many entries"""
        least = _level(level)
        if count and not count.isdecimal():
            raise NotACount(count=count)
        reader: LogReader = self._find(LOG_READER_SERVICE)
        entries = [entry for entry in reader.get_log() if entry.level >= least]
        for entry in deque(entries, int(count) if count else None):
            session.write_line(str(entry))

    def level(self, session: Session, level: str = "", name: str = "") -> None:
        """Show or change from which level on the log, or one of Python's loggers, keeps"""
        if name:
            logger = logging.getLogger(name)
            if level:
                logger.setLevel(_level(level))
            at = logger.getEffectiveLevel()
        else:
            reader: LogReader = self._find(LOG_READER_SERVICE)
            if level:
                reader.set_level(_level(level))
            at = reader.get_level()
        session.write_line(logging.getLevelName(at))

    def debug(self, session: Session, *message: str) -> None:
        """Log a message for developers"""
        self._write("debug", message)

    def info(self, session: Session, *message: str) -> None:
        """Log a message"""
        self._write("info", message)

    def warning(self, session: Session, *message: str) -> None:
        """Log a warning"""
        self._write("warning", message)

    def error(self, session: Session, *message: str) -> None:
        """Log an error"""
        self._write("error", message)

    def _write(self, how: str, message: tuple[str, ...]) -> None:
        getattr(self._find(LOG_SERVICE), how)(" ".join(message))

    def _find(self, specification: str) -> Any:
        if (reference := self._context.get_service_reference(specification)) is None:
            raise NoLog
        try:
            return self._context.get_service(reference)
        finally:
            self._context.unget_service(reference)


def _level(text: str) -> int:
    if (level := read_level(text)) is None:
        raise NoSuchLevel(level=text)
    return level


@BundleActivator
class Activator:
    """Contributes the commands while the bundle is active."""

    def start(self, context: BundleContext) -> None:
        """For the shell to find."""
        context.register_service(SERVICE_SHELL_COMMAND, LogCommands(context))
