"""The list of ticket creation rules and its order, over the public API."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from automation.rules import services
from tests.api.rules import JSON_API, NOBODY, URL, create, listed, order, refused
from tests.factories import ticket_rule

pytestmark = pytest.mark.django_db

# --- List --------------------------------------------------------------------------------------


def test_it_lists_nothing_with_links(ask):
    first = f"{URL}?page[size]=1000&page[number]=0"
    assert ask("get").json() == {
        "data": [],
        "meta": {"page": {"total_filtered_count": 0}},
        "links": {"first": first, "last": first},
    }


def test_it_lists_in_the_order_of_evaluation(ask):
    a, b = create(ask, "A", "B")
    ask("post", "/reorder", order(b, a))
    [c] = create(ask, "C")
    assert listed(ask) == [b, a, c]


def test_it_pages_from_zero(ask):
    ids = create(ask, *"ABCDE")
    answer = ask("get", "?page[size]=2&page[number]=1").json()
    assert [rule["id"] for rule in answer["data"]] == ids[2:4]
    assert answer["meta"] == {"page": {"total_filtered_count": 5}}
    start = f"{URL}?page[size]=2&page[number]="
    numbers = {"first": 0, "last": 2, "next": 2, "prev": 0}
    assert answer["links"] == {name: f"{start}{number}" for name, number in numbers.items()}


def test_it_lists_nothing_beyond_the_end(ask):
    create(ask, "A")
    answer = ask("get", "?page[number]=7").json()
    assert answer["data"] == []
    assert "next" not in answer["links"]


@pytest.mark.parametrize("query", ["page[size]=0", "page[size]=1001", "page[number]=-1"])
def test_it_refuses_a_bad_page(ask, query):
    answer = ask("get", f"?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"parameter": query.partition("=")[0]}


@pytest.mark.parametrize("number", [1, 30])
def test_it_lists_in_as_many_statements_whatever_there_is(
    ask, editor, number, django_assert_num_queries
):
    for name in range(number):
        services.create_rule(_data(f"Rule {name}"), actor=editor)
    ask("get")
    with django_assert_num_queries(4):  # the key, the count, the page, how many there are
        assert len(listed(ask)) == number


def _data(name):
    return ticket_rule(
        name=name,
        finding_types=["secret"],
        project_id=uuid.UUID(NOBODY),
        max_tickets_per_day=1,
    )


# --- Reorder -----------------------------------------------------------------------------------


def test_it_echoes_the_order(ask):
    a, b = create(ask, "A", "B")
    answer = ask("post", "/reorder", order(b, a))
    assert (answer.status_code, answer["Content-Type"]) == (200, JSON_API)
    assert answer.json() == order(b, a)
    assert listed(ask) == [b, a]


def test_a_reorder_must_include_all_rules(ask):
    a, b, c = create(ask, *"ABC")
    detail = refused(ask("post", "/reorder", order(b, a)), 422, "/data")
    assert detail == "reorder must include all 3 rules, got 2"
    assert listed(ask) == [a, b, c]


def test_a_reorder_names_each_rule_once_and_no_other(ask):
    a, b = create(ask, "A", "B")
    refused(ask("post", "/reorder", order(a, a)), 422, "/data")
    refused(ask("post", "/reorder", order(a, NOBODY)), 422, "/data")
    refused(ask("post", "/reorder", order(a, b, b)), 422, "/data")
    refused(ask("post", "/reorder", order()), 422, "/data")


def test_a_reorder_of_nothing_is_nothing(ask):
    assert ask("post", "/reorder", order()).json() == {"data": []}


@pytest.mark.parametrize(
    ("item", "pointer"),
    [
        ({"id": "x", "type": "ticket_creation_rules"}, "/data/0/id"),
        ({"id": NOBODY, "type": "mute_rules"}, "/data/0/type"),
        ({"id": NOBODY}, "/data/0/type"),
        ("x", "/data/0"),
    ],
)
def test_a_reorder_points_at_what_is_no_rule(ask, item, pointer):
    refused(ask("post", "/reorder", {"data": [item]}), 400, pointer)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share a database in memory")
@pytest.mark.django_db(transaction=True)
def test_two_reorders_at_once_leave_one_order_whole(rules_key, ask):
    ids = create(ask, *"ABCDEF")
    headers = {"DD-API-KEY": rules_key}

    def send(wanted):
        try:
            body = order(*wanted)
            url = f"{URL}/reorder"
            return Client().post(url, body, "application/json", headers=headers).json()
        finally:
            connection.close()

    orders = [ids[::-1], ids[3:] + ids[:3]] * 4
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(send, orders))
    assert answers == [order(*wanted) for wanted in orders]
    assert listed(ask) in orders


def test_an_order_that_misses_a_rule_made_meanwhile_is_refused(ask):
    ids = create(ask, "A", "B")
    create(ask, "C")
    assert refused(ask("post", "/reorder", order(*ids)), 422, "/data").endswith("got 2")
