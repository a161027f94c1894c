"""Create metadata: what the create screen of a project's issue type asks for."""

from __future__ import annotations

from typing import Any

from ticketing.trackers.jira.sandbox.model import Field, Kind, Project
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site

Json = dict[str, Any]

_PLUGIN = "com.atlassian.jira.plugin.system.customfieldtypes:"
_AGILE = "com.pyxis.greenhopper.jira:"
_ASSETS = "com.atlassian.jira.plugins.cmdb:"

# kind → (type, items, custom type)
_SCHEMAS: dict[Kind, tuple[str, str, str]] = {
    Kind.TEXT: ("string", "", f"{_PLUGIN}textfield"),
    Kind.TEXT_AREA: ("string", "", f"{_PLUGIN}textarea"),
    Kind.NUMBER: ("number", "", f"{_PLUGIN}float"),
    Kind.DATE: ("date", "", f"{_PLUGIN}datepicker"),
    Kind.DATE_TIME: ("datetime", "", f"{_PLUGIN}datetime"),
    Kind.URL: ("string", "", f"{_PLUGIN}url"),
    Kind.LABELS: ("array", "string", f"{_PLUGIN}labels"),
    Kind.SELECT: ("option", "", f"{_PLUGIN}select"),
    Kind.RADIO: ("option", "", f"{_PLUGIN}radiobuttons"),
    Kind.MULTI_SELECT: ("array", "option", f"{_PLUGIN}multiselect"),
    Kind.CHECKBOXES: ("array", "option", f"{_PLUGIN}multicheckboxes"),
    Kind.CASCADING: ("option-with-child", "", f"{_PLUGIN}cascadingselect"),
    Kind.USER: ("user", "", f"{_PLUGIN}userpicker"),
    Kind.USERS: ("array", "user", f"{_PLUGIN}multiuserpicker"),
    Kind.GROUP: ("group", "", f"{_PLUGIN}grouppicker"),
    Kind.PRIORITY: ("priority", "", ""),
    Kind.COMPONENTS: ("array", "component", ""),
    Kind.VERSION: ("version", "", f"{_PLUGIN}version"),
    Kind.VERSIONS: ("array", "version", f"{_PLUGIN}multiversion"),
    Kind.PARENT: ("issuelink", "", ""),
    Kind.PROJECT: ("project", "", ""),
    Kind.ISSUE_TYPE: ("issuetype", "", ""),
    Kind.RESOLUTION: ("resolution", "", ""),
    Kind.EPIC_NAME: ("string", "", f"{_AGILE}gh-epic-label"),
    Kind.EPIC_LINK: ("any", "", f"{_AGILE}gh-epic-link"),
    Kind.SECURITY_LEVEL: ("securitylevel", "", ""),
    Kind.TEAM: ("team", "", "com.atlassian.teams:rm-teams-custom-field-team"),
    Kind.REQUEST_TYPE: ("sd-customerrequesttype", "", "com.atlassian.servicedesk:vp-origin"),
    Kind.SPRINT: ("array", "json", f"{_AGILE}gh-sprint"),
    Kind.ASSETS: ("array", "cmdb-object-field", f"{_ASSETS}cmdb-object-cftype"),
    Kind.PROJECT_PICKER: ("project", "", f"{_PLUGIN}project"),
    Kind.ISSUE_LINKS: ("array", "issuelinks", ""),
    Kind.OF_AN_APP: ("any", "", "com.acme.risk:risk-score"),
}
_ADDABLE = frozenset({"array"})


def schema_of(field: Field) -> Json:
    type_, items, custom = _SCHEMAS[field.kind]
    schema: Json = {"type": type_}
    if items:
        schema["items"] = items
    if field.is_custom:
        return schema | {"custom": custom, "customId": int(field.id.removeprefix("customfield_"))}
    return schema | {"system": field.id}


def field_metadata(site: Site, shapes: Shapes, project: Project, field: Field) -> Json:
    schema = schema_of(field)
    shape: Json = {
        "fieldId": field.id,
        "name": field.name,
        "required": field.required,
        "hasDefaultValue": field.default is not None,
        "operations": ["add", "set", "remove"] if schema["type"] in _ADDABLE else ["set"],
        "schema": schema,
    }
    if field.kind is Kind.ISSUE_LINKS:
        shape["operations"] = ["add"]
    if site.is_cloud:
        shape["key"] = field.id  # Data Center may leave it out
    if field.kind is Kind.PROJECT:
        shape["allowedValues"] = [shapes.project(project)]
    elif field.kind is Kind.ISSUE_TYPE:
        shape["allowedValues"] = list(map(shapes.issue_type, site.types.values()))
    elif field.options:
        shape["allowedValues"] = [shapes.option(field, option) for option in field.options]
    if field.kind in {Kind.USER, Kind.USERS}:
        shape["autoCompleteUrl"] = shapes.link(
            f"user/assignable/search?project={project.key}&query="
        )
    elif field.kind is Kind.LABELS:
        shape["autoCompleteUrl"] = shapes.link("label?query=")
    if isinstance(field.default, dict):
        shape["defaultValue"] = shapes.value(field, field.default["id"])
    return shape
