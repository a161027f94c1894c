from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
import requests

CREATE = "POST /issue$"


@pytest.mark.parametrize(("stage", "stored"), [("before", 0), ("after", 1)])
def test_it_resets_the_connection_before_or_after_it_stored(api, stage, stored):
    api.jira.faults.reset(CREATE, stage=stage)

    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        api.create()

    assert len(api.jira.issues()) == stored
    assert api.create().status_code == 201


@pytest.mark.parametrize(("stage", "stored"), [("before", 0), ("after", 1)])
def test_it_never_answers(api, stage, stored):
    rule = api.jira.faults.hang(CREATE, stage=stage)

    with pytest.raises(requests.ReadTimeout):
        api("POST", "issue", json=_task(), timeout=0.1)

    assert rule.reached.wait(5)
    assert len(api.jira.issues()) == stored


def test_it_stores_after_the_caller_has_given_up(api):
    rule = api.jira.faults.slow(CREATE, stage="before")
    with pytest.raises(requests.ReadTimeout):
        api("POST", "issue", json=_task(), timeout=0.1)
    assert api.jira.issues() == []

    rule.release()

    deadline = time.monotonic() + 5
    while not api.jira.issues() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert len(api.jira.issues()) == 1


def test_it_answers_late_when_released(api):
    rule = api.jira.faults.slow(CREATE)
    answers = []
    caller = threading.Thread(target=lambda: answers.append(api.create().status_code))
    caller.start()
    assert rule.reached.wait(5)
    assert len(api.jira.issues()) == 1
    assert answers == []

    rule.release()

    caller.join(5)
    assert answers == [201]


def test_it_cuts_the_answer_after_it_stored(api):
    api.jira.faults.truncate(CREATE)

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        api.create()

    assert len(api.jira.issues()) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (503, {"errorMessages": ["Maintenance"], "errors": {}}, "application/json"),
        (502, "<html>Bad Gateway</html>", "text/html"),
        (500, "upstream connect error", "text/plain"),
        (413, None, "text/plain"),
    ],
)
def test_it_answers_whatever_is_wanted(api, status, body, kind):
    api.jira.faults.answer(CREATE, status, body, headers={"Retry-After": "7"}, stage="after")

    answer = api.create()

    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert answer.headers["Content-Type"].startswith(kind)
    assert len(api.jira.issues()) == 1


def test_a_rule_lets_some_pass_and_is_spent_at_some_time(api):
    api.jira.faults.answer(CREATE, 503, skip=1, times=2)

    statuses = [api.create().status_code for _ in range(5)]

    assert statuses == [201, 503, 503, 201, 201]


def test_chance_is_repeatable(api):
    def statuses() -> list[int]:
        api.jira.faults.clear()
        api.jira.faults.seed(7)
        api.jira.faults.answer(CREATE, 503, probability=0.5, times=None)
        return [api.create().status_code for _ in range(12)]

    first = statuses()

    assert set(first) == {201, 503}
    assert statuses() == first


def test_a_person_who_must_sign_in_is_sent_to_the_page(api):
    api.jira.faults.sign_in_page(CREATE)

    answer = api.create()

    assert answer.status_code == 302
    assert "login" in answer.headers["Location"]


def test_it_remembers_what_was_asked_and_answered(api):
    api.jira.faults.answer(CREATE, 503)
    api.create("Remember")

    (exchange,) = api.jira.log.matching(CREATE)

    assert exchange.json["fields"]["summary"] == "Remember"
    assert (exchange.status, exchange.fault) == (503, "answer")


def test_it_limits_the_rate_and_says_how_long_to_wait(api):
    api.jira.limit.change(2)

    answers = [api("GET", "myself") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refusal = answers[-1].headers
    assert refusal["Retry-After"] == "1"
    assert refusal["RateLimit-Reason"] == "jira-burst-based"


def _task() -> dict:
    return {"fields": {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": "Leak"}}


def test_it_refuses_in_a_language_that_nobody_reads(api):
    plain = api.create("").json()
    api.jira.site.is_translated = True

    foreign = api.create("").json()

    assert foreign["errors"].keys() == plain["errors"].keys() == {"summary"}
    assert foreign["errors"] != plain["errors"]


def test_the_wait_can_be_told_as_a_date(api):
    api.jira.limit.change(1)
    api.jira.limit.is_dated = True
    api("GET", "myself")

    refusal = api("GET", "myself")

    at = parsedate_to_datetime(refusal.headers["Retry-After"])
    assert 0 <= (at - datetime.now(UTC)).total_seconds() <= 2
    assert api.jira.limit.refused == 1


def test_data_center_tells_of_its_limit_on_every_answer(dc_api):
    dc_api.jira.limit.change(5)

    headers = dc_api("GET", "myself").headers

    assert (headers["X-RateLimit-Limit"], headers["Retry-After"]) == ("5", "0")


def test_it_throttles_one_kind_of_request_and_asks_for_a_captcha(api):
    api.jira.faults.throttle(CREATE, retry_after="30", reason="jira-per-issue-on-write")
    api.jira.faults.captcha("GET /myself$")

    throttled, stopped = api.create(), api("GET", "myself")

    assert (throttled.status_code, throttled.headers["Retry-After"]) == (429, "30")
    assert stopped.status_code == 403
    assert "CAPTCHA_CHALLENGE" in stopped.headers["X-Authentication-Denied-Reason"]
