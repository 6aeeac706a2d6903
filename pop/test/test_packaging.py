"""What is installed is whole, and found from anywhere."""

import atexit
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from functools import cache
from pathlib import Path
from zipfile import ZipFile

from twisted.trial.unittest import SynchronousTestCase

from pop.test.checkout import MISSING, PACKAGES, ROOT

PARTS = ("setup.py", "pyproject.toml", "README.rst", "LICENSE", *PACKAGES, "twisted")
TWISTD = "import sys; sys.argv[0] = 'twistd'; from twisted.scripts.twistd import run; run()"
WHERE = "import pop.tap, txzookeeper; print(pop.__file__); print(txzookeeper.__file__)"


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints; its own words are the failure if it fails."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**environment, "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise AssertionError(f"{command} exited with {done.returncode}:\n{done.stdout}")
    return done.stdout


def copy_sources(to: Path) -> Path:
    """A checkout of its own, so that building leaves nothing behind in this one."""
    to.mkdir()
    clean = shutil.ignore_patterns("__pycache__", "dropin.cache", "*.egg-info")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, to / part, ignore=clean)
        else:
            shutil.copy(ROOT / part, to / part)
    return to


def make_environment(at: Path) -> Path:
    """A fresh virtual environment that sees what this one has installed; gives its Python.

    A C{.pth} file leads to the packages here. The C{.pth} files among them have no effect there, so
    an editable pop of this environment is not seen.
    """
    venv.create(at, with_pip=False)
    paths = {"base": str(at), "platbase": str(at)}
    packages = Path(sysconfig.get_path("purelib", "venv", paths))
    outer = {sysconfig.get_path(kind) for kind in ("purelib", "platlib")}
    (packages / "outer.pth").write_text("\n".join(sorted(outer)) + "\n")
    return at / "bin" / "python"


@cache
def wheel() -> Path:
    """A wheel of this checkout, built once and gone when this process ends."""
    base = Path(tempfile.mkdtemp(prefix="pop-wheel-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps")
    tree = copy_sources(base / "sources")
    run(*pip, "--no-index", "--wheel-dir", base / "dist", tree, cwd=base)
    [found] = (base / "dist").iterdir()
    return found


class PackagingTests(SynchronousTestCase):
    """Pop as a wheel, and as an editable install."""

    skip = MISSING

    def setUp(self) -> None:
        self.base = Path(tempfile.mkdtemp(prefix="pop-packaging-"))
        self.addCleanup(shutil.rmtree, self.base, ignore_errors=True)

    def test_the_wheel_is_whole(self) -> None:
        """It holds every module of the checkout, and the marks that its types may be relied on."""
        expected = {
            str(path.relative_to(ROOT))
            for package in PACKAGES
            for path in (ROOT / package).rglob("*.py*")
            if path.suffix == ".py" or path.name == "py.typed"
        }
        self.assertEqual(set(), expected - set(ZipFile(wheel()).namelist()))

    def test_the_plugin_lies_bare(self) -> None:
        """Only the plugin itself goes into Twisted's package, or Twisted would look no further."""
        found = [name for name in ZipFile(wheel()).namelist() if name.startswith("twisted")]
        self.assertEqual(["twisted/plugins/pop_plugin.py"], found)

    def test_from_a_wheel(self) -> None:
        """Installed from a wheel, twistd finds pop, wherever it is started."""
        self.check_installed("--no-index", wheel(), where=self.base / "environment")

    def test_from_an_editable_install(self) -> None:
        """Installed with C{pip install -e}, twistd finds pop, wherever it is started."""
        tree = copy_sources(self.base / "sources")
        self.check_installed("--no-build-isolation", "--editable", tree, where=tree)

    def check_installed(self, *what: str | Path, where: Path) -> None:
        """Install it into a fresh environment; all that is found then lies at C{where}."""
        python = make_environment(self.base / "environment")
        self.addCleanup(shutil.rmtree, self.base / "environment")
        pip = (sys.executable, "-m", "pip", "--python", python, "install", "--quiet")
        run(*pip, "--no-deps", "--ignore-installed", *what, cwd=self.base)
        elsewhere = self.base / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        for found in run(python, "-c", WHERE, cwd=elsewhere).split():
            self.assertIn(where.resolve(), Path(found).resolve().parents)
        listed = run(python, "-c", TWISTD, "--help", cwd=elsewhere)
        self.assertRegex(listed, r"(?m)^\s+pop\s+\S")
        command = run(python.with_name("pop"), "--version", cwd=elsewhere)
        self.assertRegex(command, r"\d")
