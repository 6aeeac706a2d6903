"""The service types that run programs, and what echoes."""

import sys
from collections.abc import Mapping
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from pop.errors import BadSetting, MissingSetting
from pop.model import Instance
from pop.program import Program
from pop.services.command import command
from pop.services.echo import threaded_echo, twisted_echo
from pop.services.twistd import twistd
from pop.settings import validate


def program(kind: Any, values: Mapping[str, Any]) -> Program:
    """What a type makes of settings."""
    settings = validate(kind.name, kind.settings, values)
    made: Program = kind.program(settings, Instance("web", "m1"))
    return made


def words(line: str, **more: Any) -> tuple[str, ...]:
    """The words of a command line."""
    return program(command, {"argv": line, **more}).argv


class CommandTests(SynchronousTestCase):
    """Any program, by its command line."""

    def refused(self, reason: str, line: str, **more: Any) -> None:
        """The command line is refused with just that reason."""
        error = self.assertRaises(BadSetting, words, line, **more)
        self.assertEqual(
            f'The setting "argv" of type "command" cannot be {line!r}: {reason}.', str(error)
        )

    def test_words(self) -> None:
        """A line is split as a shell would."""
        self.assertEqual(
            ("sh", "-c", "echo 'a b'", "", "c d"), words("""sh -c "echo 'a b'"  '' c\\ d""")
        )

    def test_without_a_shell(self) -> None:
        """What means something to a shell means nothing here."""
        self.assertEqual(("echo", "$HOME", "*", "|", "x;", "#y"), words("echo $HOME * | x; #y"))

    def test_settings_are_filled_in(self) -> None:
        """Any setting that is a text or a number may stand in braces, more than once in a word."""
        self.assertEqual(
            ("serve", "--at=80:80", "--for=5.0"),
            words("serve --at={port}:{port} --for={grace_period}", port=80, grace_period=5),
        )

    def test_instance_is_filled_in(self) -> None:
        """So may the service and the machine."""
        self.assertEqual(("log", "web@m1"), words("log {service}@{machine}"))

    def test_filled_within_a_word(self) -> None:
        """A value with blanks or quotes stays within its word."""
        self.assertEqual(("cat", "/a b/'c"), words("cat {directory}", directory="/a b/'c"))

    def test_braces(self) -> None:
        """A brace itself is written twice."""
        self.assertEqual(("awk", "{print}"), words("awk {{print}}"))

    def test_unbalanced_quotes(self) -> None:
        """A quote that is not closed is named."""
        self.refused("it cannot be split: No closing quotation", "echo 'a")

    def test_no_words(self) -> None:
        """A line without a word is refused."""
        self.refused("it is empty", "  ")

    def test_empty_line(self) -> None:
        """So is one that is empty altogether."""
        self.assertRaises(BadSetting, words, "")

    def test_unknown_placeholders(self) -> None:
        """A placeholder that is no setting, or one without a value, is named."""
        for name in ("host", "port", "0", "", "port.real", "environment[PATH]"):
            reason = f"there is no value for {{{name}}}; a brace itself is written twice"
            self.refused(reason, f"serve {{{name}}}")

    def test_no_formatting(self) -> None:
        """A placeholder is a name and nothing else."""
        for line in ("serve {port:05}", "serve {port!r}"):
            self.assertRaises(BadSetting, words, line, port=80)

    def test_not_a_text(self) -> None:
        """A setting that is neither a text nor a number cannot stand in a word."""
        self.refused("{environment} is neither a text nor a number", "x {environment}")

    def test_lonely_braces(self) -> None:
        """A brace without its other half is a sentence as well."""
        for line in ("awk {print", "awk print}", "x {"):
            error = self.assertRaises(BadSetting, words, line)
            self.assertIn(f"cannot be {line!r}: it cannot be split: ", str(error))

    def test_no_command(self) -> None:
        """Without a command line there is nothing to run."""
        error = self.assertRaises(MissingSetting, program, command, {})
        self.assertIn('The service type "command" needs the setting "argv": ', str(error))

    def test_state(self) -> None:
        """A port that was given is what the state node says; without one it says nothing."""
        self.assertEqual({"port": 80}, program(command, {"argv": "x", "port": 80}).state)
        self.assertEqual({}, program(command, {"argv": "x"}).state)

    def test_notify(self) -> None:
        """A program notifies if it is said to."""
        self.assertFalse(program(command, {"argv": "x"}).notifies)
        self.assertTrue(program(command, {"argv": "x", "notify": True}).notifies)


class TwistdTests(SynchronousTestCase):
    """Any twistd plugin."""

    def test_foreground(self) -> None:
        """The plugin runs in the foreground, by this Python, with its options filled in."""
        argv = program(
            twistd,
            {
                "plugin": "web",
                "options": "--port tcp:80 --path '{directory}/a b'",
                "directory": "/srv",
            },
        ).argv
        self.assertEqual((sys.executable, "-c"), argv[:2])
        self.assertEqual(
            ("--nodaemon", "--pidfile=", "web", "--port", "tcp:80", "--path", "/srv/a b"), argv[3:]
        )

    def test_no_options(self) -> None:
        """A plugin may need none."""
        for values in ({"plugin": "web"}, {"plugin": "web", "options": ""}):
            self.assertEqual("web", program(twistd, values).argv[-1])

    def test_bad_options(self) -> None:
        """The sentence names the setting that is meant."""
        values = {"plugin": "web", "options": "--port {port}"}
        error = self.assertRaises(BadSetting, program, twistd, values)
        self.assertIn('The setting "options" of type "twistd" cannot be ', str(error))


class EchoTests(SynchronousTestCase):
    """What pop hosts itself."""

    def test_settings(self) -> None:
        """Both take where to listen, on any free port of this host unless told."""
        for kind in (twisted_echo, threaded_echo):
            settings = validate(kind.name, kind.settings, {})
            self.assertEqual(("127.0.0.1", 0), (settings.host, settings.port))

    def test_bad_port(self) -> None:
        """A port that there is not is refused."""
        error = self.assertRaises(BadSetting, program, twisted_echo, {"port": 65536})
        self.assertEqual(
            'The setting "port" of type "twisted-echo" cannot be 65536: it should be from 0 to'
            " 65535.",
            str(error),
        )
