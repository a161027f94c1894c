"""Accounts of Jira: where it is, who we are there, and whether it lets us.

Every change is in the account's history, without its secrets. Jira is never called inside a
transaction; what it says of credentials that were replaced meanwhile is not kept. See
`connections` for what asks it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import date, datetime

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.accounts.history import sign
from config.accounts.models import User
from config.lib.tasks import enqueue
from ticketing.issue_templates import delete_templates_of
from ticketing.models import Destination, ExternalIssue, JiraAccount
from ticketing.states import WAITING
from ticketing.trackers.base import Fault, TrackerError
from ticketing.trackers.jira.sites import BadAddress, normal_address

log = structlog.stdlib.get_logger(__name__)
Deployment = JiraAccount.Deployment
State = JiraAccount.State
_LONGEST_NAME = 100
_LONGEST_TOKEN = 4000
_SECRETS = ("token", "webhook_secret", "former_webhook_secret")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountData:
    """What a person says of an account. `api_url` is empty where it is the site itself."""

    name: str
    deployment: str = Deployment.CLOUD
    site_url: str
    api_url: str = ""
    email: str = ""
    token_expires_on: date | None = None
    markup: str = JiraAccount.Markup.WIKI


def create_account(
    data: AccountData,
    *,
    token: str,
    webhook_secret: str = "",
    actor: User | None,
    is_sandbox: bool = False,
) -> JiraAccount:
    """A draft: rules may use it once `connect` was called. Raises ValidationError."""
    data = _checked(data, token=token, is_sandbox=is_sandbox)
    account = JiraAccount(
        **asdict(data),
        token=token.strip(),
        webhook_secret=webhook_secret.strip() or _new_secret(),
        is_sandbox=is_sandbox,
        created_by=actor,
    )
    _save(account, actor=actor, reason="Added")
    return account


def edit_account(
    account: JiraAccount, data: AccountData, *, token: str = "", actor: User | None
) -> JiraAccount:
    """Change what was said of the account; without a token it keeps the one it has.

    A stored token is never sent to another address than the one it was entered for: whoever
    may change the address would otherwise read it there.
    """
    with transaction.atomic():
        account = _lock(account)
        data = _checked(data, token=token, account=account, is_sandbox=account.is_sandbox)
        moved = (data.site_url, data.api_url) != (account.site_url, account.api_url)
        for name, value in asdict(data).items():
            setattr(account, name, value)
        if moved:
            account.webhook_id = account.former_webhook_secret = ""
            account.webhook_secret = _new_secret()
            account.webhook_event_at = None
        if token:
            _take_token(account, token)
        _save(account, actor=actor, reason="Token replaced" if token else "")
    return account


def connect(account: JiraAccount, *, actor: User | None) -> JiraAccount:
    """The set-up is done: rules may use the account."""
    with transaction.atomic():
        account = _lock(account)
        if account.connected_at is None:
            account.connected_at = timezone.now()
            _save(account, actor=actor, reason="Connected")
    return account


def allow_spaces(account: JiraAccount, space_ids: Collection[str], *, actor: User | None) -> None:
    """Rules may use these spaces and no others."""
    with transaction.atomic():
        account = _lock(account)
        spaces = account.spaces.all()
        spaces.filter(space_id__in=space_ids, is_allowed=False).update(is_allowed=True)
        spaces.exclude(space_id__in=space_ids).filter(is_allowed=True).update(is_allowed=False)
        allowed = ", ".join(spaces.filter(is_allowed=True).values_list("key", flat=True))
        _save(account, actor=actor, reason=f"Spaces: {allowed or 'none'}"[:100])


# --- The webhook's secret -------------------------------------------------------------


def rotate_webhook_secret(account: JiraAccount, *, actor: User | None) -> str:
    """A new secret, returned this once.

    Events signed with the former one are still taken, if Jira can have it.
    """
    with transaction.atomic():
        account = _lock(account)
        if account.former_webhook_secret and account.webhook_event_at:
            raise ValidationError(
                "The secret before this one is still accepted. Enter the present one in Jira and "
                "stop accepting the former, then make a new one."
            )
        may_be_there = account.connected_at or account.webhook_id or account.webhook_event_at
        account.former_webhook_secret = account.webhook_secret if may_be_there else ""
        fresh = account.webhook_secret = _new_secret()
        _save(account, actor=actor, reason="Webhook secret rotated")
    return fresh


def forget_former_secret(account: JiraAccount, *, actor: User | None) -> None:
    with transaction.atomic():
        account = _lock(account)
        if account.former_webhook_secret:
            account.former_webhook_secret = ""
            _save(account, actor=actor, reason="Former webhook secret no longer accepted")


# --- Pausing --------------------------------------------------------------------------


def pause(account: JiraAccount, reason: str) -> None:
    """Jira refuses the credentials: nothing more is sent, tickets wait. Once however often.

    `account` is as it was when the refused call was made: nothing happens if its token has
    been replaced since.
    """
    _stop(account, State.AUTH_FAILED, reason)


def give_up(account: JiraAccount, reason: str) -> None:
    """Jira is not where the account says: nothing more is sent until a person repairs it."""
    _stop(account, State.BROKEN, reason)


def _stop(account: JiraAccount, state: str, reason: str) -> None:
    with transaction.atomic():
        now = JiraAccount.objects.select_for_update().filter(pk=account.pk).first()
        if now is None or now.deleted_at or now.token != account.token:
            return
        if now.state not in (state, State.AUTH_FAILED):
            said = _with_likely_cause(now, reason) if state == State.AUTH_FAILED else reason
            _set_state(now, state, said)
            log.warning("An account is stopped", account=account.name, state=state, reason=reason)
    account.state, account.problem, account.problem_at = now.state, now.problem, now.problem_at


def is_callable(account: JiraAccount, *, now: datetime) -> bool:
    """Whether a request may leave now."""
    return (
        account.state == State.CONNECTED
        and account.deleted_at is None
        and account.connected_at is not None
        and (account.paused_until is None or account.paused_until <= now)
    )


def may_be_called(now: datetime) -> Q:
    """The same of the account of a row."""
    return Q(
        account__state=State.CONNECTED,
        account__deleted_at=None,
        account__connected_at__isnull=False,
    ) & (Q(account__paused_until=None) | Q(account__paused_until__lte=now))


def blame(account: JiraAccount, error: TrackerError) -> None:
    """What is true of every call of the account is its trouble, and not the ticket's."""
    if error.fault == Fault.AUTH:
        pause(account, error.reason)
    elif error.fault == Fault.CONFIG and error.whole_account:
        give_up(account, error.reason)


