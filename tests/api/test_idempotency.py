"""`Idempotency-Key`: the same request again is not done again."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from automation.models import Rule
from config.accounts.api_keys import create_api_key
from config.accounts.idempotency import KEPT_FOR, LEASE
from config.accounts.models import ApiKey, KeptAnswer
from config.accounts.roles import Permission
from config.accounts.tasks import forget_answers
from findings.models import Finding, Import
from tests.api.rules import URL as RULES
from tests.api.rules import said
from tests.factories import KeptAnswerFactory

pytestmark = pytest.mark.django_db
FINDINGS = "/api/v1/findings"
IMPORTS = "/api/v1/imports?source=s"
RULE = said()
REPORT = {
    "source": "s",
    "findings": [
        {"finding_type": "secret", "title": "t", "severity": "low", "resource_id": "r"},
        {"finding_type": "none"},
    ],
}
ONE = REPORT | {"findings": REPORT["findings"][:1]}
REFUSED = [(RULES, said(name="")), (IMPORTS, "nope"), (FINDINGS, {})]


@pytest.fixture
def raw(make_key):
    return make_key(*Permission)


@pytest.fixture
def send(api, raw):
    def post(url, body, key="k", **headers):
        headers = {"DD-API-KEY": raw, "Idempotency-Key": key} | headers
        return api.post(url, body, "application/json", headers=headers)

    return post


CASES = [
    (FINDINGS, REPORT, ONE, 200),
    (IMPORTS, REPORT, ONE, 201),
    (RULES, RULE, said(name="2"), 201),
]


@pytest.mark.parametrize(("url", "body", "_", "status"), CASES)
def test_it_gives_the_first_answer_again(send, url, body, _, status):
    first, again = send(url, body), send(url, body)
    assert (first.status_code, again.status_code) == (status, status)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert ("Idempotency-Replayed" in first, again["Idempotency-Replayed"]) == (False, "true")
    assert Import.objects.count() + Rule.objects.count() <= 1


@pytest.mark.parametrize(("url", "body", "other", "_"), CASES)
def test_it_refuses_another_body_under_the_same_key(send, url, body, other, _):
    send(url, body)
    answer = send(url, other)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["source"] == {"header": "Idempotency-Key"}


def test_it_refuses_another_address_under_the_same_key(send):
    send(IMPORTS, REPORT)
    assert send(f"{IMPORTS}2", REPORT).status_code == 422
    assert send(FINDINGS, REPORT).status_code == 422


@pytest.mark.parametrize(("url", "body", "_", "status"), CASES)
def test_it_does_it_again_without_a_key(api, raw, url, body, _, status):
    """A rule of that name is there by then, which is what the second answer says."""
    headers = {"DD-API-KEY": raw}
    answers = [api.post(url, body, "application/json", headers=headers) for _ in range(2)]
    assert [each.status_code for each in answers] == [status, 422 if url == RULES else status]
    assert not KeptAnswer.objects.exists()


def test_it_does_it_for_each_key_and_each_sender(send, make_key):
    send(RULES, said(name="1"), key="a")
    send(RULES, said(name="2"), key="b")
    send(RULES, said(name="3"), key="a", **{"DD-API-KEY": make_key(*Permission)})
    assert Rule.objects.count() == 3


def test_it_knows_a_packed_body_for_the_same(api, raw, send):
    send(FINDINGS, REPORT)
    headers = {"DD-API-KEY": raw, "Idempotency-Key": "k", "Content-Encoding": "gzip"}
    body = gzip.compress(json.dumps(REPORT).encode())
    answer = api.generic("POST", FINDINGS, body, "application/json", headers=headers)
    assert answer["Idempotency-Replayed"] == "true"


def test_it_keeps_an_answer_in_which_all_was_rejected(send):
    bad = REPORT | {"findings": REPORT["findings"][1:]}
    assert [send(FINDINGS, bad).status_code for _ in range(2)] == [400, 400]
    assert KeptAnswer.objects.get().status == 400


@pytest.mark.parametrize(
    ("url", "body"), [(RULES, said(name="")), (IMPORTS, "nope"), (FINDINGS, {})]
)
def test_it_keeps_no_refusal(send, url, body):
    assert send(url, body).status_code in (400, 422)
    assert not KeptAnswer.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_it_refuses_a_key_that_is_none(send, key):
    answer = send(RULES, RULE, key=key)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["source"] == {"header": "Idempotency-Key"}


def test_it_asks_for_permission_before_anything_is_given_again(send, make_key, raw):
    send(RULES, RULE)
    ApiKey.objects.update(scopes=[Permission.RULES_READ])
    assert send(RULES, RULE).status_code == 403


# --- Death -------------------------------------------------------------------------------


@pytest.mark.parametrize(("url", "body"), [(FINDINGS, REPORT), (RULES, RULE)])
def test_it_leaves_no_work_if_it_dies_before_the_answer_is_kept(send, monkeypatch, url, body):
    with monkeypatch.context() as dying:
        dying.setattr(KeptAnswer, "save", _die)
        assert send(url, body).status_code == 500
    rows = [model.objects.count() for model in (Finding, Rule, KeptAnswer)]
    assert rows == [0, 0, 0]
    assert "Idempotency-Replayed" not in send(url, body)


def _die(*args, **kwargs):
    raise RuntimeError("killed")


def test_an_upload_whose_process_died_may_be_sent_again_after_a_while(send, raw, frozen):
    KeptAnswerFactory(owner=ApiKey.objects.get().pk, key="k", created_at=timezone.now())
    assert send(IMPORTS, REPORT).status_code == 409
    frozen.shift(LEASE)
    assert send(IMPORTS, REPORT).status_code == 201
    assert send(IMPORTS, REPORT)["Idempotency-Replayed"] == "true"


def test_an_upload_that_failed_may_be_sent_again_at_once(send, monkeypatch):
    with monkeypatch.context() as failing:
        failing.setattr("findings.api.imports.import_report", _die)
        assert send(IMPORTS, REPORT).status_code == 500
    assert send(IMPORTS, REPORT).status_code == 201


def test_it_does_not_read_a_second_upload_without_end(api, raw, send, settings):
    send(IMPORTS, REPORT)
    settings.IMPORT_MAX_BYTES = 1_000
    headers = {"DD-API-KEY": raw, "Idempotency-Key": "k"}
    endless = Endless()
    answer = api.post(
        IMPORTS,
        content_type="application/json",
        headers=headers,
        **{"wsgi.input": endless, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == 422
    assert endless.given < 1_000_000


class Endless(BytesIO):
    given = 0

    def read(self, size=-1):
        self.given += size
        return b"x" * size


# --- Two at once ---------------------------------------------------------------------------


@pytest.mark.skipif(connection.vendor == "sqlite", reason="threads share a database in memory")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("url", "body", "_", "status"), CASES)
def test_of_many_at_once_one_does_it(url, body, _, status):
    headers = {
        "DD-API-KEY": create_api_key("ci", scopes=list(Permission), actor=None)[1],
        "Idempotency-Key": "k",
    }

    def send(_):
        try:
            return Client().post(url, body, "application/json", headers=headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(send, range(12)))
    done = [answer.content for answer in answers if answer.status_code == status]
    assert len(set(done)) == 1
    assert {answer.status_code for answer in answers} <= {status, 409}
    assert (Import if url == IMPORTS else Rule if url == RULES else KeptAnswer).objects.count() == 1


# --- A day ---------------------------------------------------------------------------------


def test_it_forgets_after_a_day(send, frozen):
    send(RULES, RULE)
    frozen.shift(KEPT_FOR - timedelta(seconds=1))
    forget_answers()
    assert send(RULES, RULE)["Idempotency-Replayed"] == "true"
    frozen.shift(timedelta(seconds=1))
    assert "Idempotency-Replayed" not in send(RULES, said(name="2"))
    assert Rule.objects.count() == 2


def test_it_sweeps_what_is_a_day_old(send, frozen):
    send(RULES, RULE)
    frozen.shift(KEPT_FOR)
    forget_answers()
    assert not KeptAnswer.objects.exists()
