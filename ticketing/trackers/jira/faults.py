"""What an answer of Jira means for the one who asked. Pure.

Told by the status, the headers and the keys of the error body: the sentences in it are in the
language of the account. The first line of `_VERDICTS` that fits decides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, StrEnum
from typing import Any, NamedTuple

from ticketing.trackers.base import Fault, TrackerError

LONGEST_WAIT = 3600  # seconds: quotas are by the hour. One answer sends us to sleep for no longer
_COLLECTION = ("errorMessages", "errors")
TOO_LONG = "CONTENT_LIMIT_EXCEEDED"  # Jira's own word for it, in every language


class Call(Enum):
    """What a request does there, and so what its silence means."""

    READ = "read"
    CREATE = "create"  # an issue: the one call that must not be repeated blindly
    CHANGE = "change"  # everything else, which is harmless to repeat


class Silence(StrEnum):
    """Why there is no answer."""

    UNRESOLVED = "unresolved"
    UNREACHABLE = "unreachable"
    SLOW = "slow"
    UNTRUSTED = "untrusted"
    FORBIDDEN = "forbidden"
    LOST = "lost"  # the request may have arrived
    TOO_LARGE = "too large"  # there is an answer, of a size that we do not read


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer. `body` is None unless it was JSON; header names are in lower case."""

    status: int
    at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    is_empty: bool = False
    excerpt: str = ""  # what of it may be shown, if it is not what was asked for

    @property
    def is_json(self) -> bool:
        return self.body is not None

    @property
    def is_of_jira(self) -> bool:
        """For a refusal: whether Jira's own application wrote it, not something before it."""
        return isinstance(self.body, dict) and not self.body.keys().isdisjoint(_COLLECTION)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def errors(self) -> dict[str, str]:
        """Field id → what is wrong with it."""
        errors = self.body.get("errors") if isinstance(self.body, dict) else None
        if not isinstance(errors, dict):
            return {}
        return {str(key): str(value) for key, value in errors.items()}

    @property
    def messages(self) -> list[str]:
        """What is wrong with the whole. Edges and gateways have shapes of their own."""
        if not isinstance(self.body, dict):
            return []
        messages = self.body.get("errorMessages")
        if isinstance(messages, list) and messages:
            return [str(message) for message in messages]
        names = ("errorMessage", "message", "error")
        return [text for name in names if isinstance(text := self.body.get(name), str) and text][:1]

    @property
    def sentence(self) -> str:
        """What Jira says, in its words, for the end of a sentence of ours."""
        said = self.messages or list(self.errors.values())
        return " ".join(" ".join(said).split())[:500]


class Refused(TrackerError):
    """An answer that is not what was asked for."""

    def __init__(self, answer: Answer, fault: Fault, reason: str, **more: Any) -> None:
        super().__init__(fault, reason, status=answer.status, response=answer.excerpt, **more)
        self.answer = answer


# --- No answer --------------------------------------------------------------------------

_SILENCES = {
    Silence.UNRESOLVED: "{host} has no address.",
    Silence.UNREACHABLE: "{host} could not be reached.",
    Silence.SLOW: "{host} did not take the connection in time.",
    Silence.UNTRUSTED: "The certificate of {host} is not trusted.",
    Silence.FORBIDDEN: "{host} is in a private network, which is not allowed.",
    Silence.LOST: "{host} did not answer, or broke off.",
    Silence.TOO_LARGE: "{host} answered with more than can be read.",
}


def silence(call: Call, why: Silence, *, host: str) -> TrackerError:
    """The error for a request without an answer."""
    reason = _SILENCES[why].format(host=host)
    if why is Silence.FORBIDDEN:
        return TrackerError(Fault.CONFIG, reason, whole_account=True)
    if why in (Silence.LOST, Silence.TOO_LARGE):
        return TrackerError(_unsure(call), reason)
    return TrackerError(Fault.TRANSIENT, reason, whole_account=True)


def _unsure(call: Call) -> Fault:
    return Fault.UNSURE if call is Call.CREATE else Fault.TRANSIENT


# --- Any answer -------------------------------------------------------------------------


class _Verdict(NamedTuple):
    """A line of the table. `fault` may depend on the call."""

    when: Callable[[Call, Answer], bool]
    fault: Fault | Callable[[Call], Fault]
    reason: str
    whole_account: bool = False
    remedy: str = ""
    suspicious: bool = False


def _is_denied_login(_: Call, answer: Answer) -> bool:
    return (
        answer.status == 401
        or (answer.status == 403 and "x-authentication-denied-reason" in answer.headers)
        or "AUTHENTICATED_FAILED" in answer.headers.get("x-seraph-loginreason", "")
    )


def _is_login_page(_: Call, answer: Answer) -> bool:
    place = answer.headers.get("location", "").lower()
    return 300 <= answer.status < 400 and ("login" in place or "id.atlassian.com" in place)


def _is_no_api(call: Call, answer: Answer) -> bool:
    """Nothing of Jira's REST API is at this address."""
    if answer.status in (405, 410):
        return True
    return answer.status == 404 and (call is Call.CREATE or not answer.is_of_jira)


def _is_from_before_jira(_: Call, answer: Answer) -> bool:
    """A proxy, a firewall, a captive page: it says nothing about what was asked for."""
    return answer.status in (400, 403, 409, 422, 423, 425) and not answer.is_of_jira


def _status(*statuses: int) -> Callable[[Call, Answer], bool]:
    return lambda _, answer: answer.status in statuses


def _if_create(fault: Fault) -> Callable[[Call], Fault]:
    """`fault` for a create; another call concerns this issue only."""
    return lambda call: fault if call is Call.CREATE else Fault.REJECTED


