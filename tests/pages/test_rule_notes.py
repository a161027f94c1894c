"""What the list of rules says of people's decisions, of expired rules and of slow ones."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.severity.action import Level, SetSeverity
from automation.recheck import recheck
from automation.rules import services
from automation.rules.data import RuleData
from config.lib.utc import epoch_ms
from findings import services as findings
from findings.facts import Severity
from findings.models import Finding
from findings.overrides import set_severity
from tests.conftest import NOON
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db
LIST = "/settings/findings-automation"
RAISE = SetSeverity(severity=Level.CRITICAL)
MUTE = MuteFinding(reason=Reason.OTHER, expire_at=epoch_ms(NOON + timedelta(days=3)))


@pytest.fixture(autouse=True)
def _noon(frozen):
    return frozen


def rule(action, name="Loud"):
    data = RuleData(name=name, finding_types=["secret"], action=action)
    return services.create_rule(data, actor=None)


def pks(number=4) -> list[int]:
    made = FindingFactory.create_batch(number, finding_type="secret", severity="high")
    return [finding.pk for finding in made]


def note(as_user, viewer) -> tuple[str, int]:
    """What stands beneath the rule, and how many findings its link shows."""
    browser = as_user(viewer)
    page = browser.get(LIST).content.decode()
    found = re.search(r'<span>([^<]*) <a href="(/findings\?[^"]*)" aria-label="View', page)
    if found is None:
        return "", 0
    shown = browser.get(unescape(found[2])).content.decode()
    return found[1], len(re.findall(r'<tr[^>]* data-finding="', shown))


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, ""),
        (1, "1 match keeps the severity that a person set."),
        (3, "3 matches keep the severity that a person set."),
    ],
)
def test_a_persons_severity_is_kept(number, said, as_user, viewer, analyst):
    rule(RAISE)
    chosen = pks()[:number]
    set_severity(chosen, severity=Severity.LOW, actor=analyst)
    recheck()
    assert note(as_user, viewer) == (said, number)


def test_what_a_person_unmuted_stays_open_until_a_person_mutes_it(as_user, viewer, analyst):
    rule(MUTE)
    chosen = pks()
    recheck()
    assert note(as_user, viewer) == ("", 0)
    findings.unmute(chosen[:2], actor=analyst)
    recheck()
    assert note(as_user, viewer) == ("2 unmuted by a person stay open.", 2)
    findings.mute(chosen[:1], reason="other", actor=analyst)
    assert note(as_user, viewer) == ("1 unmuted by a person stays open.", 1)


def test_an_expired_rule_says_how_many_it_unmuted(as_user, viewer, analyst, frozen):
    rule(MUTE)
    chosen = pks()
    recheck()
    findings.unmute(chosen[:1], actor=analyst)
    frozen.move_to(NOON + timedelta(days=4))
    recheck()
    assert note(as_user, viewer) == ("Expired: 3 findings were unmuted.", 3)
    Finding.objects.filter(pk__in=chosen[1:3]).update(unmuted_rule_id=None)
    assert note(as_user, viewer) == ("Expired: 1 finding was unmuted.", 1)


@pytest.mark.parametrize("action", [RAISE, MUTE])
def test_a_slow_rule_says_so(action, as_user, viewer):
    slow = rule(action)
    services.mark_slow({slow.pk: 0.4})
    said = "This rule is slow. It takes 0.40 s per finding"
    assert said in as_user(viewer).get(LIST).content.decode()
    versions = f"{slow.kind}:{services.current_version(slow.kind)}"
    assert said in as_user(viewer).get(f"/rules/live?versions={versions}").content.decode()


def test_more_rules_cost_no_more_statements(as_user, viewer, analyst):
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            as_user(viewer).get(LIST)
        return len(asked)

    for action in (RAISE, MUTE):
        rule(action)
    chosen = pks()
    recheck()
    findings.unmute(chosen[:2], actor=analyst)
    statements()  # what is read once
    one = statements()
    for number in range(5):
        for action in (RAISE, MUTE):
            rule(action, name=f"Rule {number}")
    assert statements() == one
