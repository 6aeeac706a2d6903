"""How pop is packaged.

``package_dir={"": "."}`` is what makes an editable install a plain ``.pth``
file, so that Twisted finds ``twisted/plugins/pop_plugin.py`` in the checkout.
"""

from pathlib import Path
from runpy import run_path

from setuptools import find_packages, setup

here = Path(__file__).parent

setup(
    name="pop",
    version=run_path(str(here / "pop/__init__.py"))["__version__"],
    description="Let pop run your services: a service manager on Twisted and ZooKeeper",
    long_description=(here / "README.rst").read_text(encoding="utf-8"),
    long_description_content_type="text/x-rst",
    license="GPL-3.0-or-later",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    package_dir={"": "."},
    packages=[*find_packages(include=["pop*", "txzookeeper*"]), "twisted.plugins"],
    package_data={"pop": ["py.typed"], "txzookeeper": ["py.typed"]},
    install_requires=[
        "Twisted[tls] >= 26.4",
        "zope.interface >= 6",
        "zope.schema >= 7",
        "click >= 8.1",
        "rich >= 13",
        "psutil >= 5.9",
        "platformdirs >= 4",
        "PyYAML >= 6",
        "pip >= 23.1",
        "cryptography >= 42",
    ],
    extras_require={
        "dev": [
            "circus >= 0.19",
            "hypothesis",
            "ipopo >= 3.2.4",
            "kazoo >= 2.10",
            "mypy",
            "mypy-zope",
            "ruff",
            "setuptools >= 77",
            "sphinx",
            "supervisor >= 4.3",
            "types-PyYAML",
            "types-psutil",
        ],
    },
    entry_points={"console_scripts": ["pop = pop.cli:main"]},
    keywords="coordination deployment services supervisor zookeeper",
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Framework :: Twisted",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Topic :: System :: Clustering",
        "Topic :: System :: Systems Administration",
        "Typing :: Typed",
    ],
)
