"""The explorer grouped: `&group=package`, and what is behind each of its numbers."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from io import StringIO
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from findings.facts import Ticket
from tests.factories import FindingFactory
from tests.html_tree import tree

LIST = "/findings"


def of(name, number=1, **fields):
    package = {"name": name, "ecosystem": "pip", "version": "1.0", "fixed_version": "1.1"}
    attributes = {"package": package} | fields.pop("attributes", {})
    return FindingFactory.create_batch(number, attributes=attributes, **fields)


@pytest.fixture
def page(as_user, viewer):
    """`page("group=package")`: what the explorer shows to a viewer."""

    def get(query="group=package", **headers):
        return as_user(viewer).get(f"{LIST}?{query}", headers=headers)

    return get


def groups(answer) -> list[tuple[str, int]]:
    return [("".join(each.values), each.number) for each in answer.context["groups"].rows]


def text(answer) -> str:
    return " ".join(tree(answer.content.decode()).text.split())


def test_it_shows_the_worst_and_then_the_largest_first(page):
    of("small", 1, severity="critical")
    of("b", 2)
    of("a", 2)
    of("large", 3)
    of("low", 4, severity="low")
    FindingFactory.create_batch(3, severity="critical")

    answer = page()

    order = ["pypi/small", "pypi/large", "pypi/a", "pypi/b", "pypi/low", ""]
    assert [name for name, _ in groups(answer)] == order
    assert "5 groups of 12 findings by package to update; 3 more name no package" in text(answer)
    assert "Each stands alone and gets a ticket of its own" in text(answer)


def test_it_says_of_a_group_what_its_findings_have_together(page):
    now = timezone.now()
    known = {"advisory": {"cve": ["CVE-2"]}, "git": {"repository": "acme/a"}}
    of("a", first_seen_at=now - timedelta(days=9), resource_id="r1", severity="low")
    of("a", resource_id="r1", ticket=Ticket.AUTOMATED, ticket_key="X-1", attributes=known)
    of("a", resource_id="r2", ticket=Ticket.MANUAL, ticket_key="X-2", attributes=known)

    [group] = page().context["groups"].groups

    assert (group.number, group.places, group.repositories, group.worst) == (3, 2, 1, "high")
    assert (group.ticketed, group.tickets, group.more_tickets) == (2, 2, 1)
    assert group.newest_ticketed.ticket_key == "X-2"
    assert group.vulnerabilities == ("CVE-2",)
    assert group.first_seen_at == now - timedelta(days=9)
    assert group.label == ("Update a 1.0 → 1.1", "pypi")


@pytest.mark.parametrize("rows", [25, 50])
def test_its_pages_count_groups(page, rows):
    for nth in range(60):
        of(f"p{nth:02}", 2)

    pages = range(1, -(-60 // rows) + 1)
    seen = [each for n in pages for each in groups(page(f"group=package&rows={rows}&page={n}"))]

    assert sorted(seen) == [(f"pypi/p{n:02}", 2) for n in range(60)]
    assert "1–25 of 60 groups" in text(page("group=package&rows=25"))
    beyond = page(f"group=package&rows={rows}&page=99").context["groups"]
    assert (beyond.number, beyond.next) == (-(-60 // rows), 0)


@pytest.mark.parametrize(
    ("group", "says"),
    [
        ("nonsense", "Findings cannot be grouped by “nonsense”."),
        ("@status", "it changes or is a time"),
        ("team,team", "The same field stands twice."),
        ("team,service,rule,title", "Findings can be grouped by 3 fields at most."),
        ("tag:\0", ""),
        ("team&in=a&in_of=service", ""),
        ("team,service&in=a", ""),
        (f"team&in={'x' * 3000}", ""),
        ("team&open=\0&page=99999999999999999999", ""),
    ],
)
def test_it_bears_what_it_cannot_group_by(page, group, says):
    FindingFactory(title="Here")

    answer = page(f"group={group}")

    assert answer.status_code == 200
    assert says in text(answer)
    assert "Here" in text(answer) or not says


def test_it_says_that_nothing_has_the_field(page):
    FindingFactory.create_batch(2)

    assert "None of these 2 findings names a package" in text(page())
    assert "None of these 2 findings names an image" in text(page("group=image"))
    assert "Ungroup" in text(page())


def test_each_number_is_that_of_the_rows_behind_its_link(page, as_user, viewer):
    of("a", 3, tags=["team:x"])
    of("b", 2, tags=["team:y", "team:a"])
    FindingFactory.create_batch(4, tags=["team:x"])

    body = tree(page("group=package,team&status=open").content.decode())

    is_within = re.compile(r"&in(_any|_none)?=").search
    links = [link for link in body.all("a") if is_within(link.attributes.get("href", ""))]
    numbered = [(a.text.split()[0], a.attributes["href"]) for a in links if a.text.strip()]
    found = {number: as_user(viewer).get(href).context["total"] for number, href in numbered}
    assert found == {"5": 5, "3": 3, "2": 2, "4": 4}


def test_links_keep_letters_that_an_address_bears_as_they_are(page, as_user, viewer):
    """As some clients write them: bytes of UTF-8, not escaped."""
    of("a", 2, tags=["team:zürich"])
    of("a", 1, tags=["team:basel"])

    body = tree(page("group=package&q=team:zürich").content.decode())

    [number] = [a for a in body.all("a") if a.attributes.get("class") == "plain num"]
    assert number.text == "2"
    assert as_user(viewer).get(number.attributes["href"]).context["total"] == 2


def test_a_value_is_no_query(page):
    odd = "a&group=team\"'%\\"
    FindingFactory.create_batch(2, tags=[f"team:{odd}"])
    FindingFactory(tags=["team:b"])

    answer = page(urlencode([("group", "team"), ("in", odd)]))

    assert answer.context["total"] == 2


def test_it_opens_a_group_with_a_link(page, as_user, viewer):
    of("a", 7)
    address = "group=package&open=pypi%2Fa"

    answer = page(address)

    assert answer.content.decode().count("data-opens-finding") == 4
    assert "Show 3 more" in text(answer)
    assert "Open these 7 as a list" in text(answer)
    assert page(f"{address}&more=yes").content.decode().count("data-opens-finding") == 7
    rows = as_user(viewer).get("/explorer/group?group=package&in=pypi%2Fa").content.decode()
    assert rows.count("data-opens-finding") == 4


def test_a_tag_narrows_the_groups(as_user, viewer, page):
    of("a", 2, tags=["team:x y", "env:prod"])
    of("a", 1, tags=["team:z", "env:prod"])
    rows = as_user(viewer).get("/explorer/group?group=package&in=pypi%2Fa&q=a+OR+env:prod")

    links = tree(rows.content.decode()).all("a", class_="v")

    said = next(a.attributes for a in links if a.attributes["title"] == "team:x y")
    assert said["data-term"] == 'team:"x y"'
    assert said["data-of"] == "team"
    assert groups(page(said["href"].partition("?")[2])) == [("pypi/a", 2)]


@pytest.mark.parametrize(
    "query", ["", "group=package", "group=team&in=a&in=b", "group=team&in=b", "q=("]
)
def test_it_opens_one_group_at_a_time(as_user, viewer, query):
    FindingFactory(tags=["team:a"])

    assert as_user(viewer).get(f"/explorer/group?{query}").content == b""


@pytest.mark.parametrize("number", [1, 30])
def test_a_page_takes_as_many_statements_whatever_is_found(page, number):
    for nth in range(number):
        of(f"p{nth}", 3, tags=["team:a"], ticket=Ticket.MANUAL, ticket_key=f"X-{nth}")
    FindingFactory()
    page("group=package&open=pypi%2Fp0")

    with CaptureQueriesContext(connection) as queries:
        page("group=package&open=pypi%2Fp0", hx_request="true")

    assert len([q for q in queries if "findings_finding" in q["sql"]]) == 3


def test_the_grouping_is_exported_and_saved(as_user, viewer, page):
    of("a", tags=["team:x"])
    FindingFactory()
    answer = as_user(viewer).get("/explorer/export?group=package,team")
    file = b"".join(answer.streaming_content).decode("utf-8-sig")

    lines = [(line["Package to update"], line["Team"]) for line in csv.DictReader(StringIO(file))]

    assert sorted(lines) == [("", ""), ("pypi/a", "x")]
    assert page("group=package&from=7d").context["params"].state == "from=7d&group=package"
