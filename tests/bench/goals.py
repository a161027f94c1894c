"""Every goal that a bench is held to, in one table."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

MILLION, QUEUE, DESIGN = "a million findings", "the pipeline", "the design"
"""Where goals come from."""


class Side(StrEnum):
    MOST = "≤"
    LEAST = "≥"


class Goal(NamedTuple):
    bench: str  # the bench, or the trial of many minutes, that measures it
    limit: float
    unit: str
    side: Side
    source: str

    def holds(self, value: float) -> bool:
        return value <= self.limit if self.side is Side.MOST else value >= self.limit


def _most(bench: str, limit: float, unit: str, source: str) -> Goal:
    return Goal(bench, limit, unit, Side.MOST, source)


def _least(bench: str, limit: float, unit: str, source: str) -> Goal:
    return Goal(bench, limit, unit, Side.LEAST, source)


LIST, FACETS, FILTERED, WORD = 50, 50, 150, 300
"""Milliseconds of a whole request, 95 of 100 times, however many findings there are."""

_PAGES = {
    "list, unfiltered": LIST,
    "list, by tags": LIST,
    "list, by severity": LIST,
    "list, by a number": LIST,
    "list, by a wildcard": LIST,
    "list, by a rare word": WORD,
    "list, by a common word": WORD,
    "facets, unfiltered": FACETS,
    "facets, by tags": FILTERED,
    "facets, by severity": FILTERED,
    "facets, by a number": FILTERED,
    "facets, by a wildcard": FILTERED,
    "facets, by a rare word": WORD,
    "facets, by a common word": WORD,
    "histogram, unfiltered": FACETS,
    "histogram, by tags": FILTERED,
    "histogram, by a number": FILTERED,
    "one tag facet, unfiltered": FACETS,
    "one tag facet, by tags": FILTERED,
    "one tag facet, by severity": FILTERED,
    "counts beside the tabs": FACETS,
    "groups by package, unfiltered": FACETS,
    "groups by team, unfiltered": FACETS,
    "groups by an attribute, unfiltered": FACETS,
    "groups by package, by tags": FILTERED,
    "groups by package, by severity": FILTERED,
    "panel of a finding": LIST,
    "overview": 100,
    "overview by team": 150,
    "importers": 150,
    "inbox": 150,
    "inbox in groups": 150,
    "preview of a draft rule": 500,
    "list of Test Rule": 200,
}

GOALS: Mapping[str, Goal] = {
    **{f"{what}, p95": _most("pages", limit, "ms", MILLION) for what, limit in _PAGES.items()},
    "rules page, 96 rules, size": _most("pages", 60, "kB", MILLION),
    "rules page, 1,000 rules, size": _most("pages", 60, "kB", MILLION),
    "rules page, 96 rules, p95": _most("pages", 150, "ms", MILLION),
    "rules page, 1,000 rules, p95": _most("pages", 150, "ms", MILLION),
    "finding on disk: heap, TOAST, indexes": _most("pages", 2_225, "bytes", MILLION),
    "web process after its start": _most("pages", 150, "MB", DESIGN),
    "intake, SQL statements per 1,000 new findings": _most("intake", 12, "", DESIGN),
    "intake ÷ COPY, both into the bare table": _most("intake", 2.3, "×", DESIGN),
    "intake + 100 rules + cases ÷ COPY, all indexes": _most("intake", 3, "×", QUEUE),
    "engine ÷ naive, 10 rules, all unseen": _least("engine", 1, "×", MILLION),
    "engine ÷ naive, 1,000 rules, warm": _least("engine", 70, "×", DESIGN),
    "engine ÷ naive, 1,000 rules, all unseen": _least("engine", 12, "×", DESIGN),
    "engine ÷ naive, 5,000 rules, warm": _least("engine", 300, "×", DESIGN),
    "engine, exponent of growth from 10 to 5,000 rules": _most("engine", 0.25, "", DESIGN),
    "pipeline with grouping ÷ without, 500 tickets a day": _most("groups", 1.2, "×", QUEUE),
    "one huge group: the last chunk ÷ the first": _most("groups", 1.5, "×", QUEUE),
    # A million within two hours are 139 in a second; ten times that leaves room for the others.
    "standing findings muted by a new rule": _least("kinds", 1_400, "/s", QUEUE),
    "standing findings looked at again": _least("kinds", 1_400, "/s", QUEUE),
    "standing findings unmuted": _least("kinds", 1_400, "/s", QUEUE),
    "memory that these take": _most("kinds", 100, "MB", QUEUE),
    **{
        f"import of a {packing} report: {what}": _most("memory", limit, unit, DESIGN)
        for packing in ("plain", "gzip", "zip")
        for what, limit, unit in (
            ("memory", 300, "MB"),
            ("time for a byte, largest ÷ smallest", 1.25, "×"),
        )
    },
}
