"""What can go wrong between frameworks: each docstring is what people read."""

from pop.components.errors import BundleException


class BadEndpoint(BundleException):
    """That is no description of an endpoint: {reason}."""


class NotExported(BundleException):
    """The registration {id} is not exported: its properties say so, or it is gone."""


class NameInUse(BundleException):
    """The registration {id} cannot be exported as "{name}": another endpoint has that name."""


class NoProvider(BundleException):
    """Nothing here can {deed} {what} ({configs}). Start the bundle pop.components.remote.transport,
    or another that can."""


# Calls


class NotPlain(BundleException):
    """{what} cannot be sent: {reason}. Only None, booleans, numbers, texts, lists of such, and
    dictionaries with texts for keys can."""


class TooLarge(BundleException):
    """{what} cannot be sent: it takes {size} bytes, and {most} are the most."""


class NoSuchMethod(BundleException):
    """The endpoint {endpoint} has no method "{method}" that can be called from elsewhere."""


class NoSuchEndpoint(BundleException):
    """There is no endpoint {uid} any more."""


class TooBusy(BundleException):
    """More than {most} calls of one framework wait for their answers already."""


class NotRead(BundleException):
    """{method} of the endpoint {endpoint} has not been called: too many calls wait already for
    {address} to read them."""


class NotReachable(BundleException):
    """The endpoint {endpoint} cannot be reached at {address}: {reason}."""


class ConnectionBroke(BundleException):
    """The connection to {address} broke before {method} of {endpoint} was answered: it may or may
    not have been done."""


class NoAnswer(BundleException):
    """{method} of the endpoint {endpoint} has not been answered within {seconds:g} seconds: it may
    or may not have been done."""


class BadTimeout(BundleException):
    """{value!r} is no number of seconds that an answer may take (pop.remote.timeout)."""


class BadMost(BundleException):
    """{value!r} is no number of calls that may wait for their answers (pop.remote.calls)."""


class NoAddress(BundleException):
    """Nobody says where the endpoint {endpoint} can be reached."""


class BadAddress(BundleException):
    """Calls cannot be {deed} at {address}: {reason}."""


class OpenAddress(BundleException):
    """Calls may not be answered at {address}: anybody could make them. Use a UNIX socket
    (unix:PATH), or give all frameworks concerned one secret (pop.remote.secret) and use TLS, or TCP
    on the loopback interface (tcp:PORT:interface=127.0.0.1)."""


class OpenWay(BundleException):
    """Calls may not be made at {address}: others could read along, the secret too. Use TLS
    (tls:HOST:PORT), a UNIX socket, or TCP on the loopback interface (tcp:127.0.0.1:PORT)."""


class NoReactor(BundleException):
    """Calls from and to other frameworks need a framework that was made with a reactor as its
    clock."""
