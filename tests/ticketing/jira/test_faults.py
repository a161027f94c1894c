"""The contract's table of classification, row by row: signal → what the outbox is told."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ticketing.trackers.base import Fault
from ticketing.trackers.jira.faults import Answer, Call, Silence, classify, silence
from ticketing.trackers.jira.refusals import Sent, explain

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOST = "acme.atlassian.net"
TEAM = "customfield_10020"


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    names = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Answer(status=status, at=NOW, headers=names, body=body, is_empty=body is None)


def refusal(*messages: str, **errors: str) -> dict[str, Any]:
    return {"errorMessages": list(messages), "errors": errors}


def told(error: Any) -> tuple[Any, ...]:
    return (error.fault, error.field, error.remedy, error.retry_after, error.whole_account)


# --- 1, 2: no answer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "fault", "whole_account"),
    [
        (Silence.UNRESOLVED, Fault.TRANSIENT, True),
        (Silence.UNREACHABLE, Fault.TRANSIENT, True),
        (Silence.SLOW, Fault.TRANSIENT, True),
        (Silence.UNTRUSTED, Fault.TRANSIENT, True),
        (Silence.FORBIDDEN, Fault.CONFIG, True),
        (Silence.LOST, Fault.UNSURE, False),
    ],
)
def test_it_classifies_silence(why, fault, whole_account):
    error = silence(Call.CREATE, why, host=HOST)
    assert told(error) == (fault, "", "", None, whole_account)
    assert HOST in error.reason


@pytest.mark.parametrize("call", [Call.READ, Call.CHANGE])
def test_it_is_never_unsure_of_what_may_be_repeated(call):
    assert silence(call, Silence.LOST, host=HOST).fault is Fault.TRANSIENT
    assert classify(call, answer(502), host=HOST).fault is Fault.TRANSIENT


# --- 2 to 6, 16, 17: told by the answer alone -----------------------------------------------

UNSURE = (Fault.UNSURE, "", "", None, False)
AUTH = (Fault.AUTH, "", "", None, True)
NO_API = (Fault.CONFIG, "", "", None, True)
STRANGE = (Fault.TRANSIENT, "", "", None, False)


def throttled(seconds: float | None, *, whole_account: bool = True) -> tuple[Any, ...]:
    return (Fault.TRANSIENT, "", "", seconds, whole_account)


CREATES = [
    ("2 500", answer(500, refusal()), UNSURE),
    ("2 502 html", answer(502), UNSURE),
    ("2 504", answer(504), UNSURE),
    ("2 503 html", answer(503), UNSURE),
    ("2 520", answer(520), UNSURE),
    ("2 408", answer(408), UNSURE),
    ("2 502 within a limit", answer(502, X_RateLimit_Reset="2026-11-23T12:01Z"), UNSURE),
    ("2 200 empty", answer(200), UNSURE),
    ("2 201 without a key", answer(201, {"id": "1"}), UNSURE),
    ("2 201 in bits", answer(201, {"id": 1, "key": None}), UNSURE),
    ("2 200 for a stranger", answer(200, X_Seraph_LoginReason="AUTHENTICATED_FAILED"), UNSURE),
    ("3 401", answer(401, refusal("Client must be authenticated")), AUTH),
    ("3 captcha", answer(403, X_Authentication_Denied_Reason="CAPTCHA_CHALLENGE"), AUTH),
    ("3 seraph", answer(400, refusal("x"), X_Seraph_LoginReason="AUTHENTICATED_FAILED"), AUTH),
    ("3 login page", answer(302, Location="/login.jsp"), AUTH),
    ("3 single sign-on", answer(303, Location="https://id.atlassian.com/"), AUTH),
    ("3 redirect", answer(301, Location="https://new.example.com/"), NO_API),
    ("4 429 bare", answer(429), throttled(None)),
    ("4 429 seconds", answer(429, Retry_After="7"), throttled(7)),
    ("4 429 date", answer(429, Retry_After="Mon, 23 Nov 2026 12:00:30 GMT"), throttled(30)),
    ("4 429 reset", answer(429, X_RateLimit_Reset="2026-11-23T12:01Z"), throttled(60)),
    (
        "4 429 the longer of both",
        answer(429, Retry_After="90", X_RateLimit_Reset="2026-11-23T12:01Z"),
        throttled(90),
    ),
    (
        "4 429 one issue",
        answer(429, Retry_After="2", RateLimit_Reason="jira-per-issue-on-write"),
        throttled(2, whole_account=False),
    ),
    (
        "4 429 one endpoint",
        answer(429, Retry_After="3", RateLimit_Reason="jira-burst-based"),
        throttled(3, whole_account=False),
    ),
    (
        "4 429 quota",
        answer(429, RateLimit_Reason="jira-quota-global-based", Retry_After="600"),
        throttled(600),
    ),
    ("4 429 zero of Data Center", answer(429, Retry_After="0"), throttled(None)),
    ("4 429 nonsense", answer(429, Retry_After="soon", X_RateLimit_Reset="?"), throttled(None)),
    ("4 429 past", answer(429, Retry_After="Mon, 23 Nov 2026 11:00:30 GMT"), throttled(None)),
    ("4 429 for ever", answer(429, Retry_After="1e300"), throttled(3_600)),
    ("4 429 infinite", answer(429, Retry_After="inf"), throttled(None)),
    (
        "5 503 json",
        answer(503, {"errorMessage": "Maintenance"}, Retry_After="120"),
        (Fault.UNSURE, "", "", 120, False),
    ),
    ("6 404 html", answer(404), NO_API),
    ("6 404 json", answer(404, refusal()), NO_API),
    ("6 405", answer(405), NO_API),
    ("6 410", answer(410, refusal("The requested API has been removed.")), NO_API),
    ("7 403 not from Jira", answer(403), STRANGE),
    ("7 403 of a gateway", answer(403, {"message": "Forbidden"}), STRANGE),
    ("15 400 not from Jira", answer(400), STRANGE),
    ("16 422 of another product", answer(422, {"error": "?"}), STRANGE),
    ("14 413", answer(413), (Fault.REJECTED, "", "truncate", None, False)),
    (
        "14 limit",
        answer(400, refusal("CONTENT_LIMIT_EXCEEDED")),
        (Fault.REJECTED, "", "truncate", None, False),
    ),
    ("15 messages", answer(400, refusal("Nein.")), (Fault.REJECTED, "", "", None, False)),
    ("16 422", answer(422, refusal("Workflow")), (Fault.CONFIG, "", "", None, False)),
    ("17 409", answer(409, refusal()), (Fault.TRANSIENT, "", "", None, False)),
    ("other 4xx", answer(402), NO_API),
]


@pytest.mark.parametrize(
    ("given", "expected"), [row[1:] for row in CREATES], ids=[row[0] for row in CREATES]
)
def test_it_classifies_the_answer_to_a_create(given, expected):
    error = classify(Call.CREATE, given, host=HOST)
    assert told(error) == expected
    assert error.status == given.status


@pytest.mark.parametrize(
    ("reason", "named"),
    [
        ("jira-burst-based", "GET x"),
        ("jira-quota-global-based", ""),
        ("jira-per-issue-on-write", ""),
    ],
)
def test_it_names_the_endpoint_that_alone_asks_to_wait(reason, named):
    given = answer(429, Retry_After="3", RateLimit_Reason=reason)
    assert classify(Call.READ, given, host=HOST, endpoint="GET x").endpoint == named


@pytest.mark.parametrize(
    ("call", "given", "fault"),
    [
        (Call.READ, answer(200), Fault.TRANSIENT),
        (Call.READ, answer(404, refusal("No issue")), Fault.REJECTED),
        (Call.READ, answer(404), Fault.CONFIG),
        (Call.CHANGE, answer(403, refusal("You cannot edit")), Fault.REJECTED),
        (Call.CHANGE, answer(409, refusal()), Fault.TRANSIENT),
        (Call.CHANGE, answer(400, refusal(resolution="Required")), Fault.REJECTED),
        (Call.CHANGE, answer(422, refusal()), Fault.REJECTED),
        (Call.CHANGE, answer(401), Fault.AUTH),
    ],
)
def test_it_classifies_the_answer_to_other_calls(call, given, fault):
    assert classify(call, given, host=HOST).fault is fault


@pytest.mark.parametrize("call", list(Call))
@pytest.mark.parametrize(
    ("given", "suspicious"),
    [
        (answer(200), True),  # a page: captive, or of a login
        (answer(302, Location="https://status.example.com/"), True),
        (answer(302, Location="/login.jsp"), True),
        (answer(401, refusal("Who?")), True),
        (answer(403), True),
        (answer(404), True),
        (answer(400, {"message": "of another product"}), True),
        (answer(403, refusal("No permission")), False),
        (answer(400, refusal(summary="?")), False),
        (answer(429), False),
        (answer(502), False),
        (answer(503, refusal("Maintenance")), False),
    ],
)
def test_it_suspects_the_account_for_what_jira_does_not_say(call, given, suspicious):
    assert classify(call, given, host=HOST).suspicious is suspicious


@pytest.mark.parametrize(
    ("call", "status", "is_foreign"),
    [
        (Call.CREATE, 200, True),
        (Call.CREATE, 204, True),
        (Call.CREATE, 201, False),  # perhaps Jira's, cut short on its way
        (Call.CREATE, 502, False),
        (Call.CHANGE, 200, False),
    ],
)
def test_it_knows_a_success_that_is_not_jiras(call, status, is_foreign):
    assert classify(call, answer(status), host=HOST).is_foreign is is_foreign


# --- 7 to 15: told by the fields that a refused create names ----------------------------------

SCREEN = {"summary": "Summary", "priority": "Priority", TEAM: "Team", "assignee": "Assignee"}
SENT = Sent(
    space_key="SEC",
    fields=frozenset({"summary", "description", "labels", "priority", TEAM, "customfield_1"}),
    constants=frozenset({"priority"}),
    ours=frozenset({"labels"}),
    screen=SCREEN | {"description": "Description"},
)
KNOWN_LABELS = SCREEN | {"description": "Description", "labels": "Labels"}


def config(field: str) -> tuple[Any, ...]:
    return (Fault.CONFIG, field, "", None, False)


def content(field: str, remedy: str = "") -> tuple[Any, ...]:
    return (Fault.REJECTED, field, remedy, None, False)


REFUSALS = [
    ("7 403", 403, refusal("No permission"), config(""), "may not create tickets in SEC"),
    ("8 project", 400, refusal(project="?"), config("project"), "Jira space SEC is no longer"),
    ("8 before others", 400, refusal(summary="?", project="?"), config("project"), "space SEC"),
    ("9 type", 400, refusal(issuetype="?"), config("issuetype"), "type no longer exists in SEC"),
    ("10 required", 400, refusal(assignee="?"), config("assignee"), "Assignee is now required"),
    ("10 unknown", 400, refusal(customfield_9="?"), config("customfield_9"), "is now required"),
    ("11 rule's", 400, refusal(customfield_1="?"), config("customfield_1"), "can no longer be set"),
    ("11 ours", 400, refusal(labels="?"), content("labels", "drop:labels"), "not on the create"),
    (
        "12 constant",
        400,
        refusal(priority="?"),
        config("priority"),
        "Field Priority does not take its value",
    ),
    ("12 before 13", 400, refusal(summary="?", priority="?"), config("priority"), "Priority"),
    ("13 summary", 400, refusal(summary="Lang"), content("summary", "truncate"), "Summary: Lang"),
    ("13 text", 400, refusal(description="?"), content("description", "truncate"), "Description"),
    ("13 option", 400, refusal(customfield_10020="?"), content(TEAM), "the value of Team"),
    ("14 limit", 400, refusal("CONTENT_LIMIT_EXCEEDED"), content("", "truncate"), "too long"),
    ("14 413", 413, None, content("", "truncate"), "too long"),
    ("15 messages", 400, refusal("Nein."), content(""), "Nein."),
    ("16 422", 422, refusal("Workflow"), config(""), "not set up"),
]


@pytest.mark.parametrize(
    ("status", "body", "expected", "says"),
    [row[1:] for row in REFUSALS],
    ids=[row[0] for row in REFUSALS],
)
def test_it_tells_configuration_from_content(status, body, expected, says):
    refused = classify(Call.CREATE, answer(status, body), host=HOST)
    error = explain(refused, SENT)
    assert told(error) == expected
    assert says in error.reason
    assert error.status == status


def test_it_takes_a_derived_label_for_content_where_labels_are_on_the_screen():
    refused = classify(Call.CREATE, answer(400, refusal(labels="spaces")), host=HOST)
    sent = Sent(space_key="SEC", fields=SENT.fields, screen=KNOWN_LABELS)
    assert told(explain(refused, sent)) == content("labels", "truncate")


def test_it_takes_nothing_off_the_screen_that_it_does_not_know():
    refused = classify(Call.CREATE, answer(400, refusal(labels="?")), host=HOST)
    sent = Sent(space_key="SEC", fields=SENT.fields, ours=SENT.ours, screen=None)
    assert told(explain(refused, sent)) == content("labels", "truncate")


@pytest.mark.parametrize("body", [refusal(summary="?"), refusal("CONTENT_LIMIT_EXCEEDED")])
def test_it_offers_a_remedy_only_once(body):
    refused = classify(Call.CREATE, answer(400, body), host=HOST)
    sent = Sent(space_key="SEC", fields=SENT.fields, screen=KNOWN_LABELS, remedies=("truncate",))
    assert explain(refused, sent).remedy == ""


@pytest.mark.parametrize(
    "body",
    [
        {"errors": ["a list"], "errorMessages": "a text"},
        {"errorMessages": [1, {"a": 2}]},
        ["a list"],
        "a text",
        {"message": "gateway"},
        {"error": {"code": 1}},
        {"errors": None, "errorMessages": None},
    ],
)
def test_it_survives_bodies_of_any_shape(body):
    refused = classify(Call.CREATE, answer(400, body), host=HOST)
    is_of_jira = isinstance(body, dict) and "errorMessages" in body
    expected = Fault.REJECTED if is_of_jira else Fault.TRANSIENT
    assert explain(refused, SENT).fault is expected


def test_it_speaks_no_template_that_came_from_jira():
    body = json.loads('{"errorMessages": ["{host} {0.__class__} {status!r}"]}')
    error = classify(Call.READ, answer(400, body), host=HOST)
    assert "{host} {0.__class__} {status!r}" in error.reason