def resume(account: JiraAccount, *, actor: User | None = None) -> None:
    """Jira accepts the credentials again: deliver what waits."""
    with transaction.atomic():
        now = _lock(account)
        if now.state != State.CONNECTED:
            _set_state(now, State.CONNECTED, "", actor=actor)
    account.state, account.problem, account.problem_at = now.state, now.problem, now.problem_at


def _set_state(
    account: JiraAccount, state: str, problem: str, *, actor: User | None = None
) -> None:
    """For those who hold the account's lock."""
    account.state, account.problem = state, problem
    account.problem_at = timezone.now() if problem else None
    _save(account, actor=actor, reason="" if problem else "Works again")
    if not problem:
        enqueue("ticketing.tasks.deliver")


def is_expired(account: JiraAccount) -> bool:
    expires = account.token_expires_on
    return expires is not None and expires < timezone.now().date()


# --- Deleting -------------------------------------------------------------------------


def delete_account(account: JiraAccount, *, actor: User | None) -> None:
    """Forget its secrets and make no more tickets there. Issues still say where they are.

    A draft, which has no issues, is gone altogether. Raises ValidationError while projects
    are linked to the account or tickets wait for it.
    """
    with transaction.atomic():
        account = _lock(account)
        if linked := Destination.objects.filter(account=account).count():
            raise ValidationError(
                f"{linked} case project{'' if linked == 1 else 's'} still "
                f"create{'s' if linked == 1 else ''} tickets with this account. Unlink "
                f"{'it' if linked == 1 else 'them'} or choose another account first."
            )
        if waiting := ExternalIssue.objects.filter(account=account, state__in=WAITING).count():
            raise ValidationError(
                f"{waiting} ticket{'' if waiting == 1 else 's'} still wait"
                f"{'s' if waiting == 1 else ''} for this account. Deliver or cancel "
                f"{'it' if waiting == 1 else 'them'} first."
            )
        delete_templates_of(account, actor=actor)
        sign(account, actor=actor, reason="Deleted")
        if account.connected_at is None:
            account.delete()
            return
        for secret in _SECRETS:
            setattr(account, secret, "")
        account.deleted_at = timezone.now()
        account.webhook_id = ""
        account.save()


# --- What may be said -----------------------------------------------------------------


