"""A rule that matches nothing: which criterion keeps everything out, with links that agree."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape

import pytest
from django.utils import timezone

from config.lib.statement_timeout import QueryTimeout
from tests.factories import FindingFactory

HTMX = {"HX-Request": "true"}
FORM = {"name": "New", "types": ["secret"], "limit": "5", "severities": ["critical"]}


@pytest.fixture
def findings(db):
    for severity, tags, days in (
        ("critical", ["env:dev"], 1),
        ("high", ["env:prod", "team:a"], 1),
        ("critical", ["env:prod"], 40),
    ):
        at = timezone.now() - timedelta(days=days)
        said = {"finding_type": "secret", "opened_at": at, "first_seen_at": at, "tags": tags}
        FindingFactory(severity=severity, **said)
    FindingFactory(severity="critical", tags=["env:prod", "team:a"], resource_type="host")


def preview(browser, url="/rules/preview", **said):
    response = browser.post(url, FORM | said, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


ROW = re.compile(r'<th[^>]*>([^<]+)</th><td class="num"><a[^>]*href="([^"]*)"[^>]*>(\d+)')
WITHOUT = re.compile(
    r'<li>(?:Without |)(?:<span class="mono">)?([^<]+?)(?:</span>)? <a[^>]*href="([^"]*)">(\d+)'
)


def links(page):
    """Each number with what it is about, and where it leads."""
    found = (*ROW.findall(page), *WITHOUT.findall(page))
    return [(label, int(number), unescape(href)) for label, href, number in found]


def test_it_counts_each_criterion_alone_and_all_the_others(as_user, editor, findings):
    browser = as_user(editor)
    page = preview(browser, query="env:prod team:a")
    assert '<b class="preview-number">0</b>' in page
    found = links(page)
    assert [(label, number) for label, number, _ in found] == [
        *(("Type", 2), ("env:prod", 2), ("team:a", 2), ("Severity", 2)),
        *(("Of any type", 1), ("Severity", 1)),
    ]
    for _, number, href in found:
        listed = browser.get(href).content.decode()
        assert f"<b>{number} finding" in listed, href


@pytest.mark.parametrize("kind", ["add_to_inbox", "modify_severity", "mute"])
def test_other_kinds_count_open_findings(as_user, editor, findings, kind):
    more = {"change": "set", "level": "low", "reason": "other", "expires": "never"}
    page = preview(as_user(editor), f"/rules/{kind}/preview", query="env:none", **more)
    found = links(page)
    assert [(label, number) for label, number, _ in found][:3] == [
        *(("Type", 3), ("env:none", 0), ("Severity", 3)),
    ]
    browser = as_user(editor)
    for _, number, href in found:
        assert f"<b>{number} finding" in browser.get(href).content.decode(), href


def test_a_long_query_is_one_criterion_and_hosts_are_no_images(as_user, editor, findings):
    query = " ".join(f"a{n}:b" for n in range(7))
    at = timezone.now()
    wire = "host_and_container_vulnerability"
    FindingFactory(finding_type=wire, resource_type="container_image", opened_at=at)
    page = preview(as_user(editor), types=["host_vulnerability"], query=query, severities=[])
    labels = [(label, number) for label, number, _ in links(page)]
    assert labels == [("Type", 0), (query, 0)]


def test_it_says_so_where_one_criterion_is_all_and_escapes(as_user, editor, findings):
    page = preview(as_user(editor), types=["iac_misconfiguration"], severities=[])
    assert [label for label, *_ in links(page)] == ["Type"]
    page = preview(as_user(editor), query='a:"<b>&\'"')
    assert "<b>&'" not in page


def test_it_costs_one_statement_and_a_slow_one_leaves_the_rest(
    as_user, editor, findings, monkeypatch, django_assert_max_num_queries
):
    browser = as_user(editor)
    with django_assert_max_num_queries(18):
        preview(browser, query="env:prod team:a")
    slow = lambda *args, **kwargs: (_ for _ in ()).throw(QueryTimeout)  # noqa: E731
    monkeypatch.setattr("automation.views.editor_page.count_criteria", slow)
    assert "The rule will wait for new ones." in preview(browser, query="env:prod team:a")
