"""One meaning, two readers: a preview tells from memory what it tells from the rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from automation import preview_findings
from automation.preview import effect_of, preview
from findings.grouping import stored_values
from findings.models import Finding
from findings.query.ast import QueryError
from tests.automation.engine.strategies import FACTS, specs
from tests.conftest import NOON
from tests.factories import FindingFactory, SourceFactory, create_findings, ticket_spec
from tests.findings.columns import columns, table_for

GROUPINGS = [(), ("package",), ("team",), ("resource", "team"), ("@cvss", "title")]
DAYS_AGO = st.integers(0, 33)
FINDINGS = st.lists(
    st.tuples(FACTS, DAYS_AGO, st.sampled_from(["open", "resolved"]), st.none() | DAYS_AGO),
    min_size=1,
    max_size=12,
)


@st.composite
def rules(draw):
    drawn, grouping = draw(specs()), draw(st.sampled_from(GROUPINGS))
    said = {
        "name": "Rule",
        "target": "case_management",
        "project_id": "",
        "max_tickets_per_day": draw(st.integers(1, 3)),
    }
    made = ticket_spec(id=drawn.id, finding_types=drawn.finding_types, query="", **said)
    reopens = True if grouping and draw(st.booleans()) else None
    action = msgspec.structs.replace(made.action, group_by=grouping or None, reopens_closed=reopens)
    return replace(made, query=drawn.query, enabled=drawn.enabled, action=action)


def create(drawn):
    source = SourceFactory()
    built = []
    for nth, (facts, opened, status, resolved) in enumerate(drawn):
        stored = {name: getattr(facts, name) for name in ("finding_type", "severity", "title")}
        finding = FindingFactory.build(
            source=source,
            tags=facts.tags,
            attributes=facts.attributes,
            resource_type=facts.resource_type,
            resource_id=f"r{nth % 3}",
            status=status,
            opened_at=NOON - timedelta(days=opened, minutes=nth % 4),
            resolved_at=None if resolved is None else NOON - timedelta(days=resolved),
            **stored,
        )
        finding.grouping = stored_values(finding)
        built.append(finding)
    create_findings(built)


@pytest.mark.django_db
@given(FINDINGS, st.lists(rules(), min_size=1, max_size=4), st.lists(rules(), max_size=2))
@settings(
    deadline=None,
    max_examples=25,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_it_tells_from_memory_what_it_tells_from_the_rows(frozen, drawn, before, after):
    Finding.objects.all().delete()
    create(drawn)
    *earlier, draft = [replace(rule, id=str(nth)) for nth, rule in enumerate(before)]

    def read():
        try:
            told = preview(draft, before=earlier)
        except QueryError as error:
            told = str(error)
        return told, effect_of(before, after)

    with columns(None):
        expected = read()
    table = table_for(read)
    refuse = AssertionError("rows are read")
    with columns(table), patch.object(preview_findings, "_in_rows", side_effect=refuse):
        assert read() == expected
