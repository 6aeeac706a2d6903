"""Ways into Twisted's log: for bundles, and for what Python's own L{logging} is given."""

import logging
import sys
import threading
from types import TracebackType
from typing import Any

from twisted.logger import Logger
from twisted.logger._stdlib import StringifiableFromEvent
from twisted.python.failure import Failure

from pop.components.bundle import Bundle
from pop.components.logentry import BUNDLE, REFERENCE, twisted_level
from pop.components.reference import ServiceReference
from pop.components.registry import ServiceRegistration

_FORWARDED = "pop_forwarded"
_here = threading.local()
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class Log:
    """The log as one bundle writes it."""

    def __init__(self, bundle: Bundle) -> None:
        self._logger = Logger(namespace=bundle.get_symbolic_name())
        self._bundle = bundle

    def log(
        self,
        level: int,
        message: object,
        exc_info: BaseException | ExcInfo | bool | None = None,
        reference: ServiceReference | None = None,
    ) -> None:
        """Log a message.

        @param level: as Python's L{logging} counts.
        @param exc_info: an exception, a triple as L{sys.exc_info} gives, or C{True} for that which
            is being handled.
        @param reference: the registration that it is about.
        """
        more: dict[str, Any] = {BUNDLE: self._bundle, REFERENCE: reference}
        if (failure := _failure(exc_info)) is not None:
            more["log_failure"] = failure
        self._logger.emit(twisted_level(level), "{said}", said=str(message), **more)

    def debug(self, message: object, exc_info: Any = None, reference: Any = None) -> None:
        """Log what is for developers."""
        self.log(logging.DEBUG, message, exc_info, reference)

    def info(self, message: object, exc_info: Any = None, reference: Any = None) -> None:
        """Log what is good to know."""
        self.log(logging.INFO, message, exc_info, reference)

    def warning(self, message: object, exc_info: Any = None, reference: Any = None) -> None:
        """Log what may become trouble."""
        self.log(logging.WARNING, message, exc_info, reference)

    warn = warning

    def error(self, message: object, exc_info: Any = None, reference: Any = None) -> None:
        """Log trouble."""
        self.log(logging.ERROR, message, exc_info, reference)


def _failure(exc_info: Any) -> Failure | None:
    if exc_info is True:
        exc_info = sys.exc_info()
    if isinstance(exc_info, BaseException):
        return Failure(exc_info)
    if isinstance(exc_info, tuple) and len(exc_info) == 3 and exc_info[1] is not None:
        return Failure(exc_info[1], exc_info[0], exc_info[2])
    return None


class Logs:
    """Gives each bundle its L{Log}."""

    def get_service(self, bundle: Bundle, registration: ServiceRegistration) -> Log:
        """For the registry."""
        return Log(bundle)

    def unget_service(self, bundle: Bundle, registration: ServiceRegistration) -> None:
        """For the registry."""


class Forwarding(logging.Handler):
    """Hands what Python's own L{logging} is given to Twisted's log, once, however many do so."""

    def emit(self, record: logging.LogRecord) -> None:
        """For L{logging}; in any thread."""
        # What comes from Twisted's log, by its STDLibLogObserver, is there already.
        if isinstance(record.msg, StringifiableFromEvent) or hasattr(record, _FORWARDED):
            return
        if getattr(_here, "forwarding", False):  # another observer's, of what is being forwarded
            return
        setattr(record, _FORWARDED, True)
        _here.forwarding = True
        try:
            _forward(record)
        except Exception:
            self.handleError(record)
        finally:
            _here.forwarding = False


def _forward(record: logging.LogRecord) -> None:
    failure = _failure(record.exc_info)
    more = {} if failure is None else {"log_failure": failure}
    logger = Logger(namespace=record.name)
    level = twisted_level(record.levelno)
    logger.emit(level, "{said}", said=record.getMessage(), **more)
