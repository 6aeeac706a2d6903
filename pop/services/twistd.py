"""Any installed twistd plugin."""

import sys
from typing import Any

from zope.schema import TextLine

from pop.interfaces import ISettings
from pop.model import Instance
from pop.placeholders import words
from pop.program import Program, ProgramType


class ITwistdSettings(ISettings):
    """Which plugin, with which options."""

    plugin = TextLine(title="Name of the plugin, as twistd --help lists it")
    options = TextLine(
        title="Its options, split as a shell would; {SETTING}, {service} and {machine} are"
        " filled in",
        default="",
        required=False,
    )


class Twistd(ProgramType):
    """A twistd plugin, kept in the foreground, logging to its standard output."""

    name = "twistd"
    summary = "Any installed twistd plugin, with its options."
    settings = ITwistdSettings

    def program(self, settings: Any, instance: Instance) -> Program:
        """twistd itself, by the Python that runs pop."""
        known = {"service": instance.service, "machine": instance.machine, **settings.as_json()}
        options = words(self.name, "options", settings.options, known) if settings.options else ()
        run = "from twisted.scripts.twistd import run; run()"
        quiet = ("--nodaemon", "--pidfile=")
        return Program((sys.executable, "-c", run, *quiet, settings.plugin, *options))


twistd = Twistd()
