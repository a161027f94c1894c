"""The address of a Jira as people type or paste it, made into the one we keep. Pure.

Where a name leads is looked at by the client at every connection; here only what the text says.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from ticketing.trackers.jira.addresses import may_be_called

GATEWAY = "https://api.atlassian.com/ex/jira/"
CLOUD_HOST = ".atlassian.net"
_CLOUD_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_HOST = re.compile(
    r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*"
)
_PORTS = {"https": 443, "http": 80}


class BadAddress(ValueError):
    """An address that is not taken; `str(error)` says why and what to do."""


def normal_address(text: str, *, may_be_private: bool = False) -> str:
    """`Acme.atlassian.net/jira/your-work` → `https://acme.atlassian.net`. Raises BadAddress."""
    parts = _split(text)
    if parts.scheme != "https" and not (may_be_private and parts.scheme == "http"):
        raise BadAddress("Enter an address that starts with https://.")
    if "@" in parts.netloc:
        raise BadAddress("Leave out the user name and password: they go into their own fields.")
    host = _host(parts)
    if not may_be_private and _is_private(host):
        raise BadAddress(
            "This address is in a private network. An admin of this machine can allow such "
            "addresses with ALLOW_PRIVATE_NETWORKS=1."
        )
    shown = f"[{host}]" if ":" in host else host
    port = "" if parts.port in (None, _PORTS[parts.scheme]) else f":{parts.port}"
    path = "" if host.endswith(CLOUD_HOST) else _path(parts)
    return f"{parts.scheme}://{shown}{port}{path}"


def gateway(cloud_id: str) -> str:
    """Where a token with scopes is accepted. Raises BadAddress."""
    if not _CLOUD_ID.fullmatch(cloud_id):
        raise BadAddress("A cloud ID looks like 11223344-a1b2-3c4d-5e6f-112233445566.")
    return GATEWAY + cloud_id.lower()


def cloud_id_of(api_url: str) -> str:
    """The other way round; empty if the address is not the gateway's."""
    return api_url.removeprefix(GATEWAY) if api_url.startswith(GATEWAY) else ""


def _split(text: str) -> SplitResult:
    text = text.strip()
    if not text or any(each.isspace() or not each.isprintable() or each == "\\" for each in text):
        raise BadAddress("Enter the address of your Jira, as in https://acme.atlassian.net.")
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        _ = parts.port
    except ValueError as error:
        raise BadAddress(
            "This is not an address. Enter one like https://acme.atlassian.net."
        ) from error
    return parts


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").rstrip(".")
    if ":" in name:
        return str(_ip(name))
    try:
        host = name.encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    if not _HOST.fullmatch(host):
        raise BadAddress("This is not an address. Enter one like https://acme.atlassian.net.")
    return host


def _ip(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(name)
    except ValueError as error:
        raise BadAddress(
            "This is not an address. Enter one like https://acme.atlassian.net."
        ) from error


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        # 127.1, 0x7f.0.0.1 and 2130706433 are numbers to a resolver, and no name has a top level
        # domain of digits.
        return bool(re.fullmatch(r"(0x[0-9a-f]*|\d+)", host.rsplit(".", 1)[-1]))
    return not may_be_called(host, may_be_private=False)


def _path(parts: SplitResult) -> str:
    """The context path of a Data Center, such as /jira."""
    path = parts.path.rstrip("/")
    if (
        parts.query
        or parts.fragment
        or not _PATH.fullmatch(path)
        or {".", ".."} & set(path.split("/"))
    ):
        raise BadAddress("Enter the address of the Jira alone, without the page you are on.")
    return path
