"""A person's severity is the one that rules, searches, facets and orders go by."""

import pytest

from automation.pipeline import evaluate_all
from findings.facts import Severity, Status
from findings.models import Finding
from findings.overrides import clear_severity, set_severity
from findings.services import change_status
from ticketing.models import Case

pytestmark = pytest.mark.django_db


@pytest.fixture
def overridden(report, analyst) -> Finding:
    """The source says low of two; a person says critical of the first."""
    report(2, severity="low")
    first = Finding.objects.order_by("pk")[0]
    set_severity([first.pk], severity=Severity.CRITICAL, actor=analyst)
    return first


def test_rules_go_by_it(make_rule, overridden):
    make_rule("Worst", query="@severity:critical")
    make_rule("Rest", query="@severity:low")
    evaluate_all()
    rules = dict(Case.objects.values_list("attachments__finding", "rule_name"))
    assert rules.pop(overridden.pk) == "Worst"
    assert list(rules.values()) == ["Rest"]


def test_rules_may_go_by_the_sources(make_rule, overridden):
    make_rule("Source says low", query="@severity_details.adjusted.value:low @severity:critical")
    evaluate_all()
    assert Case.objects.get().attachments.get().finding_id == overridden.pk


def test_rules_go_by_it_when_a_finding_returns(make_rule, report, overridden, analyst):
    evaluate_all()
    change_status([overridden.pk], status=Status.RESOLVED, actor=analyst)
    make_rule("Worst", query="@severity:critical")
    report(1, severity="low")
    evaluate_all()
    assert Case.objects.get().attachments.get().finding_id == overridden.pk


def test_a_cleared_one_is_forgotten(make_rule, overridden, analyst):
    clear_severity([overridden.pk], actor=analyst)
    make_rule("Worst", query="@severity:critical")
    evaluate_all()
    assert not Case.objects.exists()


def test_the_explorer_goes_by_it(as_user, viewer, overridden):
    client = as_user(viewer)
    page = client.get("/findings?severity=critical").content.decode()
    assert page.count('<tr role="row" data-finding') == 1
    assert overridden.finding_id in page
    page = client.get("/findings?q=@severity:low").content.decode()
    assert page.count('<tr role="row" data-finding') == 1
    assert f'data-finding="{overridden.finding_id}"' not in page
    page = client.get("/findings").content.decode()
    other = Finding.objects.exclude(pk=overridden.pk).get().finding_id
    assert page.index(f'data-finding="{overridden.finding_id}"') < page.index(other)
