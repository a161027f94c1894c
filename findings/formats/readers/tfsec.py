"""tfsec JSON, before and since 0.40. Documentation: docs/tfsec.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

from findings.facts import FindingType, Severity
from findings.formats.normalised import Normalised, Rejected
from findings.formats.shapes.checks import FailedCheck
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.records import Outline, Record, records
from findings.formats.values import severities
from findings.formats.values.fields import dig, one_line, text, texts, whole
from findings.formats.values.paths import file_of, former_file_of

NAME = "tfsec"
LABEL = "tfsec JSON"

_SEVERITIES = {"ERROR": Severity.HIGH, "WARNING": Severity.MEDIUM, "INFO": Severity.LOW}
_WITHOUT_FINDING = ("1", "2", "passed", "ignored")
_QUOTED = re.compile(r"(?:Resource|Block|Data|Module|Variable|Provider) '([^']+)'")
_URL = re.compile(r"https?://\S+")


def recognises(outline: Outline) -> bool:
    if outline.first.get("results", frozenset()) >= {"rule_id", "location"}:
        return True
    # `{"results": null}` is tfsec's word for no findings; OSV-Scanner's is `[]`.
    return outline.keys == {"results"} and outline.scalars.get("results", "") is None


def scanner(_report: BinaryIO) -> str:
    return "tfsec"


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = records(report, "/results/*")
    yield from read_problems(found, _result, "rule_id", latest=latest)


def _result(found: Record) -> FailedCheck | None:
    result = found.value
    if dig(result, "passed") is True or text(result, "status") in _WITHOUT_FINDING:
        return None
    check = one_line(text(result, "long_id") or text(result, "rule_id"), 200)
    description, name = text(result, "description"), text(result, "rule_description")
    word = text(result, "severity")
    resource = text(result, "resource") or next(iter(_QUOTED.findall(description)), "")
    urls = _URL.findall(text(result, "link")) + texts(result, "links")
    impact = text(result, "impact")
    return FailedCheck(
        finding_type=FindingType.IAC,
        scanner="tfsec",
        check=check,
        name=name,
        url=next(iter(urls), ""),
        severity=_SEVERITIES.get(word.upper()) or severities.from_word(word) or Severity.UNKNOWN,
        file=file_of(text(result, "location", "filename")),
        former_file=former_file_of(text(result, "location", "filename")),
        line=whole(result, "location", "start_line"),
        line_end=whole(result, "location", "end_line"),
        title=name or description or check,
        message=description or name,
        about=f"Impact: {impact}" if impact else "",
        remediation=text(result, "resolution"),
        resource=one_line(resource, 500),
        platform="terraform",
        provider=text(result, "rule_provider"),
        urls=urls[1:],
    )
