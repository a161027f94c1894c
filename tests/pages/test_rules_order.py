from __future__ import annotations

import re
import uuid

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.rules import services

LIST = "/settings/findings-automation"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rules(make_rule) -> list[Rule]:
    return [make_rule(name) for name in ("First", "Second", "Third")]


def names() -> list[str]:
    return list(Rule.objects.values_list("name", flat=True))


def order(rules, *places) -> str:
    return ",".join(str(rules[place].pk) for place in places)


def reorder(browser, ids, *, version=None, **said):
    version = services.current_version(NAME) if version is None else version
    return browser.post(
        "/rules/reorder", {"kind": NAME, "ids": ids, "version": version, **said}, headers=HTMX
    )


def test_it_saves_an_order_and_says_so_with_a_way_back(as_user, editor, rules):
    response = reorder(as_user(editor), order(rules, 2, 0, 1), moved=rules[2].pk)

    assert names() == ["Third", "First", "Second"]
    page = response.content.decode()
    assert f'value="{services.current_version(NAME)}" hx-swap-oob="true"' in page
    assert "Third moved to position 1" in page
    assert f'name="moved" value="{rules[2].pk}"' in page
    assert 'name="position" value="3"' in page


def test_it_undoes_a_move_without_scripts(as_user, editor, rules):
    browser = as_user(editor)
    reorder(browser, order(rules, 2, 0, 1))

    version = services.current_version(NAME)
    undo = {"kind": NAME, "ids": order(rules, 0, 1, 2), "version": version}
    response = browser.post("/rules/reorder", undo)

    assert response.status_code == 302
    assert names() == ["First", "Second", "Third"]


def test_it_refreshes_the_warnings_about_rules_that_never_act(as_user, editor, make_rule):
    narrow = make_rule("Narrow", query="env:prod")
    wide = make_rule("Wide")

    page = reorder(as_user(editor), f"{wide.pk},{narrow.pk}").content.decode()

    assert f'hx-swap-oob="innerHTML:#rule-{narrow.pk} .notes"' in page
    assert "Shadowed" in page


def test_it_refuses_an_order_based_on_an_older_one(as_user, editor, admin, rules):
    seen = services.current_version(NAME)
    services.move_rule(rules[0].pk, to=2, actor=admin)

    response = reorder(as_user(editor), order(rules, 1, 0, 2), version=seen)

    assert response.status_code == 409
    assert names() == ["Second", "Third", "First"]
    page = response.content.decode()
    assert "Order not saved" in page
    assert "Ada Admin changed the order a moment ago. The list now shows the current order." in page
    assert page.index(">Second<") < page.index(">First<")


def test_it_says_the_same_without_scripts(as_user, editor, admin, rules):
    seen = services.current_version(NAME)
    services.move_rule(rules[0].pk, to=2, actor=admin)

    said = {"position": 1, "version": seen}
    response = as_user(editor).post(f"{LIST}/{rules[1].pk}/move", said)

    assert response.status_code == 409
    assert "Ada Admin changed the order a moment ago." in response.content.decode()


def test_a_refused_order_is_a_page_whose_links_lead_to_the_list(as_user, editor, rules):
    """It stands at the address of the order, where nothing is to be read."""
    page = as_user(editor).post("/rules/reorder", {"kind": NAME}).content.decode()

    assert "Order not saved" in page
    assert f'href="{LIST}?state=enabled"' in page
    assert not re.search(r'href="?\?', page)


def test_it_keeps_an_order_while_somebody_edits_a_rule(as_user, editor, admin, rules):
    seen = services.current_version(NAME)
    services.disable_rule(rules[0].pk, actor=admin)

    assert reorder(as_user(editor), order(rules, 1, 0, 2), version=seen).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        lambda rules: order(rules, 0, 1),
        lambda rules: order(rules, 0, 1, 1),
        lambda rules: order(rules, 0, 1, 2, 2),
        lambda rules: f"{order(rules, 0, 1)},{uuid.uuid4()}",
        lambda rules: "not-a-uuid",
        lambda rules: "",
    ],
    ids=["missing", "double", "one too many", "foreign", "malformed", "empty"],
)
def test_it_refuses_an_order_that_is_not_every_rule_once(as_user, editor, rules, wrong):
    response = reorder(as_user(editor), wrong(rules))

    assert response.status_code == 422
    assert "Order not saved" in response.content.decode()
    assert names() == ["First", "Second", "Third"]


@pytest.mark.parametrize("version", ["", "x", "-1", "1.5", "999999"])
def test_it_refuses_a_malformed_version(as_user, editor, rules, version):
    response = reorder(as_user(editor), order(rules, 2, 1, 0), version=version)

    assert response.status_code == 422
    assert names() == ["First", "Second", "Third"]


@pytest.mark.parametrize(
    ("position", "then"),
    [
        (1, ["Third", "First", "Second"]),
        (2, ["First", "Third", "Second"]),
        (99, ["First", "Second", "Third"]),
    ],
)
def test_it_moves_a_rule_by_a_plain_form(as_user, editor, rules, position, then):
    said = {"position": position, "version": services.current_version(NAME)}
    response = as_user(editor).post(f"{LIST}/{rules[2].pk}/move", said)

    assert names() == then
    assert response.url == f"{LIST}?rule={rules[2].pk}#rule-{rules[2].pk}"


@pytest.mark.parametrize("position", ["", "0", "x", "-3", "1e9"])
def test_it_asks_again_for_a_position_that_is_none(as_user, editor, rules, position):
    said = {"position": position, "version": services.current_version(NAME)}
    response = as_user(editor).post(f"{LIST}/{rules[2].pk}/move", said)

    assert response.status_code == 422
    assert "Enter a position from 1." in response.content.decode()


def test_it_shows_the_form_that_asks_for_a_position(as_user, editor, rules):
    page = as_user(editor).get(f"{LIST}/{rules[1].pk}/move").content.decode()

    assert "Position, 1 to 3" in page
    assert 'value="2"' in page


def test_it_lets_no_viewer_move_rules(as_user, viewer, rules):
    browser = as_user(viewer)

    assert reorder(browser, order(rules, 2, 1, 0)).status_code == 403
    assert browser.post(f"{LIST}/{rules[0].pk}/move", {"position": 2}).status_code == 403
    assert names() == ["First", "Second", "Third"]


def test_it_answers_only_what_it_knows(as_user, editor, rules):
    browser = as_user(editor)

    assert browser.get("/rules/reorder").status_code == 405
    assert browser.get(f"{LIST}/{uuid.uuid4()}/move").status_code == 404
    assert browser.get(f"{LIST}/not-a-uuid/move").status_code == 404
