"""Rows of every model, by its label."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from uuid import uuid4

from axes.models import AccessAttempt, AccessLog
from django.db.models import Model
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME
from automation.models import (
    DailyUsage,
    Decision,
    DefaultRule,
    DismissedAdvice,
    EvaluationAttempt,
    Recheck,
    RuleCheck,
    RuleSetVersion,
    TestRun,
)
from config.accounts.api_keys import create_api_key
from config.accounts.audit.events import record_event
from config.accounts.models import Act, ActRow, AuditEvent, KeyWindow
from config.accounts.roles import Permission
from config.runtime.models import Heartbeat
from findings.models import (
    ChangedDay,
    ChangeLog,
    CountedDay,
    DailyCount,
    FindingChange,
    FindingEvent,
    Import,
    ImportChange,
    SavedView,
    Scope,
)
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    JiraAccountFactory,
    JiraIssueTemplateFactory,
    ProjectFactory,
    RuleFactory,
    SourceFactory,
    UserFactory,
)
from ticketing.models import (
    Attachment,
    Attempt,
    BulkRun,
    BulkStep,
    Case,
    CaseGroup,
    CommentLink,
    CommentRevision,
    JiraSpace,
    JiraUser,
    NewestNumber,
    Orphan,
    RequestHour,
    TimelineEntry,
    WebhookEvent,
)

_number = count(1)


def _default_rule():
    return DefaultRule.objects.create(
        id=f"d{next(_number)}_default_rule", name="D", modified_by=UserFactory()
    )


def _key():
    return create_api_key("ci", scopes=[Permission.FINDINGS_READ], actor=UserFactory())[0]


def _event():
    record_event("finding", "muted", count=3)
    return AuditEvent.objects.latest("id")


def _run():
    return BulkRun.objects.create(deed=BulkRun.Deed.MUTE, actor=UserFactory())


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
        kind=NAME,
        version=next(_number),
        rules=[],
        created_by=UserFactory(),
    )


def _finding():
    return FindingFactory(source__name=f"source {next(_number)}")


def _act():
    return Act.objects.create(kind="mute", actor=UserFactory(), expires_at=timezone.now())


def _day():
    return timezone.now().date() - timedelta(days=next(_number))


def _log():
    """Beside the one that `migrate` made as row 1, which PostgreSQL's sequence knows nothing of."""
    return ChangeLog.objects.create(pk=1 + next(_number), generation="another")


