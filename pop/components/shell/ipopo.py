"""Commands on components; a component itself, so that there is one to look at."""

from typing import Any

from pop.components.callbacks import Validate
from pop.components.container import SERVICE_IPOPO, Container
from pop.components.context import BundleContext
from pop.components.decorators import ComponentFactory, Instantiate, Provides
from pop.components.life import Phase
from pop.components.requires import Requires
from pop.components.shell.commands import SERVICE_SHELL_COMMAND, Method
from pop.components.shell.completion import (
    COMPONENT,
    COMPONENT_PROPERTY,
    DUMMY,
    FACTORY,
    FACTORY_PROPERTY,
    Completion,
)
from pop.components.shell.session import Session
from pop.components.shell.tables import counted, make_table
from pop.components.shell.wording import said


@ComponentFactory("ipopo-shell-commands-factory")
@Requires("_ipopo", SERVICE_IPOPO)
@Provides(SERVICE_SHELL_COMMAND)
@Instantiate("ipopo-shell-commands")
class ComponentCommands:
    """Look at factories and components, make and kill them."""

    _ipopo: Container

    @Validate
    def _validate(self, context: BundleContext) -> None:
        self._context = context

    def get_namespace(self) -> str:
        """Their own."""
        return "ipopo"

    def get_methods(self) -> list[tuple[str, Method]]:
        """The commands."""
        names = (
            *("factories", "factory", "instances", "instance", "waiting"),
            *("instantiate", "kill", "retry"),
        )
        return [(name, getattr(self, name)) for name in names]

    def factories(self, session: Session, name: str = "") -> None:
        """List the factories, or those whose name contains a text"""
        rows = [
            (factory, self._ipopo.get_factory_bundle(factory))
            for factory in self._ipopo.get_factories()
            if name in factory
        ]
        session.write_line(make_table(("Factory", "Bundle"), rows))
        session.write_line(f"{counted(len(rows), 'factory', 'factories')} available")

    @Completion(FACTORY)
    def factory(self, session: Session, name: str) -> None:
        """Show what a factory declares"""
        details = self._ipopo.get_factory_details(name)
        session.write_line(f"Name  : {details['name']}")
        session.write_line(f"Bundle: {details['bundle']}")
        if details["properties"]:
            session.write_line("Properties:")
            rows = sorted(details["properties"].items())
            session.write_line(make_table(("Key", "Default value"), rows, "\t"))
        if details["requirements"]:
            session.write_line("Requirements:")
            headers = ("ID", "Specification", "Filter", "Aggregate", "Optional")
            rows = [
                tuple(each[header.lower()] for header in headers)
                for each in details["requirements"]
            ]
            session.write_line(make_table(headers, rows, "\t"))
        if details["services"]:
            session.write_line("Provided services:")
            for provided in details["services"]:
                session.write_line(f"\t{', '.join(map(_name, provided))}")

    def instances(self, session: Session, name: str = "") -> None:
        """List the components, or those whose name contains a text"""
        rows = [
            (component, factory, state.name)
            for component, factory, state in self._ipopo.get_instances()
            if name in component
        ]
        session.write_line(make_table(("Name", "Factory", "State"), rows))
        session.write_line(f"{counted(len(rows), 'component')} running")

    def waiting(self, session: Session, name: str = "") -> None:
        """List the components whose handlers are not there, or those whose name contains a text"""
        rows = [
            (component, factory, ", ".join(sorted(missing)))
            for component, factory, missing in self._ipopo.get_waiting_components()
            if name in component
        ]
        session.write_line(make_table(("Name", "Factory", "Missing handlers"), rows))
        session.write_line(f"{counted(len(rows), 'component')} in the waiting queue")

    @Completion(COMPONENT)
    def instance(self, session: Session, name: str) -> None:
        """Show a component"""
        details = self._ipopo.get_instance_details(name)
        session.write_line(f"Name.....: {details['name']}")
        session.write_line(f"Factory..: {details['factory']}")
        session.write_line(f"Bundle ID: {details['bundle_id']}")
        session.write_line(f"State....: {details['state'].name}")
        erroneous = details["state"] is Phase.ERRONEOUS
        if details["why"] and not erroneous:
            session.write_line("Why......:")
            for sentence in details["why"]:
                session.write_line(f"\t{sentence}")
        if details["services"]:
            session.write_line("Services.:")
            for reference in details["services"].values():
                session.write_line(f"\t{reference}")
        if details["dependencies"]:
            session.write_line("Dependencies:")
            for field, dependency in details["dependencies"].items():
                _show_dependency(session, field, dependency)
        session.write_line("Properties:")
        rows = sorted(details["properties"].items())
        session.write_line(make_table(("Key", "Value"), rows, "\t"))
        trace = (details["error_trace"] or "").rstrip()
        if trace and (erroneous or not any(trace in sentence for sentence in details["why"])):
            session.write_line("Error:")
            session.write_line(trace)

    @Completion(FACTORY, DUMMY, FACTORY_PROPERTY, multiple=True)
    def instantiate(
        self, session: Session, factory: str, name: str, *values: str, **properties: str
    ) -> None:
        """Make a component, with properties: name=text or name:=value"""
        self._ipopo.instantiate(factory, name, said(values, properties))
        session.write_line(f"Component '{name}' instantiated.")

    @Completion(COMPONENT)
    async def kill(self, session: Session, name: str) -> None:
        """Let a component be gone"""
        await self._ipopo.kill(name)
        session.write_line(f"Component '{name}' killed.")

    @Completion(COMPONENT, COMPONENT_PROPERTY, multiple=True)
    def retry(self, session: Session, name: str, *values: str, **properties: str) -> None:
        """Let a component that failed try again, with other properties: name=text or name:=value"""
        state = self._ipopo.retry_erroneous(name, said(values, properties))
        session.write_line(f"Component '{name}' is {state.name}.")


def _name(specification: Any) -> str:
    return getattr(specification, "__identifier__", None) or str(specification)


def _show_dependency(session: Session, field: str, dependency: dict[str, Any]) -> None:
    session.write_line(f"\tField: {field}")
    session.write_line(f"\t\tSpecification: {', '.join(dependency['specifications'])}")
    session.write_line(f"\t\tFilter......: {dependency['filter']}")
    session.write_line(f"\t\tOptional.....: {dependency['optional']}")
    session.write_line(f"\t\tAggregate....: {dependency['aggregate']}")
    session.write_line(f"\t\tHandler......: {dependency['handler']}")
    session.write_line("\t\tBindings:")
    for binding in dependency["bindings"]:
        session.write_line(f"\t\t\t{binding}")
