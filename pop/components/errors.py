"""What can go wrong among bundles and registrations: each docstring is what people read."""

from pop.errors import PopError


class BundleException(PopError):
    """{reason}."""


class FrameworkException(Exception):
    """Raised by an activator or a callback of a component that cannot live with what happened.

    @ivar needs_stop: whether the whole framework should stop.
    """

    def __init__(self, reason: str = "", needs_stop: bool = False) -> None:
        super().__init__(reason)
        self.needs_stop = needs_stop


# Filters and specifications


class BadFilter(BundleException):
    """The filter {filter} cannot be read: {reason}, at character {position}."""


class BadSpecification(BundleException):
    """ "{specification}" cannot be a specification: {reason}."""


class BadProperties(BundleException):
    """The properties "{first}" and "{second}" are one and the same: names are compared without
    regard to case."""


# Registrations


class BrokenPromise(BundleException):
    """The bundle {bundle} may not register {object} under {specification}: {reason}."""


class Unregistered(BundleException):
    """The registration {id} is gone: its bundle took it back, or was stopped."""


class NotAFactory(BundleException):
    """The bundle {bundle} may not register {object} as a factory: it has no method {method}."""


class FactoryFailed(BundleException):
    """The factory of registration {id} (bundle {bundle}) gave nothing: {reason}."""


class NotAListener(BundleException):
    """{object} cannot be told of events: it is not callable and has no method {method}."""


# Bundles


class NoSuchBundle(BundleException):
    """There is no bundle {bundle}."""


class ContextGone(BundleException):
    """The bundle {bundle} is not active: it may not {deed} now."""


class NoSuchPackage(BundleException, ValueError):
    """There is no package in {path}: it is not a directory."""


class NotImported(BundleException):
    """The bundle {bundle} cannot be imported: {reason}."""


class NotStarted(BundleException):
    """The bundle {bundle} did not start: {reason}."""


class NotStopped(BundleException):
    """The bundle {bundle} is stopped, but its activator failed: {reason}."""


class NotUpdated(BundleException):
    """The bundle {bundle} goes on with the code that it has: {reason}."""


class TooEarly(BundleException):
    """The bundle {bundle} cannot start, since the framework does not run."""


class Uninstalled(BundleException):
    """The bundle {bundle} was uninstalled. Install it anew."""


class FrameworkStays(BundleException):
    """The framework itself cannot be {deed}."""


# Components


class NoComponents(BundleException):
    """No components can live here: start the bundle pop.components.ipopo first."""


class NoSuchFactory(BundleException, TypeError):
    """There is no component factory {factory}."""


class FactoryTaken(BundleException):
    """A component factory {factory} comes from the bundle {bundle} already."""


class NoSuchComponent(BundleException, ValueError, KeyError):
    """There is no component {component}."""


class NameTaken(BundleException, ValueError):
    """There is a component {component} already, of the factory {factory}."""


class SingletonTaken(BundleException, ValueError):
    """The factory {factory} makes one component at a time, and has made {component}."""


class NotAName(BundleException, ValueError):
    """A component cannot be named {name}."""


class TooLate(BundleException, ValueError):
    """The component {component} is not made any more: the framework is stopping."""


class AlreadyWaiting(BundleException, ValueError):
    """The component {component} is on the waiting list already."""


class NotWaiting(BundleException, KeyError):
    """The component {component} is not on the waiting list."""


class NotConstructed(BundleException, TypeError):
    """The component {component} cannot be made by the factory {factory}: {reason}."""


class CallTimeout(Exception):
    """A callback did not end in time."""

    def __init__(self, who: str, seconds: float) -> None:
        super().__init__(f"{who} has not ended within {seconds:g} seconds")


# Events


class BadTopic(BundleException):
    """{topic!r} cannot be the topic of an event: it should be a text such as "orders/new"."""
