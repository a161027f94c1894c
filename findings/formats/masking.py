"""A finding without the credentials that its texts show.

Pure: no framework, no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Protocol

from findings.facts import FindingType
from findings.formats.clean_texts import CleanTexts
from findings.formats.credentials import (
    holds_random,
    mask_credentials,
    mask_random,
    mask_within,
    may_hold_credentials,
    may_name_credentials,
    words_of,
)


class Reported(Protocol):
    """What is read of a `Normalised`, which is built on this."""

    @property
    def finding_type(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def resource_id(self) -> str: ...
    @property
    def fingerprint(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def resource_name(self) -> str: ...
    @property
    def resource_type(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...


_SECRET = FindingType.SECRET.value
_HARD_CODED = frozenset({"cwe:CWE-259", "cwe:CWE-321", "cwe:CWE-798"})


def masked_fields(found: Reported) -> dict[str, Any]:
    """The fields of the finding with their credentials masked; none of an ordinary one that holds
    no credential."""
    is_about_one = found.finding_type == _SECRET or not _HARD_CODED.isdisjoint(found.tags)
    texts = [found.title, found.description, found.resource_id, found.resource_name]
    texts.append(found.resource_type)
    if is_about_one or not _CLEAN.knows(found.tags):
        texts += found.tags
    names: list[str] = []
    _collect(found.attributes, texts, names)
    if is_about_one:
        of_secret = (*texts, *names)
        is_clean = _CLEAN_OF_SECRETS.hold_all(of_secret) and _CLEAN.hold_all((found.fingerprint,))
    else:
        texts.append(found.fingerprint)
        is_clean = _CLEAN.hold_all(texts)
    if is_clean and _CLEAN_NAMES.hold_all(names):
        return {}
    if not is_about_one:
        return _masked(found, _mask_ordinary)
    kept = _names_of(found)

    def mask(text: str) -> str:
        is_clean = _CLEAN_OF_SECRETS.masked(text, _mask_any_random) == text
        return text if is_clean else mask_random(mask_credentials(text), keeps=kept.__contains__)

    return _masked(found, mask)


def _collect(value: object, texts: list[str], names: list[str]) -> None:
    """Add the texts of a JSON object or list and, apart, the names of its fields."""
    if isinstance(value, dict):
        names += value
        items: Iterable[object] = value.values()
    else:
        items = value if isinstance(value, list) else ()
    for item in items:
        if type(item) is str or isinstance(item, str):  # most are
            texts.append(item)
        elif isinstance(item, _CONTAINERS):
            _collect(item, texts, names)


_CONTAINERS = (dict, list)


def _mask_ordinary(text: str) -> str:
    return _CLEAN.masked(text, mask_credentials)


def _mask_any_random(text: str) -> str:
    return mask_random(mask_credentials(text))


def _may_change_of_secret(text: str) -> bool:
    return may_hold_credentials(text) or holds_random(text)


_CLEAN = CleanTexts(may_hold_credentials)
_CLEAN_OF_SECRETS = CleanTexts(_may_change_of_secret)
_CLEAN_NAMES = CleanTexts(may_name_credentials)


def _masked(found: Reported, mask: Callable[[str], str]) -> dict[str, Any]:
    """No field gets longer by it: each is still within its limits."""
    is_plain = mask_credentials(found.fingerprint) == found.fingerprint
    return dict(  # noqa: C408 names of fields
        title=mask(found.title),
        description=mask(found.description),
        resource_id=mask(found.resource_id),
        resource_name=mask(found.resource_name),
        resource_type=mask(found.resource_type),
        fingerprint=found.fingerprint if is_plain else digest(found.fingerprint),
        tags=tuple(sorted({_masked_tag(tag, mask) for tag in found.tags})),
        attributes=mask_within(found.attributes, mask),
    )


def _names_of(found: Reported) -> str:
    """What may look random in a finding about a credential: where it is, and its ids."""
    attributes = found.attributes
    ids = [attributes.get("correlation_id"), attributes.get("external_id")]
    for name, fields in _NAMES.items():
        part = attributes.get(name)
        if isinstance(part, Mapping):
            ids += [part.get(field) for field in fields]
    return words_of([found.resource_id, found.resource_name, *ids])


_NAMES = {
    "rule": ("id",),
    "git": ("commit", "repository", "branch"),
    "code_location": ("file",),
    "container_image": ("name",),
}


def _masked_tag(tag: str, mask: Callable[[str], str]) -> str:
    """`token:…` alone is the key of a tag, not what a token is set to."""
    key, colon, value = tag.partition(":")
    if value.startswith("//"):  # an address
        return mask(tag)
    return f"{mask(key)}{colon}{mask(value)}"


def digest(text: str) -> str:
    """What stands for a text and does not say it."""
    return blake2b(text.encode(), digest_size=16).hexdigest()
