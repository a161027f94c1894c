"""What the scanner says that it could not look at: its findings stay open."""

from __future__ import annotations

import json
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from findings.imports import closing
from findings.imports.dry_run import dry_run
from findings.imports.run import ImportOptions, import_report
from findings.imports.unscanned import MAX_UNSCANNED
from findings.models import Finding, FindingEvent, Import
from tests.factories import UserFactory
from tests.findings.formats.conftest import SAMPLES

pytestmark = pytest.mark.django_db


def bandit(
    *files: str, unread=(), reason: str = "syntax error while parsing AST from file"
) -> bytes:
    results = [
        {"test_id": "B307", "issue_text": "Use of eval.", "filename": file, "code": "1 eval(x)"}
        | {"issue_severity": "HIGH", "line_number": 1, "line_range": [1]}
        for file in files
    ]
    errors = [{"filename": file, "reason": reason} for file in unread]
    return json.dumps({"errors": errors, "metrics": {}, "results": results}).encode()


def sarif(*files: str, ok: bool = True) -> bytes:
    notes = [] if ok else [{"level": "error", "message": {"text": "scan aborted"}}]
    results = [
        {"ruleId": "R", "message": {"text": "m"}}
        | {"locations": [{"physicalLocation": {"artifactLocation": {"uri": file}}}]}
        for file in files
    ]
    invocation = {"executionSuccessful": ok, "toolExecutionNotifications": notes}
    run = {"tool": {"driver": {"name": "T"}}, "invocations": [invocation], "results": results}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


def take(content: bytes, **sent) -> Import:
    return import_report([content], ImportOptions(source="ci", scope="shop", **sent))


def tried(content: bytes):
    return dry_run(BytesIO(content), ImportOptions(source="ci", scope="shop"))


def open_ones() -> list[str]:
    return sorted(Finding.objects.filter(status="open").values_list("resource_id", flat=True))


def test_it_keeps_open_what_is_in_a_file_that_was_not_read_until_it_is():
    files = [f"{letter}.py" for letter in "abcdefgh"]
    take(bandit(*files))
    second = bandit(*files[2:], unread=["./a.py"])
    expected = tried(second)
    done = take(second)
    assert open_ones() == ["a.py", *files[2:]]
    assert (done.resolved, done.missing, done.expected) == (1, 1, 7)
    assert done.closing_note == "1 file could not be read: a.py; its finding stays open."
    assert (expected.resolved, expected.missing, expected.expected) == (1, 1, 7)
    assert expected.closing_note == done.closing_note
    assert expected.unscanned == done.unscanned == Import.objects.get(pk=done.pk).unscanned
    assert done.unscanned == [
        {"target": "a.py", "reason": "syntax error while parsing AST from file", "kind": "file"}
    ]
    assert (take(bandit(*files[2:])).resolved, open_ones()) == (1, files[2:])
    assert (take(bandit(*files)).reopened, open_ones()) == (2, files)


def test_it_keeps_open_what_is_on_a_host_that_was_down_whatever_it_is_known_by():
    report = (SAMPLES / "report.qualys.xml").read_bytes()
    take(report)
    start, end = report.index(b"  <HOST_LIST>"), report.index(b"  <GLOSSARY>")
    down = b"<NO_RESULTS><IP_LIST><RANGE><START>10.0.0.5</START></RANGE></IP_LIST></NO_RESULTS>"
    rest = report[end:].replace(b"</ASSET", b"<APPENDICES>" + down + b"</APPENDICES></ASSET")
    done = take(report[:start] + rest)
    assert done.closing_note == "1 host could not be read: 10.0.0.5; its 4 findings stay open."
    assert open_ones() == ["10.0.0.5"] * 3 + ["till-1.example"]


