from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.lib.statement_timeout import QueryTimeout
from findings.facts import FindingType, Severity, Status, Ticket
from findings.saved_views import save_view
from tests.factories import FindingFactory, UserFactory

LIST = "/findings"


@pytest.fixture
def page(as_user, viewer):
    """`page("q=env:prod")`: what the explorer shows to a viewer."""

    def get(query="", **headers):
        return as_user(viewer).get(f"{LIST}?{query}", headers=headers)

    return get


def titles(answer) -> list[str]:
    return [row.finding.title for row in answer.context["page"].rows]


def facet(answer, name) -> dict[str, int]:
    [found] = [facet for facet in answer.context["facets"] if facet.name == name]
    return {choice.value: choice.number for choice in found.choices}


def test_it_shows_the_most_severe_and_then_the_newest_first(page):
    now = timezone.now()
    FindingFactory(title="Low", severity=Severity.LOW)
    FindingFactory(title="Old", severity=Severity.CRITICAL, first_seen_at=now - timedelta(days=2))
    FindingFactory(title="New", severity=Severity.CRITICAL)

    assert titles(page()) == ["New", "Old", "Low"]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("severity", ["b", "a"]),
        ("-first_seen", ["b", "a"]),
        ("first_seen", ["a", "b"]),
        ("-changed", ["a", "b"]),
        ("changed", ["b", "a"]),
        ("nonsense", ["a", "b"]),
    ],
)
def test_it_sorts_by_severity_first_seen_and_last_change(page, sort, order):
    now = timezone.now()
    before = now - timedelta(days=1)
    FindingFactory(title="a", severity="critical", first_seen_at=before, detection_changed_at=now)
    FindingFactory(title="b", severity="low", first_seen_at=now, detection_changed_at=before)

    assert titles(page(f"sort={sort}")) == order


def test_it_finds_by_query_and_time(page):
    FindingFactory(title="Here", tags=["env:prod"])
    FindingFactory(title="Elsewhere", tags=["env:dev"])
    FindingFactory(title="Old", tags=["env:prod"], first_seen_at=timezone.now() - timedelta(days=8))

    assert titles(page("q=env:prod&from=7d")) == ["Here"]


def test_it_says_where_a_query_is_wrong(page):
    FindingFactory()

    answer = page("q=@severity:(critical")

    assert answer.status_code == 422
    assert "at character 11" in answer.content.decode()
    assert "<mark>(</mark>" in answer.content.decode()


def test_it_leaves_the_last_results_when_a_typed_query_is_wrong(page):
    FindingFactory(title="Still here")

    body = page("q=(", hx_request="true").content.decode()

    assert "at character 1" in body
    assert "results-count" not in body


def test_it_counts_each_facet_without_its_own_choice(page):
    FindingFactory(severity="critical", tags=["team:web"], finding_type=FindingType.SECRET)
    FindingFactory(severity="high", tags=["team:web", "team:data"])
    FindingFactory(severity="high", tags=[], status=Status.RESOLVED)

    answer = page("severity=high")

    assert facet(answer, "severity") == {"critical": 1, "high": 2, "medium": 0, "low": 0, "info": 0}
    assert facet(answer, "team") == {"data": 1, "web": 1, "": 1}
    assert facet(answer, "type") == {"library_vulnerability": 2}
    assert facet(answer, "status")["resolved"] == 1
    assert answer.context["total"] == 2


def test_it_tells_container_images_from_hosts(page):
    wire = FindingType.HOST_AND_CONTAINER
    FindingFactory(title="Image", finding_type=wire, resource_type="container_image")
    FindingFactory(title="Host", finding_type=wire, resource_type="host")

    answer = page("type=host_vulnerability")

    assert titles(answer) == ["Host"]
    assert facet(answer, "type") == {"container_image_vulnerability": 1, "host_vulnerability": 1}


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("ticket=over_limit", {"Over"}),
        ("ticket=none&ticket=over_limit", {"Over", "Bare"}),
        ("case_status=closed", {"Done"}),
        ("case_status=", {"Over", "Bare"}),
        ("team=web", {"Bare"}),
        ("team=", {"Over", "Done"}),
        ("team=&team=web", {"Over", "Done", "Bare"}),
        ("rule=", {"Done", "Bare"}),
        ("rule=5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f", {"Over"}),
        ("severity=nonsense", set()),
        ("type=nonsense", set()),
        ("rule=nonsense", set()),
        ("team=%00", set()),
        ("ticket=none&ticket_of=1", {"Over", "Done", "Bare"}),
    ],
)
def test_it_narrows_by_the_choices_of_a_facet(page, query, shown):
    FindingFactory(
        title="Over",
        ticket=Ticket.OVER_LIMIT,
        ticket_rule_id=UUID("5d2c8a4e-2b5c-4c8e-9d6e-0a1b2c3d4e5f"),
    )
    FindingFactory(title="Done", ticket=Ticket.MANUAL, ticket_key="A-1", ticket_status="closed")
    FindingFactory(title="Bare", tags=["team:web"])

    answer = page(query)

    assert set(titles(answer)) == shown
    assert answer.context["total"] == len(shown)


