"""By what findings can be grouped, and the value that each has of it.

Pure. What is more than a column, a tag or an attribute (`STORED`) is worked out once, when a
finding is recorded, and kept on its row in `grouping`: what the explorer groups by is what rules
group by. `findings/README.md` says in a table where each value comes from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from hashlib import blake2b, sha256
from itertools import chain
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote

from findings.facts import CONTAINER_IMAGE, CORE_FIELDS, NOT_IN_RULES, Facts, Kind
from findings.query.ast import Exists, Field, Root, Term
from findings.query.predicate import as_text, columns_read, tag_values, values
from findings.query.scalars import ascii_lower

MAX_FIELDS = 3
MAX_VALUE = 2_000
"""Characters of a value that are kept; of a longer one the last are a digest of the whole."""
DIGITS = 16
"""Of that digest, in hexadecimal."""


class GroupField(NamedTuple):
    """Something to group by, and how it is called."""

    name: str  # in rules, addresses and on the wire
    label: str  # "each package to update", "by package to update"
    short: str  # "one ticket per package", "1 names no package"


_CLOSED = (
    GroupField("package", "package to update", "package"),
    GroupField("vulnerability", "vulnerability", "vulnerability"),
    GroupField("rule", "scanner rule", "scanner rule"),
    GroupField("title", "title", "title"),
    GroupField("resource", "resource", "resource"),
    GroupField("image", "image", "image"),
    GroupField("repository", "repository", "repository"),
    GroupField("service", "service", "service"),
    GroupField("team", "team", "team"),
    GroupField("correlation", "problem that several tools report", "problem"),
)
GROUP_FIELDS: Mapping[str, GroupField] = {field.name: field for field in _CLOSED}
"""Beside these, `tag:<key>` and `@<attribute>` can be grouped by."""
TAG_FIELDS = ("service", "team")
"""Those that are the value of a tag of the same name."""

_TAG = re.compile(r"tag:(?P<key>[^\s:\"]{1,200})")
_ATTRIBUTE = re.compile(r"@(?P<path>[^\s\".]{1,100}(?:\.[^\s\".]{1,100}){0,19})")


class UnknownGroupField(ValueError):
    """Nothing that findings can be grouped by; `str(error)` is a sentence for a person."""


def group_field(name: str) -> GroupField:
    """Raises UnknownGroupField."""
    if known := GROUP_FIELDS.get(name):
        return known
    if tag := _TAG.fullmatch(name):
        return GroupField(name, f"tag {tag['key']}", tag["key"])
    if found := _ATTRIBUTE.fullmatch(name):
        path = found["path"]
        core = CORE_FIELDS.get(path)
        is_volatile = path.partition(".")[0] in NOT_IN_RULES
        if not is_volatile and (core is None or core.kind in (Kind.EXACT, Kind.NAME)):
            return GroupField(name, f"attribute {path}", path)
        raise UnknownGroupField(f"Findings cannot be grouped by “{name}”: it changes or is a time.")
    raise UnknownGroupField(
        f"Findings cannot be grouped by “{name[:100]}”. Use one of "
        f"{', '.join(GROUP_FIELDS)}, tag:<key> or @<attribute>."
    )


def group_fields(names: Sequence[str]) -> tuple[GroupField, ...]:
    """One to three different ones. Raises UnknownGroupField."""
    if not names:
        raise UnknownGroupField("Pick at least one field.")
    if len(names) > MAX_FIELDS:
        raise UnknownGroupField(f"A ticket can be grouped by {MAX_FIELDS} fields at most.")
    if len(set(names)) < len(names):
        raise UnknownGroupField("The same field stands twice.")
    return tuple(map(group_field, names))


def label_of(names: Sequence[str]) -> str:
    """As in "one ticket per team and repository"."""
    return " and ".join(group_field(name).short for name in names)


def values_of(names: Sequence[str], facts: Facts) -> tuple[str, ...] | None:
    """The finding's value of each field; None if it lacks one of them.

    Of several values, as of a finding with two tags `team`, it is the first in the order of
    their characters.
    """
    found = tuple(_value(name, facts) for name in names)
    return found if all(found) else None


def group_key(names: Sequence[str], found: Sequence[str]) -> str:
    """One text for fields and their values: 32 hexadecimal digits."""
    parts = "\0".join(f"{name}\1{value}" for name, value in zip(names, found, strict=True))
    return blake2b(parts.encode(), digest_size=16).hexdigest()


def key_of(names: Sequence[str], facts: Facts) -> tuple[str, Sequence[str]] | None:
    """The key of the finding's group and its values; None if it stands alone."""
    found = values_of(names, facts) if names else None
    return (group_key(names, found), found) if found else None


