"""Real scanners, run over a small tree: what their reports become, in each format that is read.

What each must find is in found.txt. To add a scanner: see CONTRIBUTING.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from findings.facts import FindingType
from findings.formats.shapes.column_map import column_map
from findings.formats.streams.records import RefusedReport
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, Import
from tests.findings.scanners.tree import SECRETS

pytestmark = pytest.mark.django_db


class Scan(NamedTuple):
    tool: str  # its tag, and its part of found.txt
    format: str
    command: str


RUFF = "ruff check --isolated --no-cache --select S --output-format"
ZIZMOR = "zizmor --offline --no-progress --format"
SCANS = {
    "bandit json": Scan("bandit", "bandit", "bandit -q -r . -f json"),
    "bandit sarif": Scan("bandit", "sarif", "bandit -q -r . -f sarif"),
    "detect-secrets": Scan(
        "detect-secrets", "detect-secrets", "detect-secrets scan --all-files --no-verify ."
    ),
    "flawfinder sarif": Scan("flawfinder", "sarif", "flawfinder --sarif ."),
    "hadolint sarif": Scan("hadolint", "sarif", "hadolint -f sarif Dockerfile web/Dockerfile"),
    "ruff sarif": Scan("ruff", "sarif", f"{RUFF} sarif ."),
    "zizmor sarif": Scan("zizmor", "sarif", f"{ZIZMOR} sarif ."),
}
# The file that a scanner could not read, and the rule that found what was fixed elsewhere.
UNREAD = {
    "bandit json": ("app/jobs.py", "B101"),
    "bandit sarif": ("app/jobs.py", "B101"),
    "hadolint sarif": ("Dockerfile", "DL3020"),
    "ruff sarif": ("app/jobs.py", "S101"),
}
NOT_READ = {
    "bandit -q -r . -f": "csv html txt xml yaml",
    "flawfinder": "--csv --html",
    "hadolint Dockerfile -f": "checkstyle codacy codeclimate gitlab_codeclimate gnu json sonarqube",
    RUFF: "azure concise full github gitlab grouped json json-lines junit pylint rdjson",
    ZIZMOR: "github json plain",
}
TYPES = {
    FindingType.STATIC_CODE.value: "code",
    FindingType.IAC.value: "iac",
    FindingType.SECRET.value: "secret",
}


def take(report: bytes, **sent) -> Import:
    return import_report([report], ImportOptions(source="ci", scope="shop", **sent))


def _expected(tool: str) -> list[str]:
    found = (Path(__file__).parent / "found.txt").read_text()
    return found.partition(f"\n[{tool}]\n")[2].partition("\n\n")[0].splitlines()


def _line(finding: Finding) -> str:
    """As in found.txt; one format leaves out what the other masks at the end of a sentence."""
    tags = dict.fromkeys(("rule", "cwe", "language"), "-")
    tags |= dict(tag.split(":", 1) for tag in finding.tags)
    kind, place = TYPES[finding.finding_type], finding.attributes["code_location"]
    words = [finding.severity, kind, tags["rule"], f"{finding.resource_id}:{place['line']}"]
    words += [tags["cwe"], tags["language"], finding.attributes.get("confidence", "-")]
    return f"{' '.join(words)} | {finding.title}".removesuffix(": '****'")


@pytest.mark.parametrize("name", SCANS)
def test_it_reads_what_a_scanner_writes(name, scan):
    tool, format_name, command = SCANS[name]
    done = take(scan(command))
    assert (done.format, done.rejected, done.unscanned) == (format_name, 0, [])
    found = Finding.objects.all()
    assert sorted(map(_line, found)) == sorted(_expected(tool))
    for each in found:
        assert f"scanner:{tool}" in each.tags
        assert f"rule:{each.attributes['rule']['id']}" in each.tags
        assert each.attributes["code_location"]["file"] == each.resource_id == each.resource_name
        assert not any(secret in f"{vars(each)}" for secret in SECRETS)


@pytest.mark.parametrize("name", SCANS)
def test_it_knows_each_finding_again_when_its_lines_move(name, scan):
    command = SCANS[name].command
    before, after = take(scan(command)), take(scan(command, "moved"))
    assert (after.new, after.seen_again) == (0, before.new)
    assert (after.closing, after.missing) == ("done", 0)


@pytest.mark.parametrize("name", UNREAD)
def test_it_closes_nothing_in_a_file_that_the_scanner_could_not_read(name, scan):
    (file, rule), command = UNREAD[name], SCANS[name].command
    before, after = take(scan(command)), take(scan(command, "broken"))
    assert [each["target"] for each in after.unscanned] == [file]
    assert after.closing_note.startswith(f"1 file could not be read: {file}; its ")
    (closed,) = Finding.objects.filter(status="auto_closed")
    assert f"rule:{rule}" in closed.tags
    assert Finding.objects.count() == before.new  # that it could not be read is no finding


def test_it_reads_a_table_of_bandit_by_a_column_map(scan):
    columns = (
        "title:issue_text,severity:issue_severity,file:filename,line:line_number,rule:test_id,"
        "cwe:issue_cwe"
    )
    take(scan("bandit -q -r . -f csv"), columns=column_map(columns))
    table = {_weakness(each) for each in Finding.objects.all()}
    Finding.objects.all().delete()
    take(scan(SCANS["bandit json"].command))
    assert table == {_weakness(each) for each in Finding.objects.all()}


def _weakness(finding: Finding) -> tuple[str, ...]:
    """What a table says, too. It does not name the scanner, and its paths are taken as they are."""
    kept = [tag for tag in finding.tags if tag.startswith(("rule:", "cwe:"))]
    file = finding.resource_id.removeprefix("./")
    return finding.severity, finding.finding_type, file, *sorted(kept)


@pytest.mark.parametrize(
    "command", [f"{run} {each}" for run, names in NOT_READ.items() for each in names.split()]
)
def test_it_refuses_what_it_does_not_read(command, scan):
    operand = "" if command.startswith(("bandit", "hadolint")) else " ."
    with pytest.raises(RefusedReport, match=r"^The file is "):
        take(scan(f"{command}{operand}"))
    assert not Finding.objects.exists()
