"""The preview of a rule is what a re-check then does."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from automation.effect_preview import preview_effect
from automation.kinds.due_date.action import DueDays, DueFrom, SetDueDate
from automation.kinds.inbox.action import AddToInbox
from automation.kinds.mute.action import MuteFinding, Reason
from automation.kinds.registry import KINDS
from automation.kinds.severity.action import Delta, Level, SetSeverity, ShiftSeverity
from automation.recheck import recheck
from automation.rules.active import active_rules
from automation.rules.data import RuleData, rule_spec
from automation.rules.services import create_rule
from findings.facts import FindingType, Severity
from findings.models import Finding
from tests.factories import FindingFactory

pytestmark = pytest.mark.django_db

LIBRARY, SECRET = FindingType.LIBRARY.value, FindingType.SECRET.value
COLUMN = {
    "severity_modifier": ("severity", "severity_rule_id"),
    "mute": ("status", "mute_rule_id"),
    "inbox": ("is_in_inbox", "inbox_rule_id"),
    "due_date": ("due_at", "due_rule_id"),
}


def due(dice, *severities):
    return SetDueDate(
        due_from=DueFrom.FIRST_SEEN,
        due_days_per_severity=[
            DueDays(severity=Severity(each), due_in_days=dice.randint(1, 40)) for each in severities
        ],
    )


def actions(kind, dice):
    return {
        "severity_modifier": [
            SetSeverity(severity=dice.choice(list(Level)[:4])),
            ShiftSeverity(severity_delta=dice.choice(list(Delta))),
        ],
        "mute": [MuteFinding(reason=dice.choice(list(Reason)))],
        "inbox": [AddToInbox()],
        "due_date": [due(dice, "critical", "high"), due(dice, "low", "unknown", "medium")],
    }[kind]


def some_rule(kind, dice) -> RuleData:
    return RuleData(
        name=f"R{dice.random()}",
        finding_types=dice.choice([[LIBRARY], [SECRET], [LIBRARY, SECRET]]),
        query=dice.choice(["", "env:prod", "team:a OR env:dev", "-team:a"]),
        action=dice.choice(actions(kind, dice)),
    )


def some_findings(dice, number=30):
    now = timezone.now()
    for _ in range(number):
        severity, person = dice.choice(list(Severity)), dice.choice(["", "", "low"])
        FindingFactory(
            finding_type=dice.choice([LIBRARY, SECRET]),
            severity=person or severity,
            base_severity=severity if person else "",
            person_severity=person,
            status=dice.choice(["open", "open", "in-progress", "muted", "resolved"]),
            tags=dice.sample(["env:prod", "env:dev", "team:a", "team:b"], 2),
            first_seen_at=now - timedelta(days=dice.randint(0, 60)),
            is_mute_lifted=dice.random() < 0.2,
            inbox_choice=dice.choice(["", "", "removed"]),
            unevaluated_since=None,
        )


def settled():
    """After every rule has been looked at; value and rule of each finding, by kind."""
    assert recheck()
    names = [name for pair in COLUMN.values() for name in pair]
    return {row["pk"]: row for row in Finding.objects.values("pk", *names)}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", COLUMN)
def test_it_counts_what_a_re_check_then_changes(kind, seed):
    dice = random.Random(f"{kind}{seed}")
    some_findings(dice)
    for each in COLUMN:
        create_rule(some_rule(each, dice), actor=None)
    before = settled()
    data = some_rule(kind, dice)

    found = preview_effect(
        KINDS[kind], rule_spec(UUID(int=0), data), before=active_rules(kind).specs
    )

    rule = create_rule(data, actor=None)
    after = settled()
    value, by = COLUMN[kind]
    changed = [pk for pk in after if before[pk][value] != after[pk][value]]
    assert all(str(after[pk][by]) == str(rule.pk) for pk in changed if after[pk][by])
    assert found.acts == len(changed)
    assert {each.after.pk for each in found.sample} <= set(changed)
    later = {each.name: sum(numbers.values()) for each, numbers in found.later.items()}
    for other in later.keys() & {"inbox"}:
        moved = [pk for pk in after if before[pk]["is_in_inbox"] != after[pk]["is_in_inbox"]]
        assert later[other] == len(moved)