def clip(value: str) -> str:
    """A value as it is kept: two that differ stay different."""
    if len(value) <= MAX_VALUE:
        return value
    digest = sha256(value.encode()).hexdigest()[:DIGITS]  # which PostgreSQL knows, too
    return f"{value[: MAX_VALUE - DIGITS - 1]}…{digest}"


def _value(name: str, facts: Facts) -> str:
    if name == "resource":
        return facts.resource_id
    if name == "title":
        return ascii_lower(facts.title)
    if name in STORED:
        return STORED[name](facts)
    if key := tag_key(name):
        return first_of(tag_values(facts.tags, key))
    path = attribute_path(name)
    return first_of(values(facts, Field(Root.ATTRIBUTE, path))) if path else ""


def columns_of_group(name: str) -> Set[str]:
    """The columns of facts on which a finding's value depends."""
    if name == "resource":
        return {"resource_id"}
    if name == "title":
        return {"title"}
    if name in STORED:
        return {"attributes", "tags", "resource_id", "resource_name", "resource_type"}
    if tag_key(name):
        return {"tags"}
    path = attribute_path(name)
    return columns_read(Term(Field(Root.ATTRIBUTE, path), Exists())) if path else set()


def tag_key(name: str) -> str:
    """The key of the tag that it is the value of, or ""."""
    tag = _TAG.fullmatch(name)
    return tag["key"] if tag else name if name in TAG_FIELDS else ""


def attribute_path(name: str) -> str:
    """The path of the attribute that it is, or ""."""
    found = _ATTRIBUTE.fullmatch(name)
    return found["path"] if found else ""


def first_of(found: Iterable[Any]) -> str:
    return clip(min((text for each in found if (text := as_text(each))), default=""))


# --- What is worked out when a finding is recorded ------------------------------------------


class Described(Protocol):
    """What of a finding is read for it: of facts, or as it was reported."""

    @property
    def tags(self) -> Sequence[str]: ...
    @property
    def attributes(self) -> Mapping[str, Any]: ...
    @property
    def resource_id(self) -> str: ...
    @property
    def resource_name(self) -> str: ...
    @property
    def resource_type(self) -> str: ...


def stored_values(finding: Described) -> dict[str, str]:
    """What `Finding.grouping` holds of it."""
    given = finding.attributes.keys()
    # Most findings have nothing that most of these are made of.
    of_attributes = () if _ATTRIBUTES.isdisjoint(given) else _MADE_OF.items()
    names = {name for name, attributes in of_attributes if not given.isdisjoint(attributes)}
    if finding.resource_type == CONTAINER_IMAGE:
        names.add("image")
    if "\nrepo" in "\n".join(("", *finding.tags)):
        names.add("repository")
    found = {name: STORED[name](finding) for name in names}
    return {name: value for name, value in found.items() if value}


_TYPES = {
    "npm": "npm", "yarn": "npm", "pnpm": "npm", "node-pkg": "npm", "javascript": "npm",
    "pypi": "pypi", "pip": "pypi", "pipenv": "pypi", "poetry": "pypi", "uv": "pypi",
    "python": "pypi", "python-pkg": "pypi",
    "go": "golang", "golang": "golang", "gomod": "golang", "gomodules": "golang",
    "go-module": "golang", "gobinary": "golang",
    "maven": "maven", "gradle": "maven", "sbt": "maven", "jar": "maven", "java": "maven",
    "java-archive": "maven", "pom": "maven",
    "gem": "gem", "rubygems": "gem", "bundler": "gem", "gemspec": "gem", "ruby": "gem",
    "composer": "composer", "php-composer": "composer", "packagist": "composer",
    "nuget": "nuget", "dotnet": "nuget", "dotnet-core": "nuget",
    "cargo": "cargo", "crates.io": "cargo", "rust-crate": "cargo", "rustbinary": "cargo",
    "hex": "hex", "pub": "pub", "dart-pub": "pub", "swift": "swift", "cocoapods": "cocoapods",
    "debian": "deb", "ubuntu": "deb", "dpkg": "deb", "deb": "deb",
    "alpine": "apk", "apk": "apk", "wolfi": "apk", "chainguard": "apk",
    "rpm": "rpm", "redhat": "rpm", "centos": "rpm", "rocky": "rpm", "alma": "rpm", "fedora": "rpm",
    "amazon": "rpm", "oracle": "rpm", "suse": "rpm", "photon": "rpm", "alpm": "alpm",
}  # fmt: skip
"""Ecosystems by the words of scanners → the types of package URLs."""
_OF_SYSTEMS = frozenset({"deb", "rpm", "apk", "alpm"})
_DASHES = re.compile(r"[-_.]+")  # one name to PyPI, and to nobody two
_SCHEME = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^@/\s]*@)?", re.IGNORECASE)


