"""What the pages of findings cost a browser, and what is left of them in forced colours."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from automation.pipeline import evaluate_all
from automation.rules.services import create_rule
from findings.facts import Severity
from findings.models import Finding
from findings.services import record
from tests.browser.conftest import layout_shift, settle
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule

pytestmark = pytest.mark.django_db(transaction=True)
CLS = 0.02


@pytest.fixture
def findings(live_server):
    """Fifty of all severities, five with a rule's ticket."""
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    data = {"query": "", "project_id": project.pk, "max_tickets_per_day": 5}
    create_rule(
        ticket_rule(name="Libraries", finding_types=["library_vulnerability"], **data), actor=None
    )
    for number, severity in enumerate(list(Severity)[:5]):
        said = {"tags": [f"team:t{number}", "env:prod"], "description": "What it is. " * 20}
        record(reported(10, prefix=severity, severity=severity, **said), source=SourceFactory())
    evaluate_all()
    return list(Finding.objects.all())


@pytest.mark.parametrize("width", [1440, 420])
def test_it_moves_nothing_once_it_is_drawn(page_as, analyst, findings, width):
    page = page_as(analyst, width=width)
    page.goto("/findings")  # sets what makes facets come later
    finding = findings[0].finding_id
    moved = {}
    for address in (
        *("/findings", "/findings?q=env:prod -team:t1"),
        *(f"/findings?finding={finding}", f"/findings/{finding}"),
    ):
        page.goto(address)
        settle(page)
        moved[address] = layout_shift(page)
    assert {address: by for address, by in moved.items() if by >= CLS} == {}


def test_it_keeps_its_marks_in_forced_colours(page_as, analyst, findings):
    page = page_as(analyst)
    page.emulate_media(forced_colors="active")
    page.goto("/findings")
    settle(page)
    bolt = page.locator(".tk .bolt").first
    expect(bolt).to_have_css("background-color", "rgb(255, 201, 31)")
    bars = page.locator(".histogram rect.critical").first
    expect(bars).to_have_css("forced-color-adjust", "none")
    expect(page.locator(".query")).to_have_css("border-top-style", "solid")
    page.locator("input[name=finding]").first.check()
    box = page.locator("input[name=finding]").first
    mark = "(box) => getComputedStyle(box, '::before').backgroundColor"
    around = "(box) => getComputedStyle(box).backgroundColor"
    assert box.evaluate(mark) != box.evaluate(around)
