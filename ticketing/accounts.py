"""Accounts of Jira: where it is, who we are there, and whether it lets us.

Every change is in the account's history, without its secrets. Jira is never called inside a
transaction; what it says of credentials that were replaced meanwhile is not kept. See
`connections` for what asks it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime, timedelta

import structlog
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from config.accounts.history import sign
from config.accounts.models import User
from config.lib.tasks import enqueue
from config.lib.utc import day_text
from ticketing.account_data import AccountData, checked, errors_of_name
from ticketing.issue_templates import delete_templates_of
from ticketing.models import Destination, ExternalIssue, JiraAccount
from ticketing.states import WAITING
from ticketing.states import State as Waiting
from ticketing.trackers.base import TrackerError

log = structlog.stdlib.get_logger(__name__)
State = JiraAccount.State
_PROBE = "ticketing.tasks.probe_accounts"
_STATE = ("state", "problem", "problem_at", "probe_at", "probes")
_SECRETS = ("token", "webhook_secret", "former_webhook_secret")


def create_account(
    data: AccountData,
    *,
    token: str,
    webhook_secret: str = "",
    actor: User | None,
    is_sandbox: bool = False,
) -> JiraAccount:
    """A draft: rules may use it once `connect` was called. Raises ValidationError."""
    data = checked(data, token=token, is_sandbox=is_sandbox)
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
        data = checked(data, token=token, account=account, is_sandbox=account.is_sandbox)
        moved = (data.site_url, data.api_url) != (account.site_url, account.api_url)
        for name, value in asdict(data).items():
            setattr(account, name, value)
        if moved:
            account.webhook_id = account.former_webhook_secret = ""
            account.webhook_secret = _new_secret()
            account.webhook_event_at = None
        if token:
            _take_token(account, token)
        reasons = ["Token replaced"] if token else []
        reasons += ["New address, new webhook secret"] if moved else []
        _save(account, actor=actor, reason=", ".join(reasons))
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
                "The previous secret is still accepted. Enter the current one in Jira and "
                "stop accepting the previous one, then generate a new one."
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
            _save(account, actor=actor, reason="Previous webhook secret no longer accepted")


# --- Its state ------------------------------------------------------------------------
#
#   connected ─a strange answer─▶ suspected ─the second look: Jira answers, to us─▶ connected
#                                     └─it does not─▶ suspended: auth_failed or broken
#   suspended ─looked at after 1, 5, 15, 60, 60 … minutes, or when a person says so─▶ connected
#             ─a new token─▶ connected
#
# Nothing but the look (`account_probe`) is sent while an account is not connected; tickets wait.

PROBE_AFTER = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(minutes=60),
)
"""After each look that failed, when to look again."""


def blame(account: JiraAccount, error: TrackerError) -> None:
    """What may be true of every call of the account is its trouble, and not the ticket's."""
    if error.suspicious:
        suspect(account, error.reason)


def suspect(account: JiraAccount, reason: str) -> None:
    """Send nothing more until a second look has decided, which is due at once.

    `account` is as it was when the answer came: nothing happens if its token was replaced since.
    """
    with transaction.atomic():
        now = _unchanged(account)
        if now is None or now.state != State.CONNECTED or now.connected_at is None:
            return
        at = timezone.now()
        now.state, now.problem, now.problem_at = State.SUSPECTED, reason, at
        now.probe_at, now.probes = at, 0
        _store_state(now)
        enqueue(_PROBE)
    _copy_state(now, account)
    log.warning("An account is looked at again", account=account.name, reason=reason)


def pause(account: JiraAccount, reason: str, *, state: str = State.AUTH_FAILED) -> None:
    """The account surely does not work: say so, since when, and when it is looked at next."""
    with transaction.atomic():
        now = _unchanged(account)
        if now is None:
            return
        at = timezone.now()
        is_news = now.state in (State.CONNECTED, State.SUSPECTED)
        now.problem_at = now.problem_at or at
        now.state = state
        now.problem = _with_likely_cause(now, reason) if state == State.AUTH_FAILED else reason
        now.probe_at = at + PROBE_AFTER[min(now.probes, len(PROBE_AFTER) - 1)]
        now.probes = min(now.probes + 1, 1_000)
        if is_news:
            _save(now, actor=None, reason="")
            log.warning("An account is suspended", account=now.name, state=state, reason=reason)
        else:
            _store_state(now)
    _copy_state(now, account)


