"""The overview says where one ticket for a group would keep a rule within its limit."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from automation.models import DismissedAdvice
from automation.pipeline import evaluate_all
from automation.rules import services as rules
from findings.services import record
from tests.factories import ProjectFactory, SourceFactory, reported, ticket_rule

pytestmark = pytest.mark.django_db


@pytest.fixture
def drown(editor):
    """A rule with a limit of 2, and findings of so many packages."""

    def make(*sizes: int, **fields):
        data = ticket_rule(
            name="Libraries",
            finding_types=["library_vulnerability"],
            project_id=ProjectFactory().pk,
            max_tickets_per_day=2,
            **fields,
        )
        rule = rules.create_rule(data, actor=editor)
        source = SourceFactory()
        for nth, size in enumerate(sizes):
            about = {"package": {"name": f"package-{nth}"}}
            record(reported(size, prefix=f"{nth}", attributes=about), source=source)
        evaluate_all()
        return rule

    return make


def shown(client) -> str:
    return " ".join(client.get("/overview").text.split())


def test_it_offers_the_field_that_makes_the_fewest_tickets(as_user, editor, drown):
    rule = drown(12, 10)
    browser = as_user(editor)
    page = shown(browser)
    assert "<b>20 over limit today: 2 tickets if grouped by package.</b>" in page
    assert "Libraries makes one ticket for each finding, up to 2 a day." in page
    link = f"/settings/findings-automation/{rule.pk}/edit?one_ticket_for=package"
    assert link in page
    assert 'value="package" checked' in " ".join(browser.get(link).text.split())


@pytest.mark.parametrize(
    ("sizes", "fields"), [((6,), {}), ((1,) * 30, {}), ((20,), {"group_by": ["package"]})]
)
def test_it_says_nothing_where_it_would_not_help(as_user, editor, drown, sizes, fields):
    drown(*sizes, **fields)
    assert "if grouped by" not in shown(as_user(editor))


def test_who_may_not_write_rules_is_told_and_offered_nothing(as_user, viewer, drown):
    drown(20)
    page = shown(as_user(viewer))
    assert "if grouped by package." in page
    assert "Group rule 1" not in page


def test_it_is_hidden_for_30_days_and_for_that_rule_alone(as_user, editor, drown):
    rule, client = drown(20), as_user(editor)
    hide = f"/overview/advice/{rule.pk}/hide"
    for _ in range(2):
        assert client.post(hide, follow=True).status_code == 200
        assert "if grouped by" not in shown(client)
    assert "/edit?one_ticket_for=package" not in shown(client)
    DismissedAdvice.objects.update(until=timezone.now())
    assert "if grouped by package." in shown(client)
    assert client.post(f"/overview/advice/{uuid4()}/hide").status_code == 404
