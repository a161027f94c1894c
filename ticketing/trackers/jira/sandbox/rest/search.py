"""Search: what the index knows, which is behind what was written."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ticketing.trackers.jira.sandbox import jql
from ticketing.trackers.jira.sandbox.calls import Answer, Call, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.model import Issue
from ticketing.trackers.jira.sandbox.rest.issues import wanted_fields

Json = dict[str, Any]

_LIMIT_OF_IDS = 5000
_LIMIT = 100


def search_by_token(call: Call) -> Answer:
    """Cloud: pages by token, no total, only ids unless asked for more."""
    asked = _asked(call)
    query = (asked.get("jql") or "").strip()
    if not query or query.lower().startswith("order by"):
        raise Refused(
            400,
            "Unbounded JQL queries are not allowed here. "
            "Please add a search restriction to your query.",
        )
    found = _found(call, query, asked.get("reconcileIssues") or ())
    fields = wanted_fields(asked["fields"], "id")
    limit = _LIMIT if fields is None or fields else _LIMIT_OF_IDS
    size = min(int(asked.get("maxResults") or 50), limit)
    start = _start(asked.get("nextPageToken") or "")
    shapes = _shapes(call, found[start : start + size], asked, fields)
    answer: Json = {"issues": shapes, "isLast": start + size >= len(found)}
    if not answer["isLast"]:
        answer["nextPageToken"] = f"page-{start + size}"
    return Answer.json(answer)


def _start(token: str) -> int:
    number = token.removeprefix("page-")
    if token and not number.isdigit():
        raise Refused(400, "The nextPageToken is not valid.")
    return int(number or 0)


def search_by_number(call: Call) -> Answer:
    """Data Center: pages by number, with a total. Cloud has taken it away."""
    if call.site.is_cloud:
        raise Refused(
            410,
            "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API.",
        )
    asked = _asked(call)
    asked["properties"] = []  # a search gives none here
    found = _found(call, asked.get("jql") or "")
    start, size = int(asked.get("startAt") or 0), int(asked.get("maxResults") or 50)
    fields = wanted_fields(asked["fields"], "*navigable")
    return Answer.json(
        {
            "expand": "names,schema",
            "startAt": start,
            "maxResults": size,
            "total": len(found),
            "issues": _shapes(call, found[start : start + size], asked, fields),
        }
    )


def _asked(call: Call) -> Json:
    """The same questions come in the address or in the body."""
    asked: Json = dict(call.query) if call.method == "GET" else dict(call.payload)
    for name in ("fields", "properties", "expand"):
        value = asked.get(name) or []
        asked[name] = [one.strip() for one in value.split(",")] if isinstance(value, str) else value
    return asked


def _found(call: Call, query: str, fresh: Iterable[object] = ()) -> list[Issue]:
    """Those of `fresh` are looked at as they are, not as the index has them."""
    if call.person is None:
        return []
    ids = {str(identity) for identity in fresh}
    parsed = jql.parse(query) if query.strip() else jql.Query((), (("id", True),))
    if call.query.get("validateQuery") not in {"false", "none", "warn"}:
        _refuse_unknown(call, parsed)
    return parsed.run(call.site, list(call.site.indexed_issues(call.person, ids)))


def _refuse_unknown(call: Call, query: jql.Query) -> None:
    """What a question names and nobody may see is an error, not an empty answer."""
    for name, value in query.named:
        if name == "project":
            if not _is_project(call, value):
                raise Refused(400, f"The value '{value}' does not exist for the field 'project'.")
            continue
        issue = call.site.find_issue(value)
        if issue is None or not call.site.may_see(issue, call.person):
            raise Refused(400, f"An issue with key '{value}' does not exist for field '{name}'.")


def _is_project(call: Call, value: str) -> bool:
    return any(
        value.lower() in {project.id, project.key.lower(), project.name.lower()}
        and not project.deleted
        and call.site.allows(call.person, "BROWSE_PROJECTS", project)
        for project in call.site.projects.values()
    )


def _shapes(call: Call, issues: list[Issue], asked: Json, fields: set[str] | None) -> list[Json]:
    return [
        call.shapes.issue(
            issue, wanted=fields, properties=asked["properties"], expand=asked["expand"]
        )
        for issue in issues
    ]


ROUTES = (
    route("GET", "search/jql", search_by_token, serves_strangers=True, only_on="cloud"),
    route("POST", "search/jql", search_by_token, serves_strangers=True, only_on="cloud"),
    route("GET", "search", search_by_number, serves_strangers=True),
    route("POST", "search", search_by_number, serves_strangers=True),
)
