"""Everything that can be done to a sandbox Jira, and seen of it, without a socket."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from ticketing.trackers.jira.credentials import Credentials, Markup
from ticketing.trackers.jira.sandbox import comments, defaults, issues, storage, workflow
from ticketing.trackers.jira.sandbox.access import Access, TokenState
from ticketing.trackers.jira.sandbox.exchanges import ExchangeLog
from ticketing.trackers.jira.sandbox.faults import FaultRule, Faults
from ticketing.trackers.jira.sandbox.limits import RateLimit
from ticketing.trackers.jira.sandbox.model import (
    Comment,
    Field,
    Issue,
    Person,
    Project,
    Transition,
)
from ticketing.trackers.jira.sandbox.shapes import Shapes
from ticketing.trackers.jira.sandbox.site import Site
from ticketing.trackers.jira.sandbox.webhooks import Webhooks

SLOW_SECONDS: Final = 3  # felt on every page that asks Jira, and less than anybody waits for


class Levers:
    """One Jira site with what surrounds it: credentials, faults, limits, webhooks, a log."""

    def __init__(
        self,
        site: Site,
        access: Access,
        *,
        rate: float | None = None,
        seed: int = 0,
        data: Path | None = None,
    ) -> None:
        self.site = site
        self.access = access
        self.faults = Faults(seed)
        self.log = ExchangeLog()
        self.limit = RateLimit(rate)
        self.webhooks = Webhooks(site, seed=seed)
        self._data = data
        self._slowness: FaultRule | None = None
        if data:
            storage.load(site, data)

    def save(self) -> None:
        if self._data:
            storage.save(self.site, self._data)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        with self.site.lock:
            yield
            self.save()

    @property
    def url(self) -> str:
        return self.site.url

    @property
    def credentials(self) -> Credentials:
        """How the product signs in here."""
        return Credentials(
            deployment=self.site.deployment,
            site_url=self.url,
            api_url=self.url,
            email=self.access.email if self.site.is_cloud else "",
            token=self.access.token,
            user_id=self.bot_id,
            markup=Markup.WIKI,
            may_be_private=True,
        )

    @property
    def bot_id(self) -> str:
        return self.name_of(self.site.bot)

    def name_of(self, person: Person) -> str:
        """What this deployment calls a person."""
        return person.account_id if self.site.is_cloud else person.name

    # what a token or a right is worth

    def revoke_token(self) -> None:
        """Every call with it answers 401."""
        self.access.state = TokenState.REVOKED

    def expire_token(self) -> None:
        """We are a stranger now: lists are empty, issues missing, the rest answers 401."""
        self.access.state = TokenState.EXPIRED

    def restore_token(self) -> None:
        self.access.state = TokenState.VALID

    def deny(self, permission: str, project: str = "") -> None:
        """Take a permission from our user, in one project or everywhere."""
        self.site.denied.add((project, permission))

    def grant(self, permission: str, project: str = "") -> None:
        self.site.denied.discard((project, permission))

    # how fast it answers

    @property
    def is_slow(self) -> bool:
        return self._slowness in self.faults.all()

    def slow_down(self, seconds: float = SLOW_SECONDS) -> None:
        """Every call takes so long, until `speed_up`."""
        if not self.is_slow:
            self._slowness = self.faults.slow("* .", seconds, times=None)

    def speed_up(self) -> None:
        if self._slowness is not None:
            self.faults.end(self._slowness)

    # what a project asks for

    def put_field(self, project: str, field: Field, *, issue_type: str = "Task") -> None:
        """Put a field on the create screen, in place of one with the same id."""
        with self.site.lock:
            self._screen(project, issue_type)[field.id] = field
            self.site.known_fields[field.id] = field

    def require_field(self, project: str, field_id: str, *, issue_type: str = "Task") -> None:
        with self.site.lock:
            screen = self._screen(project, issue_type)
            screen[field_id] = replace(screen[field_id], required=True, default=None)

    def relax_field(self, project: str, field_id: str, *, issue_type: str = "Task") -> None:
        with self.site.lock:
            screen = self._screen(project, issue_type)
            screen[field_id] = replace(screen[field_id], required=False)

    def drop_field(self, project: str, field_id: str, *, issue_type: str = "Task") -> None:
        """Take it off the create screen."""
        with self.site.lock:
            del self._screen(project, issue_type)[field_id]

    def drop_option(
        self, project: str, field_id: str, option: str, *, issue_type: str = "Task"
    ) -> None:
        """Take away a choice, by its id or its name."""
        with self.site.lock:
            screen = self._screen(project, issue_type)
            field = screen[field_id]
            options = tuple(one for one in field.options if option not in (one.id, one.name))
            screen[field_id] = replace(field, options=options)
            if field_id == "priority":
                self.site.priorities = options

    def drop_issue_type(self, project: str, issue_type: str) -> None:
        with self.site.lock:
            del self.project(project).fields[self._type_id(issue_type)]

    def demand_resolution(self, project: str, *names: str) -> None:
        """From now on every step to a done status asks for a resolution: these, or all."""
        known = {option.name: option for option in defaults.RESOLUTIONS}
        options = tuple(known[name] for name in names or known)
        self.demand_on_closing(
            project, replace(defaults.RESOLUTION, required=True, options=options)
        )

    def demand_on_closing(self, project: str, *fields: Field, on_screen: bool = True) -> None:
        """The same for any fields; not on the screen, it is a validator that wants them."""
        self._change_steps(
            project,
            lambda step: step._replace(
                screen=(*step.screen, *fields) if on_screen else step.screen,
                validated=step.validated + (() if on_screen else tuple(f.id for f in fields)),
            ),
            done=True,
        )

    def keep_resolution(self, project: str, *, shown_on: str = "") -> None:
        """Reopened issues keep it, unless whoever reopens them empties it: on the screen of that
        step ("transition"), by an edit ("edit"), or not at all."""
        self.project(project).keeps_resolution = True
        if shown_on == "transition":
            self._change_steps(
                project, lambda step: step._replace(screen=(defaults.RESOLUTION,)), done=False
            )
        if shown_on == "edit":
            self.put_field(project, defaults.RESOLUTION)

    def _change_steps(
        self, project: str, change: Callable[[Transition], Transition], *, done: bool
    ) -> None:
        found = self.project(project)
        found.transitions = tuple(
            change(step) if (self.site.statuses[step.target].category == "done") is done else step
            for step in found.transitions
        )

    def archive(self, project: str) -> None:
        with self._writing():
            self.project(project).archived = True
            self._tell("project_archived", project)

    def restore(self, project: str) -> None:
        with self._writing():
            self.project(project).archived = False
            self._tell("project_restored_archived", project)

    def delete_project(self, project: str) -> None:
        with self._writing():
            self._tell("project_soft_deleted", project)
            self.project(project).deleted = True

    def _tell(self, event: str, project: str) -> None:
        shape = Shapes(self.site).project(self.project(project))
        self.site.tell(event, defaults.DANA, None, {"project": shape})

    def project(self, key: str) -> Project:
        return self.site.project(key, defaults.DANA)

    def _type_id(self, name: str) -> str:
        return next(kind.id for kind in self.site.types.values() if kind.name == name)

    def _screen(self, project: str, issue_type: str) -> dict[str, Field]:
        return self.project(project).fields[self._type_id(issue_type)]

    # what is in it

    def issues(self, project: str = "") -> list[Issue]:
        """In the order of their creation."""
        with self.site.lock:
            return [
                issue
                for issue in self.site.issues.values()
                if not project or self.site.project_of(issue).key == project
            ]

    def issues_with_label(self, label: str) -> list[Issue]:
        return [issue for issue in self.issues() if label in issue.fields.get("labels", ())]

    def issues_by_label(self, prefix: str) -> dict[str, list[str]]:
        """Label → the keys of the issues that carry it: more than one is a duplicate."""
        found: dict[str, list[str]] = {}
        for issue in self.issues():
            for label in issue.fields.get("labels", ()):
                if label.startswith(prefix):
                    found.setdefault(label, []).append(issue.key)
        return found

    def issue(self, key: str) -> Issue:
        return self.site.issue(key, defaults.DANA)

    def status_of(self, key: str) -> str:
        return self.site.statuses[self.issue(key).status_id].name

    def hide(self, key: str) -> None:
        """A security level keeps it from our user: for us, it is not there."""
        self.site.hidden.add(self.issue(key).id)

    def show(self, key: str) -> None:
        self.site.hidden.discard(self.issue(key).id)

    # what the index knows

    def hide_from_search(self, key: str, until: datetime) -> None:
        """The index hears of this issue only then."""
        self.issue(key).searchable_at = until

    def index_now(self) -> None:
        """The index catches up with everything."""
        with self.site.lock:
            for issue in self.site.issues.values():
                issue.searchable_at = issue.fresh_at = None

    # what other people do

    def create_issue(
        self, project: str, summary: str, *, by: Person = defaults.DANA, **fields: Any
    ) -> Issue:
        given = {
            "project": {"key": project},
            "issuetype": {"name": "Task"},
            "summary": summary,
            **fields,
        }
        with self._writing():
            return issues.create(self.site, by, {"fields": given}, version="2")

    def edit(self, key: str, *, by: Person = defaults.DANA, **fields: Any) -> None:
        """Fields as REST version 2 wants them: `edit("SEC-1", summary="New")`."""
        with self._writing():
            issues.edit(self.site, by, self.issue(key), fields, version="2")

    def assign(self, key: str, to: Person | None, *, by: Person = defaults.DANA) -> None:
        word = "accountId" if self.site.is_cloud else "name"
        value = {word: self.name_of(to)} if to else None
        self.edit(key, by=by, assignee=value)

    def set_status(
        self, key: str, status: str, *, by: Person = defaults.DANA, resolution: str = ""
    ) -> None:
        """By its name, whatever step of the workflow leads there and asks for."""
        with self._writing():
            issue = self.issue(key)
            for step in workflow.steps_from_here(self.site, by, issue):
                if self.site.statuses[step.target].name == status:
                    workflow.take(
                        self.site, by, issue, step.id, workflow.what_people_say(step), version="2"
                    )
                    if resolution:
                        self.set_resolution(key, resolution, by=by)
                    return
        raise ValueError(f"No step leads from {self.status_of(key)} to {status}.")

    def set_resolution(self, key: str, name: str, *, by: Person = defaults.DANA) -> None:
        with self._writing():
            issue = self.issue(key)
            known = {option.name: option.id for option in defaults.RESOLUTIONS}
            item = issues.change(self.site, issue, defaults.RESOLUTION, known[name])
            issues.record(self.site, by, issue, [item] if item else [])

    def resolution_of(self, key: str) -> str:
        """Its name; empty if it has none."""
        shape = Shapes(self.site).fields(self.issue(key), {"resolution"})["resolution"]
        return str(shape["name"]) if shape else ""

    def comment(self, key: str, text: str, *, by: Person = defaults.DANA) -> Comment:
        with self._writing():
            return comments.add(self.site, by, self.issue(key), {"body": text}, version="2")

    def delete(self, key: str, *, by: Person = defaults.DANA) -> None:
        with self._writing():
            issues.delete(self.site, by, self.issue(key))

    def move(self, key: str, project: str, *, by: Person = defaults.DANA) -> Issue:
        """To another project; returns the issue with its new key."""
        with self._writing():
            issue = self.issue(key)
            issues.move(self.site, by, issue, self.project(project))
            return issue

    def now(self) -> datetime:
        return self.site.clock().astimezone(UTC)
