"""Create, edit and delete issues, with Jira's refusals, its change log and its news."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ticketing.trackers.jira.sandbox.errors import InvalidValue, Refused
from ticketing.trackers.jira.sandbox.model import (
    ChangedItem,
    Field,
    History,
    Issue,
    IssueType,
    Kind,
    Person,
    Project,
)
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site
from ticketing.trackers.jira.sandbox.values import TEXT_LIMIT, Checker

Json = dict[str, Any]

_PROPERTY_LIMIT = 32_768
_GIVEN = frozenset({"project", "issuetype"})


def create(site: Site, person: Person, body: Mapping[str, Any], *, version: str) -> Issue:
    fields = body.get("fields")
    if not isinstance(fields, dict):
        raise Refused(400, "fields: must not be null")
    body = {**body, "fields": with_updates(fields, body.get("update"), {})}
    project = _project(site, person, fields)
    try:
        return _create(site, project, person, body, version)
    except Refused as refused:
        if site.is_burning_numbers and refused.status == 400:
            project.last_number += 1
        raise


def with_updates(fields: Json, update: Json | None, current: Json) -> Json:
    """`update` is verbs per field: add, remove, set; a field must not be in both."""
    fields = dict(fields)
    for name, operations in (update or {}).items():
        if name in fields:
            raise Refused(400, errors={name: f"Field '{name}' cannot be updated twice."})
        value = current.get(name)
        for operation in operations:
            for verb, change in operation.items():
                if verb == "set":
                    value = change
                elif verb == "add":
                    value = [*(value or []), change]
                elif verb == "remove":
                    value = [one for one in value or [] if one != change]
        fields[name] = value
    return fields


def _project(site: Site, person: Person, fields: Json) -> Project:
    given = fields.get("project")
    identity = str(given.get("id") or given.get("key")) if isinstance(given, dict) else ""
    try:
        project = site.project(identity, person)
    except Refused:
        raise Refused(400, errors={"project": "Specify a valid project ID or key"}) from None
    if project.archived:
        raise Refused(400, errors={"project": f"The project {project.key} is archived."})
    if not site.allows(person, "CREATE_ISSUES", project):
        raise Refused(403, "You do not have permission to create issues in this project.")
    return project


def _create(
    site: Site, project: Project, person: Person, body: Mapping[str, Any], version: str
) -> Issue:
    fields: Json = body["fields"]
    kind = _issue_type(site, project, fields)
    screen = project.fields[kind.id]
    values = _defaults(screen, person) | checked(site, project, screen, fields, version)
    _refuse_missing(screen, values)
    properties = properties_of(body)
    project.last_number += 1
    now = site.clock()
    issue = Issue(
        id=site.next_id(),
        key=f"{project.key}-{project.last_number}",
        project_id=project.id,
        type_id=kind.id,
        status_id=project.transitions[0].source,
        creator=person.account_id,
        created_at=now,
        updated_at=now,
        fields={name: value for name, value in values.items() if value is not None},
        properties=properties,
        searchable_at=site.indexed_from_now(),
    )
    site.issues[issue.id] = issue
    tell(site, "jira:issue_created", issue, person)
    return issue


def _issue_type(site: Site, project: Project, fields: Json) -> IssueType:
    given = fields.get("issuetype")
    if not isinstance(given, dict):
        raise Refused(400, errors={"issuetype": "Specify an issue type"})
    identity, name = given.get("id"), given.get("name")
    for kind in site.types.values():
        matches = kind.id == str(identity) or (identity is None and kind.name == name)
        if matches and kind.id in project.fields:
            return kind
    raise Refused(400, errors={"issuetype": "Specify a valid issue type"})


def _defaults(screen: Mapping[str, Field], person: Person) -> Json:
    values: Json = {}
    for field in screen.values():
        if field.default == "caller":
            values[field.id] = person.account_id
        elif isinstance(field.default, dict):
            values[field.id] = field.default["id"]
    return values


def checked(
    site: Site, project: Project, screen: Mapping[str, Field], fields: Json, version: str
) -> Json:
    """Every value as it is kept; all the refusals at once, as Jira names them."""
    checker = Checker(site, project, version)
    values: Json = {}
    errors: dict[str, str] = {}
    for name, value in fields.items():
        if name in _GIVEN:
            continue
        field = screen.get(name)
        if field is None:
            errors[name] = (
                f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
            )
            continue
        if field.kind is Kind.TEXT_AREA and version == "3" and _is_too_long(value):
            raise Refused(400, "CONTENT_LIMIT_EXCEEDED")
        try:
            values[name] = checker.check(field, value)
        except InvalidValue as invalid:
            errors[name] = str(invalid)
    if errors:
        raise Refused(400, errors=errors)
    return values


def _is_too_long(document: Any) -> bool:
    return len(json.dumps(document, ensure_ascii=False)) > TEXT_LIMIT


def _refuse_missing(screen: Mapping[str, Field], values: Json) -> None:
    errors = {
        field.id: "You must specify a summary of the issue."
        if field.id == "summary"
        else f"{field.name} is required."
        for field in screen.values()
        if field.required and field.id not in _GIVEN and values.get(field.id) in (None, "", [])
    }
    if errors:
        raise Refused(400, errors=errors)


def properties_of(body: Mapping[str, Any]) -> Json:
    properties: Json = {}
    for entry in body.get("properties") or []:
        if not isinstance(entry, dict) or not {"key", "value"} <= set(entry):
            raise Refused(400, "Invalid request payload. Refer to the REST API documentation.")
        check_property(entry["key"], entry["value"])
        properties[entry["key"]] = entry["value"]
    return properties


def check_property(key: str, value: Any) -> None:
    if len(key) > 255:
        raise Refused(400, "The property key is longer than 255 characters.")
    if len(json.dumps(value)) > _PROPERTY_LIMIT:
        raise Refused(400, "The property value is longer than 32768 characters.")


def edit(site: Site, person: Person, issue: Issue, fields: Json, *, version: str) -> None:
    """Change fields; what was the same already leaves no trace."""
    project = refuse_readonly(site, person, issue, "EDIT_ISSUES")
    screen = project.fields[issue.type_id]
    values = checked(site, project, screen, fields, version)
    _refuse_missing({name: screen[name] for name in values}, values)
    items = [
        item
        for name, value in values.items()
        if (item := change(site, issue, screen[name], value)) is not None
    ]
    record(site, person, issue, items)


def refuse_readonly(site: Site, person: Person, issue: Issue, permission: str) -> Project:
    project = site.project_of(issue)
    if project.archived:
        raise Refused(400, "You can't edit this issue because its project is archived.")
    if not site.allows(person, permission, project):
        raise Refused(403, "You do not have permission to edit issues in this project.")
    return project


def change(site: Site, issue: Issue, field: Field, value: Any) -> ChangedItem | None:
    before = issue.fields.get(field.id)
    if before == value:
        return None
    if value is None:
        issue.fields.pop(field.id, None)
    else:
        issue.fields[field.id] = value
    before_id, before_text = _words(site, field, before)
    after_id, after_text = _words(site, field, value)
    return ChangedItem(field.id, before_id, before_text, after_id, after_text)


def _words(site: Site, field: Field, value: Any) -> tuple[str | None, str | None]:
    """How the change log speaks of a value: its id, if it has one, and its words."""
    if value is None:
        return None, None
    shape = Shapes(site).value(field, value)
    if isinstance(shape, dict):
        words = shape.get("displayName") or shape.get("name") or shape.get("value")
        identity = shape.get("accountId") or shape.get("name") if field.kind is Kind.USER else value
        return str(identity), str(words or "")
    if isinstance(shape, list):
        separator = " " if field.kind is Kind.LABELS else ", "
        names = [one if isinstance(one, str) else one.get("name", "") for one in shape]
        return None, separator.join(names)
    return None, str(shape)


def record(site: Site, person: Person, issue: Issue, items: list[ChangedItem]) -> None:
    if not items:
        return
    site.touch(issue)
    history = History(id=site.next_id(), at=issue.updated_at, by=person.account_id, items=items)
    issue.histories.append(history)
    shapes = Shapes(site)
    changelog = {"id": str(history.id), "items": [shapes.changed(item) for item in items]}
    names = {item.field for item in items}
    kind = "issue_generic" if "status" in names else "issue_updated"
    if names == {"assignee"}:
        kind = "issue_assigned"
    tell(site, "jira:issue_updated", issue, person, {"changelog": changelog}, kind=kind)


def delete(site: Site, person: Person, issue: Issue) -> None:
    project = site.project_of(issue)
    if not site.allows(person, "DELETE_ISSUES", project):
        raise Refused(403, "You do not have permission to delete issues in this project.")
    del site.issues[issue.id]
    tell(site, "jira:issue_deleted", issue, person)


def move(site: Site, person: Person, issue: Issue, project: Project) -> None:
    """To another project: the id stays, the former key still leads to it."""
    before = issue.key
    old = site.project_of(issue)
    site.moved[before] = issue.id
    project.last_number += 1
    issue.key = f"{project.key}-{project.last_number}"
    issue.project_id = project.id
    record(
        site,
        person,
        issue,
        [
            ChangedItem("project", old.id, old.name, project.id, project.name),
            ChangedItem("Key", None, before, None, issue.key),
        ],
    )


def tell(
    site: Site,
    name: str,
    issue: Issue,
    person: Person,
    more: Mapping[str, Any] | None = None,
    *,
    kind: str = "",
) -> None:
    """News of an issue, in the shape of version 2 whatever version wrote it."""
    if not site.hooks:
        return  # nobody listens, and the shape of an issue is work
    payload = {
        "issue_event_type_name": kind or name.removeprefix("jira:"),
        "issue": Shapes(site).issue(issue),
        **(more or {}),
    }
    site.tell(name, person, issue, payload)
