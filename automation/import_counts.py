"""What rules made of the findings of an import, and how far that is.

The numbers are those of the decisions, and so stay what they were; each leads to its rows for as
long as there are as many.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Max, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from automation.engine.rules import RuleSpec
from automation.kinds.registry import ORDER
from automation.models import Decision
from automation.rules.active import specs_of
from findings.explorer.group_values import value_names, with_values
from findings.explorer.of_import import ImportPart, is_of_import
from findings.facts import Status, Ticket
from findings.grouping import label_of
from findings.imports.results import findings_url
from findings.imports.rule_counts import RuleCount, RuleCounts, most_severe_first
from findings.models import Finding, Import
from findings.selectors import unevaluated
from ticketing.import_cases import Deliveries, cases_of_import, deliveries_of
from ticketing.models import Case, Project

Outcome = Decision.Outcome
KIND = ORDER[-1].name
WATCHED = timedelta(hours=1)  # then a page does not ask any more by itself
_FIELDS: Mapping[str, str] = {
    Outcome.TICKETED: "tickets",
    Outcome.GROUPED: "joined",
    Outcome.OVER_LIMIT: "over_limit",
    Outcome.ERROR: "failed",
    Outcome.ALREADY_TICKETED: "already_ticketed",
}
_UNMATCHED = (Outcome.NO_MATCH, Outcome.NO_RULES)


class Step(NamedTuple):
    text: str
    at: datetime | None  # since when that is so; None: not yet


@dataclass(frozen=True, kw_only=True)
class RulesResult:
    counts: RuleCounts
    links: Mapping[str, str]  # "<rule>/findings", "<rule>/tickets", "<rule>/over_limit", …
    steps: Sequence[Step]
    waiting: int  # for their evaluation
    deliveries: Deliveries
    is_recent: bool  # whether more may come of it soon

    @property
    def is_under_way(self) -> bool:
        return bool(self.sentence) and self.is_recent

    @property
    def sentence(self) -> str:
        """What is going on, if anything is."""
        if self.waiting:
            done = self.counts.evaluated
            return f"Running through the rules: {done:,} of {done + self.waiting:,}."
        if self.deliveries.waiting:
            done = self.deliveries.all - self.deliveries.waiting
            return f"Creating tickets: {done:,} of {self.deliveries.all:,}."
        return ""


def rules_result(run: Import) -> RulesResult:
    """Some twelve statements, whatever the number of rules and findings."""
    brought = Finding.objects.filter(is_of_import(ImportPart("", run.pk))).order_by()
    decisions = Decision.objects.filter(
        kind=KIND,
        finding__in=brought,
        requested_at__range=(run.started_at, run.finished_at or timezone.now()),
    ).order_by()
    counts = _counts(decisions, brought)
    waiting = unevaluated().filter(pk__in=brought.values("pk")).count()
    made = Case.objects.filter(pk__in=decisions.filter(outcome=Outcome.TICKETED).values("case_id"))
    deliveries = deliveries_of(made)
    return RulesResult(
        counts=counts,
        links=dict(_links(run, counts, brought)),
        steps=list(_steps(run, counts, decisions, waiting=waiting, deliveries=deliveries)),
        waiting=waiting,
        deliveries=deliveries,
        is_recent=timezone.now() - (run.finished_at or run.started_at) < WATCHED,
    )


def _steps(
    run: Import,
    counts: RuleCounts,
    decisions: QuerySet[Decision],
    *,
    waiting: int,
    deliveries: Deliveries,
) -> Iterator[Step]:
    yield Step(f"{_number(run.received, 'record')} imported", run.finished_at)
    if all_of_them := counts.evaluated + waiting:
        last = decisions.aggregate(last=Max("created_at"))["last"]
        done = (
            _number(counts.evaluated) if not waiting else f"{counts.evaluated:,} of {all_of_them:,}"
        )
        yield Step(f"{done} run through the rules", None if waiting else last)
    if deliveries.all:
        done = f"{deliveries.created:,} of {_number(deliveries.all, 'ticket')} created"
        is_over = deliveries.created == deliveries.all
        yield Step(done, deliveries.last_at if is_over else None)
    if deliveries.need_person:
        yield Step(f"{_number(deliveries.need_person, 'ticket')} cannot be created", None)


def _number(number: int, noun: str = "finding") -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _counts(decisions: QuerySet[Decision], brought: QuerySet[Finding]) -> RuleCounts:
    grouped = decisions.values_list("rule_id", "outcome", "rule_set_version", "finding__severity")
    rows = list(grouped.annotate(Count("pk")))
    specs = _specs({row[2] for row in rows})
    counts = RuleCounts(evaluated=sum(row[4] for row in rows))
    rules: dict[UUID, RuleCount] = {}
    unmatched: Counter[str] = Counter()
    for rule_id, outcome, _, severity, number in rows:
        if rule_id:
            rule = rules.setdefault(rule_id, _rule(rule_id, specs.get(str(rule_id))))
            rule.findings += number
            name = _FIELDS[outcome]
            setattr(rule, name, getattr(rule, name) + number)
        elif outcome == Outcome.MUTED:
            counts.muted += number
        elif outcome in _UNMATCHED:
            unmatched[severity] += number
    counts.unmatched = unmatched.total()
    counts.unmatched_severities = most_severe_first(unmatched)
    counts.rules = sorted(rules.values(), key=lambda rule: rule.number or len(specs) + 1)
    _fill_in(counts.rules, decisions, specs=specs)
    return counts


def _specs(versions: set[int]) -> dict[str, tuple[int, RuleSpec]]:
    """The rules as they decided, with their places; of many versions the first and the last."""
    specs: dict[str, tuple[int, RuleSpec]] = {}
    for version in {min(versions, default=0), max(versions, default=0)}:
        for number, spec in enumerate(specs_of(KIND, version), 1):
            specs.setdefault(spec.id, (number, spec))
    return specs


def _rule(rule_id: UUID, known: tuple[int, RuleSpec] | None) -> RuleCount:
    number, spec = known or (0, None)
    name = spec.name if spec else "A rule that is gone"
    grouping = label_of(spec.action.grouping) if spec and spec.action else ""
    return RuleCount(
        rule_id=str(rule_id), rule_name=name, number=number, grouping=grouping or "finding"
    )


def _fill_in(
    rules: Sequence[RuleCount],
    decisions: QuerySet[Decision],
    *,
    specs: Mapping[str, tuple[int, RuleSpec]],
) -> None:
    actions = {pk: spec.action for pk, (_, spec) in specs.items() if spec.action}
    projects = {action.project_id for action in actions.values()}
    keys = dict(Project.objects.filter(pk__in=projects).values_list("pk", "key"))
    failed = decisions.filter(outcome=Outcome.ERROR, rule_id__isnull=False)
    reasons = {str(pk): why for pk, why in failed.values_list("rule_id").annotate(Max("reason"))}
    packages = _packages(decisions)
    for rule in rules:
        if action := actions.get(rule.rule_id):
            rule.project = keys.get(action.project_id, "")
        rule.reason = reasons.get(rule.rule_id, "")
        rule.over_limit_packages = packages[rule.rule_id]


def _packages(decisions: QuerySet[Decision]) -> Mapping[str, int]:
    """Rule → the tickets that its findings over the limit would take with one per package."""
    over = decisions.filter(outcome=Outcome.OVER_LIMIT)
    rule = over.filter(finding=OuterRef("pk")).values("rule_id")[:1]
    findings = Finding.objects.filter(pk__in=over.values("finding")).order_by()
    findings = findings.annotate(over_limit_of=Subquery(rule))
    (name,) = value_names(("package",))
    rows = with_values(findings, ("package",)).values_list("over_limit_of", name)
    counts: dict[str, int] = defaultdict(int)
    for rule_id, package, number in rows.annotate(Count("pk")):
        counts[str(rule_id)] += 1 if package else number
    return counts


def _links(
    run: Import, counts: RuleCounts, brought: QuerySet[Finding]
) -> Iterator[tuple[str, str]]:
    """Where the rows are, of numbers that are still right."""
    of_run = ("import", str(run.pk))
    now = Counter(dict(_rows_now(brought)))
    if counts.unmatched and counts.unmatched == now["unmatched"]:
        yield "unmatched", findings_url(of_run, ("ticket", Ticket.NONE), ("mute_rule", ""))
    if counts.muted and counts.muted == now["muted"]:
        yield "muted", findings_url(of_run, ("status", Status.MUTED))
    if counts.evaluated and counts.evaluated == now["all"]:
        yield "all", findings_url(of_run)
    cases = Counter(dict(cases_of_import(run).values_list("rule_id").annotate(Count("pk"))))
    for rule in counts.rules:
        of_rule = (of_run, ("rule", rule.rule_id))
        if rule.findings == now[rule.rule_id]:
            yield f"{rule.rule_id}/findings", findings_url(*of_rule)
        if rule.over_limit == now[f"{rule.rule_id}/{Ticket.OVER_LIMIT}"]:
            over = ("ticket", Ticket.OVER_LIMIT)
            yield f"{rule.rule_id}/over_limit", findings_url(*of_rule, over)
        if rule.tickets == cases[UUID(rule.rule_id)]:
            query = urlencode({"q": f"import:{run.pk} rule:{rule.rule_id}"})
            yield f"{rule.rule_id}/tickets", f"{reverse('ticketing:case-list')}?{query}"


def _rows_now(brought: QuerySet[Finding]) -> Iterator[tuple[str, int]]:
    rows = brought.values_list("ticket_rule_id", "ticket", "status", "mute_rule_id")
    counts: Counter[str] = Counter()
    for rule_id, ticket, status, mute_rule_id, number in rows.annotate(Count("pk")):
        counts["all"] += number
        counts["muted"] += number * (status == Status.MUTED)
        counts["unmatched"] += number * (ticket == Ticket.NONE and mute_rule_id is None)
        counts[str(rule_id)] += number
        counts[f"{rule_id}/{ticket}"] += number
    yield from counts.items()
