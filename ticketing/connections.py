"""What asks Jira about an account: the test of the connection, its spaces, its webhook."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from config.accounts.history import sign
from config.accounts.models import User
from config.lib.deadline import PAGE_SECONDS, TASK_SECONDS, Deadline
from ticketing import accounts, allowed_spaces
from ticketing.account_data import AccountData
from ticketing.destinations import Place
from ticketing.fields.priorities import options_of
from ticketing.fields.spec import DATES, FieldSpec, Option, offered
from ticketing.models import Destination, JiraAccount, JiraSpace
from ticketing.trackers.base import RemoteUser, TrackerError
from ticketing.trackers.catalogue import Catalogue, Priority, Status
from ticketing.trackers.jira import checks
from ticketing.trackers.jira.checks import Outcome, SpaceAccess
from ticketing.trackers.jira.checks import Report as Found
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.registry import catalogue_for, client_for, credentials

log = structlog.stdlib.get_logger(__name__)
SANDBOX = "Sandbox Jira"
NOT_FOUND = 404
# They open nothing but the sandbox: see trackers/jira/sandbox.
_SANDBOX_EMAIL, _SANDBOX_TOKEN = "bot@example.com", "sandbox-token"


class NoSuchPlace(ValueError):
    """No tickets can be created there; `field` says what of the place is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a test showed, in plain values: it is kept in the session of who asked."""

    checks: Sequence[dict[str, str | int]]
    problem: str  # why no tickets can be created; empty if they can
    can_register: bool  # webhooks
    user_name: str

    @classmethod
    def of(cls, report: Found) -> Report:
        failed = (c for c in report.checks if c.outcome is Outcome.FAILED and c.name != "webhooks")
        worst = next(failed, None)
        return cls(
            checks=[
                {
                    "sentence": check.sentence,
                    "outcome": check.outcome.value,
                    "detail": check.detail,
                    "milliseconds": check.milliseconds,
                }
                for check in report.checks
            ],
            problem=(worst.reason or worst.detail or worst.sentence) if worst else "",
            can_register=report.outcome("webhooks") is Outcome.OK,
            user_name=report.user.name if report.user else "",
        )


def webhook_url(account: JiraAccount) -> str:
    return f"{settings.BASE_URL}/api/v1/jira/webhooks/{account.pk}"


def test_account(account: JiraAccount, *, actor: User | None) -> Report:
    """Ask Jira everything a ticket will need, and keep what it says of us and of its spaces.

    A token with scopes, which is only taken at the gateway, is tried again there.
    """
    check = partial(
        checks.check_connection,
        webhook_url=webhook_url(account),
        deadline=Deadline(TASK_SECONDS),  # for all of its many questions
    )
    found = check(credentials(account))
    if found.api_url and found.api_url != account.api_url:
        account.api_url = found.api_url
        found = check(credentials(account))
    _keep(account, found, actor=actor)
    account.refresh_from_db()
    return Report.of(found)


test_account.__test__ = False  # type: ignore[attr-defined]  # pytest: not a test


def _keep(account: JiraAccount, found: Found, *, actor: User | None) -> None:
    """Unless the account has other credentials by now."""
    with transaction.atomic():
        now = JiraAccount.objects.select_for_update().filter(pk=account.pk).first()
        if now is None or now.deleted_at or now.token != account.token:
            return
        JiraAccount.objects.filter(pk=now.pk).update(checked_at=timezone.now())
        now.refresh_from_db()
        if found.user:
            _keep_identity(now, account.api_url, found.user, actor=actor)
            accounts.resume(now, actor=actor)
        elif reason := _refusal(found):
            # Of an account at work one refusal is no proof; of one that is set up it is the answer.
            (accounts.suspect if now.connected_at else accounts.pause)(now, reason)
        if found.outcome("create") is Outcome.OK:
            _keep_spaces(now, [access for access in found.spaces if access.may_create])


def _keep_identity(
    account: JiraAccount, api_url: str, user: RemoteUser, *, actor: User | None
) -> None:
    seen = (user.id, user.name[:255], api_url)
    if seen != (account.user_id, account.user_name, account.api_url):
        account.user_id, account.user_name, account.api_url = seen
        sign(account, actor=actor, reason="Tested")
        account.save()


def _refusal(found: Found) -> str:
    """Why Jira does not take the credentials; empty if it was not reached or had no time."""
    check = next(check for check in found.checks if check.name == "identity")
    is_refused = check.outcome is Outcome.FAILED and check.detail.startswith(("HTTP 2", "HTTP 4"))
    if not is_refused or check.detail == "HTTP 429":
        return ""
    return check.reason or "Jira does not accept the credentials."


def _keep_spaces(account: JiraAccount, seen: Sequence[SpaceAccess]) -> None:
    """Spaces that are gone stay known, with the problem, while a project is linked to one.

    One that comes to a list from which an admin chose is closed until they open it.
    """
    now = timezone.now()
    was_chosen_from = account.connected_at is not None and account.spaces.exists()
    JiraSpace.objects.bulk_create(
        [
            JiraSpace(
                account=account,
                space_id=access.space.id,
                key=access.space.key[:64],
                name=access.space.name[:255],
                is_allowed=not was_chosen_from,
                seen_at=now,
            )
            for access in seen
        ],
        update_conflicts=True,
        unique_fields=("account", "space_id"),
        update_fields=("key", "name", "seen_at", "problem"),
    )
    gone = account.spaces.exclude(space_id__in=[access.space.id for access in seen])
    linked = Destination.objects.filter(account=account).values("space_id")
    gone.exclude(space_id__in=linked).delete()
    for space in gone.filter(space_id__in=linked):
        space.problem = f"Space {space.key} no longer exists, or the account may not use it."
        space.save(update_fields=("problem",))


# --- The webhook ----------------------------------------------------------------------


def register_webhook(account: JiraAccount, *, actor: User | None) -> None:
    """Have Jira call us, with the present secret. Raises TrackerError."""
    with _client(account) as client:
        hook = checks.register_webhook(client, webhook_url(account), secret=account.webhook_secret)
    _keep_webhook(account, hook.id, actor=actor, reason="Webhook created")


def remove_webhook(account: JiraAccount, *, actor: User | None) -> None:
    """Raises TrackerError."""
    if account.webhook_id:
        with _client(account) as client:
            checks.remove_webhook(client, account.webhook_id)
    _keep_webhook(account, "", actor=actor, reason="Webhook removed")


def _keep_webhook(
    account: JiraAccount, webhook_id: str, *, actor: User | None, reason: str
) -> None:
    with transaction.atomic():
        now = JiraAccount.objects.select_for_update().get(pk=account.pk)
        now.webhook_id = account.webhook_id = webhook_id
        if not webhook_id:
            now.webhook_event_at = account.webhook_event_at = None
        sign(now, actor=actor, reason=reason)
        now.save()


def _client(account: JiraAccount) -> AbstractContextManager[JiraClient]:
    """A person waits for the answer: at once, and not for long."""
    return client_for(account, pace=lambda _: None, deadline=Deadline(PAGE_SECONDS))


# --- Whole accounts -------------------------------------------------------------------


def delete_account(account: JiraAccount, *, actor: User | None) -> bool:
    """Delete it here, then its webhook there; False if that one stays. Raises ValidationError."""
    accounts.delete_account(account, actor=actor)
    if not account.webhook_id:
        return True
    try:
        with _client(account) as client:  # with the token it had until now
            checks.remove_webhook(client, account.webhook_id)
    except TrackerError as error:
        log.warning("A webhook was left behind", account=account.name, reason=error.reason)
        return False
    return True


def connect_sandbox(*, actor: User | None) -> JiraAccount:
    """All steps at once. Raises ValidationError if it does not answer."""
    data = AccountData(name=SANDBOX, site_url=settings.SANDBOX_JIRA_URL, email=_SANDBOX_EMAIL)
    account = accounts.create_account(data, token=_SANDBOX_TOKEN, actor=actor, is_sandbox=True)
    try:
        _prove(test_account(account, actor=actor))
        register_webhook(account, actor=actor)
    except (TrackerError, ValidationError) as error:
        accounts.delete_account(account, actor=actor)
        raise ValidationError(f"{error_sentence(error)} Is the sandbox running?") from error
    return accounts.connect(account, actor=actor)


def _prove(report: Report) -> None:
    if report.problem:
        raise ValidationError(report.problem)


def error_sentence(error: TrackerError | ValidationError) -> str:
    return " ".join(error.messages) if isinstance(error, ValidationError) else error.reason


# --- For the choices of a page --------------------------------------------------------


def place_at(account: JiraAccount, *, space_id: str, type_id: str) -> Place:
    """The space and the type of ticket with these ids, by their names there.

    Raises NoSuchPlace, and TrackerError if Jira cannot be asked.
    """
    if allowed_spaces.closed_among({(account.pk, space_id)}):
        raise NoSuchPlace("project_id", allowed_spaces.reason(space_id))
    with _catalogue(account) as catalogue:
        try:
            space = catalogue.space(space_id)
        except TrackerError as error:
            if error.status != NOT_FOUND:
                raise
            raise NoSuchPlace("project_id", f"{account.name} has no such space.") from error
        types = {each.id: each for each in catalogue.issue_types(space.id)}
    if type_id not in types or types[type_id].is_subtask:
        raise NoSuchPlace("issue_type_id", f"{space.key} has no such type of ticket.")
    return Place(space.id, space.key, space.name, type_id, types[type_id].name)


def _catalogue(account: JiraAccount) -> AbstractContextManager[Catalogue]:
    return catalogue_for(account, pace=lambda _: None, deadline=Deadline(PAGE_SECONDS))


class Workflow(NamedTuple):
    """What the fields of a ticket can become in Jira."""

    statuses: Sequence[Status]  # of the type
    priorities: Sequence[Priority]  # of the site
    offered: Sequence[Option]  # priorities of the type's create screen
    date_fields: Sequence[FieldSpec]  # of that screen: those that can hold a due date
    fields: Sequence[FieldSpec]  # of that screen, as far as one can set them


def workflow(destination: Destination) -> Workflow:
    """Of the destination's type. Raises TrackerError."""
    place = destination.space_id, destination.type_id
    with _catalogue(destination.account) as catalogue:
        screen = catalogue.create_fields(*place)
        return Workflow(
            statuses=catalogue.statuses(*place),
            priorities=catalogue.priorities(),
            offered=options_of(screen),
            date_fields=[spec for spec in screen if spec.kind in DATES],
            fields=offered(screen),
        )


def date_fields(account: JiraAccount, *, space_id: str, type_id: str) -> Sequence[FieldSpec]:
    """Of that type's create screen: those that can hold a due date. Raises TrackerError."""
    with _catalogue(account) as catalogue:
        screen = catalogue.create_fields(space_id, type_id)
    return [spec for spec in screen if spec.kind in DATES]
