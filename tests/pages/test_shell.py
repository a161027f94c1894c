"""What every page's frame has: the way around, the day in UTC, the theme, the policy."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import FindingFactory, ProjectFactory, RuleFactory, opened_case
from ticketing import services

pytestmark = pytest.mark.django_db


@pytest.fixture
def guide(as_user, viewer):
    return as_user(viewer).get("/styleguide")


def test_it_offers_to_skip_the_navigation(guide):
    assert '<a class="skip" href="#main">' in guide.text
    assert '<main class="page " id="main"' in guide.text


def test_it_has_one_heading_of_the_first_level(guide):
    assert guide.text.count("<h1") == 1


@pytest.mark.parametrize("name", ["findings:finding-list", "automation:rule-list"])
def test_it_leads_to_the_pages_there_are(guide, name):
    assert f'href="{reverse(name)}"' in guide.text


def test_it_leads_admins_to_the_admin_site(as_user, admin):
    assert 'href="/admin/"' in as_user(admin).get("/styleguide").text


def test_it_does_not_show_the_admin_site_to_others(as_user, editor):
    assert 'href="/admin/"' not in as_user(editor).get("/styleguide").text


def test_it_counts_the_broken_rules_in_red(as_user, viewer):
    RuleFactory(enabled=False, auto_disabled_reason="Jira space OPS is no longer valid.")
    assert '<span class="count bad">1<span' in as_user(viewer).get("/styleguide").text


def test_it_shows_no_number_when_no_rule_is_broken(guide):
    assert "count bad" not in guide.text


@pytest.mark.usefixtures("frozen")
def test_it_shows_the_day_in_utc_and_what_is_left_of_it(guide):
    assert "Mon 23 Nov · 12:00" in guide.text
    assert "12 h 0 min" in guide.text
    assert 'data-utc-bar width="50"' in guide.text


def test_it_carries_nothing_inline(guide):
    for forbidden in (" style=", " onclick", "<style", "hx-on", "javascript:"):
        assert forbidden not in guide.text
    assert guide.text.count("<script") == guide.text.count("<script src=") + guide.text.count(
        '<script type="module" src='
    )


def test_it_keeps_htmx_within_the_policy(guide):
    for setting in ('"includeIndicatorStyles":false', '"allowEval":false', '"historyCacheSize":0'):
        assert setting in guide.text
    assert "script-src 'self'" in guide.headers["Content-Security-Policy"]


def test_it_leaves_the_theme_to_the_browser_until_one_is_chosen(guide):
    assert '<html lang="en">' in guide.text


def test_it_shows_the_chosen_theme(as_user, viewer):
    client = as_user(viewer)
    client.cookies["theme"] = "dark"
    assert 'data-theme="dark"' in client.get("/styleguide").text


def test_it_ignores_a_theme_there_is_not(as_user, viewer):
    client = as_user(viewer)
    client.cookies["theme"] = '"><script>'
    assert "data-theme=" not in client.get("/styleguide").text.split(">")[1]


def test_it_remembers_a_theme_and_returns_to_the_page(client):
    response = client.post("/theme", {"theme": "dark", "next": "/cases?layout=board"})
    assert response.status_code == 302
    assert response["Location"] == "/cases?layout=board"
    assert response.cookies["theme"].value == "dark"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:1", ""])
def test_it_returns_to_no_other_site(client, target):
    assert client.post("/theme", {"theme": "dark", "next": target})["Location"] == "/"


def test_it_refuses_a_theme_there_is_not(client):
    assert client.post("/theme", {"theme": "pink"}).status_code == 400


def test_it_switches_the_theme_by_post_alone(client):
    assert client.get("/theme").status_code == 405


def test_it_has_an_icon_at_the_address_browsers_ask_for(client):
    assert client.get("/favicon.ico")["Location"] == "/static/img/favicon.ico"


def test_it_counts_what_is_open(as_user, viewer):
    for status in ("open", "in-progress", "resolved", "muted"):
        FindingFactory(status=status)
    project = ProjectFactory()
    opened_case(project)
    services.change_case(opened_case(project), status="CLOSED", actor=None)
    services.archive(opened_case(project), actor=None)

    assert as_user(viewer).get("/counts").json() == {
        "findings": {"open": 2, "label": "2"},
        "inbox": {"open": 0, "label": "0"},
        "cases": {"open": 1, "label": "1"},
    }


def test_it_counts_only_so_far(as_user, viewer, monkeypatch, django_assert_num_queries):
    for module in ("config.lib.ui_tags", "findings.selectors"):
        monkeypatch.setattr(f"{module}.MAX_COUNTED", 2)
    for _ in range(4):
        FindingFactory()
    browser = as_user(viewer)

    with django_assert_num_queries(5) as statements:
        assert browser.get("/counts").json()["findings"]["label"] == "2+"
    assert "LIMIT 3" in statements[2]["sql"]


def test_it_counts_nothing_for_strangers(client):
    assert client.get("/counts").status_code == 302
