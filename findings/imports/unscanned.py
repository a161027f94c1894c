"""What a report says that its scanner could not look at: its findings stay open.

Kept with the import as a list of objects with `target`, `reason` and `kind`, at most MAX_UNSCANNED.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from django.db.models import Q

from findings.formats.normalised import Unscanned
from findings.formats.values.fields import clip
from findings.formats.values.masking import mask_assigned, mask_quoted

MAX_UNSCANNED = 500  # of more, all findings of the scope stay open
_NAMED = 3
_REASON = 300
_TARGET = 1_000
_RANDOM = re.compile(r"(?<![^\s=:])(?=[^\s/.]*\d)[^\s/.]{16,}(?![^\s,;])")
_ABSOLUTE = re.compile(r"(?:[A-Za-z]:)?/")

Rows = Sequence[dict[str, str]]


def unscanned_rows(every: Iterable[Unscanned]) -> list[dict[str, str]]:
    """Each target once, and first what is said of the scan as a whole."""
    rows: dict[str, dict[str, str]] = {}
    for each in every:
        row = _row(each)
        if row["target"] in rows:
            continue
        if len(rows) == MAX_UNSCANNED and "" not in rows:
            row |= {"target": "", "kind": "file"}
            row["reason"] = f"More than {MAX_UNSCANNED:,} files could not be read."
        if len(rows) < MAX_UNSCANNED or not row["target"]:
            rows[row["target"]] = row
    return sorted(rows.values(), key=lambda row: bool(row["target"]))


def _row(each: Unscanned) -> dict[str, str]:
    """With nothing of the code that an error may quote: it may be a secret."""
    line = _printable(" ".join(each.reason.strip().partition("\n")[0].split()))
    return {
        "target": clip(_printable(each.target), _TARGET),
        "reason": clip(_RANDOM.sub("****", mask_quoted(mask_assigned(line))), _REASON),
        "kind": each.kind,
    }


def _printable(text: str) -> str:
    return "".join(filter(str.isprintable, text))


def why_incomplete(rows: Rows) -> str:
    """Why the report as a whole closes nothing, in a sentence; "" if it may."""
    reason = next((row["reason"] for row in rows if not row["target"]), None)
    if reason is None:
        return ""
    because = f": {reason.rstrip('.')}" if reason else ""
    return f"The report does not cover all of its scope{because}. It closes nothing."


def is_of_unscanned(rows: Rows) -> Q:
    """The findings of the targets, by the place that they name."""
    names = sorted({name for row in rows for name in _names(row["target"])})
    return (
        Q(resource_id__in=names)
        | Q(resource_name__in=names)
        | Q(attributes__code_location__file__in=names)
        | Q(attributes__host__address__in=names)
    )


def _names(target: str) -> set[str]:
    """What a finding may call it: absolute in an error, a file may be relative in a result."""
    names = {target}
    if start := _ABSOLUTE.match(target):
        steps = target[start.end() :].split("/")
        names |= {"/".join(steps[n:]) for n in range(len(steps))}
    return names - {""}


def sentence(rows: Rows, kept: int) -> str:
    """What is said of the targets: "2 files could not be read: a.py, b.py; their 3 findings stay
    open."; "" if there are none."""
    named = [row for row in rows if row["target"]]
    if not named:
        return ""
    kinds = {row["kind"] for row in named}
    kind = kinds.pop() if len(kinds) == 1 else "target"
    listed = ", ".join(clip(row["target"], 200) for row in named[:_NAMED])
    if len(named) > _NAMED:
        listed += f" and {len(named) - _NAMED:,} more"
    count = "1 " + kind if len(named) == 1 else f"{len(named):,} {kind}s"
    stay = ""
    if kept:
        whose = "its" if len(named) == 1 else "their"
        what = "finding stays" if kept == 1 else f"{kept:,} findings stay"
        stay = f"; {whose} {what} open"
    return f"{count} could not be read: {listed}{stay}."
