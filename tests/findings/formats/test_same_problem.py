"""What makes a problem of one report the same in the next: not its place among the others, nor
its line, nor the version of the tool."""

from __future__ import annotations

import copy
import json
from io import BytesIO

import pytest

from findings.formats.normalised import Normalised
from findings.formats.registry import by_name
from tests.findings.formats.conftest import JSON_SAMPLES, LATEST

LINES = {"line", "line_number", "lineNumber", "line_end", "start_line", "end_line", "StartLine",
         "EndLine", "startLine", "endLine", "col", "column", "offset", "StartColumn", "EndColumn",
         "file_line_range", "line_range"}  # fmt: skip
VERSIONS = {
    "version",
    "Version",
    "kics_version",
    "checkov_version",
    "GosecVersion",
    "semanticVersion",
}
KNOWN_BY_LINES = {
    "code.bandit.json",  # its code holds line numbers: see test_bandit
    "code.gosec.json",
    "v8.gitleaks.json",  # a redacted secret has nothing else to tell it by
}
every_sample = pytest.mark.parametrize("path", JSON_SAMPLES, ids=lambda path: path.name)


def _changed(value, change):
    """The value with each container put through `change`, innermost first."""
    if isinstance(value, dict):
        return change({key: _changed(item, change) for key, item in value.items()})
    if isinstance(value, list):
        return change([_changed(item, change) for item in value])
    return value


def _reversed(container):
    if isinstance(container, dict):
        return dict(reversed(container.items()))
    are_records = all(isinstance(item, dict) for item in container)
    return container[::-1] if are_records else container


def _further_down(container):
    if not isinstance(container, dict):
        return container
    return {key: _later(item) if key in LINES else item for key, item in container.items()}


def _later(line):
    if isinstance(line, list):
        return [_later(each) for each in line]
    if isinstance(line, str):
        return str(int(line) + 7) if line.isdigit() else line
    return line + 7 if isinstance(line, int) else _changed(line, _further_down)


def _of_another_version(container):
    if not isinstance(container, dict):
        return container
    return {key: "99.0" if key in VERSIONS and item else item for key, item in container.items()}


def _report(path):
    return json.loads(path.read_bytes())


def _fingerprints(report, path):
    """Read by name: with a record first that lacks its fields, no format knows the report."""
    reader = by_name(path.name.split(".")[1])
    found = reader.read(BytesIO(json.dumps(report).encode()), latest=LATEST)
    return sorted(each.fingerprint for each in found if isinstance(each, Normalised))


@every_sample
def test_it_is_the_same_in_another_order(path):
    report = _report(path)
    again = _changed(copy.deepcopy(report), _reversed)
    assert _fingerprints(again, path) == _fingerprints(report, path)


@every_sample
def test_it_is_the_same_further_down(path):
    report = _report(path)
    if path.name in KNOWN_BY_LINES:
        pytest.skip("says where by line alone")
    again = _changed(copy.deepcopy(report), _further_down)
    assert _fingerprints(again, path) == _fingerprints(report, path)


@every_sample
def test_it_is_the_same_in_another_version(path):
    """Of the tool, or of the package that has the problem."""
    report = _report(path)
    if isinstance(report, dict) and ("runs" in report or "bomFormat" in report):
        pytest.skip("its version is that of the format")  # SARIF, CycloneDX
    again = _changed(copy.deepcopy(report), _of_another_version)
    assert _fingerprints(again, path) == _fingerprints(report, path)
