"""The Security Inbox on a real screen: panels as filters, rows to take out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from findings.models import Finding
from findings.rule_effects import (
    MuteSpec,
    RuleActor,
    claim_for_recheck,
    mute,
    set_due_dates,
    set_inbox,
    set_severities,
)
from tests.browser.conftest import BOTH, assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db(transaction=True)
RULE = RuleActor("6f0c2f6e-6c52-4b5e-9b6d-5d0c2f3d9a10", "Internet-facing production")
DEFAULT = RuleActor("secret_default_rule", "Secrets")


@pytest.fixture
def filled(live_server) -> None:
    """Six findings: overdue, due today, in a week, later and never; one that no rule added."""
    days = {"S3 bucket policy allows public read": -3, "Key in a repository": 0, "sudo 1.9": 7}
    days |= {"Unauthenticated endpoint": 40, "EKS endpoint is reachable": None}
    for title in (*days, "Not in the inbox"):
        FindingFactory(title=title, severity="high", tags=["service:exports", "team:payments"])
    now = timezone.now()
    with transaction.atomic():
        found = claim_for_recheck(limit=10)
        inside = [f for f in found if f.facts.title in days]
        inside = set_severities([(f, "critical", RULE) for f in inside[:2]], now=now) + inside[2:]
        inside = set_inbox(
            [(f, True, RULE if n % 2 else DEFAULT) for n, f in enumerate(inside)], now=now
        )
        dated = [(f, days[f.facts.title]) for f in inside]
        today = datetime.now(UTC).date()
        set_due_dates(
            [(f, today + timedelta(days=n), RULE) for f, n in dated if n is not None], now=now
        )


@pytest.mark.parametrize("width", [420, 1440])
def test_it_filters_by_its_panels_and_takes_out(page_as, analyst, filled, width):
    page: Page = page_as(analyst, theme=BOTH, width=width)
    page.goto("/inbox")
    expect(page.get_by_text("1–5 of 5")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("link", name="Overdue 1").click()
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    page.get_by_role("checkbox", name="Select S3 bucket").check()
    page.get_by_role("button", name="Inbox", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Security Inbox").select_option("removed")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("1 finding removed from the Security Inbox")).to_be_visible()
    expect(page.get_by_text("No findings match")).to_be_visible()


@pytest.mark.parametrize("width", [420, 1440])
def test_the_panel_tells_what_rules_have_set(page_as, analyst, filled, width):
    finding = Finding.objects.get(title="S3 bucket policy allows public read")
    page: Page = page_as(analyst, theme=BOTH, width=width)
    page.goto(f"/findings?finding={finding.finding_id}&cols=type,due,status")
    about = page.get_by_role("region", name="About this finding")
    expect(about.get_by_text("raised by rule").first).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    with transaction.atomic():
        spec = MuteSpec("risk_accepted")
        mute([(f, spec, RULE) for f in claim_for_recheck(limit=1)], now=timezone.now())
    page.reload()
    assert_accessible(page)
    about.get_by_role("button", name="Lift").click()
    expect(page.get_by_role("button", name="Mute", exact=True).first).to_be_visible()
    finding.refresh_from_db()
    assert finding.is_mute_lifted
