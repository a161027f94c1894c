from __future__ import annotations

import uuid

import pytest
from django.utils import timezone

from automation.kinds.ticket_creation.action import NAME
from automation.models import DailyUsage, Rule
from automation.rules import services

LIST = "/settings/findings-automation"
HTMX = {"HX-Request": "true"}


def test_it_disables_a_rule_and_offers_to_undo_it(as_user, editor, make_rule):
    rule = make_rule()

    page = as_user(editor).post(f"/rules/{rule.pk}/toggle", headers=HTMX).content.decode()

    rule.refresh_from_db()
    assert not rule.enabled
    assert f'id="rule-{rule.pk}"' in page
    assert "Exposed secrets disabled" in page
    assert "Existing tickets stay attached." in page
    assert 'name="enabled" value="on"' in page


def test_it_enables_a_rule_without_scripts(as_user, editor, make_rule):
    rule = make_rule(enabled=False)

    response = as_user(editor).post(f"/rules/{rule.pk}/toggle", {"enabled": "on"})

    rule.refresh_from_db()
    assert rule.enabled
    assert response.url == f"{LIST}?rule={rule.pk}#rule-{rule.pk}"


def test_it_refreshes_the_numbers_of_the_filter(as_user, editor, make_rule):
    rule = make_rule()

    page = as_user(editor).post(f"/rules/{rule.pk}/toggle", headers=HTMX).content.decode()

    assert 'Disabled <span class="num">1</span>' in page
    assert 'id="rule-states" aria-label="States" hx-swap-oob="true"' in page


def test_it_does_not_switch_a_broken_rule_on(as_user, editor, make_rule):
    rule = make_rule()
    services.break_rule(rule.pk, reason="Case project Cloud Risk was deleted.")

    response = as_user(editor).post(f"/rules/{rule.pk}/toggle", {"enabled": "on"}, headers=HTMX)

    rule.refresh_from_db()
    assert not rule.enabled
    assert "Exposed secrets is broken. Fix the configuration first." in response.content.decode()


def test_it_duplicates_a_rule_and_opens_the_copy(as_user, editor, make_rule):
    original = make_rule()

    response = as_user(editor).post(f"/rules/{original.pk}/duplicate")

    copy = Rule.objects.exclude(pk=original.pk).get()
    assert response.url == f"{LIST}/{copy.pk}/edit"
    assert not copy.enabled


@pytest.mark.parametrize(
    ("tickets", "sentence"),
    [
        (0, "It has created no tickets."),
        (1, "The ticket it already created stays attached to its finding."),
        (1214, "The 1,214 tickets it already created stay attached to their findings."),
    ],
)
def test_it_says_how_many_tickets_stay_when_a_rule_goes(
    as_user, editor, make_rule, tickets, sentence
):
    rule = make_rule()
    DailyUsage.objects.create(rule_id=rule.pk, day=timezone.now().date(), ticketed=tickets)
    browser = as_user(editor)

    page = browser.get(f"{LIST}/{rule.pk}/delete").content.decode()
    assert "Delete “Exposed secrets”?" in page
    assert f"It stops creating tickets now. {sentence}" in page
    assert (
        f"It stops creating tickets now. {sentence}" in browser.get(f"/rules/{rule.pk}/menu").text
    )


def test_it_deletes_a_rule(as_user, editor, make_rule):
    rule = make_rule()

    response = as_user(editor).post(f"{LIST}/{rule.pk}/delete", follow=True)

    assert not Rule.objects.exists()
    assert "Exposed secrets deleted" in response.content.decode()


def test_it_asks_before_it_deletes(as_user, editor, make_rule):
    rule = make_rule()

    as_user(editor).get(f"{LIST}/{rule.pk}/delete")

    assert Rule.objects.filter(pk=rule.pk).exists()


@pytest.mark.parametrize("action", ["/rules/{}/toggle", "/rules/{}/duplicate", LIST + "/{}/delete"])
def test_it_lets_no_viewer_change_a_rule(as_user, viewer, make_rule, action):
    rule = make_rule()
    before = services.current_version(NAME)

    assert as_user(viewer).post(action.format(rule.pk)).status_code == 403
    assert services.current_version(NAME) == before


@pytest.mark.parametrize("action", ["/rules/{}/toggle", "/rules/{}/duplicate", LIST + "/{}/delete"])
def test_it_does_not_find_a_rule_that_is_gone(as_user, editor, action):
    assert as_user(editor).post(action.format(uuid.uuid4())).status_code == 404


@pytest.mark.parametrize("action", ["/rules/{}/toggle", "/rules/{}/duplicate"])
def test_it_changes_nothing_by_a_link(as_user, editor, make_rule, action):
    assert as_user(editor).get(action.format(make_rule().pk)).status_code == 405
