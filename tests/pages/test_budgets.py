"""What each page may cost, in one table: SQL statements, and bytes compressed, with as many rows as
it shows at once. That it grows by nothing that is stored is asserted where the page is tested."""

from __future__ import annotations

import gzip
import re
import uuid
from collections.abc import Mapping
from typing import NamedTuple

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME
from automation.rules import services as rules
from findings.facts import FindingType, Ticket
from findings.models import Finding
from findings.services import record
from tests.factories import FindingFactory, SourceFactory, reported, ticket_rule
from ticketing import services
from ticketing.models import Case

pytestmark = pytest.mark.django_db
MAX_KILOBYTES = 25  # of any page
MAX_RULES_KILOBYTES = 58  # of the rules page, before it is compressed
RULES = "/settings/findings-automation"
WORK = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|COPY)\b", re.IGNORECASE)


class Budget(NamedTuple):
    statements: int  # but for those that bound the time of others
    kilobytes: int


BUDGETS: Mapping[str, Budget] = {
    "/overview": Budget(24, 10),
    "/counts": Budget(7, 1),
    "/jump?q=s": Budget(9, 5),
    "/findings": Budget(17, 17),
    "/findings?q=team:payments": Budget(17, 16),
    "/findings?group=package": Budget(18, 12),
    "/explorer/facets": Budget(5, 2),
    "/explorer/facets?q=team:payments": Budget(5, 2),
    "/explorer/facets/team": Budget(5, 1),
    "/explorer/histogram": Budget(5, 1),
    "/explorer/counts": Budget(6, 1),
    "/explorer/group?group=package&in=log4j": Budget(7, 2),
    "/findings/{finding}": Budget(10, 6),
    "/findings?finding={finding}": Budget(20, 18),
    "/inbox": Budget(8, 4),
    "/cases": Budget(14, 11),
    "/cases?layout=board": Budget(15, 11),
    "/cases/{case}": Budget(16, 7),
    "{rules}": Budget(21, 9),
    "{rules}/create_ticket/new": Budget(13, 10),
    "{rules}/mute/new?types=secret": Budget(10, 7),
    "{rules}/{rule}/edit": Budget(14, 10),
    "{rules}/{rule}/history": Budget(9, 4),
    "/settings/importers": Budget(9, 5),
    "/settings/integrations": Budget(12, 4),
    "/settings/integrations/deliveries": Budget(11, 4),
    "/settings/api-keys": Budget(7, 4),
    "/settings/users": Budget(7, 5),
    "/settings/audit": Budget(9, 5),
    "/bulk": Budget(12, 10),
}


@pytest.fixture
def full(project, editor) -> Mapping[str, str]:
    """Fifty findings, 75 with a case, thirty rules. Names in addresses → what they are here."""
    for nth in range(75):
        finding = FindingFactory(title=f"Outdated library {nth} in service-{nth * 7919 % 1000}")
        case = services.open_manual_case([finding.pk], project=project, actor=editor)
        services.change_case(case, status=Case.Status.values[nth % 3], assignee=editor, actor=None)
    for nth in range(30):
        rule = rules.create_rule(
            ticket_rule(
                name=f"Rule {nth} of team-{nth * 7919 % 1000}",
                finding_types=["secret", "api_security", "identity_risk"],
                query=f"@severity:(critical OR high) team:team-{nth} env:prod",
                project_id=project.pk,
                max_tickets_per_day=10 + nth,
            ),
            actor=editor,
        )
    tags = ["team:payments", "env:prod"]
    package = {"package": {"name": "log4j", "version": "2.14"}}
    said = {"tags": tags, "attributes": package, "description": "What it is. " * 20}
    record(reported(50, **said), source=SourceFactory())
    shown = Finding.objects.filter(title="Outdated library").latest("pk")
    names = {"finding": shown.finding_id, "case": case.key, "rule": str(rule.pk)}
    return names | {"rules": RULES}


def test_it_costs_no_more_than_its_budget(as_user, admin, full):
    client = as_user(admin)
    over = {}
    for address, budget in BUDGETS.items():
        with CaptureQueriesContext(connection) as captured:
            answer = client.get(address.format(**full))
            statements = sum(WORK.match(each["sql"]) is not None for each in captured)
        size = len(gzip.compress(answer.content)) / 1_000
        if answer.status_code != 200 or statements > budget.statements or size > budget.kilobytes:
            over[address] = answer.status_code, statements, size
    assert over == {}
    assert max(budget.kilobytes for budget in BUDGETS.values()) <= MAX_KILOBYTES


def test_the_rules_page_is_light_where_half_of_the_rules_are_over_their_limits(
    as_user, admin, project
):
    """Each of these has a link to its findings. The page shows 25 of 96 rules."""
    types = [each.value for each in FindingType]
    said = {"finding_types": types, "project_id": project.pk, "max_tickets_per_day": 10}
    wanted = {
        uuid.UUID(int=nth): ticket_rule(
            name=f"Rule {nth}: critical of team-{nth:02}",
            query=f"team:team-{nth:02} @severity:critical @cvss.score:>{nth % 9}",
            **said,
        )
        for nth in range(1, 97)
    }
    version = rules.current_version(NAME)
    rules.replace_rules(NAME, list(wanted.items()), version=version, actor=None)
    for rule_id in list(wanted)[:25:2]:
        decided = {"decided_at": timezone.now(), "ticket": Ticket.OVER_LIMIT}
        FindingFactory.create_batch(3, ticket_rule_id=rule_id, **decided)

    answer = as_user(admin).get(RULES)

    assert answer.text.count("3 findings over limit</a>") == 13
    assert len(answer.content) / 1_000 <= MAX_RULES_KILOBYTES
