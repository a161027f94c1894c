"""Two scanned things are two: what a report says it scanned is part of the place and the identity.

And what recipe 1, which left it out, made of a finding is still known: see `recording.adoption`.
"""

from __future__ import annotations

import json
from io import BytesIO

import pytest

from findings.formats.normalised import Normalised
from findings.formats.readers import sarif
from findings.formats.registry import by_name, former_target_of, target_of
from findings.formats.values.paths import below, scanned_root
from tests.findings.formats.conftest import LATEST, SAMPLES

CHECKOUT = "/home/runner/work/shop/shop"


def trivy(root, kind="filesystem"):
    lock = {"VulnerabilityID": "CVE-2021-23337", "PkgName": "lodash", "Severity": "HIGH"}
    jar = {"VulnerabilityID": "CVE-2021-44228", "PkgName": "log4j-core", "Severity": "CRITICAL"}
    check = {"ID": "DS002", "Title": "Runs as root", "Severity": "HIGH", "Status": "FAIL"}
    secret = {"RuleID": "aws", "Severity": "HIGH", "Title": "A key", "Match": "key = ****"}
    jar |= {"PkgPath": "lib/log4j-core-2.14.1.jar", "InstalledVersion": "2.14.1"}
    result = {"Target": "package-lock.json", "Class": "lang-pkgs", "Type": "npm"}
    results = [
        result | {"Vulnerabilities": [lock]},
        {"Target": "Java", "Class": "lang-pkgs", "Type": "jar", "Vulnerabilities": [jar]},
        {"Target": "Dockerfile", "Class": "config", "Misconfigurations": [check]},
        {"Target": ".env", "Class": "secret", "Secrets": [secret]},
    ]
    return {"SchemaVersion": 2, "ArtifactName": root, "ArtifactType": kind, "Results": results}


def grype(root, path="/lib/log4j-core-2.14.1.jar", version="2.14.1"):
    package = {"name": "log4j-core", "version": version, "type": "java-archive"}
    match = {
        "vulnerability": {"id": "CVE-2021-44228", "severity": "Critical"},
        "artifact": package | {"locations": [{"path": path}]},
    }
    return {"matches": [match], "source": {"type": "directory", "target": root}}


def checkov(root):
    place = {"file_path": "/main.tf", "repo_file_path": f"/{root}/main.tf"}
    check = {"check_id": "CKV_1", "check_name": "Bad", "resource": "aws_s3_bucket.logs"} | place
    secret = {"check_id": "CKV_SECRET_2", "check_name": "AWS key", "resource": "9f86d081"} | place
    results = {"failed_checks": [check, secret]}
    return {"check_type": "terraform", "results": results, "summary": {"failed": 2}}


def code(uri, base="", tool="Any", **bases):
    place = {"artifactLocation": {"uri": uri, "uriBaseId": base}}
    result = {
        "ruleId": "R1",
        "message": {"text": "Bad"},
        "locations": [{"physicalLocation": place}],
    }
    run = {"tool": {"driver": {"name": tool}}, "results": [result]}
    described = {name: {"uri": uri} for name, uri in bases.items()}
    return {"version": "2.1.0", "runs": [run | {"originalUriBaseIds": described}]}


def scanned(root):
    return code("app/a.py", "ROOTPATH", tool="Trivy", ROOTPATH=f"file://{root}/")


@pytest.fixture
def places(read):
    return lambda report: [each.resource_id for each in read(report)]


@pytest.mark.parametrize(
    "report",
    [
        trivy,
        grype,
        checkov,
        lambda root: scanned(f"{CHECKOUT}/{root}"),
        lambda root: scanned(f"/src/{root}"),
    ],
)
def test_it_tells_two_directories_apart_that_recipe_1_took_for_one(read, report):
    first, second = read(report("services/a")), read(report("services/b"))
    assert all("services/a" in each.resource_id for each in first)
    assert not {each.fingerprint for each in first} & {each.fingerprint for each in second}
    former = [[each.former_fingerprints for each in found] for found in (first, second)]
    assert former[0] == former[1]
    assert len({*former[0]}) == len(first)


@pytest.mark.parametrize("report", [trivy, grype, scanned])
def test_it_takes_a_checkout_by_any_path_for_one(read, report):
    roots = (CHECKOUT, "/builds/acme/shop", "/tmp/tmp8wsx0a_b")
    roots += () if report is scanned else (".", "./")
    found = {tuple((each.fingerprint, each.resource_id) for each in read(report(r))) for r in roots}
    assert len(found) == 1
    assert {each.fingerprint for each in read(report(f"{CHECKOUT}/services/a"))} == {
        each.fingerprint for each in read(report("/builds/acme/shop/services/a"))
    }


def test_it_names_no_kind_of_package_as_a_place(places):
    jar = "lib/log4j-core-2.14.1.jar"
    assert places(trivy("services/a"))[1] == f"services/a/{jar}"
    assert places(trivy("."))[1] == jar
    assert places(trivy("shop.tar", "container_image"))[1] == "shop.tar"
    java = code("Java", "ROOTPATH", tool="Trivy", ROOTPATH=f"file://{CHECKOUT}/services/a/")
    assert places(java) == ["services/a"]


def test_it_keeps_the_identity_of_a_jar_that_is_updated(read):
    (old,), (new,) = read(grype("x")), read(grype("x", "/lib/log4j-core-2.15.0.jar", "2.15.0"))
    assert old.fingerprint == new.fingerprint


