"""What may be written next in a command line.

A command says what its arguments are by L{Completion}: the kind of each, and whether the last may
be repeated. A kind is a name in L{KINDS}; another completer is registered under
L{SERVICE_COMPLETER} with its kind as the property C{completion.id}, and has a method
C{complete(context, text)}.
"""

from collections.abc import Callable, Iterable
from glob import escape, iglob
from os.path import isdir
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pop.components.container import SERVICE_IPOPO
from pop.components.context import BundleContext
from pop.components.errors import BundleException
from pop.components.reference import SERVICE_ID

if TYPE_CHECKING:
    from pop.components.shell.core import Shell
    from pop.components.shell.session import Session

SERVICE_COMPLETER: Final = "pelix.shell.completer"
PROP_COMPLETER_ID: Final = "completion.id"

BUNDLE: Final = "bundle"
SERVICE: Final = "registration"
FACTORY: Final = "factory"
COMPONENT: Final = "component"
FACTORY_PROPERTY: Final = "factory property"
COMPONENT_PROPERTY: Final = "component property"
COMMAND: Final = "command"
PROPERTY: Final = "property"
FILE: Final = "file"
DUMMY: Final = ""

_KINDS = "__pop_completion__"
Method = TypeVar("Method", bound=Callable[..., Any])


def Completion(*kinds: str, multiple: bool = False) -> Callable[[Method], Method]:
    """Say what the arguments of a command are.

    @param multiple: whether whatever follows is like the last.
    """

    def marked(method: Method) -> Method:
        setattr(method, _KINDS, (kinds, multiple))
        return method

    return marked


def complete(shell: "Shell", text: str, session: "Session") -> list[str]:
    """The words that may stand in place of the last one of a text."""
    words = text.split()
    last = "" if not words or text[-1].isspace() else words.pop()
    if last.startswith("$"):
        return _beginning(last, (f"${name}" for name in session.variables))
    if not words:
        return _beginning(last, shell.commands.names())
    return _beginning(last, _choices(shell, words, last))


def _beginning(text: str, choices: Iterable[str]) -> list[str]:
    return sorted({choice for choice in choices if choice.startswith(text)})


def _choices(shell: "Shell", words: list[str], last: str) -> Iterable[str]:
    try:
        method = shell.commands.find(words[0]).method
    except BundleException:
        return ()
    kinds, multiple = getattr(method, _KINDS, ((), False))
    place = len(words) - 1
    if place >= len(kinds):
        if not kinds or not multiple:
            return ()
        place = len(kinds) - 1
    if (about := ABOUT.get(kinds[place])) is not None:
        return about(shell.context, words[1])
    return _of_kind(shell, kinds[place], last)


def _of_kind(shell: "Shell", kind: str, text: str) -> Iterable[str]:
    if kind == COMMAND:
        return shell.commands.names()
    if kind == FILE:
        return _files(text)
    if kind in KINDS:
        return KINDS[kind](shell.context)
    context = shell.context
    wanted = f"({PROP_COMPLETER_ID}={kind})"
    if kind and (reference := context.get_service_reference(SERVICE_COMPLETER, wanted)):
        found: Iterable[str] = context.get_service(reference).complete(context, text)
        context.unget_service(reference)
        return found
    return ()


def _files(text: str) -> Iterable[str]:
    """Where the framework runs, which is where they are read."""
    for path in iglob(f"{escape(text)}*"):
        yield f"{path}/" if isdir(path) else path


def _bundles(context: BundleContext) -> Iterable[str]:
    for bundle in context.get_bundles():
        yield str(bundle.get_bundle_id())
        yield bundle.get_symbolic_name()


def _registrations(context: BundleContext) -> Iterable[str]:
    for reference in context.get_all_service_references():
        yield str(reference.get_property(SERVICE_ID))


def _specifications(context: BundleContext) -> Iterable[str]:
    for reference in context.get_all_service_references():
        yield from reference.specifications


def _ipopo(context: BundleContext, names: Callable[[Any], Iterable[str]]) -> Iterable[str]:
    if (reference := context.get_service_reference(SERVICE_IPOPO)) is None:
        return ()
    found = list(names(context.get_service(reference)))
    context.unget_service(reference)
    return found


def _factories(context: BundleContext) -> Iterable[str]:
    return _ipopo(context, lambda ipopo: ipopo.get_factories())


def _components(context: BundleContext) -> Iterable[str]:
    return _ipopo(context, lambda ipopo: [name for name, *_ in ipopo.get_instances()])


def _factory_properties(context: BundleContext, factory: str) -> Iterable[str]:
    return _ipopo(
        context,
        lambda ipopo: (
            [f"{name}=" for name in ipopo.factory(factory).declared.properties]
            if ipopo.is_registered_factory(factory)
            else ()
        ),
    )


def _component_properties(context: BundleContext, component: str) -> Iterable[str]:
    return _ipopo(
        context,
        lambda ipopo: (
            [f"{name}=" for name in ipopo.component(component).properties]
            if ipopo.is_registered_instance(component)
            else ()
        ),
    )


def _properties(context: BundleContext) -> Iterable[str]:
    return context.get_framework().get_properties()


KINDS: dict[str, Callable[[BundleContext], Iterable[str]]] = {
    BUNDLE: _bundles,
    SERVICE: _registrations,
    "specification": _specifications,
    FACTORY: _factories,
    COMPONENT: _components,
    PROPERTY: _properties,
}
ABOUT: dict[str, Callable[[BundleContext, str], Iterable[str]]] = {
    FACTORY_PROPERTY: _factory_properties,
    COMPONENT_PROPERTY: _component_properties,
}
"""What depends on the first argument of the command."""
