"""The files that a reader of the repository sees."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = tuple(ROOT / name for name in ("automation", "config", "findings", "ticketing"))


@cache
def committed_files() -> tuple[Path, ...]:
    """Everything under version control; everything there is where git is not."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode:
        paths = (p for p in ROOT.rglob("*") if not p.relative_to(ROOT).parts[0].startswith("."))
    else:
        paths = (ROOT / name for name in listed.stdout.decode().split("\0") if name)
    return tuple(sorted(path for path in paths if path.is_file()))


def python_files() -> list[Path]:
    """Our own modules, migrations aside."""
    return [
        path
        for path in committed_files()
        if path.suffix == ".py"
        and any(package in path.parents for package in PACKAGES)
        and "migrations" not in path.parts
    ]


def templates() -> list[Path]:
    return [path for path in committed_files() if ROOT / "templates" in path.parents]


def static_files(*suffixes: str) -> list[Path]:
    """What we wrote for the browser; what others wrote is under `vendor`."""
    static = ROOT / "config" / "static"
    return [
        path
        for path in committed_files()
        if static in path.parents and path.suffix in suffixes and "vendor" not in path.parts
    ]
