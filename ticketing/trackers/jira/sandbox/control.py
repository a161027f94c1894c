"""The levers of the sandbox over HTTP, as JSON: /sandbox/… For scripts and other processes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ticketing.trackers.jira.sandbox.access import TokenState
from ticketing.trackers.jira.sandbox.calls import Answer
from ticketing.trackers.jira.sandbox.dispatch import Request
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.exchanges import Exchange
from ticketing.trackers.jira.sandbox.faults import FaultRule
from ticketing.trackers.jira.sandbox.levers import Levers
from ticketing.trackers.jira.sandbox.shapes import Shapes, moment

Json = dict[str, Any]
Lever = Callable[[Levers, Json], Any]


def answer(jira: Levers, request: Request) -> Answer:
    lever = _LEVERS.get((request.method, request.path))
    if lever is None:
        return Answer.json({"error": "There is no such lever."}, 404)
    try:
        given = json.loads(request.body) if request.body else dict(request.parameters)
        return Answer.json(lever(jira, given))
    except Refused as refused:
        return Answer.json(refused.body, refused.status)
    except (KeyError, TypeError, ValueError, re.error) as error:
        return Answer.json({"error": f"{type(error).__name__}: {error}"}, 400)


def _requests(jira: Levers, given: Json) -> Any:
    return [_exchange(one) for one in jira.log.matching(given.get("match", "* ."))]


def _exchange(exchange: Exchange) -> Json:
    return {
        "method": exchange.method,
        "path": exchange.path,
        "query": exchange.query,
        "body": exchange.body.decode(errors="replace"),
        "at": moment(exchange.at),
        "status": exchange.status,
        "fault": exchange.fault,
        "seconds": round(exchange.elapsed, 4),
    }


def _forget_requests(jira: Levers, _: Json) -> Any:
    jira.log.clear()
    return {}


def _faults(jira: Levers, _: Json) -> Any:
    return [_fault(rule) for rule in jira.faults.all()]


def _fault(rule: FaultRule) -> Json:
    return {
        "match": f"{rule.method} {rule.path.pattern}",
        "effect": rule.effect.value,
        "stage": rule.stage.value,
        "times": rule.times,
        "hits": rule.hits,
    }


def _add_fault(jira: Levers, given: Json) -> Any:
    """`effect` is the name of a fault, the rest its options: match, stage, times, status, …"""
    effect = given.pop("effect")
    makers: Mapping[str, Callable[..., FaultRule]] = {
        "answer": jira.faults.answer,
        "reset": jira.faults.reset,
        "hang": jira.faults.hang,
        "truncate": jira.faults.truncate,
        "slow": jira.faults.slow,
        "throttle": jira.faults.throttle,
        "sign_in_page": jira.faults.sign_in_page,
        "captcha": jira.faults.captcha,
    }
    return _fault(makers[effect](given.pop("match"), **given))


def _clear_faults(jira: Levers, _: Json) -> Any:
    jira.faults.clear()
    return {}


def _settings(jira: Levers, given: Json) -> Any:
    if "lag" in given:
        jira.site.lag = float(given["lag"])
    if "rate" in given:
        jira.limit.change(given["rate"])
    if "dated_retry_after" in given:
        jira.limit.is_dated = bool(given["dated_retry_after"])
    if "token" in given:
        jira.access.state = TokenState(given["token"])
    return {
        "lag": jira.site.lag,
        "rate": jira.limit.rate,
        "dated_retry_after": jira.limit.is_dated,
        "token": jira.access.state.value,
    }


def _permission(jira: Levers, given: Json) -> Any:
    change = jira.grant if given.get("granted") else jira.deny
    change(given["permission"], given.get("project", ""))
    return {}


def _field(jira: Levers, given: Json) -> Any:
    """`{"project", "field", "required" | "dropped": true, "issue_type"}`"""
    project, field = given["project"], given["field"]
    change = jira.require_field if given.get("required") else jira.relax_field
    if given.get("dropped"):
        change = jira.drop_field
    change(project, field, issue_type=given.get("issue_type", "Task"))
    return {}


def _project(jira: Levers, given: Json) -> Any:
    (jira.archive if given["archived"] else jira.restore)(given["project"])
    return {}


def _move(jira: Levers, given: Json) -> Any:
    return {"key": jira.move(given["issue"], given["project"]).key}


def _issues(jira: Levers, given: Json) -> Any:
    found = jira.issues_with_label(given["label"]) if "label" in given else jira.issues()
    return [Shapes(jira.site).issue(issue) for issue in found]


def _index(jira: Levers, _: Json) -> Any:
    jira.index_now()
    return {}


def _webhooks(jira: Levers, _: Json) -> Any:
    return [
        {"event": one.event, "url": one.url, "identifier": one.identifier, "statuses": one.statuses}
        for one in jira.webhooks.sent
    ]


def _mischief(jira: Levers, given: Json) -> Any:
    mischief = jira.webhooks.mischief
    for name in ("drop", "double", "late", "seconds"):
        setattr(mischief, name, float(given.get(name, getattr(mischief, name))))
    return {}


_LEVERS: dict[tuple[str, str], Lever] = {
    ("GET", "/sandbox/requests"): _requests,
    ("DELETE", "/sandbox/requests"): _forget_requests,
    ("GET", "/sandbox/faults"): _faults,
    ("POST", "/sandbox/faults"): _add_fault,
    ("DELETE", "/sandbox/faults"): _clear_faults,
    ("GET", "/sandbox/settings"): _settings,
    ("POST", "/sandbox/settings"): _settings,
    ("POST", "/sandbox/permissions"): _permission,
    ("POST", "/sandbox/fields"): _field,
    ("POST", "/sandbox/projects"): _project,
    ("POST", "/sandbox/moves"): _move,
    ("GET", "/sandbox/issues"): _issues,
    ("POST", "/sandbox/index"): _index,
    ("GET", "/sandbox/webhooks"): _webhooks,
    ("POST", "/sandbox/mischief"): _mischief,
}
