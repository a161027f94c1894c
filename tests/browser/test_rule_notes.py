"""What the list of rules says beneath rules that were not left to themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Level, SetSeverity
from automation.models import Rule
from automation.recheck import recheck
from automation.rules import services
from automation.rules.data import RuleData
from config.lib.utc import epoch_ms
from findings import services as findings
from findings.facts import Severity
from findings.models import Finding
from findings.overrides import set_severity
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import FindingFactory

LIST = "/settings/findings-automation"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live_server, analyst) -> None:
    actions = [
        ("secret", SetSeverity(severity=Level.CRITICAL)),
        ("attack_path", MuteFinding(reason=Reason.OTHER)),
        ("iac_misconfiguration", MuteFinding(reason=Reason.NO_FIX)),
    ]
    for kind, action in actions:
        FindingFactory.create_batch(3, finding_type=kind, severity="high")
        said = RuleData(name=f"About {kind}", finding_types=[kind], action=action)
        made = services.create_rule(said, actor=None)
    recheck()
    pks = [f.pk for f in Finding.objects.order_by("pk")]
    set_severity(pks[:2], severity=Severity.LOW, actor=analyst)
    findings.unmute(pks[3:5], actor=analyst)
    past = epoch_ms(timezone.now() - timedelta(days=1))
    Rule.objects.filter(pk=made.pk).update(action={"reason": "no_fix", "expire_at": past})
    services.reorder("mute", [r.pk for r in Rule.objects.filter(kind="mute")][::-1], actor=None)
    recheck()
    services.mark_slow({Rule.objects.get(kind="severity_modifier").pk: 0.3})


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_each_note_leads_to_its_findings(page_as, viewer, world, theme, width):
    page = page_as(viewer, theme=theme, width=width)
    for note, number in (
        ("2 matches keep the severity that a person set.", 2),
        ("2 unmuted by a person stay open.", 2),
        ("Expired: 3 findings were unmuted.", 3),
    ):
        page.goto(LIST)
        expect(page.get_by_text(note)).to_be_visible()
        page.get_by_role("link", name=f"View: {note}").click()
        expect(page.locator("tr[data-finding]")).to_have_count(number)
    page.goto(LIST)
    expect(page.get_by_text("This rule is slow. It takes 0.30 s per finding")).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