@pytest.mark.parametrize(
    ("report", "place"),
    [
        (code(f"file://{CHECKOUT}/app/a.py"), "app/a.py"),
        (code("file:///builds/acme/shop/app/a.py"), "app/a.py"),
        (code("app/a.py", "SRCROOT", SRCROOT="file:///Users/me/shop/"), "app/a.py"),
        (code("app/a.py", "SRCROOT", SRCROOT=f"file://{CHECKOUT}/api/"), "api/app/a.py"),
        (code("../a.py", "SRCROOT", SRCROOT=f"file://{CHECKOUT}/api/"), "a.py"),
        (code("", "ROOTPATH", ROOTPATH=f"file://{CHECKOUT}/stack.yml/"), "stack.yml"),
        (code("", "SRCROOT", SRCROOT="file:///somewhere/stack.yml/"), "stack.yml"),
        (code("app/a.py", "SRCROOT", SRCROOT="api/"), "api/app/a.py"),
        (code("app/a.py", "NOWHERE"), "app/a.py"),
        (code("https://shop.test/login", "SRCROOT", SRCROOT="api/"), "https://shop.test/login"),
    ],
)
def test_it_reads_addresses_with_their_base(places, report, place):
    assert places(report) == [place]


def test_it_reads_a_base_that_is_relative_to_another_and_ends_in_a_circle(places):
    report = code("a.py", "API")
    bases = {"API": {"uri": "api/", "uriBaseId": "TOP"}, "TOP": {"uri": f"file://{CHECKOUT}/"}}
    report["runs"][0]["originalUriBaseIds"] = bases
    assert places(report) == ["api/a.py"]
    bases["TOP"] = {"uri": "top/", "uriBaseId": "API"}
    assert places(report)[0].endswith("a.py")


@pytest.mark.parametrize(
    ("report", "target"),
    [
        (scanned(f"{CHECKOUT}/services/a"), "services/a"),
        (scanned(CHECKOUT), ""),
        (code("a.py", "SRCROOT", SRCROOT="file:///Users/me/shop/"), ""),
        (
            code("a.py", "X", X="file:///builds/acme/shop/api/", Y="file:///builds/acme/shop/web/"),
            "",
        ),
    ],
)
def test_it_has_the_directory_in_the_scope(report, target):
    file = BytesIO(json.dumps(report).encode())
    assert (target_of(sarif, file), former_target_of(sarif, file)) == (target, "")


@pytest.mark.parametrize(
    ("root", "file", "place"),
    [
        ("", "/a.lock", "/a.lock"),
        ("api", "./a.lock", "api/a.lock"),
        ("api", ".", "api"),
        ("api/a.lock", "a.lock", "api/a.lock"),
        ("api/a.lock", "/api/a.lock", "api/a.lock"),
        ("api", "api/a.lock", "api/a.lock"),
        ("/src", "/src/a.lock", "/src/a.lock"),
    ],
)
def test_it_says_where_a_file_lies(root, file, place):
    assert below(root, file) == place
    assert scanned_root(root) == root


FORMER = json.loads((SAMPLES.parent / "recipe_1.json").read_bytes())


@pytest.mark.parametrize("name", FORMER)
def test_it_knows_what_recipe_1_made_of_each_sample(name):
    """Made by its code, and never anew: what is stored by those names must be found again."""
    report = BytesIO((SAMPLES / name).read_bytes())
    found = by_name(NAMES.get(name) or name.split(".")[-2]).read(report, latest=LATEST)
    found = [each for each in found if isinstance(each, Normalised)]
    known = {name for each in found for name in (each.fingerprint, *each.former_fingerprints)}
    assert set(FORMER[name]) <= known


@pytest.mark.parametrize(
    ("report", "former"),
    [
        (
            trivy("services/a"),
            [
                "646cb01a82d606ad9f677c023c35de3b",
                "08db79a29533b0d82d5f93a26d475560",
                "8bad6086d0e74687811d2cdc0ea9444f",
                "97224b6d53832e5a6caf8d45484b6562",
            ],
        ),
        (grype("services/a"), ["83b1e73855fcd83b1958cdd6c1a2754e"]),
        (scanned("/src/services/a"), ["b66af45609e3a8a537ff5b66cd18b3f0"]),
    ],
)
def test_it_knows_what_recipe_1_made_of_a_directory(read, report, former):
    assert [each.former_fingerprints for each in read(report)] == [(each,) for each in former]


PATHS = {"File", "dependencyFileLocation", "file", "file_name", "file_path", "filename", "path"}
OWN_AGENT = json.loads((SAMPLES.parent / "recipe_1_checkouts.json").read_bytes())


def _on_own_agent(value, key=""):
    """The report with its paths below a checkout that recipe 1 did not know for one."""
    if isinstance(value, dict):
        return {name: _on_own_agent(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [_on_own_agent(each, key) for each in value]
    is_path = isinstance(value, str) and key in PATHS and value
    return f"/home/ubuntu/agent/_work/shop/shop/{value.lstrip('/')}" if is_path else value


@pytest.mark.parametrize("name", OWN_AGENT)
def test_it_knows_what_recipe_1_made_of_a_checkout_that_it_did_not_know(name):
    report = json.dumps(_on_own_agent(json.loads((SAMPLES / name).read_bytes()))).encode()
    found = by_name(name.split(".")[-2]).read(BytesIO(report), latest=LATEST)
    found = [each for each in found if isinstance(each, Normalised)]
    known = {name for each in found for name in (each.fingerprint, *each.former_fingerprints)}
    assert set(OWN_AGENT[name]) <= known


NAMES = {"code.sarif": "sarif", "own.json": "json"}
