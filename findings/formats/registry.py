"""The report formats that can be read. A new one is a module and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from findings.formats import (
    asff,
    bandit,
    checkov,
    cyclonedx,
    dependencycheck,
    detect_secrets,
    generic,
    gitleaks,
    gosec,
    govulncheck,
    grype,
    kics,
    kubebench,
    npm_audit,
    nuclei,
    ocsf,
    osv_scanner,
    own,
    pip_audit,
    prowler,
    sarif,
    semgrep,
    snyk,
    tfsec,
    trivy,
    trufflehog,
    zap,
)
from findings.formats.column_map import UnknownTable, WrongColumns
from findings.formats.generic_columns import NO_MAP, ColumnMap
from findings.formats.normalised import Normalised, Rejected
from findings.formats.outlines import LABELS
from findings.formats.stream import Outline, RefusedReport, outline


class Format(Protocol):
    """A module of this package. It may also have functions that only some formats need:
    `target(report)`, see `target_of`; `covers_its_scope(report)`, see there; `columns(report)` and
    `with_columns(columns, report)`, see `columns_of` and `recognise`."""

    NAME: str  # in the API and on the command line
    LABEL: str  # for people

    def recognises(self, outline: Outline, /) -> bool:
        """Whether the report is in this format; RefusedReport if in a version not read."""
        ...

    def scanner(self, report: BinaryIO, /) -> str:
        """The name of the scanner that wrote the report; empty if it does not say."""
        ...

    def read(self, report: BinaryIO, /, *, latest: datetime) -> Iterator[Normalised | Rejected]:
        """The findings in the order of the report, one at a time, none first seen after
        `latest`."""
        ...


FORMATS: tuple[Format, ...] = (
    asff,
    bandit,
    checkov,
    cyclonedx,
    dependencycheck,
    detect_secrets,
    generic,
    gitleaks,
    gosec,
    govulncheck,
    grype,
    kics,
    kubebench,
    npm_audit,
    nuclei,
    ocsf,
    osv_scanner,
    own,
    pip_audit,
    prowler,
    sarif,
    semgrep,
    snyk,
    tfsec,
    trivy,
    trufflehog,
    zap,
)


def recognise(report: BinaryIO, *, name: str = "", columns: ColumnMap = NO_MAP) -> Format:
    """The format of the report, after reading all of it once: RefusedReport if it is not sound,
    of no known format, or not of the one named. With a column map it is a table.

    `[]` and `null` are reports without findings; without a name they count as our own JSON.
    """
    named = by_name(name) if name else None
    shape = outline(report)
    if columns:
        return _with_columns(columns, named or generic, shape, report)
    if shape.is_nothing:
        return named or own
    if named is not None:
        if named.recognises(shape):
            return named
        other = _recognised(shape)
        if named is generic and other is None:
            raise _refusal(f"The file is not a {named.LABEL} report.", shape, report)
        raise _not_a(named, other)
    if known := _recognised(shape):
        return known
    labels = ", ".join(known.LABEL for known in FORMATS)
    syntax = LABELS[shape.syntax]
    reason = f"The file is {syntax}, but none of the reports that are read: {labels}."
    raise _refusal(reason, shape, report)


def _not_a(named: Format, other: Format | None) -> RefusedReport:
    hint = f" It is {other.LABEL}." if other else ""
    return RefusedReport(f"The file is not a {named.LABEL} report.{hint}")


def _recognised(shape: Outline) -> Format | None:
    return next((known for known in FORMATS if known.recognises(shape)), None)


def _refusal(reason: str, shape: Outline, report: BinaryIO) -> RefusedReport:
    """UnknownTable for what could be a table, once somebody says what its columns are."""
    if not generic.is_table(shape) or not (columns := generic.columns(report)):
        return RefusedReport(reason)
    return UnknownTable(f"{reason} {_HINT}", columns)


_HINT = (
    "A table of your own has a column for the title and one for the severity, or a column map "
    "that says which they are."
)


def _with_columns(columns: ColumnMap, known: Format, shape: Outline, report: BinaryIO) -> Format:
    """The format by this map, if it is one whose columns anybody may name."""
    takes = getattr(known, "with_columns", None)
    if takes is None:
        raise WrongColumns(f"A column map is for {generic.LABEL}, not for {known.LABEL}.")
    if not generic.is_table(shape):
        raise _not_a(known, _recognised(shape))
    mapped: Format = takes(columns, report)
    return mapped


def columns_of(known: Format, report: BinaryIO) -> tuple[str, ...]:
    """The names of the report's columns, if it is a table whose columns a map may name."""
    says = getattr(known, "columns", None)
    return tuple(says(report)) if says else ()


def by_name(name: str) -> Format:
    for known in FORMATS:
        if name == known.NAME:
            return known
    names = ", ".join(known.NAME for known in FORMATS)
    raise RefusedReport(f"There is no format {name[:50]!r}; there are {names}.")


def target_of(known: Format, report: BinaryIO) -> str:
    """What the report says it scanned (an image, a repository, an account, a host), or "".

    Together with source and scanner it names the scope of an import: what a later complete report
    of the same scope no longer holds is gone. So a format defines `target` only if the report
    has one answer for all of its findings that stays the same from scan to scan.
    """
    says = getattr(known, "target", None)
    return str(says(report)) if says else ""


def covers_its_scope(known: Format, report: BinaryIO) -> bool:
    """Whether what the report lacks is gone. Not so of events, which say nothing of others: a
    format that reads those defines it, and their import is partial whatever its sender says."""
    says = getattr(known, "covers_its_scope", None)
    return bool(says(report)) if says else True
