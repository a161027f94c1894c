"""Projects that are linked to a sandbox Jira."""

from __future__ import annotations

from tests.factories import DestinationFactory, JiraAccountFactory, ProjectFactory
from ticketing.models import Destination, JiraAccount, Project
from ticketing.trackers.jira.sandbox import SandboxJira
from ticketing.trackers.jira.sandbox.defaults import TASK


def account_at(jira: SandboxJira) -> JiraAccount:
    return JiraAccountFactory(
        name="acme",
        site_url=jira.url,
        api_url=jira.url,
        email=jira.access.email,
        token=jira.access.token,
        user_id=jira.bot_id,
        rate=500,
    )


def destination_at(
    jira: SandboxJira,
    *,
    space: str = "SEC",
    account: JiraAccount | None = None,
    project: Project | None = None,
) -> Destination:
    return DestinationFactory(
        account=account or account_at(jira),
        project=project or ProjectFactory(key="RISK", name="Cloud Risk"),
        space_id=jira.project(space).id,
        space_key=space,
        type_id=TASK.id,
        type_name=TASK.name,
    )