def _checked(
    data: AccountData, *, token: str, account: JiraAccount | None = None, is_sandbox: bool
) -> AccountData:
    """The data as it is kept. Raises ValidationError with a sentence for each field."""
    errors: dict[str, str] = {}
    may_be_private = is_sandbox or settings.ALLOW_PRIVATE_NETWORKS
    is_cloud = data.deployment == Deployment.CLOUD
    addresses = {"site_url": data.site_url, "api_url": data.api_url or data.site_url}
    for name, address in addresses.items():
        try:
            addresses[name] = normal_address(address, may_be_private=may_be_private)
        except BadAddress as error:
            errors.setdefault(name if address == getattr(data, name) else "site_url", str(error))
    kept = AccountData(
        name=" ".join(data.name.split()),
        deployment=data.deployment,
        site_url=addresses["site_url"],
        api_url=addresses["api_url"] if is_cloud else addresses["site_url"],
        email=data.email.strip() if is_cloud else "",
        token_expires_on=data.token_expires_on,
        markup=data.markup,
    )
    errors |= _errors_of_name(kept.name, account)
    errors |= _errors_of_choices(kept)
    errors |= _errors_of_token(kept, token.strip(), account)
    if errors:
        raise ValidationError(errors)
    return kept


def _errors_of_name(name: str, account: JiraAccount | None) -> dict[str, str]:
    if not name or "\0" in name:
        return {"name": "Enter a name."}
    if len(name) > _LONGEST_NAME:
        return {"name": f"A name takes up to {_LONGEST_NAME} characters."}
    others = JiraAccount.objects.filter(name=name, deleted_at=None)
    if (others.exclude(pk=account.pk) if account else others).exists():
        return {"name": f"Another account is already called “{name}”."}
    return {}


def _errors_of_choices(data: AccountData) -> dict[str, str]:
    errors = {}
    if data.deployment not in Deployment.values:
        errors["deployment"] = "Select Jira Cloud or Jira Data Center."
    if data.markup not in JiraAccount.Markup.values:
        errors["markup"] = "Select how this Jira takes long text."
    if max(len(data.site_url), len(data.api_url), len(data.email)) > 255:
        errors["site_url"] = "An address takes up to 255 characters."
    if data.deployment == Deployment.CLOUD:
        try:
            validate_email(data.email)
        except ValidationError:
            errors["email"] = "Enter the email address that the token belongs to."
    return errors


def _errors_of_token(data: AccountData, token: str, account: JiraAccount | None) -> dict[str, str]:
    errors = {}
    if wrong := _wrong_token(data, token, account):
        errors["token"] = wrong
    known = account.token_expires_on if account else None
    expires = data.token_expires_on
    if expires and expires < timezone.now().date() and (token or expires != known):
        errors |= {"token_expires_on": "This day has passed."}
    return errors


def _wrong_token(data: AccountData, token: str, account: JiraAccount | None) -> str:
    if len(token) > _LONGEST_TOKEN or not token.isascii() or any(c <= " " for c in token):
        return "This is no token: copy it again, without spaces or line breaks."
    if token:
        return ""
    if account is None:
        return "Enter a token."
    if not account.token:
        return "Enter the token again: the stored one cannot be read."
    if account.api_url != data.api_url:
        return "Enter the token again: the stored one is only sent to the address it was for."
    return ""


# --- Rows -----------------------------------------------------------------------------


def _lock(account: JiraAccount) -> JiraAccount:
    """The account as it is now. Raises DoesNotExist if it was deleted meanwhile."""
    return JiraAccount.objects.select_for_update().get(pk=account.pk, deleted_at=None)


def _save(account: JiraAccount, *, actor: User | None, reason: str) -> None:
    sign(account, actor=actor, reason=reason)
    try:
        with transaction.atomic():
            account.save()
    except IntegrityError as error:  # somebody else took the name a moment ago
        if JiraAccount.objects.filter(name=account.name, deleted_at=None).exists():
            raise ValidationError(_errors_of_name(account.name, account)) from error
        raise


def _take_token(account: JiraAccount, token: str) -> None:
    """New credentials may be somebody else's: who we are is asked again."""
    account.token = token.strip()
    account.user_id = account.user_name = ""
    if account.state != State.CONNECTED:
        account.state, account.problem, account.problem_at = State.CONNECTED, "", None
        enqueue("ticketing.tasks.deliver")


def _with_likely_cause(account: JiraAccount, reason: str) -> str:
    if not is_expired(account):
        return reason
    return f"{reason} The token expired on {account.token_expires_on:%-d %b %Y}."


def _new_secret() -> str:
    return secrets.token_urlsafe(32)
