"""Whether an object keeps the promises of the interfaces that it is registered under."""

from typing import Any

from zope.interface import Invalid
from zope.interface.interface import InterfaceClass
from zope.interface.verify import verifyObject

from pop.components import specifications as spec
from pop.components.errors import BrokenPromise, NotAFactory
from pop.components.reference import Owner


def check_promise(bundle: Owner, specifications: Any, object: Any) -> None:
    """Refuse an object that does not provide an interface, or does so in name only.

    @raise BrokenPromise: with the interface's name, and with what is missing.
    """
    if type(specifications) is str:
        return
    for one in spec.each(specifications):
        if isinstance(one, InterfaceClass):
            try:
                verifyObject(one, object)
            except Invalid as error:
                raise BrokenPromise(
                    bundle=bundle.get_symbolic_name(),
                    object=repr(object),
                    specification=spec.name(one),
                    reason=" ".join(str(error).split()).rstrip("."),
                ) from error


def check_factory(bundle: Owner, factory: Any, prototype: bool) -> None:
    """Refuse a factory that lacks a method.

    @raise NotAFactory: with the method's name.
    """
    methods = ("get_service", "unget_service")
    for method in (*methods, "unget_service_instance") if prototype else methods:
        if not callable(getattr(factory, method, None)):
            raise NotAFactory(
                bundle=bundle.get_symbolic_name(), object=repr(factory), method=method
            )