def test_it_shows_rules_by_their_names(page, make_rule):
    rule = make_rule("Exposed secrets")
    FindingFactory(ticket=Ticket.OVER_LIMIT, ticket_rule_id=rule.pk)
    FindingFactory(ticket=Ticket.OVER_LIMIT, ticket_rule_id=UUID(int=1))

    body = page().content.decode()

    assert 'aria-label="Exposed secrets"' in body
    assert 'aria-label="Deleted rule"' in body


@pytest.mark.parametrize("sort", ["-severity", "severity", "-first_seen", "changed"])
def test_it_walks_all_pages_forth_and_back(page, sort):
    now = timezone.now()
    for number in range(60):
        at = now - timedelta(hours=number // 7)
        FindingFactory(
            severity=list(Severity)[number % 3], first_seen_at=at, detection_changed_at=at
        )
    answers = [page(f"rows=25&sort={sort}")]
    while place := answers[-1].context["page"].next:
        answers.append(page(f"rows=25&sort={sort}&page={place}"))
    pages = [titles(answer) for answer in answers]

    assert [len(each) for each in pages] == [25, 25, 10]
    assert len({title for each in pages for title in each}) == 60
    assert "26–50 of 60" in answers[1].content.decode()
    back = page(f"rows=25&sort={sort}&page={answers[2].context['page'].previous}")
    assert titles(back) == pages[1]
    assert "26–50 of 60" in back.content.decode()


@pytest.mark.parametrize("place", ["nonsense", "WzFd", "WzEsMCw5OTk5OTksIngiLDFd", "%00"])
def test_it_begins_anew_at_a_place_it_never_gave(page, place):
    FindingFactory(title="One")

    assert titles(page(f"page={place}")) == ["One"]


@pytest.mark.parametrize("text", ["x" * 30_001, "(" * 60, "a%00b", "@x:[1 TO"])
def test_it_refuses_a_query_that_is_none(page, text):
    FindingFactory()

    answer = page(f"q={text}")

    assert answer.status_code == 422
    assert answer.context["params"].error


def test_it_escapes_what_sources_say(page):
    evil = '"><img src=x onerror=alert(1)>'
    FindingFactory(title=evil, resource_name=evil, tags=[f"team:{evil}", f"service:{evil}"])

    assert "<img" not in page().content.decode()


def test_it_shows_that_there_is_nothing_yet(page):
    body = page().content.decode()

    assert "No findings yet" in body
    assert 'href="/settings/importers">Set up an importer' in body
    assert "Create an API key" not in body


def test_it_shows_that_nothing_matches_and_how_to_see_more(page):
    FindingFactory()

    body = page("q=env:prod&from=24h").content.decode()

    assert "No findings match this search" in body
    assert "?q=env%3Aprod&amp;from=90d" in body


def test_it_draws_findings_by_day_and_severity(page, frozen):
    now = timezone.now()
    FindingFactory(severity="critical", first_seen_at=now)
    FindingFactory(severity="low", first_seen_at=now - timedelta(days=6))

    chart = page("from=7d").context["histogram"]

    assert len(chart.starts) == 8
    assert [(bar.severity, bar.x) for bar in chart.bars] == [("low", 10), ("critical", 70)]
    assert "from 16 Nov to 23 Nov" in chart.sentence


def test_it_draws_years_in_wider_steps(page, frozen):
    FindingFactory(first_seen_at=timezone.now() - timedelta(days=400))
    FindingFactory()

    chart = page().context["histogram"]

    assert chart.by == "5 days"
    assert sum(counts.total() for counts in chart.counts) == 2


@pytest.mark.parametrize("query", ["", "q=env:prod&severity=high&team=web&from=30d"])
def test_it_needs_the_same_few_statements_for_any_number_of_rows(
    as_user, viewer, django_assert_max_num_queries, query
):
    client = as_user(viewer)

    def statements(number: int) -> int:
        for _ in range(number):
            FindingFactory(
                tags=["env:prod", "team:web"], ticket=Ticket.OVER_LIMIT, ticket_rule_id=UUID(int=1)
            )
        with django_assert_max_num_queries(31) as counted:
            client.get(f"{LIST}?{query}")
        return len(counted)

    assert statements(5) == statements(45)


def test_it_shows_no_controls_to_those_who_may_not_use_them(page):
    FindingFactory()

    body = page().content.decode()

    assert 'name="finding"' not in body
    assert "bulk-bar" not in body


def test_it_sends_strangers_to_the_login_page(client, db):
    assert client.get(LIST).status_code == 302


def test_it_only_reads(as_user, viewer):
    assert as_user(viewer).post(LIST).status_code == 405


def test_it_counts_facets_after_the_table_for_a_browser_that_asks_for_them(as_user, viewer):
    FindingFactory(severity="critical")
    client = as_user(viewer)
    client.cookies["facets"] = "later"

    body = client.get(f"{LIST}?severity=critical").content.decode()

    assert 'hx-get="/explorer/facets?severity=critical"' in body
    assert 'hx-get="/explorer/histogram?severity=critical"' in body
    assert '<input type="hidden" name="severity" value="critical">' in body
    assert "data-facet" not in body
    assert 'data-facet="severity"' in client.get(f"{LIST}?facets=now").content.decode()


def test_it_answers_facets_and_chart_apart(as_user, viewer):
    FindingFactory(severity="critical")
    client = as_user(viewer)

    facets = client.get("/explorer/facets?q=Finding")
    chart = client.get("/explorer/histogram?q=Finding")

    assert facet(facets, "severity")["critical"] == 1
    assert 'role="img"' in chart.content.decode()


@pytest.mark.parametrize("part", ["facets", "histogram"])
@pytest.mark.parametrize("query", ["q=(", "q=nothing", "page=x&rows=y&from=z"])
def test_it_answers_parts_of_any_address(as_user, viewer, part, query):
    assert as_user(viewer).get(f"/explorer/{part}?{query}").status_code == 200


@pytest.mark.parametrize("part", ["facets", "histogram"])
def test_it_keeps_the_parts_from_strangers(client, db, part):
    assert client.get(f"/explorer/{part}").status_code == 302


def test_it_says_more_than_ten_thousand_without_counting_them(page, monkeypatch):
    monkeypatch.setattr("findings.explorer.pages.COUNTED", 2)
    monkeypatch.setattr("config.lib.ui_tags.MAX_COUNTED", 2)
    FindingFactory.create_batch(4)

    body = page().content.decode()

    assert "1–4 of 2+" in body


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only a server has a time-out")
def test_it_says_that_the_database_did_not_answer_in_time(page, monkeypatch):
    monkeypatch.setattr("config.lib.statement_timeout.SECONDS", 0.001)
    monkeypatch.setattr("findings.views.explorer.page_and_total", _sleep)
    FindingFactory()

    answer = page("q=env:prod")

    assert answer.status_code == 503
    assert "Findings could not be loaded." in answer.content.decode()
    assert 'href="?q=env%3Aprod"' in answer.content.decode()


ALL = f"{LIST}?facets=now"
LATE = {
    "list": (ALL, "page_and_total", 503, "Findings could not be loaded.", "Search"),
    "groups": (f"{ALL}&group=team", "page_of_groups", 503, "Findings could not be loaded.", ""),
    "facets": (ALL, "count_facets", 200, "The facets could not be counted", "Leaked key"),
    "chart": (ALL, "histogram", 200, "The chart could not be drawn", "Leaked key"),
    "facets alone": ("/explorer/facets", "count_facets", 200, "facets could not be counted", ""),
    "one facet": ("/explorer/facets/team", "count_facet", 200, "It could not be counted", ""),
    "chart alone": ("/explorer/histogram", "histogram", 200, "chart could not be drawn", ""),
}


@pytest.mark.parametrize(("url", "part", "status", "says", "stands"), LATE.values(), ids=LATE)
def test_it_says_what_took_too_long_and_shows_the_rest(
    as_user, viewer, monkeypatch, url, part, status, says, stands
):
    FindingFactory(title="Leaked key", tags=["team:web"])
    browser = as_user(viewer)

    def late(*_, **__):
        raise QueryTimeout

    with monkeypatch.context() as patch:
        patch.setattr(f"findings.views.explorer.{part}", late)
        answer = browser.get(url)
    body = answer.content.decode()
    assert answer.status_code == status
    assert says in body
    assert "Narrow the search" in body
    assert stands in body
    answer = browser.get(url)  # at once
    assert answer.status_code == 200
    assert "Narrow the search" not in answer.content.decode()


def _sleep(*_, **__):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(1)")


@pytest.mark.parametrize(
    ("cols", "heads"),
    [
        ("", ["Type", "Service / team", "Status", "First seen"]),
        ("source,assignee,last", ["Source", "Last seen"]),
        ("none", []),
        ("nonsense", []),
    ],
)
def test_it_shows_the_columns_that_are_chosen(page, cols, heads):
    FindingFactory(tags=["team:web"])
    assert [head.column.label for head in page(f"cols={cols}").context["table"].heads] == heads


def test_it_keeps_the_columns_when_one_is_added(page):
    FindingFactory()

    body = page("cols=status,last").content.decode()

    assert 'href="?cols=status%2Clast%2Csource"' in body
    assert '<input type="hidden" name="cols" value="status,last">' in body


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (
            "@severity:(critical",
            "Unclosed parenthesis at character 11. Add “)” to finish the group.",
        ),
        ('"two words', "Unclosed quote at character 1. Add “&quot;” to finish the phrase."),
    ],
)
def test_it_says_how_to_finish_what_is_open(page, query, said):
    FindingFactory()

    assert said in page(f"q={query}").content.decode()


