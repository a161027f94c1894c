"""Rules to begin with: what many want, filled in but for where the tickets go."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict
from django.urls import reverse
from django.utils.text import slugify

_VULNERABILITIES = (
    *("runtime_code_vulnerability", "static_code_vulnerability", "library_vulnerability"),
    *("container_image_vulnerability", "host_vulnerability"),
)


@dataclass(frozen=True, slots=True)
class RuleTemplate:
    name: str
    icon: str
    types: tuple[str, ...]  # of `TYPE_CHOICES`
    severities: tuple[str, ...] = ()
    query: str = ""
    summary: str = ""

    @property
    def values(self) -> QueryDict:
        """What it fills in, as a form sends it."""
        values = QueryDict(mutable=True)
        values["name"], values["query"] = self.name, self.query
        values.setlist("types", list(self.types))
        values.setlist("severities", list(self.severities))
        return values

    @property
    def url(self) -> str:
        """The editor, as the template fills it in."""
        return f"{reverse('automation:rule-create')}?template={slugify(self.name)}"


TEMPLATES = (
    RuleTemplate(
        "Critical vulnerabilities in prod",
        "package",
        _VULNERABILITIES,
        ("critical",),
        "env:prod",
        "In code, libraries, images and hosts, tagged env:prod",
    ),
    RuleTemplate(
        "Exposed secrets", "key-round", ("secret",), summary="Every secret, whatever its severity"
    ),
    RuleTemplate(
        "Attack paths", "waypoints", ("attack_path",), summary="Every attack path that is found"
    ),
)


def template_named(slug: str) -> RuleTemplate | None:
    return next((each for each in TEMPLATES if slugify(each.name) == slug), None)
