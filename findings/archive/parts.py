"""What the apps above keep about a finding: each registers its own part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from findings.models import Finding


class Part(Protocol):
    """Each function is called inside the transaction that archives or restores, with findings
    that are locked, and costs a constant number of statements."""

    def staying(self, pks: Sequence[int]) -> set[int]:
        """Those that must not be archived now."""

    def dump(self, pks: Sequence[int]) -> Mapping[int, Any]:
        """JSON of those about whom there is something to keep."""

    def kept(self, finding: Finding, document: Any) -> Any:
        """What of it has to stay in the database, for when the finding is reported again."""

    def forget(self, pks: Sequence[int]) -> None:
        """They are deleted next."""

    def restore(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        """Primary key → the finding, which is back, and what `dump` or `kept` said of it, if
        anything. What is there already stays as it is."""

    def complete(self, rows: Mapping[int, tuple[Finding, Any]]) -> None:
        """The same of findings that a report brought back before: what is told of the past."""


_parts: dict[str, Part] = {}


def register(name: str, part: Part) -> None:
    _parts[name] = part


def parts() -> Mapping[str, Part]:
    return _parts
