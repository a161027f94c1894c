"""Which tracker speaks for an account: Jira's, as there is no other kind."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from django.conf import settings

from config.lib.deadline import TASK_SECONDS, Deadline
from ticketing.models import JiraAccount
from ticketing.trackers.base import Tracker
from ticketing.trackers.catalogue import Catalogue, FieldForms
from ticketing.trackers.jira import field_forms
from ticketing.trackers.jira.catalogue import JiraCatalogue
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Credentials, Deployment, Markup
from ticketing.trackers.jira.tracker import JiraTracker

FIELD_FORMS: FieldForms = field_forms
"""Of every account: there is one kind."""


def credentials(account: JiraAccount) -> Credentials:
    return Credentials(
        deployment=Deployment(account.deployment),
        site_url=account.site_url,
        api_url=account.api_url,
        email=account.email,
        token=account.token,
        user_id=account.user_id,
        markup=Markup(account.markup),
        may_be_private=settings.ALLOW_PRIVATE_NETWORKS
        or (account.is_sandbox and account.site_url == settings.SANDBOX_JIRA_URL),
        ca_bundle=settings.JIRA_CA_BUNDLE,
    )


@contextmanager
def client_for(
    account: JiraAccount,
    *,
    pace: Callable[[str], None],
    deadline: Deadline | None = None,
    patience: float | None = None,
) -> Iterator[JiraClient]:
    """A connection of one task; `pace` is called before each request, none goes on after
    `deadline`, by default that of a task, and none is silent for longer than `patience`
    seconds, by default the client's."""
    ends = deadline or Deadline(TASK_SECONDS)
    with JiraClient(credentials(account), pace=pace, deadline=ends, patience=patience) as client:
        yield client


@contextmanager
def tracker_for(
    account: JiraAccount,
    *,
    pace: Callable[[str], None],
    deadline: Deadline | None = None,
    patience: float | None = None,
    dates: Collection[str] = (),
) -> Iterator[Tracker]:
    """`dates` are ids of the fields there that hold a day, read with each issue."""
    with client_for(account, pace=pace, deadline=deadline, patience=patience) as client:
        yield JiraTracker(client, dates)


@contextmanager
def catalogue_for(
    account: JiraAccount, *, pace: Callable[[str], None], deadline: Deadline
) -> Iterator[Catalogue]:
    with client_for(account, pace=pace, deadline=deadline) as client:
        yield JiraCatalogue(client)
