"""One connection to one Jira: a request is one HTTP request, and fails as a TrackerError.

The session, with its headers and its way to sign in, is that of the jira library. What is sent
through it is our own: the library repeats a POST, follows redirects, and keeps of an error
what it likes.
"""

from __future__ import annotations

import contextlib
import json as json_
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit

import requests
from jira import JIRA
from urllib3.exceptions import HTTPError

from config.lib.deadline import Deadline
from ticketing.trackers.base import CREATE, Fault, OutOfTime, TrackerError
from ticketing.trackers.jira.clock import Clock
from ticketing.trackers.jira.credentials import Credentials, Deployment, Markup
from ticketing.trackers.jira.excerpts import Excerpts
from ticketing.trackers.jira.faults import Answer, Call, Refused, Silence, classify, silence
from ticketing.trackers.jira.transport import GuardedAdapter, NotSent, calling_before_write

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 30  # between two pieces of an answer
LONGEST_ANSWER = 60  # seconds for the body as a whole
LARGEST_ANSWER = 10 * 1024 * 1024
SHORTEST_CALL = 0.5  # with less time left than this, nothing is sent
SHORTEST_CREATE = 10.0  # one that is cut off has to be looked for
_ISSUE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]{1,18}")
_WORD = re.compile(r"[a-z][A-Za-z]*")
_HEADERS = {
    # Errors in English whoever the account belongs to, for stable logs.
    "Accept-Language": "en",
    "X-Force-Accept-Language": "true",
    "Accept": "application/json",
    "User-Agent": "findings-automation",
}


