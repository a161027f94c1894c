"""What a first start shows: real reports of open code, taken in like any other over thirty days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils import timezone

from automation.pipeline import evaluate_all
from automation.rule_file.apply import apply_plan
from automation.rule_file.parse import read_rules
from automation.rule_file.plan import plan_rules
from automation.rules.services import create_rule
from config.accounts.models import User
from config.runtime.demo_data.ageing import age, age_snapshots
from config.runtime.demo_data.people import DIARY, Scene
from config.runtime.demo_data.reports import CALENDAR, take_in
from config.runtime.demo_data.rules import places, ticket_rules
from findings.models import Finding
from ticketing.delivery import deliver_due
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Project
from ticketing.projects import create_project

_OTHER_RULES: Final = Path(__file__).with_name("rules.yaml")


def load(*, actor: User | None = None) -> None:
    """Make projects and rules, then take in the reports day by day; today's are the queue's.

    Does nothing unless there are neither findings nor projects. The rules come first, because
    only findings that come after a rule are ticketed by it. Where a sandbox Jira runs, most of
    them create their tickets there.
    """
    if Finding.objects.exists() or Project.objects.exists():
        return
    cases = create_project(key="CASES", name="Security cases", actor=actor)
    to = places(cases, sandbox=bool(settings.SANDBOX_JIRA_URL), actor=actor)
    for rule in ticket_rules(to):
        create_rule(rule, actor=actor)
    apply_plan(plan_rules(read_rules(_OTHER_RULES.read_text())), actor=actor)
    _live_through(Scene(to, actor, bool(settings.SANDBOX_JIRA_URL)))


def _live_through(scene: Scene) -> None:
    days = sorted({*CALENDAR, *DIARY}, reverse=True)
    for ago, following in zip(days, [*days[1:], None], strict=True):
        for report in CALENDAR.get(ago, ()):
            take_in(report)
        if following is None:
            break
        _let_the_queue_work()
        if ago in DIARY:
            DIARY[ago](scene)
        age(timedelta(days=ago - following))
    age_snapshots(timezone.now())


def _let_the_queue_work() -> None:
    """What its tasks do within a second, in one go: their wake-ups find nothing left to do."""
    evaluate_all()
    follow_findings()
    refresh_due()
    deliver_due()
