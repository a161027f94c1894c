"""Events from Jira. An event is a bell: it says which issue to read, and is believed no more.

So an event that is lost, doubled, late or out of order does no harm, and whoever forges one
(without the secret nobody can) makes us read an issue once more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Collection, Mapping
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from ticketing import due, outbox
from ticketing.models import ExternalIssue, JiraAccount, JiraSpace, WebhookEvent
from ticketing.states import State

_PROMISES = 50  # named by one event; more are not looked at


def is_signed(account: JiraAccount, body: bytes, signature: str) -> bool:
    """`X-Hub-Signature: sha256=<hex>` over the body, with either of the account's secrets."""
    method, _, digest = signature.strip().partition("=")
    if method.lower() != "sha256":
        return False
    given = digest.lower().encode()
    fits = False
    for secret in (account.webhook_secret, account.former_webhook_secret):
        wanted = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest().encode()
        # Both are always compared, and an empty one never fits.
        fits |= hmac.compare_digest(given, wanted) and bool(secret)
    return fits


@transaction.atomic
def take_event(account: JiraAccount, identifier: str, event: Mapping[str, Any]) -> bool:
    """Make the issue of an event due. False if the very same event was taken before."""
    _, is_new = WebhookEvent.objects.get_or_create(
        account=account, identifier=identifier, defaults={"received_at": timezone.now()}
    )
    if not is_new:
        return False
    issue = _object(event.get("issue"))
    fields = _object(issue.get("fields"))
    _notice(account, _text(_object(fields.get("project")).get("id")))
    if issue_id := _text(issue.get("id")):
        due.mark_issue_due(account, issue_id)
    if event.get("webhookEvent") == "jira:issue_created":
        labels = fields.get("labels")
        _answer_unsure(account, labels if isinstance(labels, list) else [])
    return True


def _notice(account: JiraAccount, space_id: str) -> None:
    """Events reach us: what the webhook's health is shown by."""
    now = timezone.now()
    JiraAccount.objects.filter(pk=account.pk).update(webhook_event_at=now)
    if space_id:
        spaces = JiraSpace.objects.filter(account=account, space_id=space_id)
        spaces.update(webhook_event_at=now)


def _answer_unsure(account: JiraAccount, labels: Collection[object]) -> None:
    """An unsure promise whose issue has just been created need not wait for its look-up."""
    pks = list(islice(filter(None, map(_promise_of, labels)), _PROMISES))
    if not pks:
        return
    unsure = ExternalIssue.objects.filter(pk__in=pks, account=account, state=State.UNSURE)
    if unsure.update(not_before=timezone.now()):
        outbox.ring()


def _promise_of(label: object) -> UUID | None:
    """The promise whose key this is; see ExternalIssue.key."""
    if not isinstance(label, str) or not label.startswith("fa-"):
        return None
    coded = label.removeprefix("fa-").upper()
    try:
        raw = base64.b32decode(coded + "=" * (-len(coded) % 8))
    except (binascii.Error, ValueError):
        return None
    return UUID(bytes=raw) if len(raw) == 16 else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    """An id, which some versions write as a number; nothing longer than a column of ours."""
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if len(text) <= 64 and "\0" not in text else ""
