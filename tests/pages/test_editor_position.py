"""The place of a rule, chosen in its editor and taken in the transaction that saves it."""

from __future__ import annotations

import re

import pytest

from automation.kinds.ticket_creation.action import NAME
from automation.models import Rule, RuleSetVersion
from automation.rules import services
from tests.factories import FindingFactory
from tests.pages.test_editor_edit import as_shown

LIST = "/settings/findings-automation"
NEW = f"{LIST}/create_ticket/new"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def rules(make_rule):
    return [make_rule(name, query=f"team:{name}") for name in "ABC"]


def names(kind=NAME):
    return "".join(Rule.objects.filter(kind=kind).values_list("name", flat=True))


def options(page):
    found = re.search(r'<select name="position".*?</select>', page, re.S)
    return re.findall(r">([^<]+)</option>", found[0])


def said(project, **more):
    form = {"name": "N", "types": ["secret"], "query": "", "limit": "5", "project": str(project.pk)}
    return form | {"target": "case_management", "order": services.current_version(NAME)} | more


def test_it_offers_the_places_of_a_new_rule_and_of_one_that_is_there(as_user, editor, rules):
    browser = as_user(editor)
    above = [f"Above rule {n}: {name}" for n, name in enumerate("ABC", start=1)]
    page = browser.get(NEW).content.decode()
    assert options(page) == ["At the end, as rule 4", *above]
    assert "Saves it at the end, as rule 4" in page
    page = browser.get(f"{LIST}/{rules[1].pk}/edit").content.decode()
    assert options(page) == ["Where it is, as rule 2", "At the end", above[0]]
    last = browser.get(f"{LIST}/{rules[2].pk}/edit").content.decode()
    assert options(last) == ["Where it is, as rule 3", *above[:2]]


@pytest.mark.parametrize(("above", "order"), [(None, "ABCN"), (0, "NABC"), (1, "ANBC")])
def test_it_saves_a_new_rule_at_its_place(as_user, editor, project, rules, above, order):
    position = "" if above is None else str(rules[above].pk)
    versions = RuleSetVersion.objects.count()
    response = as_user(editor).post(NEW, said(project, position=position))
    assert response.status_code == 302
    assert (names(), RuleSetVersion.objects.count()) == (order, versions + 1)


@pytest.mark.parametrize(("position", "order"), [("", "ABC"), ("end", "BCA"), (2, "BAC")])
def test_an_edited_rule_keeps_its_place_or_takes_another(
    as_user, editor, project, rules, position, order
):
    shown = as_user(editor).get(f"{LIST}/{rules[0].pk}/edit")
    chosen = str(rules[position].pk) if isinstance(position, int) else position
    form = as_shown(shown) | {"position": chosen}
    assert as_user(editor).post(f"{LIST}/{rules[0].pk}/edit", form).status_code == 302
    assert names() == order


def test_a_place_in_an_order_that_is_no_longer_is_refused(as_user, editor, project, rules, admin):
    a, b, c = (rule.pk for rule in rules)
    form = said(project, position=str(c))
    services.reorder(NAME, [c, a, b], actor=admin)
    response = as_user(editor).post(NEW, form)
    page = response.content.decode()
    assert (response.status_code, names()) == (409, "CAB")
    assert "Ada Admin changed the order at" in page
    assert "Choose the position again." in page
    assert "Above rule 1: C" in options(page)
    again = as_shown(response)
    assert as_user(editor).post(NEW, again).status_code == 302
    assert names() == "NCAB"


def test_what_changes_below_the_place_stands_in_nobodys_way(as_user, editor, project, rules):
    form = said(project, position=str(rules[1].pk))
    services.delete_rule(rules[2].pk, actor=None)
    assert as_user(editor).post(NEW, form).status_code == 302
    assert names() == "ANB"


def test_a_rule_that_is_gone_is_no_place(as_user, editor, project, rules):
    form = said(project, position=str(rules[1].pk))
    services.delete_rule(rules[1].pk, actor=None)
    response = as_user(editor).post(NEW, form)
    assert response.status_code == 422
    assert "That rule is gone. Choose the position again." in response.content.decode()
    for nonsense in ("x", str(project.pk)):
        assert as_user(editor).post(NEW, said(project, position=nonsense)).status_code == 422


def test_the_preview_is_that_of_the_place(as_user, editor, project, make_rule):
    other = make_rule("All secrets")
    FindingFactory(finding_type="secret")
    browser = as_user(editor)
    page = browser.post("/rules/preview", said(project), headers=HTMX).content.decode()
    assert "taken by" in page
    advice = re.search(r'<button class="link"[^>]*>Move this rule above it</button>', page)[0]
    assert f'name="position" value="{other.pk}"' in advice
    above = said(project, position=str(other.pk))
    page = browser.post("/rules/preview", above, headers=HTMX).content.decode()
    assert "taken by" not in page
    assert "Move this rule above it" not in page
    assert "<b>1</b> would be ticketed" in page


def test_without_scripts_the_advice_chooses_the_place(as_user, editor, project, make_rule):
    other = make_rule("All secrets")
    form = said(project) | {"position": ["", str(other.pk)]}  # the list, and the button after it
    page = as_user(editor).post("/rules/preview", form).content.decode()
    assert f'<option value="{other.pk}" selected>' in page


def test_every_kind_has_places(as_user, editor, rules):
    browser = as_user(editor)
    form = {"name": "A", "types": ["secret"], "query": "", "description": ""}
    for name in ("A", "B"):
        browser.post(f"{LIST}/add_to_inbox/new", form | {"name": name})
    first = Rule.objects.get(kind="inbox", name="A")
    place = {"position": str(first.pk), "order": services.current_version("inbox")}
    browser.post(f"{LIST}/add_to_inbox/new", form | place | {"name": "C"})
    assert (names("inbox"), names()) == ("CAB", "ABC")
    services.move_rule(first.pk, to=2, actor=None)
    response = browser.post(f"{LIST}/add_to_inbox/new", form | place | {"name": "D"})
    assert response.status_code == 409
