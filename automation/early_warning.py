"""The early warning: would the next ticket of a rule fail? Asked before a finding finds out.

Each enabled Jira rule is looked at once an hour, and right after it was changed. Only what the
rule's own configuration is to blame for becomes a warning; an account that is not let in, or a
Jira that does not answer, has notices of its own.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from automation.models import Rule, RuleCheck
from automation.tickets import issue_fields
from ticketing.models import Destination, JiraAccount
from ticketing.pacing import heed, pace_for
from ticketing.trackers.base import Destination as Place
from ticketing.trackers.base import Fault, Tracker, TrackerError
from ticketing.trackers.registry import tracker_for

log = structlog.stdlib.get_logger(__name__)

EVERY = timedelta(hours=1)
MOST = 20
"""Rules a ring: a few requests each."""
SECONDS_A_RING = 30.0
_OWN_FAULT = (Fault.CONFIG, Fault.REJECTED)


def check_due(*, seconds: float = SECONDS_A_RING) -> int:
    """Look at rules that nobody has looked at for an hour; returns how many were."""
    ends = time.monotonic() + seconds
    now = timezone.now()
    looked_at = 0
    by_project = _destinations(rules := _due(now))
    for account, its_rules in _by_account(rules, by_project).items():
        with tracker_for(account, pace=pace_for(account)) as tracker:
            for rule in its_rules:
                if time.monotonic() > ends:
                    return looked_at
                check = _claim(rule, now)
                if check is None:
                    continue
                looked_at += 1
                if not _look(check, rule, by_project[rule.project_id], tracker):
                    break  # the account's own trouble
    return looked_at


def _due(now: datetime) -> list[Rule]:
    checked = RuleCheck.objects.filter(rule=OuterRef("pk")).values("checked_at")
    rules = Rule.objects.filter(enabled=True, target=Rule.Target.JIRA)
    rules = rules.annotate(checked_at=Subquery(checked))
    return list(rules.filter(Q(checked_at=None) | Q(checked_at__lt=now - EVERY))[:MOST])


def _destinations(rules: Iterable[Rule]) -> dict[object, Destination]:
    """By project, those whose account may be called at all."""
    rows = Destination.objects.filter(
        project__in={rule.project_id for rule in rules},
        account__state=JiraAccount.State.CONNECTED,
        account__deleted_at=None,
        account__connected_at__isnull=False,
    )
    return {row.project_id: row for row in rows.select_related("account")}


def _by_account(
    rules: Iterable[Rule], by_project: dict[object, Destination]
) -> dict[JiraAccount, list[Rule]]:
    found: dict[JiraAccount, list[Rule]] = defaultdict(list)
    for rule in rules:
        if rule.project_id in by_project:
            found[by_project[rule.project_id].account].append(rule)
    return found


def _claim(rule: Rule, now: datetime) -> RuleCheck | None:
    """The rule's check, unless another worker took it since we looked."""
    check, is_new = RuleCheck.objects.get_or_create(rule=rule, defaults={"checked_at": now})
    if is_new:
        return check
    mine = RuleCheck.objects.filter(pk=check.pk, checked_at__lt=now - EVERY)
    return check if mine.update(checked_at=now) else None


def _look(check: RuleCheck, rule: Rule, destination: Destination, tracker: Tracker) -> bool:
    """Store what is seen; False if the account could not be asked."""
    place = Place(destination.space_id, destination.space_key, destination.type_id)
    try:
        tracker.check(place, issue_fields(rule.fields))
    except TrackerError as error:
        if error.fault not in _OWN_FAULT or error.whole_account:
            heed(destination.account, error)
            log.info("rule not checked", rule=rule.name, reason=error.reason)
            return False
        _warn(check, error)
    else:
        RuleCheck.objects.filter(pk=check.pk).update(warning="", field="", since=None)
    return True


def _warn(check: RuleCheck, error: TrackerError) -> None:
    """A rule that was changed meanwhile has lost this check, and gets one of its own."""
    since = check.since if check.warning else timezone.now()
    RuleCheck.objects.filter(pk=check.pk).update(
        warning=f"{error.reason} The next ticket will fail.", field=error.field, since=since
    )
