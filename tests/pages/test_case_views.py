"""The tabs over the cases: everybody's, the team's, and those that people save."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from config.accounts.models import User
from findings.models import SavedView
from findings.saved_views import save_view
from tests.factories import ExternalIssueFactory, FindingFactory, UserFactory
from ticketing import details, services
from ticketing.models import Case
from ticketing.states import State

TAB = re.compile(r'<a href="([^"]*)" (aria-current="page")?>([^<]+?)(?: <span class="num">(\d+))?<')


@pytest.fixture
def make_case(project):
    def make(title="Leaked key", *, tags=(), status="open", **said):
        pks = [FindingFactory(tags=list(tags), status=status).pk] if tags else []
        return services.open_manual_case(pks, project=project, title=title, actor=None, **said)

    return make


def tabs(client, query="") -> dict[str, tuple[str, bool, str]]:
    """Name → address, whether it is the present one, how many."""
    body = client.get(f"/cases{query}").text
    shown = body.partition('<nav class="views"')[2].partition("</nav>")[0]
    return {name: (url, bool(now), number) for url, now, name, number in TAB.findall(shown)}


def titles(client, query) -> set[str]:
    return set(re.findall(r"data-row>([^<]+)<", client.get(f"/cases{query}").text))


def join(person: User, team: str) -> User:
    User.objects.filter(pk=person.pk).update(team=team)
    return person


def test_every_number_is_that_of_the_rows_behind_it(as_user, analyst, make_case):
    join(analyst, "payments")
    today = timezone.now().date()
    mine = make_case("Mine", assignee=analyst)
    late = details.set_due_date(make_case("Late"), today - timedelta(days=1), actor=None)
    details.set_due_date(make_case("Today"), today, actor=None)
    done = details.set_due_date(make_case("Late but closed"), date(2020, 1, 1), actor=None)
    services.change_case(done, status="CLOSED", actor=None)
    make_case("Tagged", tags=["team:payments"])
    services.archive(make_case("Put away"), actor=None)
    ExternalIssueFactory(case=late, state=State.BLOCKED)
    client = as_user(analyst)

    shown = tabs(client)

    rows = {name: titles(client, url.removeprefix("/cases")) for name, (url, *_) in shown.items()}
    assert rows["Assigned to me"] == {mine.title}
    assert rows["My team"] == {"Mine", "Tagged"}
    assert rows["Overdue"] == rows["Sync failed"] == {"Late"}
    assert rows["Archived"] == {"Put away"}
    for name, (_, _, number) in shown.items():
        assert name == "All cases" or len(rows[name]) == int(number)


def test_what_takes_longer_to_count_comes_after_the_page_where_there_are_scripts(
    as_user, analyst, make_case
):
    join(analyst, "payments")
    make_case("Tagged", tags=["team:payments"])
    page = SavedView.Page.CASES
    save_view(name="Leaks", query="q=leaked", is_shared=False, owner=analyst, page=page)
    client = as_user(analyst)
    assert {tabs(client)[name][2] for name in ("My team", "Leaks")} == {"1", ""}
    client.cookies["facets"] = "later"

    page, counts = client.get("/cases").text, client.get("/cases/counts").text

    empty = re.findall(r'<span class="num" id="(case-count-[^"]+)"></span>', page)
    assert "hx-get" in page.partition('<nav class="views"')[2].partition("</nav>")[0]
    assert re.findall(r'id="([^"]+)" hx-swap-oob="true">([^<]+)<', counts) == [
        ("case-count-built_in_team", "1")
    ]
    assert "case-count-built_in_team" in empty


@pytest.mark.parametrize(
    ("tags", "status", "is_theirs"),
    [
        (["team:payments"], "open", True),
        (["env:prod", "team:payments"], "in-progress", True),
        (["team:payments"], "resolved", False),
        (["team:payments-eu"], "open", False),
        (["service:payments"], "open", False),
    ],
)
def test_a_case_is_the_teams_by_its_open_findings(
    as_user, analyst, make_case, tags, status, is_theirs
):
    make_case("One", tags=tags, status=status)
    client = as_user(join(analyst, "payments"))
    assert titles(client, "?view=team") == ({"One"} if is_theirs else set())
    assert titles(client, "?q=team:payments") == ({"One"} if is_theirs else set())


def test_a_case_is_the_teams_by_its_assignee(as_user, analyst, make_case):
    colleague = join(UserFactory(), "payments")
    make_case("Theirs", assignee=colleague)
    client = as_user(join(analyst, "payments"))
    assert titles(client, "?view=team") == {"Theirs"}
    join(colleague, "billing")
    assert "No cases of your team" in client.get("/cases?view=team").text


def test_without_a_team_it_asks_which(as_user, viewer, make_case):
    make_case()
    client = as_user(viewer)

    url, _, number = tabs(client)["My team"]
    assert (url, number) == ("/account/team?next=%2Fcases%3Fview%3Dteam", "")
    answer = client.get("/cases?view=team")
    assert answer.url == url
    assert "Your team" in client.get(url).text

    chosen = client.post("/account/team", {"team": " team:payments ", "next": "/cases?view=team"})
    assert chosen.url == "/cases?view=team"
    viewer.refresh_from_db()
    assert viewer.team == "payments"
    assert tabs(client, "?view=team")["My team"][1]


def test_the_explorer_has_the_same_tab(as_user, viewer):
    FindingFactory(tags=["team:Cloud Risk"])
    client = as_user(viewer)
    assert "/account/team?next=%2Ffindings" in client.get("/findings").text

    join(viewer, "Cloud Risk")

    body = client.get("/findings?q=team:%22Cloud+Risk%22").text
    assert 'href="/findings?q=team%3A%22Cloud+Risk%22" aria-current="true">My team' in body
    assert "1 finding" in body


def test_people_save_views_of_their_own(as_user, analyst, viewer, make_case):
    make_case("Urgent", priority="P1")
    make_case("Later", priority="P4")
    client = as_user(analyst)
    page = client.get("/cases/views/new?q=priority:P1&sort=due&page=7&nonsense=1")
    assert page.status_code == 200

    answer = client.post(
        "/cases/views/new?q=priority:P1&sort=due&page=7", {"name": "Urgent", "is_shared": "on"}
    )

    assert answer.url == "/cases?q=priority%3AP1&sort=due"
    assert SavedView.objects.get().page == "cases"
    assert tabs(client, "?sort=due&q=priority:P1")["Urgent"] == (
        "/cases?q=priority%3AP1&amp;sort=due",
        True,
        "1",
    )
    assert "Urgent" in tabs(as_user(viewer))
    assert "Urgent" not in as_user(viewer).get("/findings").text


def test_one_name_may_stand_on_both_pages(as_user, viewer):
    client = as_user(viewer)
    for page in ("explorer", "cases"):
        assert client.post(f"/{page}/views/new", {"name": "Mine"}).status_code == 302
    again = client.post("/cases/views/new", {"name": "Mine"})
    assert "already called “Mine”" in again.text
    ids = dict(SavedView.objects.values_list("page", "pk"))
    assert client.get(f"/cases/views/{ids['findings']}").status_code == 404
    assert client.post(f"/explorer/views/{ids['cases']}/delete").status_code == 404
    assert client.post(f"/cases/views/{ids['cases']}/delete").url == "/cases"


def test_a_view_that_cannot_be_read_stops_no_other(as_user, viewer, make_case):
    make_case()
    said = {"is_shared": False, "owner": viewer, "page": SavedView.Page.CASES}
    save_view(name="Odd", query="q=lost:x", **said)
    save_view(name="Open", query="status=OPEN", **said)
    shown = tabs(as_user(viewer))
    assert (shown["Odd"][2], shown["Open"][2]) == ("", "1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("due:none", {"No day"}),
        ("due:*", {"Soon"}),
        ("due:2030-01-01", {"Soon"}),
        ("due:overdue", set()),
        ("-due:none", {"Soon"}),
    ],
)
def test_it_finds_by_the_due_date(as_user, viewer, make_case, query, found):
    make_case("No day")
    make_case("Soon", due_date=date(2030, 1, 1))
    assert titles(as_user(viewer), f"?q={query}") == found


@pytest.mark.parametrize("query", ["due:tomorrow", "due:%3E2030", "team:pay*"])
def test_it_explains_what_cannot_be_searched(as_user, viewer, make_case, query):
    make_case()
    assert 'id="search-error"' in as_user(viewer).get(f"/cases?q={query}").text


def test_what_is_due_first_comes_first(as_user, viewer, make_case):
    for title, day in (("B", date(2031, 1, 1)), ("C", None), ("A", date(2030, 1, 1))):
        make_case(title, due_date=day)
    body = as_user(viewer).get("/cases?sort=due").text
    assert re.findall(r"data-row>([^<]+)<", body) == ["A", "B", "C"]


def test_tabs_cost_the_same_for_one_view_as_for_ten(as_user, viewer, make_case):
    make_case()
    client, costs = as_user(join(viewer, "payments")), []
    for number in (1, 9):
        for nth in range(number):
            save_view(
                name=f"{number} {nth}",
                query="status=OPEN",
                is_shared=False,
                owner=viewer,
                page=SavedView.Page.CASES,
            )
        with CaptureQueriesContext(connection) as statements:
            client.get("/cases")
        costs.append(len(statements))
    assert costs[0] == costs[1]
    assert Case.objects.count() == 1
