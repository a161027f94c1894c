"""The charts of the overview: values on hover and focus, arrows, links, both themes, narrow."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from automation.models import DailyUsage
from automation.rules import services as rules
from findings.models import Finding
from findings.trends.rollups import refresh
from tests.browser.conftest import assert_accessible, assert_no_sideways_scroll
from tests.factories import (
    FindingFactory,
    ProjectFactory,
    SourceFactory,
    create_findings,
    ticket_rule,
)

pytestmark = pytest.mark.django_db(transaction=True)
SEVERITIES = ("critical", "high", "high", "medium", "medium", "low", "low", "low", "info")


def finding_of(random, source, age, now):
    """One that was opened so long ago; half of them are fixed."""
    opened_at = now - age
    took = timedelta(hours=random.expovariate(1 / 200))
    said = {"opened_at": opened_at, "first_seen_at": opened_at, "source": source}
    if opened_at + took < now and random.random() < 0.6:
        said |= {"status": "resolved", "resolved_at": opened_at + took}
    elif random.random() < 0.1:
        said |= {"due_at": now - timedelta(days=3)}
    if random.random() < 0.3:
        said |= {"ticket": "automated", "ticket_key": "RISK-1", "ticketed_at": opened_at}
    said |= {"decided_at": opened_at, "severity": random.choice(SEVERITIES)}
    return FindingFactory.build(**said, tags=[random.choice(("team:payments", "team:web", "x"))])


@pytest.fixture
def history(live_server):
    """130 days of findings, rules that used their limits, and one day with a huge bar."""
    random, now, source = Random(3), timezone.now(), SourceFactory()
    ages = [timedelta(hours=random.uniform(0, 130 * 24)) for _ in range(600)]
    ages += [timedelta(days=9)] * 80
    create_findings(finding_of(random, source, age, now) for age in ages)
    project = ProjectFactory(key="RISK", name="Cloud Risk")
    for name, most in (("Leaked secrets", 4), ("High risks in pipelines and images", 10)):
        said = {"finding_types": ["secret"], "query": name[:4], "max_tickets_per_day": 10}
        rule = rules.create_rule(ticket_rule(name=name, project_id=project.pk, **said), actor=None)
        for day in range(84):
            used = random.randint(0, most)
            when = now.date() - timedelta(days=day)
            DailyUsage.objects.create(rule_id=rule.pk, day=when, ticketed=used)
    refresh(at_most=200)


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 420)])
def test_charts_of_a_day_and_of_a_quarter_are_right_everywhere(page_as, editor, theme, width):
    page = page_as(editor, theme=theme, width=width)
    for query in ("range=1d", "range=90d&by=team"):
        page.goto(f"/overview?{query}")
        assert_accessible(page)
        assert_no_sideways_scroll(page)


@pytest.mark.usefixtures("history")
def test_a_bar_says_its_number_to_pointer_and_keyboard_and_leads_there(page_as, viewer):
    day = timezone.now().date() - timedelta(days=9)
    number = f"{Finding.objects.filter(opened_at__date=day).count()} new"
    page = page_as(viewer)
    page.goto("/overview?range=30d")
    page.locator(".spark.new a.day").nth(20).hover()
    expect(page.get_by_role("tooltip")).to_contain_text(f"{number}\n")
    expect(page.locator(".hair.shown")).to_have_count(3)
    assert_accessible(page)

    page.locator(".spark.new a.day").last.focus()
    for _ in range(9):
        page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tooltip")).to_contain_text(number)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("tooltip")).to_contain_text("fixed")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/findings?from=*&to=*")
    expect(page.get_by_text(f"{number.split()[0]} findings")).to_be_visible()


@pytest.mark.usefixtures("history")
def test_a_chart_is_one_stop_of_the_keyboard_and_without_scripts_a_row_of_links(page_as, viewer):
    page = page_as(viewer)
    page.goto("/overview?range=7d")
    expect(page.locator(".spark.fixed a.day:not([tabindex='-1'])")).to_have_count(1)
    page.get_by_role("link", name="Team").press("Enter")
    page.wait_for_url("**range=7d&by=team*")
    expect(page.get_by_role("rowheader", name="payments")).to_be_visible()

    plain = page_as(viewer, scripts=False)
    plain.goto("/overview?range=7d")
    plain.locator(".spark.new a.day").nth(2).press("Enter")
    plain.wait_for_url("**/findings?from=*&to=*")