# --- A time of the address's own, and the tabs' numbers -----------------------------------


@pytest.mark.parametrize(
    ("asked", "shown", "named"),
    [
        ("from=2026-11-20T00:00:00Z&to=2026-11-22T00:00:00Z", ["21st", "20th"], "20 Nov – 21 Nov"),
        ("from=2026-11-21&to=2026-11-22", ["21st"], "21 Nov"),
        ("from=2026-11-22", ["22nd"], "Since 22 Nov"),
        ("to=2026-11-21", ["20th"], "Until 20 Nov"),
        ("from=2026-11-20T01:00:00Z&to=2026-11-21T01:30:00Z", ["21st"], "20 Nov, 01:00 – 21 Nov"),
        ("from=nonsense&to=2026-13-01", ["22nd", "21st", "20th"], "All time"),
        ("from=2026-11-22&to=2026-11-20", ["22nd", "21st", "20th"], "All time"),
        ("from=all&to=2026-11-20", ["22nd", "21st", "20th"], "All time"),
        ("from=9999-12-31T23:59:59-23:59", ["22nd", "21st", "20th"], "All time"),
        ("to=0001-01-01", ["22nd", "21st", "20th"], "All time"),
        ("from=0001-01-01T00:00:00%2B23:00", ["22nd", "21st", "20th"], "All time"),
    ],
)
def test_it_takes_a_time_of_the_addresss_own(page, asked, shown, named):
    for day, name in ((20, "20th"), (21, "21st"), (22, "22nd")):
        FindingFactory(title=name, first_seen_at=datetime(2026, 11, day, tzinfo=UTC))

    answer = page(f"sort=-first_seen&{asked}")

    assert titles(answer) == shown
    assert named in answer.content.decode()


