from __future__ import annotations

import base64
import contextlib
import gzip
import json
import logging
import socket
import ssl
import threading
import time
import traceback

import pytest

from config.lib.deadline import Deadline
from tests.ticketing.jira.conftest import TOKEN, credentials, failure
from ticketing.trackers.base import Fault, OutOfTime, TrackerError
from ticketing.trackers.jira import client as client_module
from ticketing.trackers.jira import transport
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Deployment, Markup
from ticketing.trackers.jira.faults import Call, Refused

BODY = {
    "fields": {"project": {"key": "SEC"}, "issuetype": {"id": "10001"}, "summary": "Leaked key"}
}


# --- One request ------------------------------------------------------------------------


def test_it_asks_once_and_says_who_it_is(sandbox_jira, jira):
    assert jira.get("myself")["accountId"] == sandbox_jira.bot_id
    (sent,) = sandbox_jira.log.all()
    assert sent.path == "/rest/api/2/myself"
    assert sent.headers["accept-language"] == "en"
    assert sent.headers["x-force-accept-language"] == "true"
    assert sent.headers["authorization"].startswith("Basic ")


def test_it_signs_in_to_data_center_with_the_token_alone(sandbox_data_center, data_center):
    data_center.get("myself")
    (sent,) = sandbox_data_center.log.all()
    assert sent.headers["authorization"] == f"Bearer {sandbox_data_center.access.token}"


def test_it_speaks_version_3_where_text_is_a_document(wire):
    wire.says(200, b"{}")
    with JiraClient(credentials(wire.url, markup=Markup.DOCUMENT)) as client:
        client.get("myself")
        client.get("/rest/webhooks/1.0/webhook")
    assert wire.requests[0].startswith(b"GET /rest/api/3/myself HTTP/1.1")
    assert wire.requests[1].startswith(b"GET /rest/webhooks/1.0/webhook HTTP/1.1")


def test_it_keeps_the_path_of_the_gateway(wire):
    wire.says(200, b"{}")
    with JiraClient(credentials(wire.url, api_url=f"{wire.url}/ex/jira/1-2")) as client:
        client.get("issue/X-1", params={"fields": "a,b"})
    assert wire.requests[0].startswith(b"GET /ex/jira/1-2/rest/api/2/issue/X-1?fields=a%2Cb HTTP")


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_it_sends_a_create_once_whatever_the_answer(sandbox_jira, jira, status):
    sandbox_jira.faults.answer("POST /issue$", status, "busy", headers={"Retry-After": "1"})
    error = failure(lambda: jira.post("issue", json=BODY, call=Call.CREATE))
    assert error.fault is (Fault.TRANSIENT if status == 429 else Fault.UNSURE)
    assert len(sandbox_jira.log.matching("POST /issue$")) == 1


@pytest.mark.parametrize("stage", ["before", "after"])
def test_it_sends_a_create_once_when_the_connection_is_reset(sandbox_jira, jira, stage):
    sandbox_jira.faults.reset("POST /issue$", stage=stage)
    error = failure(lambda: jira.post("issue", json=BODY, call=Call.CREATE))
    assert error.fault is Fault.UNSURE
    assert len(sandbox_jira.log.matching("POST /issue$")) == 1
    assert len(sandbox_jira.issues()) == (stage == "after")


def test_it_sends_a_create_once_when_the_answer_is_cut(sandbox_jira, jira):
    sandbox_jira.faults.truncate("POST /issue$")
    assert failure(lambda: jira.post("issue", json=BODY, call=Call.CREATE)).fault is Fault.UNSURE
    assert len(sandbox_jira.issues()) == 1


def test_it_repeats_no_question_either(sandbox_jira, jira):
    sandbox_jira.faults.reset("GET /myself$", stage="before")
    assert failure(lambda: jira.get("myself")).fault is Fault.TRANSIENT
    assert len(sandbox_jira.log.all()) == 1


def test_it_is_unsure_when_a_connection_that_was_kept_is_gone(sandbox_jira, jira):
    jira.get("myself")
    sandbox_jira.faults.reset("POST /issue$", stage="after")
    assert failure(lambda: jira.post("issue", json=BODY, call=Call.CREATE)).fault is Fault.UNSURE


