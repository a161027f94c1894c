"""From the records of a report to its findings: the loop that formats have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, ClassVar, Protocol

from findings.formats.beside import lacking
from findings.formats.identity import Firsts, Occurrences
from findings.formats.normalised import Normalised, Rejected, normalise
from findings.formats.stream import Record


class Problem(Protocol):
    COUNTS_REPEATS: ClassVar[bool]
    """Whether equal ones in a report are several findings, or one reported again."""

    def record(self) -> dict[str, Any]:
        """The fields of `Normalised`."""
        ...


def read_problems(
    found: Iterable[Record],
    build: Callable[[Record], Problem | None],
    *required: str | tuple[str, ...],
    latest: datetime,
) -> Iterator[Normalised | Rejected]:
    """What `build` makes of each record; None of it is a record without a finding.

    A record that is no object, or lacks text at a required path, is rejected before.
    """
    occurrences, firsts = Occurrences(), Firsts()
    for position, record in enumerate(found):
        refused = lacking(record, position, *required)
        problem = None if refused else build(record)
        if refused:
            yield refused
        elif problem:
            fields = problem.record()
            if problem.COUNTS_REPEATS:
                fields["fingerprint"] = occurrences.name(fields["fingerprint"])
            if problem.COUNTS_REPEATS or firsts.has(fields["fingerprint"]):
                yield normalise(fields, position=position, at=record.pointer, latest=latest)


def only(names: Iterable[str]) -> str:
    """The name that all of them are, or "": asked for no longer than to the second."""
    first: str | None = None
    for name in names:
        if first is None:
            first = name
        elif name != first:
            return ""
    return first or ""
