"""TruffleHog JSON lines, version 2 and 3 (or a list of them). Documentation: docs/trufflehog.md."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, BinaryIO

from findings.formats.normalised import Normalised, Rejected, Unscanned
from findings.formats.shapes.found_secrets import FoundSecret
from findings.formats.shapes.problems import read_problems
from findings.formats.streams.json_lines import listed
from findings.formats.streams.records import Outline, Record
from findings.formats.values.fields import dig, one_line, text, texts, whole
from findings.formats.values.masking import masked_within
from findings.formats.values.paths import file_of, former_file_of

NAME = "trufflehog"
LABEL = "TruffleHog JSON"

_VERSION_3 = frozenset({"SourceMetadata", "DetectorName"})
_VERSION_2 = frozenset({"stringsFound", "reason"})
_LOG = frozenset({"level", "msg"})  # a line of its log, when that went into the file, too
_PLACES = ("repository", "bucket", "image", "project", "workspace", "organization", "channel_name")
_FILES = ("file", "path", "key", "page", "title", "link", "layer")


def recognises(outline: Outline) -> bool:
    known = outline.first.get("", frozenset()) if outline.root == "list" else outline.kinds
    return known >= _VERSION_3 or known >= _VERSION_2


def scanner(_report: BinaryIO) -> str:
    return "TruffleHog"


def unscanned(report: BinaryIO) -> Iterator[Unscanned]:
    """The errors of its log, when that went into the file, too."""
    for found in listed(report):
        if _is_log(found.value) and text(found.value, "level").lower() in ("error", "fatal"):
            file = next(filter(None, (text(found.value, name) for name in _FILES)), "")
            yield Unscanned(file_of(file), text(found.value, "msg"))


def read(report: BinaryIO, *, latest: datetime) -> Iterator[Normalised | Rejected]:
    found = (each for document in listed(report) for each in _each_string(document))
    required = ("DetectorName", "DetectorType", "reason")
    yield from read_problems(found, _secret, required, latest=latest)


def _each_string(found: Record) -> Iterator[Record]:
    """A record of version 2 once for each of its strings; of a log, none."""
    strings = dig(found.value, "stringsFound")
    if isinstance(strings, list):
        for number, string in enumerate(strings):
            others = strings[:number] + strings[number + 1 :]  # its diff quotes them, too
            value = found.value | {"stringsFound": [string, *others]}
            yield Record((*found.path, "stringsFound", number), value)
    elif not _is_log(found.value):
        yield found


def _is_log(line: Any) -> bool:
    return isinstance(line, dict) and line.keys() >= _LOG


def _secret(found: Record) -> FoundSecret:
    if "stringsFound" in found.value:
        return _of_version_2(found.value)
    written = [text(found.value, "Raw"), text(found.value, "RawV2")]
    secret, second = map(_as_plain, written)
    known_by = "" if secret else text(found.value, "Redacted")
    quotes = (secret, second, *written)
    item = masked_within(found.value, *quotes)
    data = _first_object(dig(item, "SourceMetadata", "Data"))
    repository = next(filter(None, (text(data, name) for name in _PLACES)), "")
    is_image = not text(data, "repository") and bool(text(data, "image"))
    detector = text(item, "DetectorName") or text(item, "DetectorType")
    tried = isinstance(dig(item, "Verified"), bool) and not text(item, "VerificationError")
    return FoundSecret(
        scanner="TruffleHog",
        rule=one_line(detector, 200),
        secret=secret,
        known_by=known_by,
        file=file_of(next(filter(None, (text(data, name) for name in _FILES)), "")),
        former_file=former_file_of(next(filter(None, (text(data, name) for name in _FILES)), "")),
        repository="" if is_image else _repository(repository),
        image=one_line(text(data, "image"), 300) if is_image else "",
        line=whole(data, "line"),
        commit=one_line(text(data, "commit"), 100),
        author=one_line(text(data, "email"), 200),
        date=one_line(text(data, "timestamp"), 50),
        url=text(data, "link"),
        is_verified=item["Verified"] if tried else None,
        details=_details(dig(item, "ExtraData"), quotes),
    )


def _as_plain(secret: str) -> str:
    """The secret itself where the report holds it in base64, as the first of version 3 did."""
    try:
        return b64decode(secret, validate=True).decode("ascii").strip() or secret
    except ValueError:
        return secret


def _of_version_2(written: dict[str, Any]) -> FoundSecret:
    strings = texts(written, "stringsFound")
    item = masked_within(written, *strings)
    return FoundSecret(
        scanner="TruffleHog",
        rule=one_line(text(item, "reason"), 200),
        secret=next(iter(strings), ""),
        file=file_of(text(item, "path")),
        former_file=former_file_of(text(item, "path")),
        commit=one_line(text(item, "commitHash"), 100),
        date=one_line(text(item, "date"), 50),
        branch=one_line(text(item, "branch").removeprefix("origin/"), 200),
    )


def _details(extra: Any, secrets: Sequence[str]) -> dict[str, str]:
    found = extra.items() if isinstance(extra, dict) else ()
    return {masked_within(name, *secrets): text(value) for name, value in found}


def _first_object(value: Any) -> Any:
    """`{"Git": {…}}`: the source's own fields under its name."""
    return next(iter(value.values()), None) if isinstance(value, dict) else None


def _repository(url: str) -> str:
    """Without scheme, user and `.git`."""
    place = (url.partition("://")[2] or url).rpartition("@")[2]
    return one_line(place.removesuffix("/").removesuffix(".git"), 300)
