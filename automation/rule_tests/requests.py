"""Test Rule, what a person asks for: what to test with, beginning, detaching."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID, uuid4

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from automation.engine.rules import RuleSpec
from automation.models import TestRun
from automation.preview import first_day
from automation.rule_tests.progress import (
    Failed,
    case_of,
    fail,
    is_match,
    issue_of,
    spec_of,
    steps_of,
)
from automation.rules.data import spec_to_json
from config.accounts.models import User
from config.lib.isolation import run_each
from config.lib.search_text import MAX_TERMS
from config.lib.tasks import enqueue
from findings.explorer import columnar_pages
from findings.explorer.group_values import are, with_values
from findings.explorer.search import Search
from findings.facts import OPEN_STATUSES, Ticket
from findings.grouping import values_of
from findings.models import Finding
from findings.query.ast import And, Exact, Field, Or, Root, Term
from findings.query.parse import parse_rule_query
from findings.query.sql import condition
from ticketing import services as ticketing
from ticketing.models import Attachment
from ticketing.states import WAITING, State

SHOWN = 10
LOST_AFTER = timedelta(seconds=15)
GIVEN_UP_AFTER = timedelta(hours=1)
_TYPE = Field(Root.ATTRIBUTE, "finding_type")
_HELD = [ticket.value for ticket in Ticket if ticket.is_attached]
_FREE = [ticket.value for ticket in Ticket if not ticket.is_attached]


@dataclass(frozen=True, slots=True)
class Matches:
    """What a test can be made with: findings without a ticket first, each part newest first."""

    findings: Sequence[Finding]
    found: int  # with these words
    total: int  # without them


class NotTestable(ValueError):
    """The finding does not match, or has a ticket already."""


def matches(spec: RuleSpec, *, words: str = "") -> Matches:
    """The findings of the last 30 days that match; a word is looked for in title and resource."""
    if not words and (known := _matches_in_memory(spec)):
        return known
    found = matching = _matching(spec)
    for word in words.split()[:MAX_TERMS]:
        found = found.filter(
            Q(title__icontains=word)
            | Q(resource_id__icontains=word)
            | Q(resource_name__icontains=word)
        )
    held = Exists(Attachment.objects.filter(finding=OuterRef("pk")))
    newest = found.defer("description").alias(held=held).order_by("held", "-opened_at", "-pk")
    return Matches(list(newest[:SHOWN]), found.count(), matching.count())


def _matches_in_memory(spec: RuleSpec) -> Matches | None:
    """One statement; None where the columns in memory cannot tell."""
    types = (Term(_TYPE, Exact(finding_type)) for finding_type in spec.finding_types)
    root = And((parse_rule_query(spec.query).root, Or(tuple(types))))
    recent = Search(root, first_day(timezone.now()))
    shown: list[int] = []
    for tickets in _FREE, _HELD:
        search = replace(recent, chosen={"ticket": tickets})
        pks = columnar_pages.pks_of(
            search, ("opened_at", "pk"), is_descending=True, most=SHOWN - len(shown)
        )
        if pks is None:
            return None
        shown += pks
        if len(shown) == SHOWN:
            break
    number = columnar_pages.number_of(recent)
    if number is None:
        return None
    read = Finding.objects.order_by().defer("description").in_bulk(shown)
    return Matches([read[pk] for pk in shown if pk in read], number, number)


def _matching(spec: RuleSpec) -> QuerySet[Finding]:
    return Finding.objects.filter(
        condition(parse_rule_query(spec.query).root),
        finding_type__in=spec.finding_types,
        opened_at__gte=first_day(timezone.now()),
    )


def sharing(run: TestRun) -> int | None:
    """How many other open findings of the last 30 days would share the test's ticket if the rule
    made it; None where each has its own. One statement."""
    spec = spec_of(run)
    fields = spec.action.grouping
    values = values_of(fields, run.finding.facts) if fields else None
    if values is None:
        return None
    others = with_values(_matching(spec).filter(status__in=OPEN_STATUSES), fields)
    return others.filter(are(fields, [values])).exclude(pk=run.finding_id).count()


def start(spec: RuleSpec, finding: Finding, *, actor: User, run_id: UUID | None = None) -> TestRun:
    """Begin a test; raises NotTestable for a finding that cannot be tested with.

    What a person asks twice under one id is one test.
    """
    run_id = run_id or uuid4()
    if before := TestRun.objects.filter(pk=run_id).first():
        return before
    if Attachment.objects.filter(finding=finding).exists():
        raise NotTestable(f"This finding has a ticket already: {finding.ticket_key}.")
    if not is_match(spec, finding):
        raise NotTestable("This finding does not match the rule any more.")
    said = {"rule": spec_to_json(spec), "finding": finding, "created_by": actor}
    run = TestRun(pk=run_id, **said, steps=steps_of(spec))
    try:
        with transaction.atomic():
            run.save(force_insert=True)
            _enqueue(run)
    except IntegrityError:
        return TestRun.objects.get(pk=run_id)
    return run


def detach(run: TestRun, *, actor: User) -> bool:
    """Take the finding off the test's ticket, which stays; False if it was off already."""
    case = case_of(run)
    return bool(case and ticketing.detach([run.finding_id], actor=actor, case=case))


def waits_for(run: TestRun) -> str:
    """Why it takes longer than a moment, for a person; usually nothing."""
    issue = issue_of(run) if run.case_id else None
    if issue is None or issue.state not in WAITING:
        return ""
    if issue.state == State.UNSURE:
        return "Jira did not answer in time; the ticket is looked for."
    return issue.reason


def look_after(run: TestRun) -> None:
    """Ring for a run whose issue has come to an end without it; somebody is watching."""
    is_old = run.created_at < timezone.now() - LOST_AFTER
    if is_old and run.state == TestRun.State.RUNNING and not waits_for(run):
        _enqueue(run)


def carry_on_lost() -> None:
    """Ring for the runs whose worker died; those that were given up have failed."""
    now = timezone.now()
    lost = TestRun.objects.filter(state=TestRun.State.RUNNING, created_at__lt=now - LOST_AFTER)
    run_each(lost.iterator(), _carry_on_or_give_up)


def _carry_on_or_give_up(run: TestRun) -> None:
    if run.case_id is None and run.created_at < timezone.now() - GIVEN_UP_AFTER:
        fail(run, Failed("It was interrupted before anything was created."))
    else:
        _enqueue(run)


def _enqueue(run: TestRun) -> None:
    enqueue("automation.tasks.run_test", str(run.pk))
