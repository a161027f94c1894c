"""A thousand rules: the list shows some of them, and all can be found and moved."""

from __future__ import annotations

import re
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule
from automation.rules import services
from tests.factories import ticket_rule

LIST = "/settings/findings-automation"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def many(project, editor):
    def make(number: int) -> list[uuid.UUID]:
        said = {"finding_types": ["secret", "attack_path"], "max_tickets_per_day": 10}
        wanted = [
            (
                uuid.UUID(int=n + 1),
                ticket_rule(
                    name=f"Rule no. {n + 1}",
                    query=f"@severity:(critical OR high) team:t{n}",
                    project_id=project.pk,
                    **said,
                ),
            )
            for n in range(number)
        ]
        version = services.current_version(NAME)
        services.replace_rules(NAME, wanted, version=version, actor=editor)
        return [pk for pk, _ in wanted]

    return make


def numbers(page: str) -> list[int]:
    return [int(number) for number in re.findall(r"<b>(\d+)</b>(?=<div|</div>)", page)]


def names() -> list[int]:
    return [int(name.split()[-1]) for name in Rule.objects.values_list("name", flat=True)]


def test_a_thousand_rules_weigh_and_cost_as_much_as_twenty_five(as_user, editor, many):
    browser, costs = as_user(editor), []
    for number in (25, 1_000):
        pks = many(number)
        version = services.current_version(NAME)
        pages = [
            LIST,
            f"{LIST}?q=rule",
            f"/rules/{NAME}/rows?rule={pks[-25]}&first=1&versions={NAME}:{version}",
            f"/rules/live?windows={NAME}:0:50&versions={NAME}:{version}",
            f"{LIST}/{pks[-1]}/move",
            f"/rules/{pks[-1]}/menu",
            f"{LIST}/{pks[-1]}/edit",
            f"{LIST}/create_ticket/new",
        ]
        for page in pages:
            if number < 1_000:
                browser.get(page)
            with CaptureQueriesContext(connection) as statements:
                answer = browser.get(page)
            costs.append((len(statements), len(answer.content)))
    half = len(costs) // 2
    for page, (few, small), (many_, large) in zip(pages, costs[:half], costs[half:], strict=True):
        assert few == many_, page
        assert large < (small + 5_000) * (3 if "live" in page else 1.5), page
        assert large < (60_000 if page == LIST else 40_000 if "rows" in page else 110_000), page


def test_it_shows_a_page_of_rules_and_leads_to_the_others(as_user, editor, many):
    pks = many(60)
    browser = as_user(editor)
    first = browser.get(LIST).text
    assert numbers(first) == list(range(1, 26))
    assert "1–25 of 60" in first
    assert f"?rule={pks[25]}#rules-{NAME}" in first
    assert numbers(browser.get(f"{LIST}?rule={pks[59]}").text) == list(range(51, 61))
    assert numbers(browser.get(f"{LIST}?rule={pks[30]}&opened-sections=none").text)[0] == 26
    for nonsense in (uuid.uuid4(), "x", "'"):
        assert numbers(browser.get(f"{LIST}?rule={nonsense}").text)[0] == 1
    found = browser.get(f"{LIST}?q=%2342").text
    assert numbers(found) == [42]
    assert "menu?filtered=on" in found


@pytest.mark.parametrize(
    "windows", ["x", f"{NAME}:-1:5", f"{NAME}:1", f"{NAME}:9999:25", f"{NAME}:0:99999"]
)
def test_it_shows_rules_whatever_window_is_asked_for(as_user, editor, many, windows):
    many(30)
    shown = numbers(as_user(editor).get(LIST, {"windows": windows}).text)
    assert 0 < len(shown) <= 30


