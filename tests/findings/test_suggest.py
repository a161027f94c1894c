from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from findings.query.parse import parse
from findings.suggest import suggest, suggest_search, types_seen
from tests.factories import FindingFactory


def texts(typed: str) -> list[str]:
    return [found.text for found in suggest(typed)]


@pytest.fixture
def findings(db) -> None:
    FindingFactory(
        tags=["env:prod", "team:payments"],
        attributes={"repository": {"name": "acme/web", "visibility": "private"}, "ports": [22, 80]},
    )
    FindingFactory(tags=["env:my place", "env:prod"], attributes={"host": {"is_public": True}})


@pytest.mark.usefixtures("findings")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("en", ["env:"]),
        ("@reposit", ["@repository.name:", "@repository.visibility:"]),
        ("visib", ["@repository.visibility:"]),
        ("-te", ["-team:"]),
        ("env:", ["env:prod", 'env:"my place"']),
        ("env:PR", ["env:prod"]),
        ("-env:p", ["-env:prod"]),
        ("@ports:", ["@ports:22", "@ports:80"]),
        ("@host.is_public:", ["@host.is_public:true"]),
        ("@repository.name:acme", ["@repository.name:acme/web"]),
        ("nothing", []),
        ("nothing:", []),
    ],
)
def test_it_suggests_what_was_seen(typed, expected):
    assert texts(typed) == expected


@pytest.mark.usefixtures("findings")
def test_it_says_how_often():
    assert ("env:prod", "2 findings", "") in suggest("env:")
    assert ("@severity:high", "2 findings", "") in suggest("@severity:")
    assert ("env:", "2 findings", "2 values") in suggest("env")


@pytest.fixture
def used(db) -> None:
    """`zone` and `team:web` are used most; one finding says its team twice."""
    FindingFactory.create_batch(3, tags=["zone:eu", "team:web"], attributes={"team": {"id": 1}})
    FindingFactory(tags=["zone:us", "team:ops", "team:web-api"], attributes={"hosts": ["a", "a"]})
    FindingFactory(tags=["app:web", "teamwork:yes"], attributes={"hosts": ["b"]})


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("", ["team:web 3", "zone:eu 3", "app:web 1", "team:ops 1", "team:web-api 1"]),
        ("team", ["team: 4", "teamwork: 1"]),  # before attributes of the name
        ("team:", ["team:web 3", "team:ops 1", "team:web-api 1"]),
        ("team:WEB", ["team:web 3", "team:web-api 1"]),
        ("team:ops", ["team:ops 1"]),
        ("web", ["team:web 3", "app:web 1", "team:web-api 1"]),  # by their value
        ("-web", ["-team:web 3", "-app:web 1", "-team:web-api 1"]),
        ("@hosts", ["@hosts: 2"]),
        ("@hosts:", ["@hosts:a 1", "@hosts:b 1"]),  # in one finding, however often
    ],
)
def test_it_begins_with_what_is_used_most(typed, expected):
    found = [f"{each.text} {each.hint.split()[0]}" for each in suggest(typed)]

    assert found[: len(expected)] == expected


@pytest.mark.django_db
def test_it_puts_the_whole_value_before_those_that_are_used_more(django_assert_num_queries):
    FindingFactory.create_batch(11, tags=[f"env:production-{n}" for n in range(11)])
    FindingFactory(tags=["env:prod"])

    with django_assert_num_queries(1):
        assert texts("env:prod")[0] == "env:prod"


@pytest.mark.usefixtures("findings")
def test_it_answers_in_json(as_user, viewer):
    answer = as_user(viewer).get("/rules/suggest?typed=team")

    assert answer.json() == {
        "suggestions": [{"text": "team:", "hint": "1 finding", "note": "1 value"}]
    }


@pytest.mark.django_db
def test_it_suggests_terms_that_can_be_read():
    FindingFactory(tags=['odd:a"b(c) OR d', "odd:*"], attributes={"we ird": {"k(": "v:w"}})

    found = [*texts("odd:"), *texts("@we")]

    assert len(found) == 3
    for text in found:
        assert parse(f"{text}x" if text.endswith(":") else text)


@pytest.mark.django_db
def test_it_leaves_out_values_nobody_would_type():
    FindingFactory(tags=[f"blob:{'x' * 5000}", "blob:short"])

    assert texts("blob:") == ["blob:short"]


@pytest.mark.django_db
def test_it_reads_a_bounded_number_of_findings(monkeypatch):
    monkeypatch.setattr("findings.suggest.SAMPLE", 2)
    FindingFactory.create_batch(3, tags=["env:prod"])

    assert suggest("env:") == [("env:prod", "2+ findings", "")]


@pytest.mark.django_db
def test_it_reads_a_bounded_number_of_values(monkeypatch):
    monkeypatch.setattr("findings.suggest.OF_ONE", 10)
    monkeypatch.setattr("findings.suggest.OF_ALL", 15)
    many = {f"a{nth}": nth for nth in range(5_000)}
    FindingFactory.create_batch(3, tags=["env:prod"], attributes=many)

    assert suggest("env:") == [("env:prod", "2+ findings", "")]
    assert len(suggest("@a")) == 5  # beside the core fields, and the tag


@pytest.mark.django_db
def test_it_counts_the_types_seen_lately():
    now = timezone.now()
    FindingFactory(finding_type="secret", first_seen_at=now)
    FindingFactory(finding_type="secret", first_seen_at=now - timedelta(days=31))
    FindingFactory(finding_type="host_and_container_vulnerability", resource_type="container_image")

    seen = types_seen(now - timedelta(days=30))

    assert seen["secret"] == "1"
    assert seen["container_image_vulnerability"] == "1"
    assert seen["host_vulnerability"] == "0"


@pytest.mark.django_db
def test_it_says_when_it_stopped_counting(monkeypatch):
    monkeypatch.setattr("findings.suggest.COUNTED", 2)
    FindingFactory.create_batch(3, finding_type="secret")

    assert types_seen(timezone.now() - timedelta(days=30))["secret"] == "2+"


@pytest.mark.usefixtures("findings")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("O", "OR"),
        ("@tick", "@ticket.created_by:"),
        ("ticket.o", "@ticket.over_limit:"),
        ("@ticket.over_limit:", "@ticket.over_limit:true"),
        ("-@status:mu", "-@status:muted"),
        ("env:pr", "env:prod"),
    ],
)
def test_it_suggests_to_a_search_what_no_rule_may_ask_for(typed, expected):
    first, *_ = suggest_search(typed)

    assert first.text == expected
    if ":" in expected and not expected.endswith(":"):
        parse(expected)


@pytest.mark.usefixtures("findings")
def test_it_answers_the_explorer_in_json(as_user, viewer):
    answer = as_user(viewer).get("/explorer/suggest?typed=-@status:mu")

    assert answer.json() == {"suggestions": [{"text": "-@status:muted", "hint": "", "note": ""}]}


def test_it_suggests_nothing_to_strangers(client, db):
    assert client.get("/explorer/suggest?typed=a").status_code == 302
