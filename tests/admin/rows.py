"""Rows of every model, by its label."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count

from axes.models import AccessAttempt, AccessLog
from django.db.models import Model
from django.utils import timezone

from automation.models import DailyUsage, Decision, RuleSet, RuleSetVersion
from config.accounts.api_keys import create_api_key
from config.accounts.models import KeyWindow
from config.accounts.roles import Permission
from config.runtime.models import Beat
from findings.models import FindingEvent, Import
from tests.factories import (
    FindingFactory,
    ProjectFactory,
    RuleFactory,
    SourceFactory,
    UserFactory,
)
from ticketing.models import Attachment, Case, TimelineEntry

_number = count(1)


def _key():
    return create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=UserFactory())[0]


def _case():
    project, n = ProjectFactory(), next(_number)
    return Case.objects.create(
        project=project,
        number=n,
        key=f"{project.key}-{n}",
        title="A case",
        origin=Case.Origin.RULE,
        rule_name="Exposed secrets",
        assignee=UserFactory(),
        created_by=UserFactory(),
    )


def _decision():
    finding, now = FindingFactory(), timezone.now()
    return Decision.objects.create(
        finding=finding,
        requested_at=now,
        outcome=Decision.Outcome.NO_MATCH,
        rule_set_version=1,
        facts={},
        day=now.date(),
        created_at=now,
    )


def _version():
    return RuleSetVersion.objects.create(
        kind=RuleSet.Kind.TICKET_CREATION,
        version=next(_number),
        rules=[],
        created_by=UserFactory(),
    )


def _usage():
    day = timezone.now().date() - timedelta(days=next(_number))
    return DailyUsage.objects.create(rule_id=RuleFactory().pk, day=day)


def _attempt():
    return AccessAttempt.objects.create(
        username=f"person{next(_number)}@example.com",
        ip_address="203.0.113.9",
        failures_since_start=2,
    )


MAKE: dict[str, Callable[[], Model]] = {
    "accounts.User": UserFactory,
    "accounts.ApiKey": _key,
    "accounts.KeyWindow": lambda: KeyWindow.objects.create(key=_key(), number=1, used=1),
    "axes.AccessAttempt": _attempt,
    "axes.AccessLog": lambda: AccessLog.objects.create(username=f"{next(_number)}"),
    "findings.Source": lambda: SourceFactory(name=f"source {next(_number)}"),
    "findings.Finding": lambda: FindingFactory(source__name=f"source {next(_number)}"),
    "findings.FindingEvent": lambda: FindingEvent.objects.create(
        finding=FindingFactory(), kind=FindingEvent.Kind.REOPENED, actor=UserFactory()
    ),
    "findings.Import": lambda: Import.objects.create(source=SourceFactory()),
    "ticketing.Project": ProjectFactory,
    "ticketing.Case": _case,
    "ticketing.Attachment": lambda: Attachment.objects.create(
        finding=FindingFactory(), case=_case(), created_by=UserFactory()
    ),
    "ticketing.TimelineEntry": lambda: TimelineEntry.objects.create(
        case=_case(), kind=TimelineEntry.Kind.COMMENT, actor=UserFactory()
    ),
    "automation.Rule": lambda: RuleFactory(modified_by=UserFactory()),
    "automation.RuleSetVersion": _version,
    "automation.Decision": _decision,
    "automation.DailyUsage": _usage,
    "runtime.Beat": lambda: Beat.objects.create(cluster=f"c{next(_number)}", at=timezone.now()),
}


def rows_of(label: str, wanted: int) -> list[Model]:
    return [MAKE[label]() for _ in range(wanted)] if label in MAKE else []
