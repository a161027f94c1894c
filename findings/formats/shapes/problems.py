"""From the records of a report to its findings: the loop that formats have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes.merging import FoundPackage, Outcome, merge_packages
from findings.formats.shapes.packages import VulnerablePackage
from findings.formats.streams.context import missing_fields
from findings.formats.streams.records import Record
from findings.formats.values.fields import moment
from findings.formats.values.identity import Firsts, Occurrences


class Problem(Protocol):
    COUNTS_REPEATS: ClassVar[bool]
    """Whether equal ones in a report are several findings, or one reported again."""

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`."""
        ...


@dataclass(frozen=True)
class ReadyProblem:
    """A problem whose fields a reader has made by another shape."""

    COUNTS_REPEATS: ClassVar = False

    fields: dict[str, Any]

    def record(self) -> dict[str, Any]:
        return self.fields


def read_problems(
    found: Iterable[Record],
    build: Callable[[Record], Problem | None],
    *required: str | tuple[str, ...],
    latest: datetime,
    first_seen: str = "",
) -> Iterator[Normalised | Rejected]:
    """What `build` makes of each record; None of it is a record without a finding.

    A record that is no object, or lacks text at a required path, is rejected before. `first_seen`
    is the field that says when the problem was seen first.
    """
    outcomes = _outcomes(found, build, *required, latest=latest, first_seen=first_seen)
    yield from merge_packages(outcomes, latest=latest)


def _outcomes(
    found: Iterable[Record],
    build: Callable[[Record], Problem | None],
    *required: str | tuple[str, ...],
    latest: datetime,
    first_seen: str,
) -> Iterator[Outcome]:
    occurrences, firsts = Occurrences(), Firsts()
    for position, record in enumerate(found):
        refused = missing_fields(record, position, *required)
        problem = None if refused else build(record)
        if refused:
            yield refused
        elif isinstance(problem, VulnerablePackage):
            since = moment(record.value, first_seen, latest=latest) if first_seen else None
            yield FoundPackage(problem, position, record.pointer, since)
        elif problem:
            fields = problem.record()
            if first_seen:
                fields["first_seen_at"] = moment(record.value, first_seen, latest=latest)
            if problem.COUNTS_REPEATS:
                is_first = occurrences.tell_apart(fields, record.value)
            else:
                is_first = firsts.has(fields["fingerprint"])
            if is_first:
                yield normalise_mapped(fields, position=position, at=record.pointer, latest=latest)


def only(names: Iterable[str]) -> str:
    """The name that all of them are, or "": asked for no longer than to the second."""
    first: str | None = None
    for name in names:
        if first is None:
            first = name
        elif name != first:
            return ""
    return first or ""
