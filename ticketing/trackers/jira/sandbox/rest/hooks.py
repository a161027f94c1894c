"""Webhooks that an administrator registers: /rest/webhooks/1.0/webhook."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from ticketing.trackers.jira.sandbox import jql
from ticketing.trackers.jira.sandbox.calls import NO_CONTENT, Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.site import Hook

Json = dict[str, Any]

_BASE = "/rest/webhooks/1.0/webhook"
_SECTION = "issue-related-events-section"


def _shape(call: Call, hook: Hook) -> Json:
    """The secret is never read back, only that there is one."""
    return {
        "name": hook.name,
        "url": hook.url,
        "events": list(hook.events),
        "filters": {_SECTION: hook.jql} if hook.jql else {},
        "excludeBody": False,
        "enabled": hook.enabled,
        "isSigned": bool(hook.secret),
        "lastUpdatedUser": call.site.bot.account_id,
        "lastUpdatedDisplayName": call.site.bot.display_name,
        "self": f"{call.site.url}{_BASE}/{hook.id}",
    }


def _refuse_others(call: Call) -> None:
    if not call.site.allows(call.person, "ADMINISTER", None):
        raise Refused(403, "You do not have permission to administer webhooks.")


def _hook(call: Call) -> Hook:
    _refuse_others(call)
    identity = call.parts["hook"]
    hook = call.site.hooks.get(int(identity)) if identity.isdigit() else None
    if hook is None:
        raise Refused(404, "The webhook does not exist.")
    return hook


def list_hooks(call: Call) -> Answer:
    _refuse_others(call)
    return Answer.json([_shape(call, hook) for hook in call.site.hooks.values()])


def read_hook(call: Call) -> Answer:
    return Answer.json(_shape(call, _hook(call)))


def add_hook(call: Call) -> Answer:
    _refuse_others(call)
    hook = Hook(id=call.site.next_id(), name="", url="", events=())
    _fill(hook, call.payload)
    call.site.hooks[hook.id] = hook
    return Answer.json(_shape(call, hook), 201)


def edit_hook(call: Call) -> Answer:
    hook = _hook(call)
    _fill(hook, call.payload)
    return Answer.json(_shape(call, hook))


def _fill(hook: Hook, payload: Json) -> None:
    """What is left out stays."""
    name, url = payload.get("name", hook.name), payload.get("url", hook.url)
    if not name:
        raise Refused(400, "The name of the webhook must not be empty.")
    if urlsplit(url).scheme not in {"http", "https"}:
        raise Refused(400, "The URL of the webhook is not valid.")
    filters = payload.get("filters") or {}
    query = filters.get(_SECTION, hook.jql)
    if query:
        jql.parse(query)
    hook.name, hook.url, hook.jql = name, url, query
    hook.events = tuple(payload.get("events", hook.events))
    hook.secret = payload.get("secret", hook.secret)
    hook.enabled = payload.get("enabled", hook.enabled)


def delete_hook(call: Call) -> Answer:
    del call.site.hooks[_hook(call).id]
    return NO_CONTENT


ROUTES = (
    route("GET", _BASE, list_hooks),
    route("POST", _BASE, add_hook),
    route("GET", f"{_BASE}/{{hook}}", read_hook),
    route("PUT", f"{_BASE}/{{hook}}", edit_hook),
    route("DELETE", f"{_BASE}/{{hook}}", delete_hook),
)
