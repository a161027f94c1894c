"""Every model can be looked at; nothing can be deleted; rows cost no statements."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.rows import MAKE, rows_of
from tests.factories import FindingFactory, SourceFactory

pytestmark = pytest.mark.django_db
OURS = ("accounts", "findings", "ticketing", "automation", "runtime")
REGISTERED = {model._meta.label: page for model, page in admin.site._registry.items()}


def changelist(label: str) -> str:
    return reverse(f"admin:{label.lower().replace('.', '_')}_changelist")


@pytest.mark.parametrize("app", OURS)
def test_it_has_a_page_for_every_model(app):
    models = [m for m in apps.get_app_config(app).get_models() if "Historical" not in m.__name__]
    assert models
    assert [m._meta.label for m in models if m._meta.label not in REGISTERED] == []


@pytest.mark.parametrize("label", sorted(REGISTERED))
def test_it_lists_and_searches(as_user, admin, label):
    browser = as_user(admin)
    rows_of(label, 2)
    url = changelist(label)
    assert browser.get(url).status_code == 200
    if REGISTERED[label].search_fields:
        assert browser.get(url, {"q": "no such thing"}).status_code == 200


@pytest.mark.parametrize("label", sorted(MAKE))
def test_it_shows_one(as_user, admin, label):
    [row] = rows_of(label, 1)
    url = reverse(f"admin:{label.lower().replace('.', '_')}_change", args=[row.pk])
    assert as_user(admin).get(url).status_code == 200


@pytest.mark.parametrize("label", sorted(MAKE))
def test_it_costs_the_same_for_2_rows_and_for_8(as_user, admin, label):
    browser = as_user(admin)
    counts = []
    rows_of(label, 2)
    for more in (0, 6):
        rows_of(label, more)
        browser.get(changelist(label))  # content types and the like are cached now
        with CaptureQueriesContext(connection) as statements:
            browser.get(changelist(label))
        counts.append(len(statements))
    assert counts[0] == counts[1]


LONG = sorted(label for label, page in REGISTERED.items() if page.has_many_rows)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="few rows are sorted without an index")
@pytest.mark.parametrize("label", LONG)
def test_it_sorts_a_long_table_by_an_index(as_user, admin, label):
    """Also where somebody typed the address."""
    browser = as_user(admin)
    for number in range(1 + len(REGISTERED[label].list_display)):
        page = browser.get(changelist(label), {"o": number})
        plan = page.context["cl"].queryset.explain()
        assert "USE TEMP B-TREE FOR ORDER BY" not in plan, (number, plan)


def test_it_sorts_a_short_table_by_any_column(as_user, admin):
    browser = as_user(admin)
    for name in ("b", "a", "c"):
        SourceFactory(name=f"source-{name}")
    pages = [browser.get(changelist("findings.Source"), {"o": o}).content for o in ("0", "-0")]
    orders = [re.findall(rb">source-(.)<", page) for page in pages]
    assert orders == [[b"a", b"b", b"c"], [b"c", b"b", b"a"]]


@pytest.mark.parametrize("label", LONG)
def test_it_counts_no_rows_beside_its_filters(as_user, admin, label):
    """For each choice of each filter that would be all rows."""
    assert b"_facets" not in as_user(admin).get(changelist(label)).content


def test_a_case_without_a_group_has_no_form_with_all_cases(as_user, admin):
    cases = rows_of("ticketing.Case", 3)
    page = as_user(admin).get(reverse("admin:ticketing_case_change", args=[cases[0].pk]))
    assert b"<select" not in page.content


@pytest.mark.parametrize("label", sorted(REGISTERED))
def test_it_offers_no_delete(rf, admin, label):
    request = rf.get("/")
    request.user = admin
    page = REGISTERED[label]
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


@pytest.mark.parametrize("label", sorted(MAKE))
def test_it_refuses_a_delete_by_address(as_user, admin, label):
    [row] = rows_of(label, 1)
    url = reverse(f"admin:{label.lower().replace('.', '_')}_delete", args=[row.pk])
    assert as_user(admin).post(url, {"post": "yes"}).status_code == 403
    assert type(row)._default_manager.filter(pk=row.pk).exists()


MAY_ADD = {"accounts.User", "accounts.ApiKey"}
MAY_CHANGE = {"accounts.User"}


@pytest.mark.parametrize("label", sorted(set(REGISTERED) - MAY_ADD))
def test_it_adds_nothing_that_has_no_service(as_user, admin, label):
    url = reverse(f"admin:{label.lower().replace('.', '_')}_add")
    assert as_user(admin).get(url).status_code == 403


@pytest.mark.parametrize("label", sorted(set(MAKE) - MAY_CHANGE))
def test_it_changes_nothing_that_has_no_service(as_user, admin, label):
    [row] = rows_of(label, 1)
    url = reverse(f"admin:{label.lower().replace('.', '_')}_change", args=[row.pk])
    assert as_user(admin).post(url, {"name": "changed"}).status_code == 403


HAVE_HISTORY = [
    "accounts.User",
    "accounts.ApiKey",
    "ticketing.Project",
    "automation.Rule",
    "automation.DefaultRule",
]


@pytest.mark.parametrize("label", HAVE_HISTORY)
def test_it_shows_the_history_and_never_writes_it_back(as_user, admin, label):
    [row] = rows_of(label, 1)
    name = f"admin:{label.lower().replace('.', '_')}"
    browser = as_user(admin)
    assert browser.get(reverse(f"{name}_history", args=[row.pk])).status_code == 200
    url = reverse(f"{name}_simple_history", args=[row.pk, row.history.first().pk])
    assert browser.get(url).status_code == 200
    assert browser.post(url, {"name": "reverted"}).status_code == 403


def test_it_draws_the_bolt_of_a_ticket_that_a_rule_made(as_user, admin):
    FindingFactory(ticket="automated", ticket_key="RISK-1")

    page = as_user(admin).get("/admin/findings/finding/").content.decode()

    assert re.search(r'<span role="img" title="Created automatically[^>]*>.*?</span> RISK-1', page)
    assert "&lt;span" not in page