def resume(account: JiraAccount, *, actor: User | None = None) -> None:
    """Jira answers, and to us: deliver what waits. Nothing if the token was replaced since."""
    with transaction.atomic():
        now = _unchanged(account)
        if now is None:
            return
        if now.state == State.SUSPECTED:
            _store_state(_connected(now))
            _ring()
        elif now.state != State.CONNECTED:
            _save(_connected(now), actor=actor, reason="Works again")
            _wake_tickets(now)
    _copy_state(now, account)


def is_callable(account: JiraAccount, *, now: datetime) -> bool:
    """Whether a request may leave now."""
    return (
        account.state == State.CONNECTED
        and account.deleted_at is None
        and account.connected_at is not None
        and (account.paused_until is None or account.paused_until <= now)
    )


def is_callable_at(now: datetime, *, of: str = "") -> Q:
    """The same, as a condition; `of` leads to the account from another row."""
    wanted = {"state": State.CONNECTED, "deleted_at": None, "connected_at__isnull": False}
    is_connected = Q(*((f"{of}{name}", value) for name, value in wanted.items()))
    return is_connected & (Q((f"{of}paused_until", None)) | Q((f"{of}paused_until__lte", now)))


def may_be_called(now: datetime) -> Q:
    """The same of the account of a row."""
    return is_callable_at(now, of="account__")


def _unchanged(account: JiraAccount) -> JiraAccount | None:
    """The account locked, if what was seen of it can still be true."""
    now = JiraAccount.objects.select_for_update().filter(pk=account.pk, deleted_at=None).first()
    return now if now and now.token == account.token else None


def _connected(account: JiraAccount) -> JiraAccount:
    account.state, account.problem, account.problem_at = State.CONNECTED, "", None
    account.probe_at, account.probes = None, 0
    return account


def _store_state(account: JiraAccount) -> None:
    """Without a line in its history: one odd answer, and another look, are not worth it."""
    values = {name: getattr(account, name) for name in _STATE}
    JiraAccount.objects.filter(pk=account.pk).update(**values)


def _copy_state(source: JiraAccount, target: JiraAccount) -> None:
    for name in _STATE:
        setattr(target, name, getattr(source, name))


def _wake_tickets(account: JiraAccount) -> None:
    """What waits for the account waits no longer, however often it was tried."""
    now = timezone.now()
    pauses = ("paused_until", "sync_paused_until", "creates_paused_until")
    for name in pauses:  # for what was refused until now
        setattr(account, name, None)
    account.endpoint_pauses = {}
    JiraAccount.objects.filter(pk=account.pk).update(**dict.fromkeys(pauses), endpoint_pauses={})
    states = (Waiting.PENDING, Waiting.UNSURE)
    waiting = ExternalIssue.objects.filter(account=account, state__in=states)
    waiting.filter(not_before__gt=now).update(not_before=now)
    _ring()


def _ring() -> None:
    enqueue("ticketing.tasks.deliver")
    enqueue("ticketing.tasks.sync")


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
            raise ValidationError(errors_of_name(account.name, account)) from error
        raise


def _take_token(account: JiraAccount, token: str) -> None:
    """New credentials may be somebody else's: who we are is asked again."""
    account.token = token.strip()
    account.user_id = account.user_name = ""
    if account.state != State.CONNECTED:
        _connected(account)
        _wake_tickets(account)


def _with_likely_cause(account: JiraAccount, reason: str) -> str:
    expired_on = account.token_expires_on
    if expired_on is None or not is_expired(account):
        return reason
    return f"{reason} The token expired on {day_text(expired_on)}."


def _new_secret() -> str:
    return secrets.token_urlsafe(32)