def _package(finding: Described) -> str:
    """`pypi/grpcio`: the type of its package URL and its name, without a version."""
    package = _part(finding, "package")
    purl, name = _text(package.get("purl")), _text(package.get("name"))
    if purl.startswith("pkg:"):
        kind, name = _of_purl(purl)
    else:
        ecosystem = _text(package.get("ecosystem")).lower()
        kind = _TYPES.get(ecosystem, ecosystem)
        name = name.replace(":", "/", 1) if kind == "maven" else name
    if not name:
        return ""
    if kind == "pypi":
        name = _DASHES.sub("-", name.lower())
    elif kind in ("nuget", "composer", "npm", *_OF_SYSTEMS):
        name = name.lower()
    return clip(f"{kind}/{name}" if kind else name)


def package_name(value: str) -> str:
    """Of a group by package: its value without the type of package."""
    return value.partition("/")[2] or value


def _of_purl(purl: str) -> tuple[str, str]:
    """Type and name; of a system's package without the distribution, which is its namespace."""
    path = re.split(r"[?#]", purl.removeprefix("pkg:"), maxsplit=1)[0].strip("/")
    kind, _, name = path.partition("/")
    kind = kind.lower()
    head, slash, last = name.rpartition("/")
    last = last.partition("@")[0]
    return kind, unquote(last if kind in _OF_SYSTEMS else f"{head}{slash}{last}")


def _vulnerability(finding: Described) -> str:
    """Its CVE, by whatever name it was reported; else the advisory's own id."""
    advisory = _part(finding, "advisory")
    own = _texts(advisory.get("id"))
    names = [*_texts(advisory.get("cve")), *own, *_texts(advisory.get("aliases"))]
    names += _texts(finding.attributes.get("cve"))
    upper = sorted(name.upper() for name in names if name.upper().startswith("CVE-"))
    return clip(next(iter((*upper, *own)), ""))


def _rule(finding: Described) -> str:
    """`bandit B602`: two scanners' rules of one id are two rules."""
    rule = _text(_part(finding, "rule").get("id"))
    scanner = _text(_part(finding, "scanner").get("name"))
    return clip(f"{scanner.lower()} {rule}".strip()) if rule else ""


def _image(finding: Described) -> str:
    """Without tag and digest: the next build of an image is the same image."""
    name = _text(_part(finding, "container_image").get("name"))
    if not name and finding.resource_type == CONTAINER_IMAGE:
        name = finding.resource_name or finding.resource_id
    name = name.partition("@")[0]
    path, colon, tag = name.rpartition(":")
    return clip(path if colon and "/" not in tag else name)


def _repository(finding: Described) -> str:
    """`github.com/acme/api`, or as far as it is known."""
    name = _text(_part(finding, "git").get("repository"))
    name = name or first_of(tag_values(finding.tags, "repo"))
    address = _SCHEME.sub("", name, count=1)
    is_scp = "@" in name and "://" not in name
    if is_scp and ":" in address.partition("/")[0]:  # git@github.com:acme/api.git
        host, _, path = address.partition(":")
        address = f"{host}/{path.lstrip('/')}"
    return clip(address.rstrip("/").removesuffix(".git"))


def _correlation(finding: Described) -> str:
    return clip(_text(finding.attributes.get("correlation_id")))


STORED: Mapping[str, Callable[[Described], str]] = {
    "package": _package,
    "vulnerability": _vulnerability,
    "rule": _rule,
    "image": _image,
    "repository": _repository,
    "correlation": _correlation,
}


_MADE_OF: Mapping[str, Sequence[str]] = {
    "package": ("package",),
    "vulnerability": ("advisory", "cve"),
    "rule": ("rule",),
    "image": ("container_image",),
    "repository": ("git",),
    "correlation": ("correlation_id",),
}
"""The attributes without which there is surely no value, but of an image's name or a tag."""
_ATTRIBUTES = frozenset(chain.from_iterable(_MADE_OF.values()))


def _part(finding: Described, name: str) -> Mapping[str, Any]:
    part = finding.attributes.get(name)
    return part if isinstance(part, Mapping) else {}


def _text(value: Any) -> str:
    """A text as it is, of a list the first."""
    return next(iter(_texts(value)), "")


def _texts(value: Any) -> list[str]:
    found = value if isinstance(value, list | tuple) else [value]
    return [text for each in found if isinstance(each, str) and (text := each.strip())]
