"""Names that were replaced by the field's own words, and must not come back."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.house.tree import ROOT, python_files

REPLACED = {
    r"Ways?|ways|MOST_WAYS": "Conjunction, conjunctions",
    r"Sent|RuleSent": "NewResource, RuleRequest, ImportOptions",
    r"Report|report_of": "RecognisedReport, ReportRow",
    r"Standing|standing|judge": "ScopeCoverage, RemainingTries, decide",
    r"_?(?:MOST|LONGEST)(?:_[A-Z_]+)?|PATIENCE": "MAX_*, TIMEOUT",
    r"look_through|said_at|said_of|said_row|SAID|Said|members_said": "dry_run, labels, raw",
    r"tell|_tell|found_page|ring_on_commit|ring_evaluation": "record_events, send_on_commit",
    r"Beat|CannotGoOn|Deed|DEEDS|Wish|Wanted|TookTooLongError": "Heartbeat, RunAborted, Action",
    r"heed|blame|consider|patience|walk_the_order|rulebook": "apply_backpressure, active_rules",
}
"""Names that are no definition any more → what says it now."""
GERUNDS = {"asking", "reading", "writing", "applying", "ways", "public"}
APPS = tuple(ROOT / app for app in ("automation", "config", "findings"))
FILES = [
    path
    for path in python_files()
    if any(app in path.parents for app in APPS)
    and ROOT / "findings" / "explorer" not in path.parents
]


@cache
def _defined(path: Path) -> tuple[str, ...]:
    return tuple(_definitions(path))


def _definitions(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("names", REPLACED)
def test_it_defines_no_name_that_was_replaced(names):
    pattern = re.compile(names)
    found = [
        f"{path.relative_to(ROOT)}: {name}; now {REPLACED[names]}"
        for path in FILES
        for name in _defined(path)
        if pattern.fullmatch(name)
    ]
    assert found == []


def test_it_has_no_module_of_a_name_that_was_replaced():
    names = {part for path in FILES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert names & GERUNDS == set()