def test_it_loads_more_below_those_that_are_shown(as_user, viewer, many):
    pks = many(60)
    browser = as_user(viewer)
    version = services.current_version(NAME)
    more = f"/rules/{NAME}/rows?rule={pks[25]}&first=1&versions={NAME}"
    page = browser.get(f"{more}:{version}", headers=HTMX).text
    assert numbers(page) == list(range(26, 51))
    assert "1–50 of 60" in page
    assert "Show 10 more" in page
    services.move_rule(pks[0], to=5, actor=None)
    anew = browser.get(f"{more}:{version}", headers=HTMX).text
    assert f'id="rules-{NAME}"' in anew
    assert 'hx-swap-oob="true"' in anew
    assert browser.get("/rules/nonsense/rows").status_code == 404


def test_it_moves_rules_among_those_that_are_loaded(as_user, editor, many):
    pks = many(60)
    browser = as_user(editor)

    def reorder(ids, **said):
        version = services.current_version(NAME)
        data = {"kind": NAME, "version": version, "ids": ",".join(map(str, ids)), **said}
        return browser.post("/rules/reorder", data, headers=HTMX)

    part = pks[25:50]
    part.insert(0, part.pop())
    assert reorder(part, start=25, moved=part[0]).status_code == 200
    assert names()[24:27] == [25, 50, 26]
    for wrong in (pks[:25], [*part, uuid.uuid4()], part[:-1] * 2):
        assert reorder(wrong, start=25).status_code == 422
    assert reorder(part, start=26).status_code == 422
    assert reorder(part, start=-1).status_code == 422
    undo = browser.post(
        "/rules/reorder",
        {
            "kind": NAME,
            "version": services.current_version(NAME),
            "moved": part[0],
            "position": 50,
            "undone": "on",
        },
    )
    assert undo.url == f"{LIST}?rule={part[0]}#rule-{part[0]}"
    assert names() == list(range(1, 61))
    assert "Order restored" in browser.get(LIST).text
    gone = {"kind": NAME, "version": services.current_version(NAME), "to": f"{uuid.uuid4()} 1"}
    assert browser.post("/rules/reorder", gone).status_code == 409
    for to in ("x", f"{pks[0]} -1", f"{'-' * 36} 1"):
        assert browser.post("/rules/reorder", gone | {"to": to}).status_code == 422


@pytest.mark.parametrize(
    ("pressed", "then"),
    [
        ({"up": 3}, [1, 3, 2, 4]),
        ({"down": 1}, [2, 1, 3, 4]),
        ({"up": 1}, [1, 2, 3, 4]),
        ({"down": 4}, [1, 2, 3, 4]),
        ({"off": 2}, [1, 2, 3, 4]),
        ({"up": 5}, None),
        ({"up": 0}, None),
        ({"up": 2, "down": 2}, None),
        ({"version": 99, "up": 2}, None),
        ({}, None),
    ],
)
def test_the_buttons_of_a_row_name_its_rule_by_its_number(
    as_user, editor, viewer, many, pressed, then
):
    pks = many(4)
    said = {"version": services.current_version(NAME)} | pressed
    answer = as_user(editor).post(f"/rules/{NAME}/change", said)
    assert answer.status_code == (422 if then is None else 302)
    assert names() == (then or [1, 2, 3, 4])
    enabled = list(Rule.objects.values_list("enabled", flat=True))
    assert enabled == [number != pressed.get("off") for number in range(1, 5)]
    services.move_rule(pks[0], to=3, actor=None)
    late = as_user(editor).post(f"/rules/{NAME}/change", said)
    assert late.status_code == (302 if "off" in pressed else 409 if then else 422)
    assert as_user(viewer).post(f"/rules/{NAME}/change", said).status_code == 403


def test_the_menu_of_a_rule_is_a_page_without_scripts(as_user, editor, viewer, make_rule):
    rule = make_rule()
    page = as_user(editor).get(f"/rules/{rule.pk}/menu").text
    for label in ("Edit", "Duplicate", "Move to position…", "Delete"):
        assert f"{label}<" in page
    assert "Delete<" not in as_user(viewer).get(f"/rules/{rule.pk}/menu").text
    assert as_user(editor).get(f"/rules/{uuid.uuid4()}/menu").status_code == 404
