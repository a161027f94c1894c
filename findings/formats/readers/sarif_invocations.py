"""What the runs of a SARIF report could not look at: SARIF 3.20, invocation objects, and what
linters report of a file that they cannot read as if it were wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from findings.formats.normalised import Unscanned
from findings.formats.readers.sarif_runs import Run, location_of, runs_of
from findings.formats.streams.records import Record, records
from findings.formats.values.fields import dig, objects, text
from findings.formats.values.paths import file_of
from findings.formats.values.scanners import scanner_tag

# A warning of that kind is about a file, too: Semgrep's levels do not tell.
_UNREAD = re.compile(r"syntax.?error|pars(?:e|ing)|timeout|out.?of.?memory", re.IGNORECASE)
_NAMED = re.compile(r"\bat line ([^\s:]+):\d+")  # so Semgrep names the file, which has no location
_UNREADABLE = {"ruff": ("invalid-syntax", "E999"), "hadolint": ("DL1000",)}
_SYNTAX_ERROR = "SyntaxError: "  # of Ruff before 0.12, without a rule


def unscanned_by(report: BinaryIO) -> Iterator[Unscanned]:
    invocations, tools = [], set()
    for found in records(report, "/runs/*/invocations/*", "/runs/*/tool/driver/name"):
        if found.path[2] == "tool":
            tools.add(scanner_tag(text(found.value)))
        else:
            invocations.append(found)
    # The first reading is over: two of one file at once lose its place.
    yield from _by_invocations(report, invocations)
    if not tools.isdisjoint(_UNREADABLE):
        yield from _by_results(report)


def _by_invocations(report: BinaryIO, invocations: list[Record]) -> Iterator[Unscanned]:
    runs = runs_of(report) if any(_notifications(each.value) for each in invocations) else {}
    for found in invocations:
        if dig(found.value, "executionSuccessful") is False:
            yield Unscanned(reason=_why_it_failed(found.value))
        for notification in _notifications(found.value):
            yield from _unscanned(notification, runs.get(found.path[1]) or Run())


def _notifications(invocation: Any) -> list[dict[str, Any]]:
    kinds = ("toolConfigurationNotifications", "toolExecutionNotifications")
    return [each for kind in kinds for each in objects(invocation, kind)]


def _by_results(report: BinaryIO) -> Iterator[Unscanned]:
    runs = runs_of(report)
    for found in records(report, "/runs/*/results/*"):
        run = runs.get(found.path[1]) or Run()
        if is_of_unreadable_file(found.value, run):
            message = text(found.value, "message", "text")
            yield Unscanned(location_of(found.value, run).file, message)


def is_of_unreadable_file(result: Any, run: Run) -> bool:
    """Whether a linter says that it could not read the file: nothing else is known of that one."""
    rules = _UNREADABLE.get(scanner_tag(run.tool), ())
    if not rules:
        return False
    rule = text(result, "ruleId")
    if not rule:
        return text(result, "message", "text").startswith(_SYNTAX_ERROR)
    return rule in rules


def _why_it_failed(invocation: Any) -> str:
    every = objects(invocation, "toolExecutionNotifications")
    errors = [each for each in every if text(each, "level") == "error"]
    said = text(invocation, "exitCodeDescription") or text(invocation, "processStartFailureMessage")
    return said or (text(errors[0], "message", "text") if errors else "") or "The run failed."


def _unscanned(notification: Any, run: Run) -> Iterator[Unscanned]:
    """The files of a notification. An error without a file is about the whole scan, and so is one
    about a rule: tools go on without that rule, from that file on."""
    level = text(notification, "level") or "warning"
    message = text(notification, "message", "text")
    is_error = level == "error"
    kind = f"{text(notification, 'descriptor', 'id')} {message}"
    if not is_error and not (level == "warning" and _UNREAD.search(kind)):
        return
    places = objects(notification, "locations")
    files = [location_of({"locations": [place]}, run).file for place in places]
    files = list(filter(None, files)) or [file_of(each) for each in _NAMED.findall(message)]
    if files and not (is_error and dig(notification, "associatedRule") is not None):
        for file in dict.fromkeys(files):
            yield Unscanned(file, message)
    elif is_error:
        yield Unscanned(reason=message or "The tool reports an error.")
