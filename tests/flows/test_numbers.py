"""A number on a page is the number of rows behind its link."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

import pytest
import time_machine
from django.template import engines

from automation.pipeline import evaluate_all
from automation.rules import services as rules
from findings import services as findings
from findings.facts import Status
from findings.imports.run import ImportOptions, import_report
from findings.models import Finding, Import
from tests.conftest import NOON
from tests.factories import (
    DestinationFactory,
    ExternalIssueFactory,
    FindingFactory,
    JiraAccountFactory,
    ProjectFactory,
    SourceFactory,
    create_findings,
)
from tests.html_tree import Element, tree
from ticketing import services as tickets
from ticketing.models import Case

pytestmark = pytest.mark.django_db

MIDNIGHT = NOON.replace(hour=0)
TAGS = ["source:scanner"]
YEAR_AGO = NOON - timedelta(days=365)
EXPLORER, CASES = "/findings", "/cases"
RULES, IMPORTERS = "/settings/findings-automation", "/settings/importers"
PROJECTS = "/cases/projects"
NUMBER = re.compile(r"(?<![\w.,/–-])(\d{1,3}(?:,\d{3})+|\d+)(?![\w.,/:–-])")
LISTS = frozenset({EXPLORER, CASES, RULES})


class Claim(NamedTuple):
    """A number, and the address of what it counts."""

    page: str
    text: str
    number: int
    link: str


# --- Following ----------------------------------------------------------------------------


def follow(client, link: str) -> int:
    """How many rows the page behind the link has; its own number says the same."""
    path = urlsplit(link).path
    fragment = {"HX-Request": "true"} if path == EXPLORER else {}
    page = client.get(link, headers=fragment)
    assert page.status_code == 200, link
    if path == RULES:
        ids = r"[a-z_]+_default_rule" if "defaults=" in link else r"[0-9a-f-]{36}"
        return len(re.findall(rf'id="?rule-{ids}[" >]', page.text))
    if path == CASES:
        if "columns" in page.context:
            return sum(column.total for column in page.context["columns"])
        total, rows = page.context["page"].total, page.context["page"].rows
        assert len(rows) == min(total, 50), link
        return total
    said = re.search(r"<b>([\d,]+) findings?</b>", page.text)[1]
    total, rows = page.context["total"], page.context["page"].rows
    assert (len(rows), said) == (min(total, 50), f"{total:,}"), link
    return total


def claims(client, address: str) -> Iterator[Claim]:
    """Every link of a page to a list that says a number, and every number beside its link."""
    page = tree(client.get(address).text)
    choices = [li for facet in page.all("details", class_="facet") for li in facet.all("li")]
    of_choices = {link.attributes["href"] for choice in choices for link in choice.all("a")}
    for link in page.all("a"):
        if link.attributes["href"] in of_choices:
            continue  # "Due within 7 days": its number stands beside it
        href = urljoin(address, link.attributes["href"])
        is_here = link.attributes["href"].startswith("#")
        is_choice = "aria-label" in link.attributes  # "50 rows"
        is_nav = "nav-item" in link.attributes.get("class", "")
        path = urlsplit(href).path
        if path not in LISTS or is_here or is_choice or is_nav:
            continue
        if said := NUMBER.search(link.text):
            yield Claim(address, link.text, _number(said[1]), href)
    for choice in choices:
        [link], [number] = choice.all("a"), choice.all("span", class_="num")
        href = urljoin(address, link.attributes["href"])
        yield Claim(address, choice.text, _number(number.text), href)


def _number(text: str) -> int:
    number = int(text.replace(",", ""))
    assert text == f"{number:,}"  # "20,406"
    return number


def wrong(client, *addresses: str) -> list[str]:
    """What the numbers of these pages say that is not behind their links."""
    said = {}
    for address in addresses:
        for claim in claims(client, address):
            said.setdefault((claim.number, claim.link), claim)
    assert said
    return [
        f"{claim.page}: “{claim.text}” leads to {behind} at {claim.link}"
        for claim in said.values()
        if (behind := follow(client, claim.link)) != claim.number
    ]


def beside(page: Element, label: str) -> tuple[int, str]:
    """The number in the block of the link with this label, and where it leads."""
    for block in (*page.all("p"), *page.all("div", class_="banner")):
        for link in block.all("a"):
            if link.text == label:
                return _number(NUMBER.search(block.text)[1]), link.attributes["href"]
    raise AssertionError(f"no link {label!r}")


# --- The world ----------------------------------------------------------------------------


@pytest.fixture
def world(make_rule, report, project, editor, viewer):
    """Findings, rules, tickets, imports and cases of each kind, on both sides of midnight."""

    def scanned(number, prefix, *tags, **said):
        report(number, prefix=prefix, tags=(*tags, "source:scanner"), **said)

    made = {
        "full": make_rule("Full", limit=2, query="env:prod"),
        "gone": make_rule("Gone", limit=1, query="env:gone"),
        "broken": make_rule("Broken", query="env:broken"),
        "off": make_rule("Off", query="env:off"),
        "small": make_rule("Small of prod", limit=1, query="env:dev"),
    }
    rules.disable_rule(made["off"].pk, actor=editor)
    with time_machine.travel(MIDNIGHT - timedelta(seconds=1), tick=False):
        # The scanner has seen all of it a year ago; we have not.
        scanned(5, "old", "env:prod", "team:web", first_seen_at=YEAR_AGO)
        evaluate_all()
    with time_machine.travel(MIDNIGHT, tick=False):
        scanned(6, "new", "env:prod", "team:core", first_seen_at=YEAR_AGO)
        scanned(3, "dev", "env:dev", "service:api", severity="critical")
        scanned(2, "gone", "env:gone", severity="low")
        scanned(2, "none", "team:core", "team:web", severity="unknown")
        evaluate_all()
    with time_machine.travel(NOON, tick=False):
        rules.delete_rule(made["gone"].pk, actor=editor)
        rules.break_rule(made["broken"].pk, reason="The space is archived.")
        _findings(viewer)
        _cases(project, viewer)
        _imports()
        yield made


def _findings(viewer) -> None:
    """Over limit and muted, resolved, ticketed by hand, decided twice, of another clock."""
    over = list(Finding.objects.filter(ticket="over_limit", evaluation__decided_at__gte=MIDNIGHT))
    findings.mute([over[0].pk], reason="OTHER", actor=viewer)
    findings.change_status([over[1].pk], status=Status.RESOLVED, actor=viewer)
    findings.change_status([over[2].pk], status=Status.IN_PROGRESS, actor=viewer)
    again = Finding.objects.filter(ticket="none").first()
    findings.change_status([again.pk], status=Status.RESOLVED, actor=viewer)
    findings.change_status([again.pk], status=Status.OPEN, actor=viewer)
    evaluate_all()
    host, said = "host_and_container_vulnerability", {"tags": TAGS}
    days_ago = {"opened_at": NOON - timedelta(days=10)}
    FindingFactory(finding_type="secret", severity="info", **days_ago, **said)
    FindingFactory(finding_type=host, severity="none", resource_type="container_image", **said)
    FindingFactory(finding_type=host, severity="info", **days_ago, **said)


def _cases(project, viewer) -> None:
    account = JiraAccountFactory()
    other = ProjectFactory(key="RISK", name="Cloud Risk")
    DestinationFactory(project=other, account=account)
    opened = {"project": other, "actor": viewer}
    for title, origin in (("Hand made", Case.Origin.MANUAL), ("Test made", Case.Origin.TEST)):
        case = tickets.open_manual_case(
            [FindingFactory(tags=TAGS).pk], title=title, origin=origin, **opened
        )
        tickets.change_case(case, assignee=viewer, actor=viewer)
    for title, status in (("Prod closed", "CLOSED"), ("Prod begun", "IN_PROGRESS")):
        case = tickets.open_manual_case([FindingFactory(tags=TAGS).pk], title=title, **opened)
        tickets.change_case(case, status=status, actor=viewer)
        ExternalIssueFactory(case=case, account=account, state="blocked", fault="config")
    closed = tickets.open_manual_case([], title="Closed by hand", project=project, actor=viewer)
    tickets.change_case(closed, status="CLOSED", assignee=viewer, actor=viewer)
    old = tickets.open_manual_case([], title="Prod of old", **opened)
    tickets.archive(old, actor=viewer)
    waits = tickets.open_manual_case([FindingFactory(tags=TAGS).pk], title="It waits", **opened)
    ExternalIssueFactory(case=waits, account=account)


def _report(count: int, of: str) -> bytes:
    odd = {"finding_type": "misconfiguration", "severity": "medium", "title": "Odd"}
    # The scanner says that it knows some of them for a year.
    seen = ({} if n % 2 else {"first_seen_at": f"{YEAR_AGO:%Y-%m-%d}"} for n in range(count))
    all_ = [odd | {"resource_id": f"{of}{n}"} | first for n, first in enumerate(seen)]
    return json.dumps({"source": of, "findings": all_}).encode()


def _imports() -> None:
    """One source whose report resolved what it lacked, and one where a person has to decide."""
    with time_machine.travel(MIDNIGHT - timedelta(days=6), tick=False):
        import_report([_report(4, "nightly")], ImportOptions(scope="main"))
    with time_machine.travel(MIDNIGHT - timedelta(days=6, seconds=1), tick=False):
        import_report([_report(15, "weekly run")], ImportOptions(scope="main"))
    import_report([_report(3, "nightly")], ImportOptions(scope="main"))
    import_report([_report(3, "weekly run")], ImportOptions(scope="main"))
    missing = Finding.objects.filter(resource_id="weekly run14")
    findings.change_status([missing.get().pk], status=Status.RESOLVED, actor=None)


# --- The numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses",
    [
        (RULES, f"{RULES}?q=prod", f"{RULES}?state=enabled", f"{RULES}?q=prod&state=broken"),
        (IMPORTERS,),
        (PROJECTS,),
        (CASES, f"{CASES}?q=prod", f"{CASES}?project=RISK&status=CLOSED", f"{CASES}?view=mine"),
        (f"{CASES}?view=failed&q=-status:closed", f"{CASES}?view=archived&sort=key"),
        (f"{CASES}?layout=board", f"{CASES}?layout=board&project=RISK&view=mine"),
        (EXPLORER, f"{EXPLORER}?from=24h"),
        (f"{EXPLORER}?q=env:prod&ticket=over_limit&status=open", f"{EXPLORER}?team=&severity=high"),
        (f"{EXPLORER}?from=today&by=decided", f"{EXPLORER}?from=7d&by=first_seen&type=secret"),
    ],
    ids=lambda addresses: addresses[0],
)
def test_it_leads_to_as_many_rows_as_it_says(world, as_user, editor, addresses):
    wrongs = wrong(as_user(editor), *addresses)
    assert not wrongs, "\n".join(wrongs)


@pytest.mark.parametrize(
    ("address", "label", "number"),
    [
        ("/overview", "Create manually", 7),  # 4 of Full, 2 of Small, 1 of the rule that is gone
        ("/overview", "Fix configuration", 1),  # rule is broken
        (RULES, "View in explorer", 12),  # ten over a limit, two that nothing matches
        (RULES, "4 findings over limit", 4),
        (RULES, "2 findings over limit", 2),
    ],
)
def test_it_counts_what_stands_beside_a_link(world, as_user, editor, address, label, number):
    client = as_user(editor)
    said, link = beside(tree(client.get(address).text), label)
    assert said == number
    if urlsplit(link).path == EXPLORER:
        assert follow(client, link) == number


def test_it_counts_findings_of_the_last_24_hours_once_each(world, as_user, viewer):
    client = as_user(viewer)
    page = tree(client.get(RULES).text)
    [day] = page.all("span", id="day-findings")
    assert _number(NUMBER.search(day.text)[1]) == follow(client, f"{EXPLORER}?from=24h&by=decided")


def test_it_names_the_rule_only_if_all_over_limit_is_its(world, as_user, viewer):
    client = as_user(viewer)
    assert "From 3 rules" in client.get("/overview").text
    Finding.objects.exclude(ticket_rule_id=world["gone"].pk).update(ticket="none")
    assert "All from a deleted rule" in client.get("/overview").text


SEARCHES = ["", "from=24h", "from=7d", "from=7d&by=decided", "from=all&by=first_seen"]


@pytest.mark.parametrize(
    "search",
    [*SEARCHES, "from=2026-11-17T12:30:00Z&to=2026-11-23T00:00:00Z", "to=2026-11-23T06:30"],
)
def test_it_zooms_from_a_bar_to_as_many_findings(world, as_user, viewer, search):
    """As js/zoom.js reads the chart."""
    client = as_user(viewer)
    page = client.get(f"{EXPLORER}?{search}")
    [chart] = tree(page.text).all("svg", **{"data-zooms": ""})
    said = {name: value for name, value in chart.attributes.items() if name.startswith("data-")}
    start, step = _moment(said["data-start"]), timedelta(seconds=int(said["data-step"]))
    since = _moment(said.get("data-since", "0001-01-01T00:00:00Z"))
    until = _moment(said.get("data-until", "9999-01-01T00:00:00Z"))
    by = page.context["params"].clock
    for nth, counts in enumerate(page.context["histogram"].counts):
        if counts.total() or nth == 0:
            first, last = max(start + nth * step, since), min(start + (nth + 1) * step, until)
            link = f"{EXPLORER}?from={_iso(first)}&to={_iso(last)}&by={by}"
            assert follow(client, link) == counts.total(), link


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def test_it_repeats_what_came_of_a_report_behind_its_link(world, as_user, analyst):
    client = as_user(analyst)
    results = tree(client.get(IMPORTERS).text).all("a", class_="result-link")
    assert {each.text for each in results} == {
        "0 new, 3 seen again, 1 resolved",
        "0 new, 3 seen again, 12 missing",
    }
    for link in results:
        assert f"<span>{link.text}</span>" in client.get(link.attributes["href"]).text


def test_it_asks_about_the_findings_that_are_missing_now(world, as_user, analyst):
    client, run = as_user(analyst), Import.objects.get(closing="held")
    page = tree(client.get(f"{IMPORTERS}/{run.pk}").text)
    [table] = page.all("div", **{"aria-label": "Missing findings"})
    assert len(table.all("tr")) - 1 == 11  # one of twelve was resolved by hand since
    assert "Missing findings 11" in page.text
    client.post(f"{IMPORTERS}/{run.pk}/resolve")
    assert "Resolve 11" in page.text
    run.refresh_from_db()
    assert run.resolved == 11


def test_it_counts_in_the_navigation_what_is_open(world, as_user, viewer):
    client = as_user(viewer)
    counts = client.get("/counts").json()
    opened = f"{EXPLORER}?status=open&status=in-progress"
    assert counts["findings"]["open"] == follow(client, opened)
    assert counts["cases"]["open"] == follow(client, f"{CASES}?q=-status:closed")
    [broken] = tree(client.get(RULES).text).all("span", class_="bad")[:1]
    assert broken.text == "1 broken rule"
    assert follow(client, f"{RULES}?state=broken") == 1


def test_it_writes_thousands_with_a_comma(world, as_user, viewer, project):
    many, rule = 1_234, world["small"]
    source = SourceFactory()
    over = {"ticket": "over_limit", "ticket_rule_id": rule.pk, "decided_at": NOON}
    create_findings(FindingFactory.build_batch(many - 2, source=source, **over))
    named = {"project": project, "title": "Odd", "origin": "manual"}
    Case.objects.bulk_create(
        Case(number=n, key=f"SEC-{n}", **named) for n in range(1_000, 1_000 + many)
    )
    client = as_user(viewer)
    rows = [
        claim
        for address in (RULES, CASES, PROJECTS.replace("/projects", "?layout=board"))
        for claim in claims(client, address)
        if claim.number >= many
    ]
    assert {claim.text for claim in rows} >= {"1,234 findings over limit"}
    assert len(rows) >= 4
    assert [claim for claim in rows if follow(client, claim.link) != claim.number] == []
    number, link = beside(tree(client.get("/overview").text), "Create manually")
    assert follow(client, link) == number == many + 5
    written = engines["django"].from_string("{{ n|thousands }} {{ n|counted }}")
    assert written.render({"n": 20_406}) == "20,406 10,000+"
