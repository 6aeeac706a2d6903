"""Operators who change their minds."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pop.model import Service, Target
from pop.test.estates import MACHINES, SERVICES, Estate, check_of
from txzookeeper.errors import ConnectionLossException

GRACE = 2.0


class Operators:
    """Want something else now and then, and tell ZooKeeper so."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate

    def operate(self) -> None:
        """Do something, if ZooKeeper is there."""
        if self._estate.server_down:
            return
        name = self._estate.chance.choice(SERVICES)
        if name not in self._estate.wanted:
            self.add(name)
            return
        self._estate.chance.choice(
            (self._place, self._set, self._hold, self._restart, self._remove)
        )(name)

    def add(self, name: str) -> None:
        """Add a service."""
        service = Service(name, "command", self._settings(name), self._some_machines())
        self._want(service, "added")
        self._ask(lambda: self._estate.world.admin.add(service))

    def _place(self, name: str) -> None:
        service = replace(self._estate.wanted[name], machines=self._some_machines())
        self._want(service, "placed")
        self._write(self._estate.world.paths.placement(name), json.dumps(service.machines))

    def _set(self, name: str) -> None:
        service = replace(self._estate.wanted[name], settings=self._settings(name))
        self._want(service, "set")
        self._write(self._estate.world.paths.settings(name), json.dumps(service.settings))

    def _hold(self, name: str) -> None:
        target = self._estate.wanted[name].target
        self._aim(name, replace(target, run=not target.run))

    def _restart(self, name: str) -> None:
        target = self._estate.wanted[name].target
        self._aim(name, replace(target, generation=target.generation + 1))

    def _aim(self, name: str, target: Target) -> None:
        self._want(replace(self._estate.wanted[name], target=target), "aimed")
        self._write(self._estate.world.paths.target(name), target.to_json().decode())

    def _remove(self, name: str) -> None:
        del self._estate.wanted[name]
        self._estate.say(f"{name} is removed")
        self._ask(lambda: self._estate.world.admin.remove(name))

    def _want(self, service: Service, what: str) -> None:
        self._estate.wanted[service.name] = service
        self._estate.say(
            f"{service.name} is {what}: {json.dumps(service.settings)} on"
            f" {service.machines} {service.target}"
        )

    def _write(self, path: str, text: str) -> None:
        self._ask(lambda: self._estate.world.admin.client.set(path, text.encode()))

    def _ask(self, work: Callable[[], Any]) -> None:
        """Do something that can be done twice, until it is known to be done."""
        for _ in range(10):
            try:
                self._estate.world.server.run(work(), limit=30)
                return
            except ConnectionLossException:
                continue
        self._estate.wrong("the operator was not heard")

    def _some_machines(self) -> tuple[str, ...]:
        return tuple(m for m in MACHINES if self._estate.chance.random() < 0.7)

    def _settings(self, name: str) -> dict[str, Any]:
        chance = self._estate.chance
        settings: dict[str, Any] = {
            "argv": f"run-{name} {chance.randrange(3)}",
            "processes": chance.choice((1, 1, 2, 3)),
            "notify": chance.random() < 0.4,
            "restart": chance.choice(("always", "always", "on-failure")),
            "grace_period": GRACE,
            "start_timeout": 5.0,
            "check_interval": 2.0,
            "check_timeout": 1.0,
            "max_failures": chance.choice((2, 5)),
        }
        if chance.random() < 0.4:
            settings["readiness"] = check_of(name)
        if chance.random() < 0.4:
            settings["liveness"] = check_of(name)
        return settings
