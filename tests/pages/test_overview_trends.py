"""Every number and bar of the overview leads to exactly the rows that it counts."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from html import unescape
from random import Random

import pytest
from django.http import QueryDict
from django.utils import timezone

from automation.models import DailyUsage
from findings.columnar import keeper
from findings.explorer.pages import total_of
from findings.forms import ExplorerQuery
from findings.models import Finding
from findings.trends import day_counts
from findings.trends.rollups import refresh
from tests.factories import FindingFactory, SourceFactory, create_findings
from ticketing import services
from ticketing.models import Case

PAGE = "/overview"
LINK = re.compile(r"<a\b[^>]*?href=\"([^\"]+)\"([^>]*)>(.*?)</a>", re.DOTALL)
OF_DAYS = r"· ([\d,]+) (?:open|new|fixed|ticketed|of)"


@pytest.fixture
def history(db):
    """Findings of half a year in every state, some of them fixed, ticketed and overdue."""
    random, now, source = Random(11), timezone.now(), SourceFactory()
    create_findings(_finding(random, now, source) for _ in range(150))
    FindingFactory.create_batch(40, opened_at=now - timedelta(days=3), severity="low")
    Finding.objects.filter(pk__in=list(Finding.objects.values_list("pk", flat=True)[:9])).delete()


def _finding(random, now, source):
    opened_at = now - timedelta(hours=random.uniform(0, 180 * 24))
    status = random.choice(["open", "open", "in-progress", "muted", "resolved", "auto_closed"])
    said = {"opened_at": opened_at, "source": source, "status": status}
    if status in ("resolved", "auto_closed"):
        said["resolved_at"] = opened_at + (now - opened_at) * random.random()
    if random.random() < 0.5:
        ticket = random.choice(["automated", "manual", "test", "over_limit"])
        said |= {"ticket": ticket, "decided_at": opened_at}
        said["ticketed_at"] = None if ticket == "over_limit" else opened_at + timedelta(hours=1)
    if status == "open" and random.random() < 0.3:
        said["due_at"] = now - timedelta(days=random.randint(-3, 3))
    tags = random.choice([["team:a"], ["team:a", "team:b"], ["team:A b&c"], []])
    severity = random.choice(["critical", "high", "low", "none"])
    return FindingFactory.build(**said, tags=tags, severity=severity)


def numbers_of(page: str) -> dict[str, int]:
    """Address → the number that leads there, of every link with a number to findings or cases."""
    main = page[page.index("<main") : page.index("</main>")]
    found = {}
    for href, attributes, text in LINK.findall(main):
        label = re.search(r'aria-label="([^"]*)"', attributes)
        said = unescape(label[1] if label else re.sub(r"<[^>]*>", "", text)).strip()
        number = re.search(OF_DAYS, said) or re.match(r"([\d,]+)", said)
        if number and href.startswith(("/findings?", "/cases?")):
            found.setdefault(unescape(href), int(number[1].replace(",", "")))
    return found


def rows_behind(client, href: str) -> int:
    if href.startswith("/cases?"):
        return client.get(href).context["page"].total
    return total_of(ExplorerQuery(QueryDict(href.partition("?")[2])).search(timezone.now()))


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("is_counted", [False, True])
@pytest.mark.parametrize("query", ["range=1d&by=team", "range=90d"])
def test_each_number_is_the_rows_behind_its_link(as_user, viewer, query, is_counted):
    client = as_user(viewer)
    while is_counted and not refresh():
        pass
    numbers = numbers_of(client.get(f"{PAGE}?{query}").text)
    assert len(numbers) > 30
    assert {href: rows_behind(client, href) for href in numbers} == numbers
    href = max(numbers, key=numbers.__getitem__)
    assert client.get(href).context["total"] == numbers[href] > 20


@pytest.mark.usefixtures("frozen")
def test_the_numbers_of_tickets_are_the_cases_behind_their_links(
    as_user, viewer, make_rule, project
):
    rule, client = make_rule(), as_user(viewer)
    for days, how_many in ((0, 3), (1, 2), (40, 4)):
        when = timezone.now() - timedelta(days=days)
        for _ in range(how_many):
            case = services.open_manual_case([], project=project, title="x", actor=None)
            Case.objects.filter(pk=case.pk).update(
                origin="rule", rule_id=rule.pk, created_at=when, archived_at=when
            )
        DailyUsage.objects.create(rule_id=rule.pk, day=when.date(), ticketed=how_many)
    page = client.get(f"{PAGE}?range=30d").text
    numbers = {href: n for href, n in numbers_of(page).items() if href.startswith("/cases?")}
    assert sorted(numbers.values())[-4:] == [0, 3, 3, 4]
    assert {href: rows_behind(client, href) for href in numbers} == numbers
    assert "peak 40 %" in page


def charts_of(client, query: str) -> dict:
    return {chart.name: chart for chart in client.get(f"{PAGE}?{query}").context["charts"]}


@pytest.mark.usefixtures("frozen")
def test_the_open_line_goes_back_from_today(as_user, viewer):
    now = timezone.now()
    for opened, fixed in ((9, None), (5, 2), (2, 2), (1, None), (0, 0)):
        closed_at = None if fixed is None else now - timedelta(days=fixed)
        said = {"status": "resolved", "resolved_at": closed_at} if closed_at else {}
        FindingFactory(opened_at=now - timedelta(days=opened), **said)
    FindingFactory(status="muted", opened_at=now - timedelta(days=9))
    chart = charts_of(as_user(viewer), "range=7d")["open"]
    assert [bar.number for bar in chart.bars] == [1, 2, 2, 2, 1, 2, 2]
    assert (chart.total, chart.badge) == (2, "+1 in 7 d")


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize(
    ("before", "now", "badge"), [(4, 6, "+50 %"), (6, 3, "−50 %"), (0, 5, ""), (5, 5, "")]
)
def test_a_badge_compares_with_the_days_before(as_user, viewer, before, now, badge):
    FindingFactory.create_batch(before, opened_at=timezone.now() - timedelta(days=8))
    FindingFactory.create_batch(now)
    assert charts_of(as_user(viewer), "range=7d")["new"].badge == badge


@pytest.mark.usefixtures("frozen")
def test_one_huge_day_leaves_the_others_to_be_seen(as_user, viewer):
    FindingFactory.create_batch(300, opened_at=timezone.now() - timedelta(days=3))
    FindingFactory()
    heights = [bar.height for bar in charts_of(as_user(viewer), "range=7d")["new"].bars]
    assert heights == [0, 0, 0, 80, 0, 0, 1.5]


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("chosen", ["1d", "90d"])
def test_an_empty_time_says_so(as_user, viewer, make_rule, chosen):
    make_rule()
    FindingFactory(status="muted", opened_at=timezone.now() - timedelta(days=400))
    page = as_user(viewer).get(f"{PAGE}?range={chosen}").text
    assert page.count("No findings in this time.") == 4


@pytest.mark.usefixtures("frozen")
def test_it_says_how_long_fixing_took(as_user, viewer):
    now = timezone.now()
    for hours in (2, 76, 100, 24 * 30):
        FindingFactory(
            status="resolved",
            resolved_at=now - timedelta(minutes=1),
            opened_at=now - timedelta(hours=hours, minutes=1),
            tags=["team:pay"],
        )
    for by, label in (("severity", "High"), ("team", "pay")):
        rows = as_user(viewer).get(f"{PAGE}?by={by}").context["ages"].rows
        row = next(row for row in rows if row.label == label)
        assert (row.fixed, row.median_hours, row.p90_hours) == (4, 76, 24 * 30)


CARDS = {
    "days": "Day,Open,New,Fixed,Ticketed",
    "ages": "Severity,Open,Open under 7 d,Open 7–30 d,Open 30–90 d,Open over 90 d,"
    "Median age in days,Fixed,Median hours to fix,p90 hours to fix,Overdue",
    "limits": "Rule,Limit,Fullest day,Tickets,At its limit",
    "rules": "Rule,Tickets today,Limit,Enabled",
    "severities": "Severity,Open,Open with a ticket",
    "tickets": "Day,Automated,Manual",
    "pipeline": "Last 24 h,Evaluations",
}


@pytest.mark.parametrize("card", CARDS)
def test_each_card_is_a_table(as_user, viewer, make_rule, card):
    make_rule("=1+1")
    FindingFactory()
    answer = as_user(viewer).get(f"{PAGE}/{card}.csv?range=30d")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    heading, *rows = csv.reader(text.splitlines())
    assert ",".join(heading) == CARDS[card]
    assert len(rows) == {"days": 30, "tickets": 30, "limits": 12, "pipeline": 9, "rules": 1}.get(
        card, 5
    )
    assert "\n=1" not in text


def test_there_is_no_table_of_another_card(as_user, viewer):
    assert as_user(viewer).get(f"{PAGE}/secrets.csv").status_code == 404


def test_it_says_while_much_history_is_being_counted(as_user, viewer, monkeypatch):
    """Of very many findings a page counts no days itself: it would take seconds each time."""
    monkeypatch.setattr(keeper, "MIN_ROWS", 1)
    client, days = as_user(viewer), day_counts.LIVE_DAYS + 1
    for day in range(days):
        FindingFactory(opened_at=timezone.now() - timedelta(days=2 * day))

    def page() -> str:
        return " ".join(client.get(PAGE).text.split())

    assert f"History is being counted: {days} days to go." in page()
    assert 'id="trends"' not in page()
    assert "No findings yet" not in page()
    assert refresh()
    assert f'<a class="num" href="/findings?status=open&amp;status=in-progress">{days}<' in page()
    Finding.objects.update(severity="low")
    assert f"{days} days have changed and are being counted again." in page()
    assert f'<a class="num" href="/findings?status=open&amp;status=in-progress">{days}<' in page()