def test_it_draws_hours_of_few_days_and_days_of_many(page):
    for day in (20, 21):
        FindingFactory(first_seen_at=datetime(2026, 11, day, 5, tzinfo=UTC))
    two = page("from=2026-11-20&to=2026-11-22").context["histogram"]
    ten = page("from=2026-11-15&to=2026-11-25").context["histogram"]

    assert (two.by, len(two.starts), ten.by, len(ten.starts)) == ("hour", 48, "day", 10)


def test_it_says_how_many_each_tab_finds(as_user, viewer, django_assert_max_num_queries):
    save_view(name="Web", query="q=team%3Aweb", is_shared=True, owner=UserFactory())
    save_view(name="Broken", query="q=%28", is_shared=True, owner=UserFactory())
    FindingFactory(severity="critical", tags=["team:web"])
    FindingFactory(tags=["team:web"])
    client = as_user(viewer)
    with django_assert_max_num_queries(4 + 4):  # session, person, views, numbers; a time limit
        body = client.get("/explorer/counts").content.decode()

    assert re.findall(r">(\d*)</span>", body) == ["1", "", "", "2"]


def test_it_counts_the_tabs_at_once_where_nobody_asks_later(page):
    FindingFactory(severity="critical")

    assert re.search(r'id="tab-count-built-in-1"[^>]*>1</span>', page().content.decode())


