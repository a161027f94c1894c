"""Faults on demand: which requests they hit, how often, and what happens then."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ticketing.trackers.jira.sandbox.calls import Answer


class Effect(StrEnum):
    ANSWER = "answer"  # this one instead of Jira's own
    RESET = "reset"  # a TCP reset, no answer
    HANG = "hang"  # no answer, for some seconds or for ever
    TRUNCATE = "truncate"  # Jira's own answer, cut in the middle of its body
    SLOW = "slow"  # Jira's own answer, late


class Stage(StrEnum):
    BEFORE = "before"  # Jira does nothing of what was asked
    AFTER = "after"  # Jira has done it


@dataclass(kw_only=True)
class FaultRule:
    method: str
    path: re.Pattern[str]
    effect: Effect
    stage: Stage = Stage.BEFORE
    answer: Answer = field(default_factory=Answer)
    seconds: float | None = None  # None: until it is released or the sandbox stops
    skip: int = 0  # so many matching requests pass first
    times: int | None = 1  # None: for ever
    probability: float = 1.0
    hits: int = 0
    reached: threading.Event = field(default_factory=threading.Event)  # a request is held now
    released: threading.Event = field(default_factory=threading.Event)

    def hold(self) -> None:
        """Keep a request until the time is over or somebody releases it."""
        self.reached.set()
        self.released.wait(self.seconds)

    def release(self) -> None:
        self.released.set()

    def matches(self, method: str, path: str) -> bool:
        return self.method in ("*", method) and self.path.search(path) is not None

    @property
    def is_spent(self) -> bool:
        return self.times is not None and self.hits >= self.times


class Faults:
    """The rules of one sandbox. `match` is "POST /issue$": a method or *, and a pattern.

    The first rule that matches and is not spent takes the request. Options of every fault:
    `times` (1; None is for ever), `skip` (so many pass first), `probability` (1.0).
    """

    def __init__(self, seed: int = 0) -> None:
        self._rules: list[FaultRule] = []
        self._random = random.Random(seed)  # noqa: S311  repeatable on purpose
        self._lock = threading.Lock()

    def answer(
        self,
        match: str,
        status: int,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        stage: str = Stage.BEFORE,
        **options: Any,
    ) -> FaultRule:
        """Answer this; `body` is JSON, or text, which is HTML when it begins with <."""
        answer = _answer(status, body, dict(headers or {}))
        return self._add(match, Effect.ANSWER, answer=answer, stage=Stage(stage), **options)

    def reset(self, match: str, *, stage: str, **options: Any) -> FaultRule:
        return self._add(match, Effect.RESET, stage=Stage(stage), **options)

    def hang(
        self, match: str, *, stage: str, seconds: float | None = None, **options: Any
    ) -> FaultRule:
        """Never answer; close the connection after so many seconds, or when released."""
        return self._add(match, Effect.HANG, stage=Stage(stage), seconds=seconds, **options)

    def truncate(self, match: str, **options: Any) -> FaultRule:
        return self._add(match, Effect.TRUNCATE, stage=Stage.AFTER, **options)

    def slow(
        self, match: str, seconds: float | None = None, *, stage: str = Stage.AFTER, **options: Any
    ) -> FaultRule:
        """Answer late; with the stage `before`, do it late too. `rule.release()` lets it go on."""
        return self._add(match, Effect.SLOW, stage=Stage(stage), seconds=seconds, **options)

    def throttle(
        self,
        match: str,
        *,
        retry_after: str | None = "1",
        reason: str = "jira-burst-based",
        **options: Any,
    ) -> FaultRule:
        """Other reasons: jira-quota-global-based, jira-per-issue-on-write."""
        headers = {"RateLimit-Reason": reason}
        if retry_after is not None:
            headers["Retry-After"] = retry_after
        return self.answer(match, 429, "Rate limit exceeded.", headers=headers, **options)

    def sign_in_page(self, match: str, **options: Any) -> FaultRule:
        """A redirect to the page where people sign in, as single sign-on does it."""
        location = "/login.jsp?permissionViolation=true"
        return self.answer(match, 302, None, headers={"Location": location}, **options)

    def captcha(self, match: str, **options: Any) -> FaultRule:
        headers = {
            "X-Seraph-LoginReason": "AUTHENTICATION_DENIED",
            "X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE; login-url=/login.jsp",
        }
        page = "<html>Basic Authentication Failure</html>"
        return self.answer(match, 403, page, headers=headers, **options)

    def end(self, rule: FaultRule) -> None:
        """End one fault; requests that it holds go on."""
        with self._lock:
            rule.release()
            self._rules = [one for one in self._rules if one is not rule]

    def clear(self) -> None:
        """End every fault; requests that are held go on."""
        with self._lock:
            for rule in self._rules:
                rule.release()
            self._rules.clear()

    def all(self) -> list[FaultRule]:
        with self._lock:
            return list(self._rules)

    def seed(self, seed: int) -> None:
        self._random.seed(seed)

    def take(self, method: str, path: str) -> FaultRule | None:
        """The rule that this request runs into."""
        with self._lock:
            for rule in self._rules:
                if rule.is_spent or not rule.matches(method, path):
                    continue
                if rule.skip > 0:
                    rule.skip -= 1
                    continue
                if rule.probability < 1 and self._random.random() >= rule.probability:
                    continue
                rule.hits += 1
                return rule
        return None

    def _add(self, match: str, effect: Effect, **options: Any) -> FaultRule:
        method, _, path = match.partition(" ")
        rule = FaultRule(method=method, path=re.compile(path), effect=effect, **options)
        with self._lock:
            self._rules.append(rule)
        return rule


def _answer(status: int, body: Any, headers: dict[str, str]) -> Answer:
    if body is None:
        return Answer(status=status, headers=headers, content_type="text/plain")
    if isinstance(body, str):
        kind = "text/html" if body.lstrip().startswith("<") else "text/plain"
        return Answer(
            status=status, body=body.encode(), headers=headers, content_type=f"{kind};charset=UTF-8"
        )
    return Answer(status=status, body=json.dumps(body).encode(), headers=headers)