def test_it_does_not_wait_for_ever(sandbox_jira):
    sandbox_jira.faults.hang("POST /issue$", stage="after")
    with JiraClient(sandbox_jira.credentials, patience=0.2) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert error.fault is Fault.UNSURE


def test_it_gives_up_on_answers_without_end(on_wire, wire, monkeypatch):
    monkeypatch.setattr(client_module, "LARGEST_ANSWER", 100_000)
    bomb = gzip.compress(b'"' + b"a" * 5_000_000 + b'"')
    wire.says(200, bomb, "Content-Encoding: gzip")
    assert failure(lambda: on_wire.get("myself")).fault is Fault.TRANSIENT


def test_it_asks_to_be_paced_before_each_request(sandbox_jira):
    endpoints = []

    def pace(endpoint: str) -> None:
        endpoints.append(endpoint)
        if len(sandbox_jira.log.all()) == 2:
            raise TrackerError(Fault.TRANSIENT, "Later.", retry_after=3)

    with JiraClient(sandbox_jira.credentials, pace=pace) as client:
        client.get("myself")
        client.get("myself")
        assert failure(lambda: client.get("issue/SEC-1/comment/22")).reason == "Later."
    assert len(sandbox_jira.log.all()) == 2
    assert endpoints == ["GET myself", "GET myself", "GET issue/{}/comment/{}"]


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"", b"[" * 100_000, b"\xff\xfe"])
def test_it_takes_nothing_but_json_for_an_answer(on_wire, wire, body):
    wire.says(200, body)
    assert failure(lambda: on_wire.get("myself")).fault is Fault.TRANSIENT


def test_it_takes_an_empty_answer_where_nothing_is_to_be_said(on_wire, wire):
    wire.says(204, b"")
    assert on_wire.put("issue/1", json={}) is None
    wire.says(200, b"<html>")
    assert failure(lambda: on_wire.put("issue/1", json={})).fault is Fault.TRANSIENT


# --- Where it goes ----------------------------------------------------------------------


def test_it_follows_no_redirect(on_wire, wire):
    wire.says(302, b"", f"Location: {wire.url}/elsewhere")
    error = failure(lambda: on_wire.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.whole_account) == (Fault.CONFIG, True)
    assert len(wire.requests) == 1


def test_it_knows_the_page_where_people_sign_in(sandbox_jira, jira):
    sandbox_jira.faults.sign_in_page("POST /issue$")
    assert failure(lambda: jira.post("issue", json=BODY, call=Call.CREATE)).fault is Fault.AUTH


def test_it_uses_no_proxy_and_no_netrc(on_wire, wire, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    wire.says(200, b"{}")
    assert on_wire.get("myself") == {}
    assert base64.b64encode(f"bot@example.com:{TOKEN}".encode()) in wire.requests[0]


def test_it_keeps_no_cookie(on_wire, wire):
    wire.says(200, b"{}", "Set-Cookie: JSESSIONID=1; Path=/")
    on_wire.get("myself")
    on_wire.get("myself")
    assert b"JSESSIONID" not in wire.requests[1]


@pytest.mark.parametrize("path", ["issue/../../x", "issue/%2e%2e/x", "issue/1?a=b", "issue/1#a"])
def test_it_stays_where_it_was_sent(on_wire, wire, path):
    assert failure(lambda: on_wire.get(path)).fault is Fault.REJECTED
    assert wire.requests == []


def test_it_speaks_plain_http_only_in_private_networks(wire):
    with JiraClient(credentials(wire.url, may_be_private=False)) as client:
        error = failure(lambda: client.get("myself"))
    assert (error.fault, error.whole_account) == (Fault.CONFIG, True)
    assert wire.requests == []


def resolving_to(monkeypatch, *answers: str) -> list[str]:
    """Names lead to these addresses, one after the other; the connections that were tried."""
    waiting, tried = list(answers), []
    real = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host.endswith(".example.com"):
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (waiting.pop(0), port))]
        tried.append(host)
        return real(host, port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return tried


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_it_connects_to_no_private_address(monkeypatch, address):
    tried = resolving_to(monkeypatch, address)
    url = "https://jira.example.com"
    with JiraClient(credentials(url, may_be_private=False)) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.whole_account) == (Fault.CONFIG, True)
    assert "jira.example.com is in a private network" in error.reason
    assert tried == []


