"""kube-bench JSON: `{"Controls": […]}`, or the bare list of controls of before 0.3.

Only FAIL is a finding; WARN asks a person to look. See docs/kubebench.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected, normalise_mapped
from findings.formats.shapes.resources import Resource, ResourceFinding
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values.fields import clip, one_line, tags, text
from findings.formats.values.identity import Occurrences, fingerprint

NAME = "kube-bench"
LABEL = "kube-bench JSON"

_PLACES = ("/Controls/*", "/*")  # where controls are
_OURS = frozenset({"tests", "node_type"})
_FAILED = "FAIL"
_NOTE = re.compile(r"\s*\((?:(?:not )?scored|automated|manual)\)\s*$", re.IGNORECASE)


def recognises(outline: Outline) -> bool:
    first = outline.first.get("Controls") or outline.first.get("", frozenset())
    is_empty = outline.first.get("Controls") == frozenset() and "Totals" in outline.keys
    return outline.root != "lines" and (first >= _OURS or is_empty)


def scanner(_report: BinaryIO) -> str:
    return "kube-bench"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    context = _Context(report)
    occurrences = Occurrences()
    patterns = [f"{place}/tests/*/results/*" for place in _PLACES]
    for position, found in enumerate(records(report, *patterns)):
        if not isinstance(found.value, dict):
            yield Rejected(position, found.pointer, "Not an object", "A result is an object.")
        elif text(found.value, "status").upper() != _FAILED:
            continue
        elif not _title(found.value):
            detail = "`test_desc` is required."
            yield Rejected(position, f"{found.pointer}/test_desc", "Missing field", detail)
        else:
            record = _record(found, context)
            record["fingerprint"] = occurrences.name(record["fingerprint"], found.path)
            yield normalise_mapped(record, position=position, at=found.pointer, latest=latest)


class _Context:
    """What stands beside the results: of which nodes and which section they are."""

    def __init__(self, report: BinaryIO) -> None:
        self._values: dict[tuple[str | int, ...], str] = {}
        of_controls = [f"{place}/{name}" for place in _PLACES for name in ("node_type", "version")]
        of_sections = [f"{place}/tests/*/desc" for place in _PLACES]
        for found in records(report, *of_controls, *of_sections):
            self._values[found.path] = one_line(text(found.value), 200)

    def control(self, found: Record, name: str) -> str:
        return self._values.get((*found.path[:-4], name), "")

    def section(self, found: Record) -> str:
        return self._values.get((*found.path[:-2], "desc"), "")


def _title(result: dict[str, Any]) -> str:
    """Without what changes from one benchmark to the next: "(Scored)" was "(Automated)" later."""
    return _NOTE.sub("", text(result, "test_desc"))


def _record(found: Record, context: _Context) -> dict[str, Any]:
    result = found.value
    nodes = context.control(found, "node_type") or "node"
    section, number = context.section(found), one_line(text(result, "test_number"), 50)
    benchmark = context.control(found, "version")
    title = _title(result)
    actual, expected = text(result, "actual_value"), text(result, "expected_result")
    seen = [f"Expected: {clip(expected, 2_000)}" if expected else "", text(result, "reason")]
    if actual:
        seen.append(f"Found: {clip(actual, 2_000)}")
    return ResourceFinding(
        scanner="kube-bench",
        finding_type=FindingType.MISCONFIGURATION,
        title=title,
        severity=Severity.MEDIUM,  # CIS benchmarks have levels of care, not severities
        resource=Resource(id=f"kubernetes/{nodes}", name=nodes, type="kubernetes_node"),
        fingerprint=fingerprint("kube-bench", nodes, section, " ".join(title.lower().split())),
        rule=number,
        rule_name=title,
        opening=f"{title}.",
        seen="\n\n".join(filter(None, seen)),
        remediation=text(result, "remediation"),
        compliance=[f"{benchmark}: {number}"] if benchmark and number else [],
        more_tags=tags(section=section, benchmark=benchmark),
        more={"benchmark": {"version": benchmark, "section": section}},
    ).record()
