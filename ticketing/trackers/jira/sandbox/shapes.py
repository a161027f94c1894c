"""What is read over the REST API: the JSON of people, projects, statuses, issues."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from datetime import UTC, datetime
from typing import Any

from ticketing.trackers.jira.sandbox import defaults, markup
from ticketing.trackers.jira.sandbox.model import (
    Comment,
    Field,
    Issue,
    IssueType,
    Kind,
    Option,
    Person,
    Project,
    Status,
)
from ticketing.trackers.jira.sandbox.site import Site

Json = dict[str, Any]

_CATEGORIES: dict[str, tuple[int, str, str]] = {
    "new": (2, "To Do", "blue-gray"),
    "indeterminate": (4, "In Progress", "yellow"),
    "done": (3, "Done", "green"),
}


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).strftime('%Y-%m-%dT%H:%M:%S')}.{at.microsecond // 1000:03}+0000"


class Shapes:
    """Speaks for one site in one version of the API."""

    def __init__(self, site: Site, version: str = "2") -> None:
        self._site = site
        self._version = version

    def link(self, path: str) -> str:
        return f"{self._site.api_url}/rest/api/{self._version}/{path}"

    def person(self, person: Person) -> Json:
        shape: Json = {
            "displayName": person.display_name,
            "active": person.is_active,
            "timeZone": "Etc/UTC",
        }
        if person.email:
            shape["emailAddress"] = person.email
        if self._site.is_cloud:
            shape["self"] = self.link(f"user?accountId={person.account_id}")
            return shape | {"accountId": person.account_id, "accountType": "atlassian"}
        shape["self"] = self.link(f"user?username={person.name}")
        return shape | {"name": person.name, "key": f"JIRAUSER{person.name}"}

    def person_by_id(self, account_id: str | None) -> Json | None:
        person = self._site.people.get(account_id or "")
        return self.person(person) if person else None

    def issue_type(self, kind: IssueType) -> Json:
        return {
            "self": self.link(f"issuetype/{kind.id}"),
            "id": kind.id,
            "name": kind.name,
            "description": "",
            "iconUrl": f"{self._site.url}/static/{kind.name.lower()}.svg",
            "subtask": kind.level < 0,
            **({"hierarchyLevel": kind.level} if self._site.is_cloud else {}),
        }

    def project(self, project: Project, *, with_details: bool = False) -> Json:
        shape: Json = {
            "self": self.link(f"project/{project.id}"),
            "id": project.id,
            "key": project.key,
            "name": project.name,
            "projectTypeKey": "service_desk" if project.is_service_desk else "software",
        }
        if self._site.is_cloud:
            shape |= {"simplified": False, "style": "classic", "isPrivate": False}
        if project.archived:
            shape["archived"] = True
        if with_details:
            shape["issueTypes"] = list(map(self.issue_type, self._site.types.values()))
            shape["components"] = self._catalogue(project, "components")
            shape["versions"] = self._catalogue(project, "fixVersions")
        return shape

    def _catalogue(self, project: Project, field_id: str) -> list[Json]:
        fields = next(iter(project.fields.values()))
        field = fields.get(field_id)
        return [self.option(field, option) for option in field.options] if field else []

    def category(self, key: str) -> Json:
        number, name, colour = _CATEGORIES[key]
        return {
            "self": self.link(f"statuscategory/{number}"),
            "id": number,
            "key": key,
            "name": name,
            "colorName": colour,
        }

    def status(self, status: Status) -> Json:
        return {
            "self": self.link(f"status/{status.id}"),
            "id": status.id,
            "name": status.name,
            "description": "",
            "iconUrl": f"{self._site.url}/static/status.svg",
            "statusCategory": self.category(status.category),
        }

    def priority(self, option: Option) -> Json:
        return {
            "self": self.link(f"priority/{option.id}"),
            "id": option.id,
            "name": option.name,
            "iconUrl": f"{self._site.url}/static/{option.name.lower()}.svg",
        }

    def option(self, field: Field, option: Option) -> Json:
        """System fields say `name`, options of custom fields `value`."""
        if field.kind is Kind.PRIORITY:
            return self.priority(option)
        if field.kind is Kind.RESOLUTION:
            return self.resolution(option)
        if field.kind is Kind.COMPONENTS:
            return {
                "self": self.link(f"component/{option.id}"),
                "id": option.id,
                "name": option.name,
            }
        if field.kind in {Kind.VERSION, Kind.VERSIONS}:
            return {
                "self": self.link(f"version/{option.id}"),
                "id": option.id,
                "name": option.name,
                "archived": False,
                "released": False,
            }
        if field.kind in {Kind.SECURITY_LEVEL, Kind.PROJECT_PICKER}:
            path = "securitylevel" if field.kind is Kind.SECURITY_LEVEL else "project"
            return {"self": self.link(f"{path}/{option.id}"), "id": option.id, "name": option.name}
        shape: Json = {
            "self": self.link(f"customFieldOption/{option.id}"),
            "id": option.id,
            "value": option.name,
        }
        if option.children:
            shape["children"] = [self.option(field, child) for child in option.children]
        return shape

    def long_text(self, text: str | Json | None) -> str | Json | None:
        if text is None:
            return None
        return markup.as_document(text) if self._version == "3" else markup.as_wiki(text)

    def value(self, field: Field, value: Any) -> Any:
        """A kept value as it is read."""
        if value is None:
            return [] if field.kind in _LISTS else None
        shape = _SHAPES.get(field.kind)
        return shape(self, field, value) if shape else value

    def chosen(self, field: Field, identity: str) -> Json | None:
        options = self._site.priorities if field.kind is Kind.PRIORITY else field.options
        for option in options:
            if option.id == identity:
                shape = self.option(field, option)
                shape.pop("children", None)
                return shape
        return None

    def all_chosen(self, field: Field, identities: Iterable[str]) -> list[Json]:
        return [shape for one in identities if (shape := self.chosen(field, one))]

    def cascade(self, field: Field, value: Json) -> Json | None:
        shape = self.chosen(field, value["id"])
        if shape and (child := value.get("child")):
            parent = next(option for option in field.options if option.id == value["id"])
            names = [option for option in parent.children if option.id == child]
            shape["child"] = self.option(field, names[0])
        return shape

    def parent(self, identity: str) -> Json | None:
        issue = self._site.find_issue(identity)
        return self._brief(issue) if issue else None

    def _brief(self, issue: Issue) -> Json:
        return {
            "id": str(issue.id),
            "key": issue.key,
            "self": self.link(f"issue/{issue.id}"),
            "fields": self.fields(issue, {"summary", "status", "issuetype"}),
        }

    def comment(self, issue: Issue, comment: Comment) -> Json:
        author = self.person_by_id(comment.author)
        service_desk = comment.properties.get("sd.public.comment") or {}
        restriction = {"visibility": comment.visibility} if comment.visibility else {}
        return {
            "self": self.link(f"issue/{issue.id}/comment/{comment.id}"),
            "id": str(comment.id),
            "author": author,
            "updateAuthor": author,
            "body": self.long_text(comment.text),
            "created": moment(comment.created_at),
            "updated": moment(comment.updated_at),
            "jsdPublic": not service_desk.get("internal"),
            **restriction,
        }

    def comments(self, issue: Issue) -> Json:
        shapes = [self.comment(issue, comment) for comment in issue.comments]
        return {"comments": shapes, "maxResults": 5000, "total": len(shapes), "startAt": 0}

    def related(self, issue: Issue, relation: Json) -> Json | None:
        other = self._site.find_issue(relation["other"])
        if other is None:
            return None
        return {
            "id": relation["id"],
            "self": self.link(f"issueLink/{relation['id']}"),
            "type": relation["type"],
            relation["direction"]: self._brief(other),
        }

    def fields(self, issue: Issue, wanted: Collection[str] | None = None) -> Json:
        """The fields that are wanted; all of them without a wish."""
        shape: Json = {}
        makers: dict[str, Callable[[], Any]] = {
            "project": lambda: self.project(self._site.project_of(issue)),
            "issuetype": lambda: self.issue_type(self._site.types[issue.type_id]),
            "status": lambda: self.status(self._site.statuses[issue.status_id]),
            "statusCategory": lambda: self.category(self._site.statuses[issue.status_id].category),
            "creator": lambda: self.person_by_id(issue.creator),
            "created": lambda: moment(issue.created_at),
            "updated": lambda: moment(issue.updated_at),
            "resolution": lambda: self._resolution(issue),
            "comment": lambda: self.comments(issue),
            "issuelinks": lambda: [
                one for one in (self.related(issue, each) for each in issue.related) if one
            ],
        }
        names = set(makers) | set(self._site.known_fields) if wanted is None else set(wanted)
        for name in sorted(names):
            if maker := makers.get(name):
                shape[name] = maker()
            elif field := self._site.known_fields.get(name):
                shape[name] = self.value(field, issue.fields.get(name))
        return shape

    def _resolution(self, issue: Issue) -> Json | None:
        chosen = issue.fields.get(defaults.RESOLUTION.id)
        return self.chosen(defaults.RESOLUTION, chosen) if chosen else None

    def resolution(self, option: Option) -> Json:
        return {
            "self": self.link(f"resolution/{option.id}"),
            "id": option.id,
            "name": option.name,
            "description": "",
        }

    def issue(
        self,
        issue: Issue,
        *,
        wanted: Collection[str] | None = None,
        properties: Collection[str] = (),
        expand: Collection[str] = (),
    ) -> Json:
        shape: Json = {
            "expand": "renderedFields,names,schema,operations,editmeta,changelog",
            "id": str(issue.id),
            "self": self.link(f"issue/{issue.id}"),
            "key": issue.key,
        }
        if wanted is None or wanted:
            shape["fields"] = self.fields(issue, wanted)
        if properties:
            shape["properties"] = {
                key: value
                for key, value in issue.properties.items()
                if key in properties or "*all" in properties
            }
        if "changelog" in expand:
            shape["changelog"] = self.changelog(issue)
        return shape

    def changelog(self, issue: Issue) -> Json:
        histories = [
            {
                "id": str(history.id),
                "author": self.person_by_id(history.by),
                "created": moment(history.at),
                "items": [self.changed(item) for item in history.items],
            }
            for history in reversed(issue.histories)
        ]
        count = len(histories)
        return {"startAt": 0, "maxResults": count, "total": count, "histories": histories}

    def changed(self, item: Any) -> Json:
        return {
            "field": item.field,
            "fieldId": item.field,
            "fieldtype": "custom" if item.field.startswith("customfield_") else "jira",
            "from": item.before_id,
            "fromString": item.before,
            "to": item.after_id,
            "toString": item.after,
        }


_LISTS = frozenset(
    {
        Kind.LABELS,
        Kind.MULTI_SELECT,
        Kind.CHECKBOXES,
        Kind.USERS,
        Kind.COMPONENTS,
        Kind.VERSIONS,
    }
)
_SHAPES: dict[Kind, Callable[[Shapes, Field, Any], Any]] = {
    Kind.TEXT_AREA: lambda shapes, _, value: shapes.long_text(value),
    Kind.SELECT: Shapes.chosen,
    Kind.RADIO: Shapes.chosen,
    Kind.PRIORITY: Shapes.chosen,
    Kind.SECURITY_LEVEL: Shapes.chosen,
    Kind.PROJECT_PICKER: Shapes.chosen,
    Kind.RESOLUTION: Shapes.chosen,
    Kind.VERSION: Shapes.chosen,
    Kind.MULTI_SELECT: Shapes.all_chosen,
    Kind.CHECKBOXES: Shapes.all_chosen,
    Kind.COMPONENTS: Shapes.all_chosen,
    Kind.VERSIONS: Shapes.all_chosen,
    Kind.CASCADING: Shapes.cascade,
    Kind.USER: lambda shapes, _, value: shapes.person_by_id(value),
    Kind.USERS: lambda shapes, _, value: [shapes.person_by_id(one) for one in value],
    Kind.GROUP: lambda _, __, value: {"name": value},
    Kind.PARENT: lambda shapes, _, value: shapes.parent(value),
}
