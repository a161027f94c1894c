"""The contract of the port, kept by each tracker there is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import tracker as fake
from tests.fakes.tracker import FakeTracker
from tests.ticketing.trackers.contract import TrackerContract
from ticketing.trackers.base import Destination, IssueRef
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Deployment
from ticketing.trackers.jira.sandbox import SandboxJira
from ticketing.trackers.jira.sandbox.defaults import DANA, ROOT_CAUSE
from ticketing.trackers.jira.tracker import JiraTracker


class _InJira:
    destination = Destination("10000", "SEC", "10001")

    def __init__(self, jira: SandboxJira, client: JiraClient) -> None:
        self.jira = jira
        self.tracker = JiraTracker(client)
        self.person = jira.name_of(DANA)

    def lose_answer_to_create(self) -> None:
        self.jira.faults.reset("POST /issue$", stage="after")

    def refuse_once(self, method: str) -> None:
        if method == "create":
            self.jira.faults.throttle("POST /issue$")
        else:
            self.jira.faults.answer("* .", 502, "<html>Bad gateway")

    def refuse_credentials(self) -> None:
        self.jira.revoke_token()

    def has_no_space(self) -> None:
        self.jira.delete_project("SEC")

    def delete(self, ref: IssueRef) -> None:
        self.jira.delete(ref.key)

    def write(self, ref: IssueRef, text: str) -> None:
        self.jira.comment(ref.key, text)

    def set_title(self, ref: IssueRef, title: str) -> None:
        self.jira.edit(ref.key, summary=title)

    def ask_on_closing(self) -> tuple[str, str]:
        self.jira.demand_on_closing("SEC", ROOT_CAUSE)
        return ROOT_CAUSE.id, ROOT_CAUSE.name

    def count(self) -> int:
        return len(self.jira.issues())

    def address(self, ref: IssueRef) -> str:
        return f"{self.jira.url}/browse/{ref.key}"


class _InMemory:
    destination = fake.SPACE
    person = "dana"

    def __init__(self) -> None:
        self.tracker = FakeTracker()

    def lose_answer_to_create(self) -> None:
        self.tracker.fail("create", fake.unsure(), after=True)

    def refuse_once(self, method: str) -> None:
        self.tracker.fail(method, fake.transient())

    def refuse_credentials(self) -> None:
        for method in ("create", "find", "fetch", "identify"):
            self.tracker.fail(method, fake.unauthorized())

    def has_no_space(self) -> None:
        for method in ("check", "create"):
            self.tracker.fail(method, fake.misconfigured())

    def delete(self, ref: IssueRef) -> None:
        self.tracker.delete(ref)

    def write(self, ref: IssueRef, text: str) -> None:
        self.tracker.write(ref, text)

    def set_title(self, ref: IssueRef, title: str) -> None:
        self.tracker.change(ref, title=title)

    def ask_on_closing(self) -> tuple[str, str]:
        self.tracker.asked["cause"] = "Root cause"
        return "cause", "Root cause"

    def count(self) -> int:
        return len(self.tracker.issues)

    def address(self, ref: IssueRef) -> str:
        return f"https://{fake.HOST}/browse/{ref.key}"


class TestJiraCloud(TrackerContract):
    @pytest.fixture
    def there(self, sandbox_jira) -> Iterator[_InJira]:
        with JiraClient(sandbox_jira.credentials) as client:
            yield _InJira(sandbox_jira, client)


class TestJiraDataCenter(TrackerContract):
    @pytest.fixture
    def there(self, sandbox_data_center) -> Iterator[_InJira]:
        assert sandbox_data_center.site.deployment is Deployment.DATA_CENTER
        with JiraClient(sandbox_data_center.credentials) as client:
            yield _InJira(sandbox_data_center, client)


class TestFake(TrackerContract):
    @pytest.fixture
    def there(self) -> _InMemory:
        return _InMemory()
