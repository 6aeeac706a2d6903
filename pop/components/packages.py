"""Whole packages as bundles."""

import os
from collections.abc import Callable
from pkgutil import iter_modules
from typing import Protocol

from pop.components.bundle import Bundle
from pop.components.errors import BundleException, NoSuchPackage

Installed = tuple[set[Bundle], set[str]]
"""(the bundles, the names of modules that could not be imported)"""
Visitor = Callable[[str, bool, str], bool]
"""(full name, whether it is a package, its file): whether to install it, and go into it."""


class Installing(Protocol):
    """What can install a bundle."""

    def install_bundle(self, name: str, path: str | None = None) -> Bundle:
        """Import a module as a bundle."""


def install(framework: Installing, path: str, wanted: Visitor) -> Installed:
    """Install the package in a directory, and those of its modules that are wanted.

    One module that cannot be imported does not hinder the others; but if that is the package's own,
    there are none.
    @raise NoSuchPackage: there is no such directory.
    """
    path = os.path.abspath(path)
    if not os.path.isdir(path) or not callable(wanted):
        raise NoSuchPackage(path=path)
    around, name = os.path.split(path)
    bundles: set[Bundle] = set()
    failed: set[str] = set()
    _install(framework, name, path, around, wanted, bundles, failed)
    return bundles, failed


def _install(
    framework: Installing,
    name: str,
    directory: str,
    around: str,
    wanted: Visitor,
    bundles: set[Bundle],
    failed: set[str],
) -> None:
    try:
        bundles.add(framework.install_bundle(name, around))
    except BundleException:
        failed.add(name)
        return
    for found in iter_modules([directory]):
        full, where = f"{name}.{found.name}", os.path.join(directory, found.name)
        if found.name == "__main__" or not wanted(full, found.ispkg, where):
            continue
        if found.ispkg:
            _install(framework, full, where, around, wanted, bundles, failed)
        else:
            try:
                bundles.add(framework.install_bundle(full, around))
            except BundleException:
                failed.add(full)
