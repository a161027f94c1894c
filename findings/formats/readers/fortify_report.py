"""The issues of a Fortify report (`ReportDefinition`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from findings.formats.streams.records import Outline, Record
from findings.formats.streams.xml_stream import elements
from findings.formats.values import severities
from findings.formats.values.fields import text
from findings.formats.values.xml import listed, values_of

ROOT = "ReportDefinition"
_GROUP = f"{ROOT}/ReportSection/SubSection/IssueListing/Chart/GroupingSection"
_ABOUT = f"{_GROUP}/MajorAttributeSummary"
_ISSUE = f"{_GROUP}/Issue"


def recognises(outline: Outline) -> bool:
    return outline.root_tag == ROOT and "ReportSection" in outline.keys


def issues(report: BinaryIO) -> Iterator[Record]:
    """Each issue with what its group says of all of its category."""
    about: dict[str, str] = {}
    group = None
    for found in elements(report, _ABOUT, _ISSUE):
        if found.element.tag == "Issue":
            path = tuple(found.pointer[1:].split("/"))
            if group is not found.above[-1]:
                about = {}
            yield Record(path, _issue(values_of(found.element), about))
        else:
            group = found.above[-1]
            described = listed(values_of(found.element), "MetaInfo")
            about = {text(each, "Name"): text(each, "Value") for each in described}


def _issue(issue: Any, about: dict[str, str]) -> dict[str, Any]:
    primary = issue.get("Primary") if isinstance(issue, dict) else None
    return {
        "id": text(issue, "iid"),
        "Category": text(issue, "Category"),
        "ruleID": text(issue, "ruleID"),
        "kingdom": text(issue, "Kingdom"),
        # Fortify's priority order, which its reports write so.
        "severity": severities.from_word(text(issue, "Friority") or text(issue, "Folder")),
        "file": text(primary, "FilePath") or text(primary, "FileName"),
        "line": text(primary, "LineStart"),
        "function": text(primary, "TargetFunction").removesuffix("null()"),
        "code": text(primary, "Snippet"),
        "abstract": text(issue, "Abstract"),
        "explanation": about.get("Explanation", ""),
        "recommendations": about.get("Recommendations", ""),
        "is_suppressed": False,  # such are in no report
        # `<Tag><Name>Analysis</Name><Value>Not an Issue</Value></Tag>`
        "audit": [text(each, "Value") for each in listed(issue, "Tag")],
    }
