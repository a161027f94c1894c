"""Projects ("spaces"), their statuses, and what their create screens ask for."""

from __future__ import annotations

from html import escape
from typing import Any

from ticketing.trackers.jira.sandbox import defaults
from ticketing.trackers.jira.sandbox.calls import Answer, Call, page, route
from ticketing.trackers.jira.sandbox.errors import Refused
from ticketing.trackers.jira.sandbox.metadata import field_metadata
from ticketing.trackers.jira.sandbox.model import Kind, Project

_PAGE_LIMIT = 200


def _visible(call: Call) -> list[Project]:
    permission = "CREATE_ISSUES" if call.query.get("action") == "create" else "BROWSE_PROJECTS"
    return [
        project
        for project in call.site.projects.values()
        if not project.deleted
        and call.site.allows(call.person, "BROWSE_PROJECTS", project)
        and call.site.allows(call.person, permission, project)
    ]


def search_projects(call: Call) -> Answer:
    wanted = call.names("status") or ["live"]
    text = call.query.get("query", "").lower()
    keys, ids = call.names("keys"), call.names("id")
    found = [
        call.shapes.project(project, with_details="issueTypes" in call.names("expand"))
        for project in _visible(call)
        if ("archived" if project.archived else "live") in wanted
        and (text in project.key.lower() or text in project.name.lower())
        and (not keys or project.key in keys)
        and (not ids or project.id in ids)
    ]
    return Answer.json({"self": call.shapes.link("project/search")} | page(found, call))


def list_projects(call: Call) -> Answer:
    with_archived = call.query.get("includeArchived") == "true"
    return Answer.json(
        [
            call.shapes.project(project)
            for project in _visible(call)
            if with_archived or not project.archived
        ]
    )


def read_project(call: Call) -> Answer:
    project = call.site.project(call.parts["project"], call.person)
    return Answer.json(call.shapes.project(project, with_details=True))


def project_statuses(call: Call) -> Answer:
    project = call.site.project(call.parts["project"], call.person)
    used = dict.fromkeys(
        status for step in project.transitions for status in (step.source, step.target)
    )
    statuses = [call.shapes.status(call.site.statuses[status]) for status in used]
    return Answer.json(
        [
            {
                "self": call.shapes.link(f"issuetype/{kind.id}"),
                "id": kind.id,
                "name": kind.name,
                "subtask": kind.level < 0,
                "statuses": statuses,
            }
            for kind in call.site.types.values()
        ]
    )


def _creatable(call: Call) -> Project | None:
    project = call.site.project(call.parts["project"], call.person)
    return project if call.site.allows(call.person, "CREATE_ISSUES", project) else None


def issue_types(call: Call) -> Answer:
    project = _creatable(call)
    types = (
        [call.shapes.issue_type(call.site.types[id_]) for id_ in project.fields] if project else []
    )
    return _paged(call, "issueTypes", types)


def create_fields(call: Call) -> Answer:
    project = _creatable(call)
    fields = project.fields.get(call.parts["type"]) if project else None
    if project is None or fields is None:
        raise Refused(404, "Issue type could not be found.")
    shapes = [field_metadata(call.site, call.shapes, project, field) for field in fields.values()]
    return _paged(call, "fields", shapes)


def _paged(call: Call, name: str, values: list[Any]) -> Answer:
    """Cloud names the list after what is in it, Data Center says `values`."""
    if call.number("maxResults", 50) > _PAGE_LIMIT:
        raise Refused(400, "The maxResults query parameter must not be greater than 200.")
    shape = page(values, call, limit=_PAGE_LIMIT)
    if call.site.is_cloud:
        shape[name] = shape.pop("values")
        del shape["isLast"]
    return Answer.json(shape)


def service_desks(call: Call) -> Answer:
    desks = [
        {
            "id": project.id,
            "projectId": project.id,
            "projectKey": project.key,
            "projectName": project.name,
        }
        for project in _visible(call)
        if project.is_service_desk
    ]
    return Answer.json(_desk_page(call, desks))


def request_types(call: Call) -> Answer:
    project = call.site.project(call.parts["desk"], call.person)
    if not project.is_service_desk:
        raise Refused(404, "The service desk does not exist.")
    kinds = [
        {"id": each.id, "name": each.name, "issueTypeId": "10001", "serviceDeskId": project.id}
        for each in project.request_types
    ]
    return Answer.json(_desk_page(call, kinds))


def _desk_page(call: Call, values: list[Any]) -> dict[str, Any]:
    """Lists of the service desk have names of their own for where they stand."""
    start, size = call.number("start", 0), min(call.number("limit", 50), 100)
    shown = values[start : start + size]
    is_last = start + size >= len(values)
    return {
        "size": len(shown),
        "start": start,
        "limit": size,
        "isLastPage": is_last,
        "values": shown,
    }


def suggestions(call: Call) -> Answer:
    """What a search proposes for a field; of teams this is the only list there is."""
    typed = call.query.get("fieldValue", "").lower()
    number = call.query.get("fieldName", "").removeprefix("cf[").removesuffix("]")
    field = call.site.known_fields.get(f"customfield_{number}")
    if field is None:
        raise Refused(400, f"The field '{number}' does not exist.")
    teams = defaults.ORG_TEAMS if field.kind is Kind.TEAM else ()
    results = [
        {"value": team.id, "displayName": _marked(team.name, typed)}
        for team in teams
        if typed in team.name.lower()
    ]
    return Answer.json({"results": results[:15]})


def _marked(name: str, typed: str) -> str:
    at = name.lower().find(typed)
    parts = (name[:at], name[at : at + len(typed)], name[at + len(typed) :])
    before, match, after = map(escape, parts)
    return f"{before}<b>{match}</b>{after}" if typed else escape(name)


ROUTES = (
    route("GET", "/rest/servicedeskapi/servicedesk", service_desks),
    route("GET", "/rest/servicedeskapi/servicedesk/{desk}/requesttype", request_types),
    route("GET", "jql/autocompletedata/suggestions", suggestions, serves_strangers=True),
    route("GET", "project/search", search_projects, serves_strangers=True, only_on="cloud"),
    route("GET", "project", list_projects, serves_strangers=True),
    route("GET", "project/{project}", read_project, serves_strangers=True),
    route("GET", "project/{project}/statuses", project_statuses, serves_strangers=True),
    route("GET", "issue/createmeta/{project}/issuetypes", issue_types, serves_strangers=True),
    route(
        "GET",
        "issue/createmeta/{project}/issuetypes/{type}",
        create_fields,
        serves_strangers=True,
    ),
)
