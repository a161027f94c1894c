"""From what is seen to a rule: the links of the explorer, and the editor behind them."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from findings.models import SavedView
from tests.factories import FindingFactory

LIST = "/settings/findings-automation"
NEW = f"{LIST}/create_ticket/new"


def links(page):
    """Where the page leads to a new rule: path → what it is given."""
    found = re.findall(rf'href="({LIST}/\w+/new\?search=[^"]*)"', page)
    parsed = [urlsplit(unescape(href)) for href in found]
    return [(each.path, parse_qs(each.query)) for each in parsed]


def checked(page, name):
    return re.findall(rf'<input type="checkbox" name="{name}" value="([^"]*)" checked', page)


def test_a_search_leads_to_a_rule_of_each_kind(as_user, editor):
    FindingFactory()
    search = urlencode({"q": "team:payments", "severity": "critical", "group": "package"})
    page = as_user(editor).get(f"/findings?{search}").content.decode()
    assert [path for path, _ in links(page)] == [
        f"{LIST}/{slug}/new"
        for slug in (
            *("create_ticket", "create_ticket", "set_due_date"),
            *("add_to_inbox", "mute", "modify_severity"),
        )
    ]
    assert {given["search"][0] for _, given in links(page)} == {
        "q=team%3Apayments&group=package&severity=critical"
    }


def test_a_saved_view_gives_the_rule_its_name(as_user, editor):
    FindingFactory()
    SavedView.objects.create(owner=editor, name="Ours & theirs", query="q=team%3Aa")
    page = as_user(editor).get("/findings?q=team:a").content.decode()
    path, given = links(page)[0]
    assert (path, given["name"]) == (NEW, ["Ours & theirs"])
    editor_page = as_user(editor).get(path, {name: each[0] for name, each in given.items()})
    assert 'value="Ours &amp; theirs"' in editor_page.content.decode()


def test_a_finding_and_a_group_lead_to_a_rule(as_user, editor):
    said = {"tags": ["team:a b", "env:prod", "env:eu", "line:7"], "severity": "low"}
    finding = FindingFactory(finding_type="secret", resource_id="r", **said)
    page = as_user(editor).get(f"/findings/{finding.finding_id}").content.decode()
    assert parse_qs(links(page)[0][1]["search"][0]) == {
        "q": ['(env:prod OR env:eu) team:"a b"'],
        "severity": ["low"],
        "type": ["secret"],
    }
    page = as_user(editor).get("/findings?q=env:prod&group=resource&open=r").content.decode()
    assert [len(given["search"][0].split("&in=")) for _, given in links(page)[-2:]] == [2, 2]
    state = links(page)[-1][1]["search"][0]
    assert parse_qs(state) == {"q": ["env:prod"], "group": ["resource"], "in": ["r"]}


def test_who_may_not_write_rules_is_offered_none(as_user, analyst, editor):
    finding = FindingFactory()
    for page in ("/findings", f"/findings/{finding.finding_id}", "/findings?group=resource"):
        assert not links(as_user(analyst).get(page).content.decode())
    assert not links(as_user(editor).get("/findings?q=(").content.decode())


def test_the_editor_is_filled_in_and_says_what_is_left_out(as_user, editor):
    search = urlencode({"q": "team:payments @status:open", "severity": "high", "type": "secret"})
    search += "&due=overdue&from=30d&group=team,%40a.b"
    page = as_user(editor).get(NEW, {"search": search}).content.decode()
    assert (checked(page, "types"), checked(page, "severities")) == (["secret"], ["high"])
    assert ">\nteam:payments</textarea>" in page
    assert 'value="High Secret, team:payments"' in page
    assert 'name="group_field_1" value="Team"' in page
    left_out = '<span class="mono">@status:open</span>, due date, time range (opened here).'
    assert f"Left out: {left_out} A rule looks at new findings only." in page
    again = re.search(r'from <a class="link" href="([^"]*)"', page)[1]
    assert as_user(editor).get(unescape(again)).status_code == 200


@pytest.mark.parametrize("slug", ["mute", "set_due_date", "add_to_inbox", "modify_severity"])
def test_the_editors_of_other_kinds_are_filled_in_too(as_user, editor, slug):
    search = urlencode({"q": "team:payments", "severity": "high", "type": "secret"})
    page = as_user(editor).get(f"{LIST}/{slug}/new", {"search": search}).content.decode()
    assert (checked(page, "types"), checked(page, "severities")) == (["secret"], ["high"])
    assert "team:payments</textarea>" in page
    assert ("severities set by people and rules" in page) is (slug == "modify_severity")


@pytest.mark.parametrize(
    "search",
    [
        *("", "q=(", "q=" + "x" * 40_000, "group=nonsense", "group=team&in=a&in=b&in_none=yes"),
        *("severity=nonsense", "type=nonsense", "team=%00", "q=%22%3Cscript%3E%22", "=&&;"),
        "&".join(f"team=t{n}" for n in range(900)),
        "group=title&in=" + "%C3%A9" * 2_000,
    ],
)
def test_whatever_the_address_says_it_is_an_editor(as_user, editor, search):
    response = as_user(editor).get(NEW, {"search": search, "name": "<b>"})
    page = response.content.decode()
    assert response.status_code == 200
    assert "<script>" not in page.partition("Filled in from")[2].partition("</div>")[0]


def test_a_name_that_is_taken_gets_a_number(as_user, editor, make_rule):
    make_rule("Findings, team:a")
    page = as_user(editor).get(NEW, {"search": "q=team:a"}).content.decode()
    assert 'value="Findings, team:a (2)"' in page


def test_the_menu_and_the_palette_offer_templates(as_user, editor, viewer, make_rule):
    make_rule()
    page = as_user(editor).get(LIST).content.decode()
    menu = page.partition("id=add-menu")[2].partition("</header>")[0]
    names = ("Critical vulnerabilities in prod", "Exposed secrets", "Attack paths")
    assert all(name in menu for name in names)
    filled = unescape(re.search(r'href="([^"]*template=critical[^"]*)"', menu)[1])
    page = as_user(editor).get(filled).content.decode()
    assert (checked(page, "severities"), len(checked(page, "types"))) == (["critical"], 5)
    found = as_user(editor).get("/jump?q=exposed").content.decode()
    assert "New rule: Exposed secrets" in found
    assert "New rule" not in as_user(viewer).get("/jump?q=exposed").content.decode()
