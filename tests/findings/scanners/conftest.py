"""Real scanners, run where they were installed with the other tools for development."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.findings.scanners import tree

_BIN = Path(sys.executable).parent
TREES = {"whole": tree.TREE, "moved": tree.MOVED, "broken": tree.BROKEN}


@pytest.fixture(scope="session")
def scan():
    """`scan("bandit -r . -f json")` is what that command writes about a tree: each is run once.

    The tree lies in a checkout of a build agent, whose path belongs to no finding.
    """
    with tempfile.TemporaryDirectory() as place:
        for name, files in TREES.items():
            _lay(Path(place, name, "_work/shop/shop"), files)

        @cache
        def run(command: str, of: str = "whole") -> bytes:
            return _run(command, Path(place, of, "_work/shop/shop"), home=place)

        yield run


def _lay(root: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def _run(command: str, root: Path, *, home: str) -> bytes:
    """With no settings of whoever runs it. Each scanner has its own code for "found something"."""
    program, *arguments = command.split()
    environment = {"PATH": "/usr/bin:/bin", "HOME": home, "LANG": "C.UTF-8"}
    done = subprocess.run(
        [_BIN / program, *arguments],
        check=False,
        cwd=root,
        env=environment,
        capture_output=True,
        timeout=60,
    )
    assert done.stdout, done.stderr.decode()
    return done.stdout
