"""The style guide shows every component; here, what the small marks say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.template import Context, Template
from django.test import RequestFactory

from config.lib.toasts import toast
from findings.facts import TYPE_CHOICES, Severity, Status
from ticketing.models import Case

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def drawn(source: str, **context: object) -> str:
    return Template(source).render(Context(context))


@pytest.mark.django_db
def test_it_is_for_people_who_have_signed_in(client):
    assert client.get("/styleguide")["Location"] == "/login?next=/styleguide"


@pytest.mark.django_db
def test_it_costs_a_page_four_statements_to_be_framed(as_user, viewer, django_assert_num_queries):
    client = as_user(viewer)
    # The session, the person, the number of broken rules, the accounts that are suspended.
    with django_assert_num_queries(4):
        assert client.get("/styleguide").status_code == 200


@pytest.mark.django_db
def test_it_shows_rules_cards_and_syncs_in_every_state(as_user, viewer):
    page = as_user(viewer).get("/styleguide").text

    for state in ("", " limit_reached", " broken", " disabled"):
        assert f'<li class="rl{state}"' in page
    assert page.count('class="shadowed"') == page.count('class="warned"') == 1
    assert page.count("data-card") == 3
    for said in ("In sync", "Syncing", "Failed", "Deleted in Jira", "Creating…", "Case only"):
        assert said in page


@pytest.mark.parametrize("severity", Severity)
def test_it_names_every_severity(severity):
    mark = drawn("{% severity_pill s %}", s=severity)
    assert f'class="pill {severity}"' in mark
    assert severity.capitalize() in mark


def test_it_lights_as_many_bars_as_a_severity_is_high(settings):
    sprite = (settings.BASE_DIR / "config/static/img/icons.svg").read_text()
    for severity, lit in zip(Severity, [4, 3, 2, 1, 0, 0, 0], strict=True):
        assert f"#bars-{lit}" in drawn("{% severity_pill s %}", s=severity)
        [bars] = re.findall(f'<symbol id="bars-{lit}".*', sprite)
        assert bars.count("opacity") == 4 - lit


@pytest.mark.parametrize("status", Status)
def test_it_names_every_status_of_a_finding(status):
    words = status.replace("_", "-").capitalize()
    assert words.replace("In-p", "In p") in drawn("{% finding_status s %}", s=status.value)


@pytest.mark.parametrize(("status", "label"), Case.Status.choices)
def test_it_names_every_status_of_a_case(status, label):
    assert label in drawn("{% case_status s %}", s=status)


@pytest.mark.parametrize("choice", TYPE_CHOICES)
def test_it_names_every_type_and_has_its_icon(choice, settings):
    sprite = (settings.BASE_DIR / "config/static/img/icons.svg").read_text()
    assert f'aria-label="{choice.label}"' in drawn("{% type_icon c %}", c=choice)
    assert f'<symbol id="{choice.icon}"' in sprite


@pytest.mark.parametrize(
    ("past", "long", "short"),
    [
        (timedelta(seconds=59), "just now", "just now"),
        (timedelta(minutes=6), "6 min ago", "6m ago"),
        (timedelta(hours=3), "3 h ago", "3h ago"),
        (timedelta(hours=25), "yesterday", "yesterday"),
        (timedelta(days=9), "9 d ago", "9d ago"),
        (timedelta(days=40), "14 Oct 2026", "14 Oct 2026"),
    ],
)
@pytest.mark.usefixtures("frozen")
def test_it_says_how_long_ago_something_was(past, long, short):
    assert f">{long}</time>" in drawn("{% ago t %}", t=NOW - past)
    assert f">{short}</time>" in drawn("{% ago t short=True %}", t=NOW - past)


def test_it_gives_the_time_itself_in_utc():
    mark = drawn("{% ago t %}", t=NOW)
    assert 'datetime="2026-11-23T12:00:00Z" title="23 Nov 2026, 12:00 UTC"' in mark
    assert "23 Nov 2026, 12:00 UTC" in drawn("{% utc t %}", t=NOW)


def test_it_marks_tickets_of_rules_with_the_bolt_alone():
    chip = "{% ticket_chip key='SEC-1' ticket=t status='OPEN' url='/cases/SEC-1' %}"
    assert 'class="bolt' in drawn(chip, t="automated")
    for other, said in (("manual", "By a person:"), ("test", "Test ticket:")):
        assert 'class="bolt' not in drawn(chip, t=other)
        assert said in drawn(chip, t=other)


def test_it_shows_a_finding_over_the_limit_and_one_without_a_ticket():
    assert "Over limit" in drawn("{% ticket_chip ticket='over_limit' %}")
    assert "—" in drawn("{% ticket_chip ticket='none' %}")


@pytest.mark.parametrize(
    ("used", "limit", "width", "full"), [(0, 5, 0, False), (3, 5, 60, False), (7, 5, 100, True)]
)
def test_it_fills_the_meter_by_what_is_used(used, limit, width, full):
    mark = drawn("{% meter u l %}", u=used, l=limit)
    assert f'class="fg" width="{width}"' in mark
    assert ('class="meter full"' in mark) is full
    assert f"{used} of {limit} tickets created today" in mark


def test_it_changes_the_query_string_and_nothing_else():
    request = RequestFactory().get("/findings?q=env:prod&page=3&team=a&team=b")
    source = "{% url_with q='x y' page=None %}"
    assert drawn(source, request=request) == "?q=x+y&amp;team=a&amp;team=b"


def test_it_escapes_what_people_wrote():
    for source in ("{% tag_chip x %}", "{% ticket_chip key=x ticket='manual' url=x %}"):
        assert "<b>" not in drawn(source, x='"><b>')


def test_it_shows_a_toast_with_its_link_and_a_way_to_undo():
    request = RequestFactory().get("/")
    request.session = {}
    request._messages = FallbackStorage(request)
    toast(request, "Saved <b>", "From now on.", by_rule=True, link=("View", "/r"), undo_url="/u")
    shown = drawn("{% toasts %}", request=request)
    assert "Saved &lt;b&gt;" in shown
    assert 'class="toast volt"' in shown
    assert '<a href="/r">View</a>' in shown
    assert '<form method="post" action="/u">' in shown