def test_it_connects_to_the_address_that_it_has_checked(monkeypatch, wire):
    """A name that leads elsewhere when it is asked again does not matter: it is asked once."""
    tried = resolving_to(monkeypatch, "127.0.0.1", "169.254.169.254")
    wire.says(200, b"{}")
    url = wire.url.replace("127.0.0.1", "jira.example.com")
    with JiraClient(credentials(url)) as client:
        assert client.get("myself") == {}
    assert tried == ["127.0.0.1"]
    assert b"Host: jira.example.com:" in wire.requests[0]


# --- What surely was not sent -------------------------------------------------------------


def test_it_knows_that_nothing_was_sent_where_nobody_listens():
    with JiraClient(credentials("http://127.0.0.1:1")) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.whole_account) == (Fault.TRANSIENT, True)
    assert error.reason == "127.0.0.1 could not be reached."


def test_it_knows_that_nothing_was_sent_to_a_name_without_address(monkeypatch):
    def resolve(*args, **kwargs):
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with JiraClient(credentials("https://jira.example.com")) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.reason) == (Fault.TRANSIENT, "jira.example.com has no address.")


def test_it_knows_that_nothing_was_sent_before_the_handshake(wire):
    wire.answer = b"this is no TLS"
    url = wire.url.replace("http:", "https:")
    with JiraClient(credentials(url)) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.whole_account) == (Fault.TRANSIENT, True)
    assert not any(b"POST" in request for request in wire.requests)


def test_it_knows_a_connection_that_takes_too_long(monkeypatch):
    def connect(*args, **kwargs):
        raise TimeoutError

    monkeypatch.setattr(transport.HTTPConnection, "connect", connect)
    with JiraClient(credentials("http://127.0.0.1:1")) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert (error.fault, error.reason[:35]) == (
        Fault.TRANSIENT,
        "127.0.0.1 did not take the connecti",
    )


def test_it_is_unsure_of_a_tls_failure_after_the_handshake(wire, monkeypatch):
    def read(*args, **kwargs):
        raise ssl.SSLError("decryption failed")

    wire.says(200, b"{}")
    monkeypatch.setattr(transport.HTTPConnection, "getresponse", read)
    with JiraClient(credentials(wire.url)) as client:
        error = failure(lambda: client.post("issue", json=BODY, call=Call.CREATE))
    assert error.fault is Fault.UNSURE


# --- Who we are there ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "params"),
    [("issue/SEC-1", {}), ("project/SEC", {}), ("search/jql", {"jql": "project = SEC"})],
)
def test_it_notices_that_it_is_a_stranger(sandbox_jira, jira, path, params):
    sandbox_jira.create_issue("SEC", "One")
    sandbox_jira.expire_token()
    error = failure(lambda: jira.get(path, params=params))
    assert (error.fault, error.whole_account) == (Fault.AUTH, True)


def test_it_notices_that_it_is_a_stranger_to_data_center(sandbox_data_center, data_center):
    sandbox_data_center.expire_token()
    assert failure(lambda: data_center.get("issue/SEC-1")).fault is Fault.AUTH


def test_it_notices_that_it_is_somebody_else(on_wire, wire):
    wire.says(200, b"{}", "X-AAccountId: 712020:someone")
    assert on_wire.get("issue/1") == {}
    with JiraClient(credentials(wire.url, user_id="712020:us")) as client:
        assert failure(lambda: client.get("issue/1")).fault is Fault.AUTH
        wire.says(201, b'{"id": "1", "key": "A-1"}', "X-AAccountId: 712020:someone")
        assert client.post("issue", json=BODY, call=Call.CREATE)["key"] == "A-1"


def test_it_proves_who_it_is(sandbox_jira, jira):
    jira.prove_identity()
    sandbox_jira.revoke_token()
    error = failure(jira.prove_identity)
    assert (error.fault, error.reason) == (
        Fault.AUTH,
        "Jira rejected the credentials (HTTP 401).",
    )


def test_it_takes_an_empty_answer_for_no_proof(on_wire, wire):
    wire.says(200, b"{}")
    assert failure(on_wire.prove_identity).fault is Fault.TRANSIENT


