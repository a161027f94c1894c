"""The early warning: would the next ticket of a rule fail? Asked before a finding finds out.

Each enabled Jira rule is looked at once an hour, and right after it was changed. Only what the
rule's own configuration is surely to blame for becomes a warning; an account that is not let in,
or a Jira that does not answer, has notices of its own, and a look that Jira refuses says nothing.

Whoever was looked at least recently is next, among the accounts and among the rules of each. A
look is written down before it is made, so one that fails or kills its worker goes to the end,
too: what cannot be looked at never keeps the others waiting.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

import structlog
from django.db.models import F, OuterRef, Subquery
from django.utils import timezone

from automation.kinds.ticket_creation.tickets import issue_fields
from automation.models import Rule, RuleCheck
from automation.rules.data import known_action
from automation.rules.selectors import jira_rules
from config.lib.deadline import TASK_SECONDS, Deadline
from config.lib.isolation import run_each
from ticketing.accounts import may_be_called
from ticketing.allowed_spaces import may_use, reason
from ticketing.models import Destination, JiraAccount
from ticketing.place_check import Cause, PlaceChecker, checker_for

log = structlog.stdlib.get_logger(__name__)

EVERY = timedelta(hours=1)
MAX_CHECKS = 20
"""Rules a run: a few requests each."""
SECONDS_A_RUN = 20.0
"""The queue ends a task after 60, and the last look may take half of that."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class _Turn:
    """What there is to look at in one account, least recently looked at first."""

    account: JiraAccount
    due: list[tuple[UUID, Destination]] = field(default_factory=list)
    latest: datetime = _NEVER  # look at any rule of the account

    def __str__(self) -> str:
        return self.account.name


def check_due(*, seconds: float = SECONDS_A_RUN) -> int:
    """Look at rules that nobody has looked at for an hour; returns how many were."""
    ends = time.monotonic() + seconds
    deadline = Deadline(max(seconds, TASK_SECONDS))
    now = timezone.now()
    looked_at: list[UUID] = []

    def take(turn: _Turn) -> None:
        with checker_for(turn.account, deadline=deadline) as checker:
            for rule_id, destination in turn.due:
                if len(looked_at) >= MAX_CHECKS or time.monotonic() > ends:
                    return
                rule = Rule.objects.filter(pk=rule_id, enabled=True).first()
                check = _claim(rule, now) if rule else None
                if rule is None or check is None:
                    continue
                looked_at.append(rule_id)
                if not _look(check, rule, destination, checker):
                    return  # the account's own trouble

    run_each(_turns(now), take)
    return len(looked_at)


def _turns(now: datetime) -> Sequence[_Turn]:
    """The accounts that may be called and have rules to look at; two statements."""
    rows = Destination.objects.filter(may_be_called(now)).select_related("account")
    places = {row.project_id: row for row in rows}
    checked = RuleCheck.objects.filter(rule=OuterRef("pk")).values("checked_at")
    rules = (
        jira_rules()
        .filter(enabled=True)
        .annotate(checked_at=Subquery(checked))
        .order_by(F("checked_at").asc(nulls_first=True), "position")
        .values_list("pk", "action__project_id", "checked_at")
    )
    turns: dict[UUID, _Turn] = {}
    for pk, project_id, checked_at in rules:
        place = places.get(UUID(project_id))
        if place is None:
            continue
        turn = turns.setdefault(place.account_id, _Turn(place.account))
        turn.latest = max(turn.latest, checked_at or _NEVER)
        if checked_at is None or checked_at < now - EVERY:
            turn.due.append((pk, place))
    return sorted((turn for turn in turns.values() if turn.due), key=lambda turn: turn.latest)


def _claim(rule: Rule, now: datetime) -> RuleCheck | None:
    """The rule's check, unless another worker took it since we looked."""
    check, is_new = RuleCheck.objects.get_or_create(rule=rule, defaults={"checked_at": now})
    if is_new:
        return check
    mine = RuleCheck.objects.filter(pk=check.pk, checked_at__lt=now - EVERY)
    return check if mine.update(checked_at=now) else None


def _look(check: RuleCheck, rule: Rule, destination: Destination, checker: PlaceChecker) -> bool:
    """Store what is seen; False if the account could not be asked."""
    if not may_use(destination.account, destination):
        _warn(check, reason(destination.space_key), field="project")
        return True
    action = known_action(rule)
    if action is None:  # broken as soon as it is evaluated
        return True
    problem = checker.check(destination, issue_fields(action.fields))
    if problem is None:
        RuleCheck.objects.filter(pk=check.pk).update(warning="", field="", since=None)
        return True
    if problem.cause is Cause.PLACE:
        _warn(check, problem.reason, field=problem.field)
        return True
    log.info("rule not checked", rule=rule.name, reason=problem.reason)
    return problem.cause is not Cause.ACCOUNT


def _warn(check: RuleCheck, why: str, *, field: str) -> None:
    """A rule that was changed meanwhile has lost this check, and gets one of its own."""
    since = check.since if check.warning else timezone.now()
    RuleCheck.objects.filter(pk=check.pk).update(
        warning=f"{why} The next ticket will fail.", field=field, since=since
    )
