"""From a dry run to its undoing, in a real browser."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from automation.kinds.ticket_creation.action import Target
from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from findings.imports import queue, undo
from findings.imports.run import ImportOptions, import_report
from findings.models import Evaluation
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll, settle
from tests.factories import ProjectFactory, ticket_rule

pytestmark = pytest.mark.django_db(transaction=True)
TYPES = ["library_vulnerability"]


def report(*numbers) -> bytes:
    findings = [
        {
            "finding_type": TYPES[0],
            "severity": ["critical", "high", "medium", "low", "info"][n % 5],
            "title": f"grpcio {n}",
            "resource_id": f"services/ingest/{n}.lock",
            "tags": ["env:prod" if n % 3 else "env:dev"],
            "attributes": {"package": {"name": f"p{n % 2}", "ecosystem": "pip"}},
        }
        for n in numbers
    ]
    return json.dumps({"source": "Trivy", "scope": "acme/ingest", "findings": findings}).encode()


@pytest.fixture
def rules(live_server):
    project = ProjectFactory(key="SEC")
    for name, query, limit, group in (
        ("Vulnerable libraries in production", "env:prod", 4, None),
        ("Critical ones elsewhere", "@severity:critical", 9, ["package"]),
    ):
        said = {"name": name, "query": query, "group_by": group, "finding_types": TYPES}
        rule = ticket_rule(
            **said, project_id=project.pk, max_tickets_per_day=limit, target=Target.CASE_MANAGEMENT
        )
        create_rule(rule, actor=None)
    import_report([report(*range(100, 110))], ImportOptions(source="Trivy"))
    Evaluation.objects.update(unevaluated_since=None)


def checked(page) -> None:
    page.goto("/settings/importers/upload")
    settle(page)
    file = {
        "name": "trivy.json",
        "mimeType": "application/json",
        "buffer": report(*range(105, 125)),
    }
    page.get_by_label("Report file").set_input_files(file)
    page.get_by_role("combobox", name="Source").fill("Trivy")
    page.get_by_role("button", name="Check report").press("Enter")
    expect(page.get_by_text("You can close this page.")).to_be_visible()
    assert queue.take_due()
    expect(page.get_by_role("button", name="Import 20 findings")).to_be_visible()


@pytest.mark.usefixtures("rules")
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_it_tells_from_the_dry_run_to_the_undoing(page_as, admin, theme, width):
    page = page_as(admin, theme=theme, width=width)
    checked(page)
    check(page)
    before = rows(page)
    page.get_by_role("button", name="Import 20 findings").press("Enter")
    expect(page.get_by_text("The report is being imported.")).to_be_visible()
    assert queue.take_due()
    expect(page.get_by_text("Running through the rules: 0 of 15.")).to_be_visible()
    assert evaluate_all()
    expect(page.get_by_role("link", name="All 15")).to_be_visible()
    assert rows(page) == before
    check(page)
    page.get_by_role("link", name="Undo import").press("Enter")
    expect(page.get_by_role("heading", name="Undo this import?")).to_be_visible()
    check(page)
    page.get_by_role("button", name="Undo import").press("Enter")
    expect(page.get_by_text("Being undone by Ada Admin.")).to_be_visible()
    undo.finish_begun()
    expect(page.get_by_text("Undone by Ada Admin")).to_be_visible()
    check(page)


def rows(page) -> list[str]:
    return page.get_by_role("region", name="Rules").locator("tbody").inner_text().split()


def check(page) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)
