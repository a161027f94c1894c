from __future__ import annotations

import pytest

from automation.rules.services import create_rule
from findings.services import record
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule


@pytest.fixture
def project(db):
    return ProjectFactory(key="SEC", name="Security")


@pytest.fixture
def make_rule(project, editor):
    """`make_rule(query="env:prod", limit=3)`: a rule that acts, last in the list."""

    def make(name="Libraries", *, limit=10, types=("library_vulnerability",), **fields):
        data = {"project_id": project.pk} | fields
        return create_rule(
            ticket_rule(name=name, finding_types=types, max_tickets_per_day=limit, **data),
            actor=editor,
        )

    return make


@pytest.fixture
def report(db):
    """`report(3, severity="low")`: three findings as a scanner reports them."""

    def send(number=1, **fields):
        return record(reported(number, **fields), source=SourceFactory())

    return send