def test_it_resolves_nothing_by_a_report_that_is_incomplete_as_a_whole():
    files = [f"{n}.py" for n in range(10)]
    take(sarif(*files))
    held = take(sarif())
    assert (held.closing, tried(sarif(*files[:6], ok=False)).closing) == ("held", "none")
    done = take(sarif(*files[:6], ok=False))
    assert (done.closing, done.resolved, open_ones()) == ("none", 0, files)
    assert done.closing_note == (
        "The report does not cover all of its scope: scan aborted. It closes nothing."
    )
    held.refresh_from_db()
    assert held.closing == "held"  # the incomplete one decides nothing in its stead
    assert (take(sarif(*files[:9])).resolved, open_ones()) == (1, files[:9])


def test_it_holds_and_resolves_by_hand_only_what_was_looked_at():
    files = [f"{n}.py" for n in range(10)]
    take(bandit(*files))
    held = take(bandit(files[1], unread=[files[0]]))
    assert (held.closing, held.missing) == ("held", 8)
    assert held.closing_note == (
        "1 file could not be read: 0.py; its finding stays open. "
        "8 of 9 findings are missing from this report."
    )
    assert [each.resource_id for each in closing.missing_from(held)] == files[2:]
    closing.resolve_held(held, actor=UserFactory())
    assert (held.resolved, open_ones()) == (8, files[:2])
    assert FindingEvent.objects.count() == 8


@pytest.mark.parametrize(
    ("unread", "kept"),
    [
        (["/tmp/x/src/a.py"], ["src/a.py"]),  # absolute in an error, relative in a result
        (["/home/runner/work/s/s/src/a.py"], ["src/a.py"]),
        (["a.py"], []),
        (["C:\\agent\\src\\a.py"], ["src/a.py"]),
        (["src/a.py", "b.py"], ["b.py", "src/a.py"]),
        ([f"{n}.py" for n in range(MAX_UNSCANNED)], []),
        ([f"{n}.py" for n in range(MAX_UNSCANNED + 1)], ["b.py", "src/a.py"]),
        ([""], ["b.py", "src/a.py"]),
    ],
)  # fmt: skip
def test_it_knows_the_findings_of_a_file_by_its_place(unread, kept, settings):
    settings.IMPORT_HOLD_PERCENT = 100
    take(bandit("src/a.py", "b.py"))
    done = take(bandit(unread=unread))
    assert open_ones() == kept
    assert len(done.unscanned) <= MAX_UNSCANNED + 1


def test_it_closes_findings_without_a_file_beside_those_of_one(settings):
    settings.IMPORT_HOLD_PERCENT = 100
    kept = {"name": "own", "skip_reason": "Dependency not found on PyPI"}
    flaw = {"id": "PYSEC-2024-1", "fix_versions": []}
    both = [{"name": name, "version": "1", "vulns": [flaw]} for name in ("own", "flask")]
    take(json.dumps({"dependencies": both}).encode())
    done = take(json.dumps({"dependencies": [kept]}).encode())
    assert (done.resolved, open_ones()) == (1, ["own"])
    assert done.closing_note == "1 package could not be read: own; its finding stays open."


def test_it_names_a_few_of_many():
    files = [f"{n}.py" for n in range(1_200)]
    take(bandit(*files))
    done = take(bandit(*files[5:], unread=files[:5]))
    assert done.closing_note == (
        "5 files could not be read: 0.py, 1.py, 2.py and 2 more; their 5 findings stay open."
    )
    assert (done.closing, done.resolved, done.missing) == ("done", 0, 0)


def test_it_stores_nothing_of_the_code_that_an_error_quotes():
    secret = "qK7vXw2mZp9Lr4TsBn8d"
    for reason in (f"unexpected '{secret}'", f"token: {secret}", f"no\n{secret}", f"x {secret} y"):
        assert secret not in json.dumps(take(bandit(unread=["a.py"], reason=reason)).unscanned)


def test_it_costs_as_much_for_many_files_as_for_few():
    costs = []
    for number in (2, 400):
        files = [f"{number}/{n}.py" for n in range(number)]
        import_report([bandit(*files)], ImportOptions(source="ci", scope=f"{number}"))
        with CaptureQueriesContext(connection) as spent:
            sent = ImportOptions(source="ci", scope=f"{number}")
            assert import_report([bandit(files[0], unread=files[1:])], sent).closing == "done"
        costs.append(len(spent))
    assert costs[0] == costs[1]
