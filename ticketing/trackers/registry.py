"""Which tracker speaks for an account: one line for each kind there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings

from ticketing.models import JiraAccount
from ticketing.trackers.base import Tracker
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.credentials import Credentials, Deployment, Markup
from ticketing.trackers.jira.tracker import JiraTracker


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
def client_for(account: JiraAccount, *, pace: Callable[[], None]) -> Iterator[JiraClient]:
    """A connection of one task; `pace` is called before each request."""
    with JiraClient(credentials(account), pace=pace) as client:
        yield client


@contextmanager
def tracker_for(account: JiraAccount, *, pace: Callable[[], None]) -> Iterator[Tracker]:
    with client_for(account, pace=pace) as client:
        yield JiraTracker(client)
