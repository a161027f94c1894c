"""Packages of findings, as their attributes name them: what is installed, what fixes it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

MAX_VERSIONS = 2  # in a title


class Packaged(Protocol):
    @property
    def attributes(self) -> Mapping[str, Any]: ...


class Fix(NamedTuple):
    """The version that fixes `fixed` of the findings; empty if none is known."""

    version: str
    fixed: int


def package_text(finding: Packaged, name: str) -> str:
    """`name`, `version` or `fixed_version` of its package; empty where it has none."""
    package = finding.attributes.get("package")
    value = package.get(name) if isinstance(package, Mapping) else None
    return " ".join(value.split()) if isinstance(value, str) else ""


def fix_of(findings: Sequence[Packaged]) -> Fix:
    """The lowest version of the package that is above every finding's own fix."""
    fixes = [fix for finding in findings if (fix := _own_fix(finding))]
    return Fix(max(fixes, key=_order), len(fixes)) if fixes else Fix("", 0)


def update_title(name: str, versions: Sequence[str], fix: Fix) -> str:
    """As in "Update grpcio 1.50.0 → 1.53.2", with the installed `versions` if they are few."""
    if 0 < len(versions) <= MAX_VERSIONS:
        name = f"{name} {', '.join(versions)}"
    return f"Update {name} → {fix.version}" if fix.version else f"Vulnerable package {name}"


def _own_fix(finding: Packaged) -> str:
    """Of several lines of versions with a fix the next one up."""
    fixes = [each for each in re.split(r"[,\s]+", package_text(finding, "fixed_version")) if each]
    installed = _order(package_text(finding, "version"))
    above = [each for each in fixes if _order(each) > installed]
    return min(above, key=_order) if above else max(fixes, key=_order, default="")


def _order(version: str) -> tuple[tuple[int, int, str], ...]:
    """Numbers by their size, words before numbers, as far as any ecosystem agrees."""
    return tuple(
        (1, int(part), "") if part.isdigit() else (0, 0, part)
        for part in re.findall(r"[0-9]{1,18}|[a-z]+", version.lower())
    )
