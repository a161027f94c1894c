"""The site itself, who is calling, and what everybody shares: people, priorities, statuses."""

from __future__ import annotations

from ticketing.trackers.jira.sandbox.calls import Answer, Call, page, route
from ticketing.trackers.jira.sandbox.errors import Refused, unauthorized
from ticketing.trackers.jira.sandbox.metadata import schema_of
from ticketing.trackers.jira.sandbox.model import Person
from ticketing.trackers.jira.sandbox.shapes import moment
from ticketing.trackers.jira.sandbox.site import CLOUD_ID

_PERMISSIONS = (
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "EDIT_ISSUES",
    "DELETE_ISSUES",
    "ASSIGN_ISSUES",
    "ASSIGNABLE_USER",
    "TRANSITION_ISSUES",
    "ADD_COMMENTS",
    "LINK_ISSUES",
    "ADMINISTER",
)


def server_info(call: Call) -> Answer:
    is_cloud = call.site.is_cloud
    numbers = [1001, 0, 0] if is_cloud else [10, 3, 5]
    info = {
        "baseUrl": call.site.url,
        "version": "1001.0.0-SNAPSHOT" if is_cloud else "10.3.5",
        "versionNumbers": numbers,
        "deploymentType": "Cloud" if is_cloud else "Server",
        "buildNumber": 100298 if is_cloud else 10030005,
        "buildDate": "2026-11-20T00:00:00.000+0000",
        "serverTime": moment(call.site.clock()),
        "scmInfo": "0" * 40,
        "serverTitle": "Sandbox Jira",
    }
    if is_cloud:
        info["displayUrl"] = call.site.url
        info["serverTimeZone"] = "Etc/UTC"
    return Answer.json(info)


def tenant_info(_: Call) -> Answer:
    return Answer.json({"cloudId": CLOUD_ID})


def myself(call: Call) -> Answer:
    if call.person is None:
        raise unauthorized()
    return Answer.json(call.shapes.person(call.person) | {"locale": "en_US"})


def my_permissions(call: Call) -> Answer:
    project = None
    identity = call.query.get("projectKey") or call.query.get("projectId")
    if identity:
        project = call.site.project(identity, call.person)
    wanted = call.names("permissions")
    if call.site.is_cloud and not wanted:
        raise Refused(400, "The permissions query parameter is required.")
    unknown = [name for name in wanted if name not in _PERMISSIONS]
    if unknown:
        raise Refused(400, f"Unrecognized permission: {unknown[0]}")
    shape = {
        name: {
            "id": str(place),
            "key": name,
            "name": name.replace("_", " ").capitalize(),
            "type": "GLOBAL" if name == "ADMINISTER" else "PROJECT",
            "description": "",
            "havePermission": call.site.allows(call.person, name, project),
        }
        for place, name in enumerate(_PERMISSIONS, start=1)
        if not wanted or name in wanted
    }
    return Answer.json({"permissions": shape})


def assignable(call: Call) -> Answer:
    if not (identity := call.query.get("project") or call.query.get("issueKey")):
        raise Refused(400, "The project or issueKey query parameter is required.")
    call.site.project(identity.partition("-")[0], call.person)
    if call.site.is_cloud and not {"query", "accountId"} & set(call.query):
        raise Refused(400, "Either the query or the accountId query parameter is required.")
    people = [person for person in call.site.people.values() if person.is_active]
    return _people(call, people)


def search_users(call: Call) -> Answer:
    return _people(call, list(call.site.people.values()))


def _people(call: Call, people: list[Person]) -> Answer:
    """Pages are cut before they are filtered, as Cloud does: they may be short."""
    start = call.number("startAt", 0)
    slice_ = people[start : start + call.number("maxResults", 50)]
    exact = call.query.get("accountId") if call.site.is_cloud else None
    text = (call.query.get("query") or call.query.get("username") or "").lower()
    found = [
        call.shapes.person(person)
        for person in slice_
        if (exact in (None, person.account_id)) and _matches(person, text)
    ]
    return Answer.json(found)


def _matches(person: Person, text: str) -> bool:
    words = (*person.display_name.lower().split(), person.email.lower(), person.name)
    return (
        text in ("", ".")
        or any(word.startswith(text) for word in words)
        or person.display_name.lower().startswith(text)
    )


def priorities(call: Call) -> Answer:
    return Answer.json([call.shapes.priority(one) for one in call.site.priorities])


def search_priorities(call: Call) -> Answer:
    values = [call.shapes.priority(one) | {"isDefault": False} for one in call.site.priorities]
    return Answer.json(page(values, call))


def statuses(call: Call) -> Answer:
    return Answer.json(list(map(call.shapes.status, call.site.statuses.values())))


def fields(call: Call) -> Answer:
    return Answer.json(
        [
            {
                "id": field.id,
                "key": field.id,
                "name": field.name,
                "custom": field.is_custom,
                "orderable": True,
                "navigable": True,
                "searchable": True,
                "clauseNames": [field.id],
                "schema": schema_of(field),
            }
            for field in call.site.known_fields.values()
        ]
    )


ROUTES = (
    route("GET", "field", fields, serves_strangers=True),
    route("GET", "serverInfo", server_info, serves_strangers=True),
    route("GET", "/_edge/tenant_info", tenant_info, serves_strangers=True, only_on="cloud"),
    route("GET", "myself", myself, serves_strangers=True),
    route("GET", "mypermissions", my_permissions, serves_strangers=True),
    route("GET", "user/assignable/search", assignable),
    route("GET", "user/search", search_users),
    route("GET", "priority", priorities, serves_strangers=True),
    route("GET", "priority/search", search_priorities, serves_strangers=True),
    route("GET", "status", statuses, serves_strangers=True),
)
