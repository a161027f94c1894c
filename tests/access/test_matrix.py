"""Every address × every role and scope × every method, as `table` says it; never a crash."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from http.cookies import SimpleCookie
from typing import NamedTuple

import pytest
from django.db import transaction
from django.http import HttpResponseBase

from config.accounts.roles import Role
from tests.access.table import (
    ADMIN,
    ADMIN_FOR_ALL,
    ANYBODY,
    API,
    DOCUMENTS,
    KEY,
    LOGS_OUT,
    NOTHING_THERE,
    OWN,
    PAGES,
    SAYS_WHO,
    SIGNATURE,
    SIGNED_IN,
    Access,
    Need,
)
from tests.access.world import OUTSIDE, Asker, World, address, build, patterns

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
SERVED, LOGIN, CRASH = "served", "login", "crash"
BAD, UNKNOWN, REFUSED, NOT_THERE, NO_METHOD = "400", "401", "403", "404", "405"
_OUTCOMES = frozenset({BAD, UNKNOWN, REFUSED, NOT_THERE, NO_METHOD, "429"})
PARTS = 4
"""Of the addresses, so that two workers share them."""
JSON = "application/json"


@pytest.fixture
def world(db) -> Iterator[World]:
    logging.disable(logging.CRITICAL)  # thousands of refusals; each line costs more than the rest
    yield build()
    logging.disable(logging.NOTSET)


class Answer(NamedTuple):
    response: HttpResponseBase
    outcome: str


def ask(asker: Asker, method: str, path: str, body: str = "{}") -> Answer:
    """What they are told; what they did is undone."""
    cookies = {name: morsel.value for name, morsel in asker.client.cookies.items()}
    sent = {} if method in ("GET", "HEAD") else {"data": body, "content_type": JSON}
    with transaction.atomic():
        response = getattr(asker.client, method.lower())(path, **sent)
        if response.streaming:
            b"".join(response.streaming_content)  # what breaks in the middle breaks here
        transaction.set_rollback(True)
    asker.client.cookies = SimpleCookie(cookies)
    return Answer(response, _outcome(response, path))


def _outcome(response: HttpResponseBase, path: str) -> str:
    if response.status_code == 302 and response["Location"].startswith(("/login", "/admin/login")):
        return LOGIN
    if response.status_code >= 500 and (path, response.status_code) != ("/readyz", 503):
        return CRASH
    status = str(response.status_code)
    return status if status in _OUTCOMES else SERVED


def _may(asker: Asker, need: Need) -> bool:
    if need in (ANYBODY, LOGS_OUT):
        return True
    if need in (SIGNED_IN, SAYS_WHO):
        return asker.permissions is not None
    if need == KEY:
        return asker.permissions is not None and asker.is_key
    needed = need if isinstance(need, tuple) else (need,)
    return asker.permissions is not None and asker.permissions.issuperset(needed)


def expected_of_page(asker: Asker, method: str, access: Access) -> set[str]:
    """The permission comes before the method, and before what is there. A key is nobody here.

    A page need not know HEAD.
    """
    if asker.is_key:
        asker = asker._replace(permissions=None)
    is_head = method == "HEAD" and "GET" in access
    need = access.get("GET" if is_head else method, next(iter(access.values())))
    if access is PAGES["login"] and method not in access and asker.permissions is not None:
        return {SERVED}  # who is signed in is sent on, however they ask
    if method not in access and need in (ANYBODY, LOGS_OUT, SAYS_WHO):
        return {NO_METHOD, SERVED} if is_head else {NO_METHOD}
    if not _may(asker, need):
        stranger = UNKNOWN if need == SAYS_WHO else LOGIN
        return {stranger} if asker.permissions is None else {REFUSED}
    if method not in access:
        return {NO_METHOD, SERVED} if is_head else {NO_METHOD}
    return {LOGIN} if need == LOGS_OUT else {SERVED}


def expected_of_api(asker: Asker, method: str, access: Access) -> set[str]:
    """A method that is not there may say what there is instead: 404."""
    need = access.get("GET" if method == "HEAD" else method)
    if need == SIGNATURE:
        return {UNKNOWN, NOT_THERE}  # the account is looked up for its secret
    if SIGNATURE in access.values():
        return {NO_METHOD}
    if asker.permissions is None:
        return {UNKNOWN}
    if need is None:
        return {NO_METHOD, NOT_THERE}
    return {SERVED} if _may(asker, need) else {REFUSED}


def test_it_knows_every_address():
    there = set(patterns())
    listed = {*PAGES, *API, *NOTHING_THERE, *DOCUMENTS}
    assert {each for each in there if not each.startswith(ADMIN)} == listed
    assert there >= ADMIN_FOR_ALL


class Question(NamedTuple):
    pattern: str
    access: Access
    asker: Asker
    method: str
    path: str
    exists: bool


def part(of: Iterable[str], number: int) -> list[str]:
    return sorted(of)[number::PARTS]


QUERIES = {
    **dict.fromkeys(("rules/spaces", "rules/people", "rules/teams"), "?account={account_id}"),
    "api/v2/cases/views": "?project_id={project_id}",
}
COMMENT = '{"data": {"type": "case", "attributes": {"comment": "Another."}}}'
NOTHING_SAID = "{}"


def questions(
    table: Mapping[str, Access], world: World, askers: Iterable[Asker], number: int
) -> Iterator[Question]:
    """Everybody asks by every method that the table knows, where something is.

    By other methods those ask who may nothing and who may everything; where nothing is, those
    who may least, too.
    """
    askers = list(askers)
    few, fewer = (
        world.named("stranger", "viewer", "admin", "key all"),
        world.named("stranger", "admin" if table is PAGES else "key all"),
    )
    for pattern in part(table, number):
        access, ids = table[pattern], world.ids_of(pattern)
        here = address(pattern, ids) + QUERIES.get(pattern, "").format(**ids)
        for method in METHODS:
            for asker in askers if method in access else fewer:
                yield Question(pattern, access, asker, method, here, exists=True)
        if "<" in pattern:
            there = address(pattern, OUTSIDE)
            for asker in few:
                for method in access:
                    yield Question(pattern, access, asker, method, there, exists=False)


def fault_in(question: Question, expected: set[str]) -> str:
    pattern, _, asker, method, path, exists = question
    answer = ask(asker, method, path, COMMENT if "comment/" in pattern else NOTHING_SAID)
    status, is_refusal = answer.response.status_code, SERVED not in expected
    said = f"{asker.name}: {method} {path} → {status}"
    if expected == {SERVED} and not exists:  # the API looks at what is sent first
        expected = {NOT_THERE, BAD} if pattern in API and method != "GET" else {NOT_THERE}
    elif expected == {SERVED}:
        own = [OWN[each] for each in OWN if pattern.startswith(each) and asker.name != Role.ADMIN]
        done = {SERVED} if method == "GET" else {SERVED, BAD}  # what was said is empty
        expected = {*own} or done
    if answer.outcome not in expected:
        return f"{said} ({answer.outcome}), not {sorted(expected)}"
    if is_refusal and answer.response.get("Set-Cookie"):
        return f"{said}: a refusal sets a cookie"
    return ""


@pytest.mark.parametrize("number", range(PARTS))
def test_it_opens_pages_as_the_table_says(world, number):
    askers = [*world.people, *world.named("key all")]
    found = [
        fault_in(each, expected_of_page(each.asker, each.method, each.access))
        for each in questions(PAGES, world, askers, number)
    ]
    assert not any(found), "\n".join(filter(None, found))


@pytest.mark.parametrize("number", range(PARTS))
def test_it_answers_the_api_as_the_table_says(world, number):
    askers = [*world.people, *world.keys]
    found = [
        fault_in(each, expected_of_api(each.asker, each.method, each.access))
        for each in questions(API, world, askers, number)
    ]
    assert not any(found), "\n".join(filter(None, found))


ADMIN_QUESTIONS = [
    *(("stranger", "GET"), ("key all", "POST"), ("viewer", "GET"), ("automation_editor", "GET")),
    *(("automation_editor", "POST"), (Role.ADMIN.value, "GET"), (Role.ADMIN.value, "POST")),
]
"""One list of who may enter guards the whole site: by other methods no other people."""


@pytest.mark.any_database
@pytest.mark.parametrize("number", range(PARTS))
def test_it_keeps_the_admin_site_for_admins(world, number):
    wrong = []
    ours = {each for each in patterns() if each.startswith(ADMIN)} - ADMIN_FOR_ALL
    for pattern in part(ours, number):
        path = address(pattern, {**OUTSIDE, "app_label": "accounts", "url": "nothing"})
        for name, method in ADMIN_QUESTIONS:
            [asker] = world.named(name)
            outcome = ask(asker, method, path).outcome
            is_let_in = outcome not in (LOGIN, REFUSED, CRASH)
            if outcome == CRASH or (is_let_in and name != Role.ADMIN):
                wrong.append(f"{name}: {method} {path} → {outcome}")
    assert not wrong, "\n".join(wrong)


def test_it_builds_nothing_where_nothing_is(world):
    for asker in world.named("stranger", "admin", "key all"):
        for path in ("/api/v2", "/api/v2/nothing", "/api/v2/cases/link"):
            for method in METHODS:
                assert ask(asker, method, path).outcome == NOT_THERE, (asker.name, method, path)


def test_it_shows_the_documents_to_everybody(world):
    for asker in world.named("stranger", "admin", "key all"):
        for path in DOCUMENTS:
            assert ask(asker, "GET", f"/{path}").outcome == SERVED
            assert ask(asker, "POST", f"/{path}").outcome == NO_METHOD
