"""Pages with as many rows as they show at once stay within their budget of 25 kB, compressed."""

from __future__ import annotations

import gzip

import pytest

from automation.rules import services as rules
from tests.factories import FindingFactory, ticket_rule
from ticketing import services
from ticketing.models import Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(project, editor):
    for nth in range(75):
        finding = FindingFactory(title=f"Outdated library {nth} in service-{nth * 7919 % 1000}")
        case = services.open_manual_case([finding.pk], project=project, actor=editor)
        services.change_case(case, status=Case.Status.values[nth % 3], assignee=editor, actor=None)
    for nth in range(30):
        rules.create_rule(
            ticket_rule(
                name=f"Rule {nth} of team-{nth * 7919 % 1000}",
                finding_types=["secret", "api_security", "identity_risk"],
                query=f"@severity:(critical OR high) team:team-{nth} env:prod",
                project_id=project.pk,
                max_tickets_per_day=10 + nth,
            ),
            actor=editor,
        )


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    "address", ["/cases", "/cases?layout=board", "/settings/findings-automation", "/overview"]
)
def test_it_stays_small_when_it_is_full(as_user, editor, address):
    page = as_user(editor).get(address)
    assert page.status_code == 200
    assert len(gzip.compress(page.content)) <= 25_000
