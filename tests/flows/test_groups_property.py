"""Whatever arrives in whatever order, is decided in chunks of whatever size, and whatever people
do in between: the tickets are those of `naive_groups`, and nothing is lost."""

from __future__ import annotations

import os
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from automation.decisions.conservation import violations
from automation.models import Decision
from automation.models import Rule as RuleRow
from automation.pipeline import evaluate_chunk
from automation.rules import services as rules
from automation.rules.active import _load
from findings.facts import Status
from findings.models import Finding
from findings.selectors import unevaluated
from findings.services import change_status, record
from tests.conftest import NOON
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule
from tests.flows import naive_groups
from ticketing import services
from ticketing.following import follow_findings
from ticketing.groups import refresh_due
from ticketing.models import Case, CaseGroup

pytestmark = pytest.mark.django_db
careful = settings(
    max_examples=int(os.environ.get("EXAMPLES", "20")),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
MOST = 4
groupings = st.sampled_from([(), ("package",), ("team",), ("package", "team"), ("@line",)])
rule_sets = st.lists(
    st.builds(
        naive_groups.Rule,
        name=st.just(""),
        env=st.sampled_from([None, "prod"]),
        group_by=groupings,
        limit=st.integers(1, 4),
        reopens=st.booleans(),
    ),
    min_size=1,
    max_size=3,
).map(lambda made: [rule._replace(name=f"R{n}") for n, rule in enumerate(made)])
numbers = st.integers(0, 30)
arrivals = st.fixed_dictionaries(
    {
        "env": st.sampled_from(["prod", "dev"]),
        "package": st.sampled_from(["", "a", "a", "b"]),
        "team": st.sampled_from(["", "x", "x", "y"]),
    }
)
reports = st.tuples(st.just("report"), st.lists(arrivals, min_size=1, max_size=9))
chunks = st.tuples(st.just("chunk"), st.integers(1, 7))
acts = st.one_of(
    *(st.tuples(st.just(name), numbers) for name in ("close", "archive", "detach")),
    *(st.tuples(st.just(name), numbers) for name in ("resolve", "reopen", "unarchive")),
    st.tuples(st.just("attach"), numbers, numbers),
    st.tuples(st.just("regroup"), numbers, groupings),
    st.sampled_from([("follow",), ("refresh",), ("tomorrow",)]),
)
lives = st.lists(st.one_of(reports, chunks, chunks, acts), min_size=4, max_size=25)


class Life:
    """What happens, here and in the naive world."""

    def __init__(self, clock, rule_set):
        self.clock, self.said, self.source = clock, {}, SourceFactory()
        self.naive = naive_groups.World(list(rule_set), MOST)
        self.project = ProjectFactory()
        for rule in rule_set:
            rules.create_rule(self._data(rule), actor=None)

    def _data(self, rule):
        return ticket_rule(
            name=rule.name,
            finding_types=["library_vulnerability"],
            query=f"env:{rule.env}" if rule.env else "",
            project_id=self.project.pk,
            max_tickets_per_day=rule.limit,
            group_by=list(rule.group_by) or None,
            reopens_closed=rule.reopens or None,
        )

    def report(self, arrived):
        for said in arrived:
            name = f"f{len(self.said)}-0"
            package, team = said["package"], said["team"]
            self.said[name] = said
            tags = [f"env:{said['env']}", *([f"team:{team}"] if team else [])]
            attributes = {"package": {"name": package, "ecosystem": "pip"}} if package else {}
            fields = {"tags": tags, "attributes": attributes}
            record(reported(prefix=name.removesuffix("-0"), **fields), source=self.source)
        self.clock.shift(timedelta(seconds=1))

    def chunk(self, size):
        waiting = unevaluated().order_by("evaluation__unevaluated_since", "pk")[:size]
        names = [finding.fingerprint for finding in waiting]
        self._look()
        assert evaluate_chunk(size) == len(names)
        for name in names:
            self.naive.decide(name, self.said[name], timezone.now().date())
        if any(ticket.was_joined for ticket in self.naive.tickets):
            refresh_due()
            check_reopened(self)
        self.clock.shift(timedelta(seconds=1))

    def all(self):
        while unevaluated().exists():
            self.chunk(1_000)

    def close(self, number):
        self._of_case(number, lambda case: services.change_case(case, actor=None, status="CLOSED"))

    def archive(self, number):
        self._of_case(number, lambda case: services.archive(case, actor=None))

    def unarchive(self, number):
        self._of_case(number, lambda case: services.unarchive(case, actor=None))

    def attach(self, number, to):
        for finding in self._finding(number):
            for case, ticket in self._pair(to):
                services.attach(case, [finding.pk], actor=None)
                self.naive.attach(finding.fingerprint, ticket)

    def detach(self, number):
        for finding in self._finding(number):
            services.detach([finding.pk], actor=None)
            self.naive.detach(finding.fingerprint)

    def resolve(self, number):
        self._change(number, Status.RESOLVED)

    def reopen(self, number):
        self._change(number, Status.OPEN)

    def regroup(self, number, group_by):
        number %= len(self.naive.rules)
        rule = self.naive.rules[number] = self.naive.rules[number]._replace(group_by=group_by)
        row = RuleRow.objects.get(name=rule.name)
        rules.edit_rule(row.pk, self._data(rule), actor=None)

    def follow(self):
        follow_findings()

    def refresh(self):
        refresh_due()

    def tomorrow(self):
        self.clock.shift(timedelta(days=1))

    def pairs(self):
        """Cases and the naive tickets: each rule's in the order in which they were made."""
        made = Case.objects.filter(origin=Case.Origin.RULE).order_by("number")
        for rule in self.naive.rules:
            cases = [case for case in made if case.rule_name == rule.name]
            tickets = [each for each in self.naive.tickets if each.rule == rule.name]
            yield from zip(cases, tickets, strict=True)

    def _look(self):
        """Whether a ticket is closed or archived is not for groups to say."""
        for case, ticket in self.pairs():
            ticket.is_closed = case.status == Case.Status.CLOSED
            ticket.is_archived = case.archived_at is not None

    def _pair(self, number):
        pairs = list(self.pairs())
        return [pairs[number % len(pairs)]] if pairs else []

    def _of_case(self, number, act):
        for case, _ in self._pair(number):
            act(case)

    def _finding(self, number):
        there = list(Finding.objects.order_by("pk"))
        return [there[number % len(there)]] if there else []

    def _change(self, number, status):
        for finding in self._finding(number):
            change_status([finding.pk], status=status, actor=None)


def check(life):
    decided = Decision.objects.filter(kind="ticket_creation")
    made = decided.values_list("finding__fingerprint", "outcome")
    assert sorted(made) == sorted(life.naive.outcomes)
    for case, ticket in life.pairs():
        attached = case.attachments.values_list("finding__fingerprint", flat=True)
        assert set(attached) == ticket.findings
    assert list(violations()) == []


def check_one_takes_more(life):
    """Of each rule and key the newest at most, and no case that people emptied."""
    newest = {}
    for group in CaseGroup.objects.order_by("case__number"):
        newest[group.rule_id, group.key] = group.pk
    taking = set(CaseGroup.objects.filter(takes_more=True).values_list("pk", flat=True))
    assert taking <= set(newest.values())
    emptied = {case.pk for case, ticket in life.pairs() if ticket.is_emptied}
    assert not taking & emptied


def check_reopened(life):
    """What a finding joined while it was closed is open, once tickets are refreshed."""
    for case, ticket in life.pairs():
        if ticket.was_joined:
            assert case.status == Case.Status.OPEN
            ticket.was_joined = False


@contextmanager
def new_life(rule_set):
    full = [
        patch(f"{module}.MAX_FINDINGS_OF_GROUP", MOST)
        for module in ("ticketing.groups", "automation.kinds.ticket_creation.groups")
    ]
    with full[0], full[1], transaction.atomic(), time_machine.travel(NOON, tick=False) as clock:
        _load.cache_clear()
        yield Life(clock, rule_set)
        transaction.set_rollback(True)


@careful
@given(rule_sets, lives)
def test_the_tickets_are_those_of_the_law(rule_set, happenings):
    with new_life(rule_set) as life:
        for name, *details in happenings:
            getattr(life, name)(*details)
        life.all()
        check(life)
        refresh_due()
        check(life)
        check_one_takes_more(life)
        before = everything()
        life.refresh()
        assert everything() == before


def everything():
    return [list(model.objects.order_by("pk").values()) for model in (Case, CaseGroup, Finding)]