def _usage():
    return DailyUsage.objects.create(rule_id=RuleFactory().pk, day=_day())


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
    "accounts.AuditEvent": _event,
    "accounts.Act": _act,
    "accounts.ActRow": lambda: ActRow.objects.create(act=_act(), object_id="1"),
    "axes.AccessAttempt": _attempt,
    "axes.AccessLog": lambda: AccessLog.objects.create(username=f"{next(_number)}"),
    "findings.Source": lambda: SourceFactory(name=f"source {next(_number)}"),
    "findings.Finding": _finding,
    "findings.FindingEvent": lambda: FindingEvent.objects.create(
        finding=FindingFactory(), kind=FindingEvent.Kind.REOPENED, actor=UserFactory()
    ),
    "findings.Import": lambda: Import.objects.create(source=SourceFactory()),
    "findings.Scope": lambda: Scope.objects.create(
        source=SourceFactory(), target=f"target {next(_number)}"
    ),
    "findings.ImportChange": lambda: ImportChange.objects.create(
        run=Import.objects.create(), finding=_finding(), kind=ImportChange.Kind.REOPENED
    ),
    "findings.DailyCount": lambda: DailyCount.objects.create(
        day=_day(), measure=DailyCount.Measure.NEW, by=DailyCount.By.TEAM, value="a", number=1
    ),
    "findings.CountedDay": lambda: CountedDay.objects.create(day=_day()),
    "findings.Evaluation": lambda: FindingFactory().evaluation,
    "findings.FindingChange": lambda: FindingChange.objects.create(
        xid=1, pks="{1}", at=timezone.now()
    ),
    "findings.ChangeLog": _log,
    "findings.ChangedDay": lambda: ChangedDay.objects.create(day=_day()),
    "findings.SavedView": lambda: SavedView.objects.create(name="Mine", owner=UserFactory()),
    "ticketing.Project": ProjectFactory,
    "ticketing.Case": _case,
    "ticketing.CaseGroup": lambda: CaseGroup.objects.create(
        case=_case(),
        rule_id=uuid4(),
        key="0" * 32,
        group_by=["package"],
        group_values=["pypi/grpcio"],
        written_at=timezone.now(),
        follows=_case(),
    ),
    "ticketing.Attachment": lambda: Attachment.objects.create(
        finding=FindingFactory(), case=_case(), created_by=UserFactory()
    ),
    "ticketing.TimelineEntry": lambda: TimelineEntry.objects.create(
        case=_case(), kind=TimelineEntry.Kind.COMMENT, actor=UserFactory()
    ),
    "ticketing.BulkRun": _run,
    "ticketing.BulkStep": lambda: BulkStep.objects.create(
        run=_run(), finding=FindingFactory(), position=1, case=_case()
    ),
    "ticketing.JiraAccount": JiraAccountFactory,
    "ticketing.JiraSpace": lambda: JiraSpace.objects.create(
        account=JiraAccountFactory(), space_id="10000", key="SEC"
    ),
    "ticketing.JiraUser": lambda: JiraUser.objects.create(
        account=JiraAccountFactory(), user_id="5b10", name="Priya", person=UserFactory()
    ),
    "ticketing.Destination": DestinationFactory,
    "ticketing.JiraIssueTemplate": JiraIssueTemplateFactory,
    "ticketing.ExternalIssue": ExternalIssueFactory,
    "ticketing.Attempt": lambda: Attempt.objects.create(
        issue=ExternalIssueFactory(), operation=Attempt.Operation.CREATE
    ),
    "ticketing.NewestNumber": lambda: NewestNumber.objects.create(
        account=JiraAccountFactory(), space_id="10000", number=7, at=timezone.now()
    ),
    "ticketing.Orphan": lambda: Orphan.objects.create(
        issue=ExternalIssueFactory(), remote_id="1", remote_key="SEC-1"
    ),
    "ticketing.CommentLink": lambda: CommentLink.objects.create(
        issue=ExternalIssueFactory(),
        entry=TimelineEntry.objects.create(case=_case(), kind=TimelineEntry.Kind.COMMENT),
        comment_id="1",
    ),
    "ticketing.CommentRevision": lambda: CommentRevision.objects.create(
        entry=TimelineEntry.objects.create(case=_case(), kind=TimelineEntry.Kind.COMMENT),
        before="x",
        actor=UserFactory(),
    ),
    "ticketing.RequestHour": lambda: RequestHour.objects.create(
        account=JiraAccountFactory(), hour=timezone.now()
    ),
    "ticketing.WebhookEvent": lambda: WebhookEvent.objects.create(
        account=JiraAccountFactory(), identifier="1"
    ),
    "automation.Recheck": Recheck.objects.create,
    "automation.DismissedAdvice": lambda: DismissedAdvice.objects.create(
        rule=RuleFactory(), until=timezone.now()
    ),
    "automation.RuleCheck": lambda: RuleCheck.objects.create(rule=RuleFactory()),
    "automation.EvaluationAttempt": lambda: EvaluationAttempt.objects.create(
        size=1, finding=FindingFactory()
    ),
    "automation.TestRun": lambda: TestRun.objects.create(
        rule={}, finding=FindingFactory(), created_by=UserFactory()
    ),
    "automation.DefaultRule": _default_rule,
    "automation.Rule": lambda: RuleFactory(modified_by=UserFactory()),
    "automation.RuleSetVersion": _version,
    "automation.Decision": _decision,
    "automation.DailyUsage": _usage,
    "runtime.Heartbeat": lambda: Heartbeat.objects.create(
        cluster=f"c{next(_number)}", at=timezone.now()
    ),
}


def rows_of(label: str, wanted: int) -> list[Model]:
    return [MAKE[label]() for _ in range(wanted)] if label in MAKE else []
