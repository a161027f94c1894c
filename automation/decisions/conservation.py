"""The law of conservation: nothing is lost, nothing is doubled. Proved from the tables.

Each check is one statement over all rows and yields a sentence for each violation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from uuid import UUID

from django.db.models import Count, Exists, F, OuterRef, Q

from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Decision
from automation.rules.active import specs_of
from findings.facts import Ticket
from findings.grouping import group_key
from findings.models import Finding
from ticketing.models import Attachment, Case, CaseGroup

Outcome = Decision.Outcome
_COUNTED = (
    *(Outcome.TICKETED, Outcome.GROUPED, Outcome.OVER_LIMIT, Outcome.ALREADY_TICKETED),
    Outcome.ERROR,
)


def violations() -> Iterator[str]:
    """Every way in which the tables contradict the law; none is good."""
    yield from _usage_equals_decisions()
    yield from _limits_are_kept()
    yield from _one_case_per_ticketed_decision()
    yield from _grouped_decisions_name_a_case_of_their_rule()
    yield from _groups_have_the_key_of_their_values()
    yield from _one_notice_per_full_rule_and_day()
    yield from _every_finding_is_decided_or_waiting()
    yield from _every_decision_has_its_facts()
    yield from _findings_mirror_their_cases()


def _usage_equals_decisions() -> Iterator[str]:
    """Matched = ticketed + grouped + over limit + already ticketed + error, per rule and day."""
    decided = Counter(
        {
            (row["rule_id"], row["day"], row["outcome"]): row["number"]
            for row in Decision.objects.filter(kind=NAME, rule_id__isnull=False)
            .order_by()
            .values("rule_id", "day", "outcome")
            .annotate(number=Count("pk"))
        }
    )
    used: Counter[tuple[UUID | None, date, str]] = Counter()
    partial = set()  # some of their decisions were too old to be kept
    for usage in DailyUsage.objects.all():
        if usage.are_decisions_deleted:
            partial.add((usage.rule_id, usage.day))
        for outcome in _COUNTED:
            used[usage.rule_id, usage.day, outcome.value] = getattr(usage, outcome)
    for key in decided.keys() | used.keys():
        rule_id, day, name = key
        is_less = decided[key] < used[key] and (rule_id, day) in partial
        if decided[key] != used[key] and not is_less:
            yield (
                f"Rule {rule_id} on {day}: {used[key]} {name} counted, {decided[key]} decisions."
            )


def _limits_are_kept() -> Iterator[str]:
    ticketed = Decision.objects.filter(outcome=Outcome.TICKETED).order_by()
    by_version = ticketed.values_list("rule_set_version", "rule_id", "used_before").distinct()
    limits: dict[int, dict[str, int]] = {}
    for version, rule_id, used_before in by_version:
        if version not in limits:
            limits[version] = {
                spec.id: spec.action.max_tickets_per_day
                for spec in specs_of(NAME, version)
                if spec.action
            }
        if used_before is None or used_before >= limits[version][str(rule_id)]:
            yield f"Rule {rule_id} made a ticket after {used_before} of its limit."
    slots = ticketed.values("rule_id", "day", "used_before").annotate(number=Count("pk"))
    for slot in slots.filter(number__gt=1):
        yield (
            f"Rule {slot['rule_id']} on {slot['day']}: slot {slot['used_before']} was given "
            f"{slot['number']} times."
        )


def _one_case_per_ticketed_decision() -> Iterator[str]:
    cases = set(Case.objects.filter(origin=Case.Origin.RULE).values_list("pk", flat=True))
    promised = Counter(
        Decision.objects.filter(outcome=Outcome.TICKETED).values_list("case_id", flat=True)
    )
    for case_id, number in promised.items():
        if number > 1:
            yield f"Case {case_id} stands for {number} decisions."
        if case_id not in cases:
            yield f"Case {case_id} was promised and does not exist."
    for case_id in cases - promised.keys():
        yield f"Case {case_id} was made by a rule without a decision."


def _grouped_decisions_name_a_case_of_their_rule() -> Iterator[str]:
    group = CaseGroup.objects.filter(
        case=OuterRef("case_id"),
        case__origin=Case.Origin.RULE,
        case__rule_id=OuterRef("rule_id"),
        rule_id=OuterRef("rule_id"),
    )
    lost = Decision.objects.filter(~Exists(group), outcome=Outcome.GROUPED)
    for finding_id, case_id in lost.values_list("finding__finding_id", "case_id"):
        yield f"Finding {finding_id} was added to {case_id}, which belongs to no group of its rule."


def _groups_have_the_key_of_their_values() -> Iterator[str]:
    columns = ("case__key", "key", "group_by", "group_values")
    for case_key, key, fields, values in CaseGroup.objects.values_list(*columns).iterator():
        if len(fields) != len(values) or key != group_key(fields, values):
            yield f"{case_key} is for a group that is not the one of its values."


def _one_notice_per_full_rule_and_day() -> Iterator[str]:
    requested = set(DailyUsage.objects.filter(notice_requested=True).values_list("rule_id", "day"))
    opened = Counter(
        Case.objects.filter(origin=Case.Origin.LIMIT_NOTICE).values_list("rule_id", "notice_day")
    )
    for rule_id, day in requested | opened.keys():
        if opened[rule_id, day] != ((rule_id, day) in requested):
            yield f"Rule {rule_id} on {day}: {opened[rule_id, day]} limit notices."


def _every_finding_is_decided_or_waiting() -> Iterator[str]:
    decided = Decision.objects.filter(kind=NAME).values("finding_id")
    lost = Finding.objects.filter(evaluation__unevaluated_since__isnull=True).exclude(
        pk__in=decided
    )
    for finding_id in lost.filter(status__in=("open", "in-progress")).values_list(
        "finding_id", flat=True
    ):
        yield f"Finding {finding_id} is neither decided nor waiting."


def _every_decision_has_its_facts() -> Iterator[str]:
    """In itself or, of those where nothing matched, in the finding's row."""
    bare = Decision.objects.filter(facts__isnull=True).exclude(
        finding__isnull=False, last_seen_at__isnull=False, outcome__in=Decision.WITHOUT_FACTS
    )
    for pk in bare.values_list("pk", flat=True):
        yield f"Decision {pk} does not tell what it was made of."


def _findings_mirror_their_cases() -> Iterator[str]:
    attached_states = [ticket.value for ticket in Ticket if ticket.is_attached]
    wrong = Attachment.objects.filter(
        ~Q(finding__ticket__in=attached_states) | ~Q(finding__ticket_key=F("case__key"))
    )
    for key, finding_id in wrong.values_list("case__key", "finding__finding_id"):
        yield f"Finding {finding_id} is attached to {key} and does not say so."
    attached = Attachment.objects.values("finding_id")
    pretending = Finding.objects.filter(ticket__in=attached_states).exclude(pk__in=attached)
    for finding_id in pretending.values_list("finding_id", flat=True):
        yield f"Finding {finding_id} says it has a ticket and is attached to none."
