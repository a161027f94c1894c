"""What a person says of an account, checked: the form, the API and the command send it here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils import timezone

from ticketing.models import JiraAccount
from ticketing.trackers.jira.sites import BadAddress, normal_address

Deployment = JiraAccount.Deployment
_LONGEST_NAME = 100
_LONGEST_TOKEN = 4000


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


def checked(
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
    errors |= errors_of_name(kept.name, account)
    errors |= _errors_of_choices(kept)
    errors |= _errors_of_token(kept, token.strip(), account)
    if errors:
        raise ValidationError(errors)
    return kept


def errors_of_name(name: str, account: JiraAccount | None) -> dict[str, str]:
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
        return "This is not a token: copy it again, without spaces or line breaks."
    if token:
        return ""
    if account is None:
        return "Enter a token."
    if not account.token:
        return "Enter the token again: the stored one cannot be read."
    if account.api_url != data.api_url:
        return "Enter the token again: the stored one is only sent to the address it was for."
    return ""
