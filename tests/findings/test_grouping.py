"""By what findings can be grouped, and what each has of it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from django.apps import apps

from findings.facts import Facts
from findings.grouping import (
    MAX_VALUE,
    UnknownGroupField,
    group_field,
    group_fields,
    group_key,
    stored_values,
    values_of,
)
from findings.models import Finding
from findings.services import record
from tests.factories import FindingFactory, SourceFactory, reported


def facts(**fields: Any) -> Facts:
    return Facts("library_vulnerability", "high", **fields)


def says(**attributes: Any) -> dict[str, Any]:
    return {"attributes": attributes}


def package(name: str, ecosystem: str = "", purl: str = "", **more: Any) -> dict[str, Any]:
    return {"package": {"name": name, "ecosystem": ecosystem, "purl": purl}, **more}


PACKAGES = {
    "pypi/grpcio": [
        package("grpcio", "pip"),
        package("GRPCio", "python-pkg"),
        package("grpcio", purl="pkg:pypi/grpcio@1.50.0"),
    ],
    "pypi/zope-interface": [package("zope.interface", "pypi"), package("zope_interface", "poetry")],
    "maven/org.slf4j/slf4j-api": [
        package("org.slf4j:slf4j-api", "maven"),
        package("slf4j-api", "java-archive", "pkg:maven/org.slf4j/slf4j-api@1.7?type=jar"),
    ],
    "npm/@babel/core": [
        package("@babel/core", "npm"),
        package("x", purl="pkg:npm/%40babel/core@7"),
    ],
    "deb/openssl": [
        package("openssl", "debian"),
        package("openssl", purl="pkg:deb/ubuntu/openssl@3.0.2?arch=amd64"),
    ],
    "golang/golang.org/x/net": [
        package("golang.org/x/net", "gomod"),
        package("x/net", purl="pkg:golang/golang.org/x/net@v0.7.0"),
    ],
    "libfoo": [package("libfoo")],
}


@pytest.mark.parametrize(
    ("value", "attributes"), [(value, each) for value, all_ in PACKAGES.items() for each in all_]
)
def test_it_calls_a_package_the_same_whoever_reports_it(
    value: str, attributes: dict[str, Any]
) -> None:
    assert values_of(["package"], facts(attributes=attributes)) == (value,)


@pytest.mark.parametrize(
    ("name", "fields", "value"),
    [
        ("vulnerability", says(advisory={"id": "GHSA-1", "cve": ["CVE-2"]}), "CVE-2"),
        ("vulnerability", says(advisory={"id": "CVE-2"}), "CVE-2"),
        ("vulnerability", says(advisory={"aliases": ["x", "cve-2"], "id": "GHSA-1"}), "CVE-2"),
        ("vulnerability", says(advisory={"id": "GHSA-1"}), "GHSA-1"),
        ("vulnerability", says(cve="CVE-3"), "CVE-3"),
        ("rule", says(rule={"id": "B602"}, scanner={"name": "Bandit"}), "bandit B602"),
        ("title", {"title": "Eval IS used"}, "eval is used"),
        ("resource", {"resource_id": "arn:1"}, "arn:1"),
        ("image", says(container_image={"name": "reg:5000/a/b:1@sha256:c"}), "reg:5000/a/b"),
        ("image", {"resource_type": "container_image", "resource_id": "a/b:1"}, "a/b"),
        ("repository", says(git={"repository": "git@github.com:acme/a.git"}), "github.com/acme/a"),
        ("repository", says(git={"repository": "https://u@github.com/a/b/"}), "github.com/a/b"),
        ("repository", says(git={"repository": "https://git:8443/a"}), "git:8443/a"),
        ("repository", {"tags": ["repo:acme/a"]}, "acme/a"),
        ("service", {"tags": ["service:pay", "team:z"]}, "pay"),
        ("team", {"tags": ["team:z", "team:b"]}, "b"),
        ("correlation", says(correlation_id="abc"), "abc"),
        ("tag:cost-center", {"tags": ["cost-center:7"]}, "7"),
        ("@cvss", says(cvss=7.0), "7"),
        ("@a.b", says(a=[{"b": "y"}, {"b": ["x"]}]), "x"),
        ("@severity", {}, "high"),
    ],
)  # fmt: skip
def test_it_reads_each_field(name: str, fields: dict[str, Any], value: str) -> None:
    assert values_of([name], facts(**fields)) == (value,)
    assert values_of([name, "service"], facts(**fields | {"tags": ()})) is None


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "Pick at least one field."),
        (["team", "service", "title", "rule"], "by 3 fields at most"),
        (["team", "team"], "stands twice"),
        (["cve"], "cannot be grouped by “cve”. Use one of package, vulnerability"),
        (["tag:"], "cannot be grouped by “tag:”"),
        (["@workflow.due_date"], "it changes or is a time"),
        (["@first_seen_at"], "it changes or is a time"),
        (["@status"], "it changes or is a time"),
    ],
)
def test_it_refuses_what_findings_cannot_be_grouped_by(names: list[str], sentence: str) -> None:
    with pytest.raises(UnknownGroupField, match=sentence):
        group_fields(names)


def test_it_keeps_long_values_apart() -> None:
    long = "x" * 100_000
    one, other = (
        values_of(["@a"], facts(attributes={"a": f"{long}{end}"})) or () for end in ("1", "2")
    )
    assert len(one[0]) == MAX_VALUE
    assert one != other
    assert group_key(["@a"], one) != group_key(["@a"], other)
    assert group_key(["a", "b"], ["x", "y"]) != group_key(["a", "b"], ["y", "x"])
    assert group_field("tag:a").short == "a"


@pytest.mark.django_db
def test_it_is_stored_with_each_report_and_filled_for_those_before() -> None:
    attributes = package("requests", "pip", advisory={"id": "GHSA-1", "cve": ["CVE-1"]})
    record(reported(2, attributes=attributes), source=SourceFactory())
    stored = {"package": "pypi/requests", "vulnerability": "CVE-1"}
    assert list(Finding.objects.values_list("grouping", flat=True)) == [stored] * 2
    Finding.objects.update(grouping={})
    FindingFactory(tags=["repo:acme/a"], grouping={})
    import_module("findings.migrations.0019_fill_grouping").fill(apps, None)
    found = list(Finding.objects.order_by("pk").values_list("grouping", flat=True))
    assert found == [stored, stored, {"repository": "acme/a"}]
    assert all(stored_values(each) == each.grouping for each in Finding.objects.all())