def test_it_notices_the_token_of_another_account(wire):
    wire.says(200, b'{"accountId": "712020:someone"}')
    with JiraClient(credentials(wire.url, user_id="712020:us")) as client:
        error = failure(client.prove_identity)
    assert (error.fault, error.whole_account) == (Fault.AUTH, True)


# --- What is told of a failure ----------------------------------------------------------------

BASIC = base64.b64encode(f"bot@example.com:{TOKEN}".encode()).decode()


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"errorMessages": [f"Can not log in with {TOKEN}"]}),
        json.dumps({"errors": {TOKEN: "x", "b": [f"Basic {BASIC}"]}}),
        f"<html><script>{TOKEN}</script><p>Bad {TOKEN} &amp; {BASIC}</p></html>",
        f'{{"message": "{TOKEN.replace("/", chr(92) + "/").replace("=", chr(92) + "u003d")}"}}',
        "token=ATATT3xFfGF0%2Fsecret%2Btoken%3DAB12",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_it_never_tells_the_token(on_wire, wire, caplog, body, status):
    caplog.set_level(logging.DEBUG)
    wire.says(status, body.encode(), "Set-Cookie: session=cookie")
    wire.answer = wire.answer if status != 200 else wire.answer.replace(b"{", b"<", 1)
    error = failure(lambda: on_wire.post("issue", json=BODY, call=Call.CREATE))
    shown = "".join(traceback.format_exception(error)) + repr(vars(error)) + caplog.text
    shown += repr(error.answer) if isinstance(error, Refused) else ""
    for secret in (TOKEN, BASIC, "secret+token", "%2Fsecret", "Basic Y"):
        assert secret not in shown
    assert "cookie" not in error.response + error.reason
    assert len(error.response) <= 2000


def test_it_keeps_no_request_behind_an_error(on_wire):
    with JiraClient(credentials("http://127.0.0.1:1")) as client:
        error = failure(lambda: client.get("myself"))
    assert error.__context__ is None
    assert error.__cause__ is None


@pytest.mark.parametrize("token", ["line\nbreak", "snowman ☃"])
def test_it_tells_a_token_that_cannot_be_sent(wire, token):
    deployment = Deployment.DATA_CENTER
    with JiraClient(credentials(wire.url, token=token, deployment=deployment)) as client:
        error = failure(lambda: client.get("myself"))
    assert (error.fault, error.whole_account) == (Fault.AUTH, True)
    assert wire.requests == []


def test_it_tells_an_address_that_cannot_be_sent(wire):
    with JiraClient(credentials(wire.url, email="☃@example.com")) as client:
        assert failure(lambda: client.get("myself")).fault is Fault.AUTH


def test_it_shows_of_a_page_only_its_words(on_wire, wire):
    wire.says(502, b"<html><style>p {}</style><h1>Bad\n gateway</h1><p>cloudfront" + b"x" * 9000)
    error = failure(lambda: on_wire.get("myself"))
    assert error.response.startswith("Bad gateway cloudfront")
    assert len(error.response) == 2000


def test_it_closes_what_it_has_opened(wire):
    wire.says(200, b"{}")
    with JiraClient(credentials(wire.url)) as client:
        client.get("myself")
    client.close()
    assert "secret" not in repr(client.credentials)


def test_a_trickle_is_cut_off_at_the_deadline():
    """A byte now and then would keep the connection alive for as long as the other side likes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle():
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
            for _ in range(150):
                connection.sendall(b" ")
                time.sleep(0.2)

    threading.Thread(target=trickle, daemon=True).start()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    started = time.monotonic()
    with JiraClient(credentials(url), deadline=Deadline(1)) as client:
        error = failure(lambda: client.get("myself"))
        assert (error.fault, time.monotonic() - started < 10) == (Fault.TRANSIENT, True)
        assert isinstance(failure(lambda: client.get("myself")), OutOfTime)
    listener.close()


def test_it_sends_no_create_that_would_be_cut_off():
    with JiraClient(credentials("http://127.0.0.1:9"), deadline=Deadline(5)) as client:
        error = failure(lambda: client.create("issue", json={}, before_write=lambda: None))
    assert isinstance(error, OutOfTime)
