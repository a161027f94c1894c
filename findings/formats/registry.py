"""The report formats that can be read. A new one is a reader and a line here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO, Protocol

from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.readers import (
    asff,
    bandit,
    checkmarx,
    checkov,
    code_scanning,
    cyclonedx,
    dependabot,
    dependencycheck,
    detect_secrets,
    fortify,
    generic,
    gitlab,
    gitleaks,
    gosec,
    govulncheck,
    grype,
    inspector,
    kics,
    kubebench,
    native_json,
    nessus,
    npm_audit,
    nuclei,
    ocsf,
    osv_scanner,
    pip_audit,
    prowler,
    qualys,
    sarif,
    semgrep,
    snyk,
    sonarqube,
    tfsec,
    trivy,
    trivy_operator,
    trufflehog,
    trufflehog3,
    veracode,
    wiz,
    xeol,
    yarn_audit,
    zap,
)
from findings.formats.shapes.column_map import UnknownTable, WrongColumns
from findings.formats.shapes.generic_columns import NO_MAP, ColumnMap
from findings.formats.streams.outlines import LABELS
from findings.formats.streams.records import Outline, RefusedReport, outline


class Format(Protocol):
    """A module of `readers`. It may also have functions that only some formats need:
    `target(report)` and `former_target(report)`, see `target_of` and `former_target_of`;
    `unscanned(report)`, see there; `columns(report)` and `with_columns(columns, report)`, see
    `columns_of` and `recognise`."""

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
    checkmarx,
    checkov,
    code_scanning,
    cyclonedx,
    dependabot,
    dependencycheck,
    detect_secrets,
    fortify,
    generic,
    gitlab,
    gitleaks,
    gosec,
    govulncheck,
    grype,
    inspector,
    kics,
    kubebench,
    nessus,
    npm_audit,
    nuclei,
    ocsf,
    osv_scanner,
    native_json,
    pip_audit,
    prowler,
    qualys,
    sarif,
    semgrep,
    snyk,
    sonarqube,
    tfsec,
    trivy,
    trivy_operator,
    trufflehog,
    trufflehog3,
    veracode,
    wiz,
    xeol,
    yarn_audit,
    zap,
)


def recognise(report: BinaryIO, *, name: str = "", columns: ColumnMap = NO_MAP) -> Format:
    """The format of the report, after reading all of it once: RefusedReport if it is not sound,
    of no known format, or not of the one named. With a column map it is a table.

    `[]`, `null` and `{"results": [], "errors": []}` are reports without findings; without a name
    they count as our own JSON.
    """
    named = by_name(name) if name else None
    shape = outline(report)
    if columns:
        return _with_columns(columns, named or generic, shape, report)
    if shape.is_nothing or shape.is_without_records:
        return named or native_json
    if named is not None:
        if named.recognises(shape):
            return named
        other = _recognised(shape)
        if named is generic and other is None:
            raise _refusal(f"The file is not a {named.LABEL} report.", shape, report)
        raise _not_a(named, other)
    if known := _recognised(shape):
        if known is generic and not generic.says_where(report):
            raise UnknownTable(_NO_PLACE, generic.columns(report))
        return known
    labels = ", ".join(known.LABEL for known in FORMATS)
    syntax = LABELS[shape.syntax]
    reason = f"The file is {syntax}, but none of the reports that are read: {labels}."
    raise _refusal(reason, shape, report)


def _not_a(named: Format, other: Format | None) -> RefusedReport:
    hint = f" It is {other.LABEL}." if other else ""
    return RefusedReport(f"The file is not a {named.LABEL} report.{hint}")


def _recognised(shape: Outline) -> Format | None:
    """A scanner's own format, else generic: the tables of some have a title and a severity."""
    known = (each for each in FORMATS if each is not generic and each.recognises(shape))
    return next(known, generic if generic.recognises(shape) else None)


def _refusal(reason: str, shape: Outline, report: BinaryIO) -> RefusedReport:
    """UnknownTable for what could be a table, once somebody says what its columns are."""
    if not generic.is_table(shape) or not (columns := generic.columns(report)):
        return RefusedReport(reason)
    return UnknownTable(f"{reason} {_HINT}", columns)


_NO_PLACE = (
    "No column of the table says where its findings are (a resource, host, URL, file, image, "
    "repository, service or package). Name one in a column map, or say `format=generic`."
)
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


def unread_columns_of(known: Format, report: BinaryIO) -> list[str]:
    """The columns of a table that are taken for nothing."""
    says = getattr(known, "unread_columns", None)
    return list(says(report)) if says else []


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


def former_target_of(known: Format, report: BinaryIO) -> str | None:
    """What `target` answered under an earlier recipe for fingerprints, if the format changed it."""
    says = getattr(known, "former_target", None)
    return str(says(report)) if says else None


def unscanned(known: Format, report: BinaryIO) -> Iterator[Unscanned]:
    """What the report says that its scanner could not look at: nothing of it is gone because the
    report lacks it. A format that can say so, or that reads events, defines it."""
    says = getattr(known, "unscanned", None)
    if says:
        yield from says(report)