@pytest.mark.parametrize("address", ["/findings", "/explorer/counts", "/explorer/facets"])
def test_it_costs_the_same_for_5_rows_and_for_50(as_user, analyst, address):
    client, counts = as_user(analyst), []
    for more in (5, 45):
        for _ in range(more):
            FindingFactory(tags=[f"team:{more}"])
        with CaptureQueriesContext(connection) as statements:
            client.get(address)
        counts.append(len(statements))

    assert counts[0] == counts[1] <= 31


def test_it_counts_a_tag_only_once_somebody_opens_its_facet(
    as_user, viewer, django_assert_max_num_queries
):
    FindingFactory(tags=["team:web"])
    client = as_user(viewer)
    with django_assert_max_num_queries(3 + 4):  # session, person, counts; a time limit
        late = client.get("/explorer/facets").content.decode()
    assert 'hx-get="/explorer/facets/team?"' in late
    assert 'aria-label="web"' not in late

    assert 'aria-label="web"' in client.get("/explorer/facets/team").content.decode()
    assert 'aria-label="web"' in client.get("/explorer/facets?team=web").content.decode()
    assert client.get("/explorer/facets/severity").status_code == 404


def test_it_counts_no_further_than_a_page_can_wait(page, monkeypatch):
    for name in ("explorer.pages.COUNTED", "views.explorer.COUNTED"):
        monkeypatch.setattr(f"findings.{name}", 3)
    monkeypatch.setattr("config.lib.ui_tags.MAX_COUNTED", 3)
    FindingFactory.create_batch(5)

    body = page("rows=25").content.decode()

    assert "<b>3+ findings</b>" in body
    assert "1–5 of 3+" in body


@pytest.mark.parametrize("cut", [100, 7])
def test_it_finds_a_value_in_a_facet_of_many(page, as_user, viewer, monkeypatch, cut):
    monkeypatch.setattr("findings.explorer.facets.MAX_VALUES", cut)
    for nth in range(9):
        FindingFactory.create_batch(1 + (nth < 7), tags=[f"team:Web-{nth}"])

    for address in ("findings", "explorer/facets/team"):  # without scripts, and with
        answer = as_user(viewer).get(f"/{address}?find_team=wEB-8")
        facets = answer.context.get("facets") or [answer.context["facet"]]
        [team] = [facet for facet in facets if facet.name == "team"]
        assert [(choice.value, choice.number) for choice in team.found] == [("Web-8", 1)]
        assert 'href="?team=Web-8"' in answer.content.decode()
    assert "find_service" not in page().content.decode()  # of so few one sees all
    assert "No value contains this" in page("find_team=%00nobody").content.decode()


@pytest.mark.parametrize("page", ["/findings", "/inbox"])
@pytest.mark.parametrize(("is_ready", "status"), [(False, 200), (True, 503)])
def test_it_says_where_a_search_takes_long_because_findings_are_still_read_into_memory(
    as_user, viewer, monkeypatch, page, is_ready, status
):
    def take_long(*_, **__):
        raise QueryTimeout

    monkeypatch.setattr("findings.views.searching.is_getting_ready", lambda: not is_ready)
    for read in ("explorer.page_and_total", "inbox.page_of"):
        monkeypatch.setattr(f"findings.views.{read}", take_long)
    answer = as_user(viewer).get(f"{page}?q=team:payments")
    assert answer.status_code == status
    assert ("still reading all findings into memory" in answer.text) == (status == 200)


@pytest.mark.parametrize(
    ("address", "part"),
    [
        ("/explorer/facets", "count_facets"),
        ("/explorer/facets/team", "count_facet"),
        ("/explorer/histogram", "histogram"),
    ],
)
def test_a_part_that_takes_long_while_findings_are_read_asks_again_by_itself(
    as_user, viewer, monkeypatch, address, part
):
    def take_long(*_, **__):
        raise QueryTimeout

    monkeypatch.setattr("findings.views.searching.is_getting_ready", lambda: True)
    monkeypatch.setattr(f"findings.views.explorer.{part}", take_long)
    answer = as_user(viewer).get(f"{address}?q=team:payments")
    assert "Counting all findings." in answer.text
    assert f'hx-get="{address}?q=team%3Apayments" hx-trigger="load delay:5s"' in answer.text
