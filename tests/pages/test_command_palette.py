from __future__ import annotations

import pytest
from django.db import connection

from tests.factories import FindingFactory
from ticketing import services

PAGE = "/jump"


@pytest.fixture
def content(make_rule, project):
    make_rule("Exposed secrets")
    FindingFactory(title="Exposed bucket", finding_id="abc-1")
    services.open_manual_case([], project=project, title="Expose less", actor=None)


def results(client, text="", **headers) -> list[tuple[str, str]]:
    found = client.get(PAGE, {"q": text}, headers=headers).context["results"]
    return [(result.kind, result.label) for result in found]


@pytest.mark.usefixtures("content")
def test_it_finds_rules_cases_and_findings(as_user, editor):
    assert results(as_user(editor), "expo") == [
        ("Rule", "Exposed secrets"),
        ("Template", "New rule: Exposed secrets"),
        ("Case", "RISK-1 Expose less"),
        ("Finding", "Exposed bucket"),
        ("Search findings", "expo"),
    ]


@pytest.mark.usefixtures("content")
@pytest.mark.parametrize("text", ["risk-1", "abc-1"])
def test_it_finds_by_key_and_id(as_user, viewer, text):
    assert len(results(as_user(viewer), text)) == 2


def test_it_names_only_pages_that_open(as_user, viewer, admin):
    client = as_user(admin)
    for result in client.get(PAGE).context["results"]:
        assert client.get(result.url).status_code == 200
    assert ("Page", "API keys") in results(client)
    assert ("Page", "API keys") not in results(as_user(viewer))


@pytest.mark.usefixtures("content")
def test_it_leads_viewers_where_they_may_go(as_user, viewer):
    client = as_user(viewer)
    for result in client.get(PAGE, {"q": "e"}).context["results"]:
        assert client.get(result.url).status_code == 200


def test_it_answers_the_palette_with_options(as_user, viewer):
    answer = as_user(viewer).get(PAGE, {"q": "cas"}, headers={"HX-Request": "true"}).text
    assert 'role="option"' in answer
    assert "<html" not in answer


@pytest.mark.parametrize("text", ["\0", "%", "x" * 5000, "<script>x</script>", "(("])
def test_it_takes_any_text(as_user, viewer, text):
    response = as_user(viewer).get(PAGE, {"q": text})
    assert response.status_code == 200
    assert "<script>x" not in response.text


def test_it_is_for_those_who_signed_in(client):
    assert client.get(PAGE).status_code == 302


def test_it_takes_no_other_method(as_user, viewer):
    assert as_user(viewer).post(PAGE).status_code == 405


def test_it_takes_as_many_statements_for_much(
    as_user, viewer, make_rule, django_assert_num_queries
):
    client = as_user(viewer)
    of_the_timeout = 4 if connection.vendor == "postgresql" else 0  # savepoint, time-out, and back
    for number in (1, 10):
        for nth in range(number):
            make_rule(f"Exposed {number} {nth}")
            FindingFactory(title="Exposed")
        with django_assert_num_queries(7 + of_the_timeout):
            client.get(PAGE, {"q": "expo"})
