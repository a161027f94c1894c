"""The state of one Jira site. Whoever touches it holds `lock`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ticketing.trackers.jira.credentials import Deployment
from ticketing.trackers.jira.sandbox import defaults
from ticketing.trackers.jira.sandbox.errors import no_issue, no_project
from ticketing.trackers.jira.sandbox.model import (
    Field,
    Issue,
    IssueType,
    Option,
    Person,
    Project,
    Status,
)

GLOBAL = ""  # the "project" of permissions that concern the whole site
CLOUD_ID = "11223344-5566-7788-99aa-bbccddeeff00"


@dataclass(slots=True, kw_only=True)
class Hook:
    """A webhook that an administrator registered."""

    id: int
    name: str
    url: str
    events: tuple[str, ...]
    secret: str = ""
    jql: str = ""
    enabled: bool = True


@dataclass(slots=True, kw_only=True)
class Event:
    """News of the site, before it is told to anybody."""

    name: str
    at: datetime
    by: Person
    issue: Issue | None
    payload: dict[str, Any]


Listener = Callable[[Event], None]


@dataclass(kw_only=True)
class Site:
    deployment: Deployment = Deployment.CLOUD
    url: str = ""
    lag: float = 0  # seconds until the index knows of a write
    is_burning_numbers: bool = True  # a refused create uses up an issue number, as Jira's does
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    lock: threading.RLock = field(default_factory=threading.RLock)
    people: dict[str, Person] = field(default_factory=dict)
    projects: dict[str, Project] = field(default_factory=dict)
    statuses: dict[str, Status] = field(default_factory=dict)
    types: dict[str, IssueType] = field(default_factory=dict)
    priorities: tuple[Option, ...] = defaults.PRIORITIES
    issues: dict[int, Issue] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)  # former key → Issue.id
    hooks: dict[int, Hook] = field(default_factory=dict)
    denied: set[tuple[str, str]] = field(default_factory=set)  # (Project.key, permission)
    hidden: set[int] = field(default_factory=set)  # Issue.id: a security level keeps it from us
    is_translated: bool = False  # every message in another language
    known_fields: dict[str, Field] = field(default_factory=dict)
    listeners: list[Listener] = field(default_factory=list)  # called with the lock held
    last_id: int = 10_000

    def __post_init__(self) -> None:
        self.people = {person.account_id: person for person in defaults.PEOPLE}
        self.statuses = {status.id: status for status in defaults.STATUSES}
        self.types = {kind.id: kind for kind in defaults.TYPES}
        for project in defaults.projects(is_cloud=self.is_cloud):
            self.projects[project.id] = project
            for fields in project.fields.values():
                self.known_fields.update(fields)
        self.known_fields.update({each.id: each for each in defaults.CLOSING_FIELDS})

    @property
    def is_cloud(self) -> bool:
        return self.deployment is Deployment.CLOUD

    @property
    def bot(self) -> Person:
        """The person whose token the product uses."""
        return defaults.BOT

    @property
    def api_url(self) -> str:
        """Cloud's answers name the gateway, not the site."""
        return f"{self.url}/ex/jira/{CLOUD_ID}" if self.is_cloud else self.url

    def next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def allows(self, person: Person | None, permission: str, project: Project | None) -> bool:
        """People may do everything; only the product's own rights can be taken away."""
        if person is None:
            return False
        if person != self.bot:
            return True
        keys = {GLOBAL, project.key if project else GLOBAL}
        return not any((key, permission) in self.denied for key in keys)

    def project(self, identity: str, person: Person | None) -> Project:
        for project in self.projects.values():
            if identity in {project.id, project.key} and not project.deleted:
                if self.allows(person, "BROWSE_PROJECTS", project):
                    return project
                break
        raise no_project(identity)

    def project_of(self, issue: Issue) -> Project:
        return self.projects[issue.project_id]

    def find_issue(self, identity: str) -> Issue | None:
        """By id, key, or a key that it had before it was moved."""
        if identity.isdigit():
            return self.issues.get(int(identity))
        key = identity.upper()
        for issue in self.issues.values():
            if issue.key == key:
                return issue
        return self.issues.get(self.moved.get(key, 0))

    def issue(self, identity: str, person: Person | None) -> Issue:
        issue = self.find_issue(identity)
        if issue is None or not self.may_see(issue, person):
            raise no_issue()
        return issue

    def may_see(self, issue: Issue, person: Person | None) -> bool:
        project = self.project_of(issue)
        if project.deleted or (person == self.bot and issue.id in self.hidden):
            return False
        return self.allows(person, "BROWSE_PROJECTS", project)

    def indexed_issues(self, person: Person | None, fresh: Container[str] = ()) -> Iterator[Issue]:
        """What a search sees now: not yet the newest, and nothing archived."""
        now = self.clock()
        for issue in self.issues.values():
            is_indexed = issue.searchable_at is None or issue.searchable_at <= now
            is_indexed = is_indexed or str(issue.id) in fresh
            if is_indexed and self.may_see(issue, person) and not self.project_of(issue).archived:
                yield issue

    def touch(self, issue: Issue) -> None:
        """It was written: its time moves at once, in the index later."""
        issue.stale_updated_at = self.updated_in_index(issue)
        issue.fresh_at = self.indexed_from_now()
        issue.updated_at = self.clock()

    def updated_in_index(self, issue: Issue) -> datetime:
        is_stale = issue.fresh_at is not None and issue.fresh_at > self.clock()
        return (issue.stale_updated_at if is_stale else None) or issue.updated_at

    def indexed_from_now(self) -> datetime | None:
        return self.clock() + timedelta(seconds=self.lag) if self.lag else None

    def person(self, identity: str) -> Person | None:
        """By what this deployment calls a person."""
        if self.is_cloud:
            return self.people.get(identity)
        return next((one for one in self.people.values() if one.name == identity), None)

    def tell(self, name: str, by: Person, issue: Issue | None, payload: dict[str, Any]) -> None:
        event = Event(name=name, at=self.clock(), by=by, issue=issue, payload=payload)
        for listener in self.listeners:
            listener(event)