_VERDICTS = (
    _Verdict(
        lambda _, answer: answer.status == 408 or answer.status >= 500,
        _unsure,
        "{host} failed to answer (HTTP {status}).",
    ),
    _Verdict(
        lambda call, answer: answer.is_success and call is Call.CREATE,
        Fault.UNSURE,
        "{host} answered without saying what it created (HTTP {status}).",
        suspicious=True,
    ),
    _Verdict(
        _is_denied_login,
        Fault.AUTH,
        "Jira rejected the credentials (HTTP {status}).",
        whole_account=True,
    ),
    _Verdict(
        _is_login_page,
        Fault.AUTH,
        "Jira asked for a login instead (HTTP {status}).",
        whole_account=True,
    ),
    _Verdict(
        lambda _, answer: answer.status < 400 and not answer.is_success,
        Fault.CONFIG,
        "{host} sends requests elsewhere: its address is another one (HTTP {status}).",
        whole_account=True,
    ),
    _Verdict(
        lambda _, answer: answer.is_success,
        Fault.TRANSIENT,
        "{host} answered with something that is not Jira's (HTTP {status}).",
        suspicious=True,
    ),
    _Verdict(
        _status(429), Fault.TRANSIENT, "Jira asks to slow down (HTTP 429).", whole_account=True
    ),
    _Verdict(
        _is_no_api, Fault.CONFIG, "There is no Jira at {host} (HTTP {status}).", whole_account=True
    ),
    _Verdict(
        _is_from_before_jira,
        Fault.TRANSIENT,
        "Something in front of Jira refused the request (HTTP {status}). {sentence}",
        suspicious=True,
    ),
    _Verdict(
        _status(403), _if_create(Fault.CONFIG), "The account lacks the permission (HTTP 403)."
    ),
    _Verdict(
        lambda _, answer: answer.status == 413 or TOO_LONG in answer.messages,
        Fault.REJECTED,
        "The text is too long for Jira (HTTP {status}).",
        remedy="truncate",
    ),
    _Verdict(
        _status(422),
        _if_create(Fault.CONFIG),
        "Jira is not set up to take this ticket (HTTP 422). {sentence}",
    ),
    _Verdict(_status(404), Fault.REJECTED, "Jira does not know it (HTTP 404). {sentence}"),
    _Verdict(_status(409), Fault.TRANSIENT, "Somebody changed it at the same time (HTTP 409)."),
    _Verdict(_status(423, 425), Fault.TRANSIENT, "Jira is busy with it (HTTP {status})."),
    _Verdict(_status(400), Fault.REJECTED, "Jira refused the request (HTTP 400). {sentence}"),
    _Verdict(
        lambda _, answer: True,
        Fault.CONFIG,
        "{host} refuses requests (HTTP {status}). {sentence}",
        whole_account=True,
    ),
)


def classify(call: Call, answer: Answer, *, host: str, endpoint: str = "") -> Refused:
    """The error for an answer that is not what was asked for; `endpoint` is who answered."""
    verdict = next(line for line in _VERDICTS if line.when(call, answer))
    fault = verdict.fault if isinstance(verdict.fault, Fault) else verdict.fault(call)
    reason = verdict.reason.format(host=host, status=answer.status, sentence=answer.sentence)
    return Refused(
        answer,
        fault,
        reason.strip(),
        remedy=verdict.remedy,
        retry_after=_wait(answer) if fault in (Fault.TRANSIENT, Fault.UNSURE) else None,
        is_answered=_is_failure_of_jira(answer),
        is_foreign=_is_foreign(call, answer),
        whole_account=verdict.whole_account and not _is_limited_in_part(answer),
        suspicious=verdict.suspicious,
        endpoint=endpoint if _is_about_one_endpoint(answer) else "",
    )


def _is_failure_of_jira(answer: Answer) -> bool:
    """Written by Jira's application, not by something before it: an ErrorCollection.

    It is written when the request is over, so that nothing of it happens later.
    """
    body = answer.body
    if answer.status not in (500, 503) or not isinstance(body, dict):
        return False
    return isinstance(body.get("errorMessages"), list) or isinstance(body.get("errors"), dict)


def _is_foreign(call: Call, answer: Answer) -> bool:
    """A captive page, another product: Jira says 201 of what it created, and nothing else."""
    return call is Call.CREATE and answer.is_success and answer.status != 201


def _is_limited_in_part(answer: Answer) -> bool:
    """A limit on the writes of one issue slows nothing else down, nor does one of an endpoint."""
    reason = answer.headers.get("ratelimit-reason", "")
    return "per-issue" in reason or _is_about_one_endpoint(answer)


def _is_about_one_endpoint(answer: Answer) -> bool:
    """Each method and address has a bucket of requests of its own."""
    return answer.status == 429 and "burst" in answer.headers.get("ratelimit-reason", "")


def _wait(answer: Answer) -> float | None:
    """How long we were asked to wait, in seconds; Data Center sends 0 when it does not mind."""
    longest = max(_waits(answer), default=0.0)
    return min(longest, LONGEST_WAIT) if longest > 0 else None


def _waits(answer: Answer) -> Iterator[float]:
    if text := answer.headers.get("retry-after"):
        yield _seconds(text, answer.at)
    if answer.status == 429 and (text := answer.headers.get("x-ratelimit-reset")):
        yield _until(_instant(text), answer.at)


def _seconds(text: str, now: datetime) -> float:
    """Retry-After: seconds, or a date of HTTP."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            return _until(parsedate_to_datetime(text), now)
        except ValueError:
            return 0.0
    return seconds if math.isfinite(seconds) else 0.0


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _until(instant: datetime | None, now: datetime) -> float:
    if instant is None:
        return 0.0
    aware = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
    return (aware - now).total_seconds()
