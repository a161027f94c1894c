"""Who we are towards one Jira, and where it is. Pure values; the token never shows in a repr."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Deployment(StrEnum):
    CLOUD = "cloud"
    DATA_CENTER = "data_center"


class Markup(StrEnum):
    """How this Jira takes long text: REST v2 wants wiki markup, v3 a document."""

    WIKI = "wiki"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    deployment: Deployment
    site_url: str  # what people open: https://acme.atlassian.net, no slash at the end
    api_url: str  # what we call: the same, or the gateway for scoped tokens
    token: str = field(repr=False)
    email: str = ""  # Cloud only; Data Center signs in with the token alone
    user_id: str = ""  # who we are there once it is known: accountId or name
    markup: Markup = Markup.WIKI
    may_be_private: bool = False  # the address may be in a private network
    ca_bundle: str = ""  # a file of certificates to trust instead of the public ones
