"""What one ticket for many findings costs: the pipeline with grouping against the same without,
chunk after chunk of one huge group, and bringing the texts of full tickets up to date."""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import Any
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")
django.setup()

from django.utils import timezone  # noqa: E402

from automation.models import Decision, Rule  # noqa: E402
from automation.pipeline import CHUNK, evaluate_all, evaluate_chunk  # noqa: E402
from automation.rules.services import create_rule, delete_rule  # noqa: E402
from findings.facts import FindingType  # noqa: E402
from findings.models import Evaluation, Finding, Source  # noqa: E402
from findings.services import record  # noqa: E402
from tests.bench import bench_intake as intake  # noqa: E402
from tests.bench.clock import cpu_seconds  # noqa: E402
from tests.bench.rows import Options, Row  # noqa: E402
from tests.factories import reported, ticket_rule  # noqa: E402
from ticketing.groups import refresh_due  # noqa: E402
from ticketing.models import Case, CaseGroup, Project  # noqa: E402
from ticketing.projects import create_project  # noqa: E402

FINDINGS, RULES, GROUP = 10_000, 100, 20
HUGE = 20_000
ALL_TYPES = [kind.value for kind in FindingType]


def run(options: Options) -> Iterator[Row]:
    with intake._database():
        create_project(key="SEC", name="Security", actor=None)
        Source.objects.create(name="bench")
        yield from _ratios()
        yield from _huge_group()


def _ratios() -> Iterator[Row]:
    """All findings of a rule within its limit, and most of them over it."""
    for limit in (500, 10):
        alone, grouped = _seconds(limit, None), _seconds(limit, ["package"])
        assert Case.objects.count() >= FINDINGS / GROUP
        what = f"pipeline with grouping ÷ without, {limit} tickets a day"
        yield Row(what, grouped / alone, "×")
        CaseGroup.objects.update(refresh_since=timezone.now())
        refreshed = cpu_seconds()
        refresh_due(seconds=600)
        refreshed = cpu_seconds() - refreshed
        tickets = CaseGroup.objects.count()
        yield Row(f"refresh of {tickets:,} tickets ÷ that", refreshed / alone, "×")


def _seconds(limit: int, group_by: list[str] | None) -> float:
    project = Project.objects.get()
    for number in range(RULES):
        _make_rule(f"Rule {number}", project.pk, limit, group_by, query=f"rule:r{number}")
    spent = intake._least(lambda: evaluate_all(seconds=600), prepare=_report)
    for pk in Rule.objects.values_list("pk", flat=True):
        delete_rule(pk, actor=None)
    return spent


def _make_rule(
    name: str, project_id: UUID, limit: int, group_by: list[str] | None, query: str = ""
) -> None:
    said: dict[str, Any] = {"name": name, "finding_types": ALL_TYPES, "query": query}
    rule = ticket_rule(project_id=project_id, max_tickets_per_day=limit, group_by=group_by, **said)
    create_rule(rule, actor=None)


def _report() -> None:
    """Each rule's findings, in groups of twenty, in any order."""
    intake._empty()
    numbers = list(range(FINDINGS))
    Random(7).shuffle(numbers)
    found = [
        each
        for number in numbers
        for each in reported(
            prefix=f"f{number}",
            tags=(f"rule:r{number % RULES}", "env:prod", f"repo:acme/r{number % 7}"),
            attributes={"package": {"name": f"p{number // (RULES * GROUP)}", "version": "1.0"}},
            description="What it is, why it matters and how to mend it. " * 5,
        )
    ]
    for first in range(0, FINDINGS, CHUNK):
        record(found[first : first + CHUNK], source=Source.objects.get())


def _huge_group() -> Iterator[Row]:
    intake._empty()
    _make_rule("All", Project.objects.get().pk, 500, ["package"])
    for first in range(0, HUGE, CHUNK):
        package = {"package": {"name": "log4j", "version": "2.14"}}
        found = reported(CHUNK, prefix=f"h{first}", attributes=package)
        record(found, source=Source.objects.get())
    seconds = []
    while Evaluation.objects.filter(unevaluated_since__isnull=False).exists():
        before = cpu_seconds()
        evaluate_chunk(CHUNK // 2)
        seconds.append(cpu_seconds() - before)
    growth = min(seconds[-6:]) / min(seconds[:6])
    assert Case.objects.count() == HUGE // 1_000
    assert Decision.objects.filter(outcome="grouped").count() == HUGE - HUGE // 1_000
    what = "one huge group: the last chunk ÷ the first"
    yield Row(what, growth, "×", f"{HUGE:,} findings")
    yield _full_tickets()


def _full_tickets() -> Row:
    """Each has a finding that has become worse, so that its text changes."""
    first = Finding.objects.filter(fingerprint__endswith="-7")
    first.update(severity="critical")
    CaseGroup.objects.update(refresh_since=timezone.now())
    before = cpu_seconds()
    refresh_due(seconds=600)
    spent = cpu_seconds() - before
    assert not CaseGroup.objects.filter(refresh_since__isnull=False).exists()
    assert Case.objects.filter(priority="P1").count() == HUGE // 1_000
    count = CaseGroup.objects.count()
    return Row(f"refresh of {count} tickets of 1,000 findings", spent, "CPU s")