class JiraClient:
    """A connection of one task, made on the first request and closed with the `with`.

    `pace` is called with the endpoint before each request and may refuse it with a TrackerError.
    No request goes on after `deadline`; `patience` is how long one may be silent, in seconds.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        pace: Callable[[str], None] = lambda _: None,
        deadline: Deadline | None = None,
        patience: float | None = None,
    ) -> None:
        self.credentials = credentials
        self.is_cloud = credentials.deployment is Deployment.CLOUD
        self.host = urlsplit(credentials.site_url).hostname or credentials.site_url
        self._pace = pace
        self._deadline = deadline
        self._patience = patience or READ_TIMEOUT
        self._jira: JIRA | None = None
        self._clock = Clock()
        self._excerpts = Excerpts(credentials)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._jira is not None:
            self._session.close()
            self._jira = None

    @property
    def ahead(self) -> timedelta:
        """How far Jira's clock is ahead of ours. Cloud's keeps the time as ours does."""
        return timedelta() if self.is_cloud else self._clock.ahead

    # --- Requests: `path` is below /rest/api/2/ (or 3), or whole ----------------

    def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        return self._call("GET", path, Call.READ, params=params)

    def post(
        self,
        path: str,
        *,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
        call: Call = Call.CHANGE,
    ) -> Any:
        return self._call("POST", path, call, json=json, params=params)

    def create(self, path: str, *, json: Any, before_write: Callable[[], None]) -> Any:
        """A POST that must not be repeated; `before_write` is asked right before it leaves."""
        request = self._prepare("POST", path, json=json)
        self._refuse_late(SHORTEST_CREATE)
        self._pace(CREATE)
        with calling_before_write(before_write):
            answer = self._send(request, Call.CREATE)
        return self._accepted(answer, Call.CREATE, CREATE)

    def put(self, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None) -> Any:
        return self._call("PUT", path, Call.CHANGE, json=json, params=params)

    def delete(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        return self._call("DELETE", path, Call.CHANGE, params=params)

    def prove_identity(self) -> None:
        """Make sure that Jira knows us: to a stranger it shows nothing, and calls that success."""
        us = self.get("myself")
        name = "accountId" if self.is_cloud else "name"
        if not isinstance(us, dict) or not us.get(name):
            raise TrackerError(
                Fault.TRANSIENT, f"{self.host} did not say who we are.", suspicious=True
            )
        if not self._is_us(str(us[name])):
            raise TrackerError(
                Fault.AUTH, "The token is that of another account.", whole_account=True
            )

    def _call(self, method: str, path: str, call: Call, **more: Any) -> Any:
        request = self._prepare(method, path, **more)
        endpoint = _endpoint(method, path)
        self._refuse_late()
        self._pace(endpoint)
        return self._accepted(self._send(request, call), call, endpoint)

    def _accepted(self, answer: Answer, call: Call, endpoint: str) -> Any:
        if _can_be_for_a_stranger(answer, call):
            self._refuse_strangers(answer)
        if _is_what_was_asked_for(answer, call):
            return answer.body
        raise classify(call, answer, host=self.host, endpoint=endpoint)

    # --- One request ------------------------------------------------------------------------

    def _prepare(
        self, method: str, path: str, *, json: Any = None, params: Mapping[str, Any] | None = None
    ) -> requests.PreparedRequest:
        request = requests.Request(
            method, self._url(path), params=dict(params or {}), data=_written(json)
        )
        with contextlib.suppress(requests.RequestException, ValueError):  # may hold the token
            prepared = self._session.prepare_request(request)
            sign = str(prepared.headers["Authorization"])
            if sign.isascii() and sign.isprintable():
                return prepared
        raise TrackerError(
            Fault.AUTH,
            "The address, the e-mail address or the token cannot be sent.",
            whole_account=True,
        )

    def _url(self, path: str) -> str:
        if not path.startswith(("/rest/", "/_edge/")):
            version = "3" if self.credentials.markup is Markup.DOCUMENT else "2"
            path = f"/rest/api/{version}/{path}"
        parts = unquote(path).split("/")
        if ".." in parts or "?" in path or "#" in path or "\\" in path:
            raise TrackerError(Fault.REJECTED, f"{self.host} has no such address.")
        schemes = ("https", "http") if self.credentials.may_be_private else ("https",)
        if urlsplit(self.credentials.api_url).scheme not in schemes:
            raise TrackerError(
                Fault.CONFIG, f"The address of {self.host} must be https.", whole_account=True
            )
        return self.credentials.api_url.rstrip("/") + path

    @property
    def _session(self) -> requests.Session:
        if self._jira is None:
            self._jira = _connect(self.credentials)
        return self._jira._session  # noqa: SLF001 - the library has no other way in

    def _refuse_late(self, shortest: float = SHORTEST_CALL) -> None:
        if self._deadline and self._deadline.left < shortest:
            raise OutOfTime

    def _within(self, seconds: float) -> float:
        """So many seconds, or what is left."""
        return min(seconds, max(self._deadline.left, 0.1)) if self._deadline else seconds

    def _send(self, request: requests.PreparedRequest, call: Call) -> Answer:
        sent_at = datetime.now(UTC)
        try:
            # Past the session's own `send`, which reads redirects whole and keeps cookies.
            response = self._session.get_adapter(str(request.url)).send(
                request,
                stream=True,
                timeout=(self._within(CONNECT_TIMEOUT), self._within(self._patience)),
                verify=self.credentials.ca_bundle or True,
            )
            with response:
                content = _read(response, seconds=self._within(LONGEST_ANSWER))
        except _TooLarge:
            why = Silence.TOO_LARGE
        except NotSent as error:
            why = Silence(error.obstacle)
        except (requests.RequestException, HTTPError, OSError, ValueError):
            why = Silence.LOST
        else:
            answer = self._answer(response, content)
            if answer.is_success and answer.is_json:
                date = answer.headers.get("date", "")
                self._clock.show(date, sent_at=sent_at, received_at=answer.at)
            return answer
        # Out here the error has no context: that would hold the request with the credentials.
        raise silence(call, why, host=self.host)

    def _answer(self, response: requests.Response, content: bytes) -> Answer:
        is_success = 200 <= response.status_code < 300
        try:
            body = json_.loads(content) if content else None
            if not is_success:
                body = self._excerpts.without_secrets(body)
        except (ValueError, RecursionError):
            body = None
        is_good = is_success and body is not None
        return Answer(
            status=response.status_code,
            at=datetime.now(UTC),
            headers={name.lower(): value for name, value in response.headers.items()},
            body=body,
            is_empty=not content,
            excerpt="" if is_good else self._excerpts.of(content, body),
        )

    # --- Who are we there? ------------------------------------------------------------------

    def _refuse_strangers(self, answer: Answer) -> None:
        """Refuse what was answered to somebody else, or to nobody."""
        who = answer.headers.get("x-aaccountid" if self.is_cloud else "x-ausername")
        failed = "AUTHENTICATED_FAILED" in answer.headers.get("x-seraph-loginreason", "")
        if failed or (who is not None and not self._is_us(unquote(who))):
            raise Refused(
                answer,
                Fault.AUTH,
                f"Jira did not recognise the account (HTTP {answer.status}).",
                whole_account=True,
            )

    def _is_us(self, user_id: str) -> bool:
        if not self.is_cloud and user_id.lower() == "anonymous":
            return False
        ours = self.credentials.user_id
        return not ours or user_id.lower() == ours.lower()


def _endpoint(method: str, path: str) -> str:
    """The method and the address without what it names: `GET issue/{}/comment`."""
    parts = path.removeprefix("/rest/api/").split("/")
    return f"{method} {'/'.join(part if _WORD.fullmatch(part) else '{}' for part in parts)}"[:80]


def _written(json: Any) -> bytes | None:
    try:
        return None if json is None else json_.dumps(json, allow_nan=False).encode()
    except (RecursionError, TypeError, ValueError):
        raise TrackerError(Fault.REJECTED, "A value cannot be written for Jira.") from None


def _is_what_was_asked_for(answer: Answer, call: Call) -> bool:
    if not answer.is_success:
        return False
    match call:
        case Call.CREATE:
            return _names_an_issue(answer)
        case Call.READ:
            return answer.is_json
        case Call.CHANGE:
            return answer.is_json or answer.is_empty


def _can_be_for_a_stranger(answer: Answer, call: Call) -> bool:
    """What was created stays created, whoever did it; a failure says nothing about us."""
    if answer.is_success:
        return call is not Call.CREATE
    return 400 <= answer.status < 500 and answer.status not in (401, 408, 429)


def _names_an_issue(answer: Answer) -> bool:
    """As only Jira does: other products answer with ids and keys of their own."""
    body = answer.body
    return (
        isinstance(body, dict)
        and str(body.get("id")).isdecimal()
        and isinstance(body.get("key"), str)
        and bool(_ISSUE_KEY.fullmatch(body["key"]))
    )


def _connect(credentials: Credentials) -> JIRA:
    auth: dict[str, Any] = (
        {"basic_auth": (credentials.email, credentials.token)}
        if credentials.deployment is Deployment.CLOUD
        else {"token_auth": credentials.token}
    )
    jira = JIRA(
        server=credentials.api_url,
        options={"headers": dict(_HEADERS)},
        max_retries=0,
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        get_server_info=False,
        logging=False,
        **auth,
    )
    session = jira._session  # noqa: SLF001 - the library has no other way in
    session.trust_env = False  # no proxy and no netrc of this machine
    session.adapters.clear()
    session.mount("https://", GuardedAdapter(may_be_private=credentials.may_be_private))
    session.mount("http://", GuardedAdapter(may_be_private=credentials.may_be_private))
    return jira


class _TooLarge(Exception):
    """The answer is larger than we read."""


def _read(response: requests.Response, *, seconds: float) -> bytes:
    """The body, if it is of a sensible size and comes in a sensible time.

    In whatever pieces it comes: waiting for a full one would let a trickle go on for hours.
    """
    deadline = time.monotonic() + seconds
    content = bytearray()
    while piece := response.raw.read1(64 * 1024, decode_content=True):
        content += piece
        if len(content) > LARGEST_ANSWER:
            raise _TooLarge
        if time.monotonic() > deadline:
            raise ValueError
    return bytes(content)
