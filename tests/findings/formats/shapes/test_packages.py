"""Vulnerable packages, as Trivy and Grype report them."""

from __future__ import annotations

import pytest

from findings.formats.shapes.packages import Holder, package_correlation


@pytest.mark.parametrize(
    ("name", "lasting"),
    [
        ("acme/api:1.4", "acme/api"),
        ("acme/api@sha256:07a3", "acme/api"),
        ("localhost:5000/acme/api", "localhost:5000/acme/api"),
        ("localhost:5000/acme/api:2@sha256:07a3", "localhost:5000/acme/api"),
        ("debian", "debian"),
    ],
)
def test_it_names_an_image_without_tag_and_digest(name, lasting):
    assert Holder(name=name, resource_type="container_image").lasting_name == lasting


def test_it_describes_a_package_of_an_image(sample, read):
    finding = read(sample("image.trivy.json"))[0]
    assert finding.title == "CVE-2024-6387 in openssh-client: openssh: race condition in sshd"
    assert finding.resource_type == "container_image"
    assert finding.attributes["cvss"] == 8.1
    assert finding.attributes["package"]["fixed_version"] == "1:9.2p1-2+deb12u3"
    assert {"cve:CVE-2024-6387", "fix_available:true", "package:openssh-client"} <= {*finding.tags}
    assert "Update openssh-client to 1:9.2p1-2+deb12u3." in finding.description
    assert "- <https://nvd.nist.gov/vuln/detail/CVE-2024-6387>" in finding.description


def test_it_keeps_the_identity_when_image_tag_and_installed_version_change(sample, read):
    report = sample("image.trivy.json")
    report["ArtifactName"] = "ghcr.io/acme/api:1.5"
    for result in report["Results"][:2]:
        result["Vulnerabilities"][0]["InstalledVersion"] = "1.0.1"
    before = [each.fingerprint for each in read(sample("image.trivy.json"))]
    assert [each.fingerprint for each in read(report)] == before


def test_it_knows_the_cve_of_an_advisory_by_another_name(sample, read):
    library, system = read(sample("image.grype.json"))
    assert library.attributes["advisory"]["cve"] == ["CVE-2023-39325"]
    assert library.attributes["vulnerability"]["is_exploited"] is True
    assert "language:go" in library.tags
    assert "fix_available:false" in system.tags


def test_it_names_the_object_of_a_cluster(sample, read):
    misconfiguration, package = read(sample("cluster.trivy.json"))
    assert misconfiguration.resource_id == "shop/Deployment/web"
    assert misconfiguration.resource_type == "kubernetes_deployment"
    assert (package.resource_id, package.resource_name) == ("acme/web", "acme/web:2")


def test_it_takes_a_trivy_secret_only_with_its_stars(sample, read):
    report = sample("image.trivy.json")
    report["Results"][3]["Secrets"][0]["Match"] = "AWS_ACCESS_KEY_ID=not-masked-by-trivy"
    assert "not-masked-by-trivy" not in repr(read(report))


CORRELATED = [
    ("CVE-2021-44228", "org.apache.logging.log4j:log4j-core", "acme/api"),
    ("cve-2021-44228", "log4j-core", "acme/api"),
    ("CVE-2021-44228", "org.apache.logging.log4j/log4j_core", "./acme/api"),
]


@pytest.mark.parametrize("parts", CORRELATED)
def test_it_correlates_what_tools_write_differently(parts):
    assert package_correlation(*parts) == package_correlation(*CORRELATED[0])


@pytest.mark.parametrize("changed", range(3))
def test_it_correlates_nothing_else(changed):
    other = list(CORRELATED[0])
    other[changed] += "-2"
    assert package_correlation(*other) != package_correlation(*CORRELATED[0])


def test_it_correlates_two_tools_about_one_package_of_one_image(sample, read):
    trivy, grype = sample("image.trivy.json"), sample("image.grype.json")
    vulnerable = {"VulnerabilityID": "CVE-2023-39325", "PkgName": "golang.org/x/net"}
    trivy["Results"] = [{"Type": "gobinary", "Target": "app", "Vulnerabilities": [vulnerable]}]
    trivy["ArtifactName"] = grype["source"]["target"]["userInput"] = "acme/api:1"
    grype["matches"][0]["artifact"]["name"] = "golang.org/x/net"
    one, other = read(trivy)[0], read(grype)[0]
    assert one.fingerprint != other.fingerprint
    assert one.attributes["correlation_id"] == other.attributes["correlation_id"]


def test_it_keeps_the_identity_when_a_path_names_the_version(sample, read):
    def found(version):
        report = sample("image.grype.json")
        artifact = report["matches"][0]["artifact"] | {"version": version}
        artifact["locations"] = [{"path": f"/app/lib/net-{version}.jar"}]
        report["matches"][0]["artifact"] = artifact
        return read(report)[0]

    assert found("1.0.1").fingerprint == found("1.0.2").fingerprint
    assert found("1.0.2").attributes["package"]["path"] == "/app/lib/net-1.0.2.jar"


def test_it_reads_the_summary_of_a_cluster(sample, read):
    report = sample("cluster.trivy.json")
    resources = report.pop("Resources", []) + report.pop("Misconfigurations", [])
    resources += report.pop("Vulnerabilities", [])
    assert len(read(dict(report, Findings=resources))) == 2


def test_it_leaves_out_what_trivy_says_is_not_affected(sample, read):
    report = sample("image.trivy.json")
    report["Results"][0]["Vulnerabilities"][0]["Status"] = "not_affected"
    assert len(read(report)) == len(read(sample("image.trivy.json"))) - 1


def test_it_tags_what_it_finds_in_a_repository(sample, read):
    report = sample("image.trivy.json")
    report |= {"ArtifactType": "repository", "ArtifactName": "https://github.com/acme/api.git"}
    assert all("repo:github.com/acme/api" in each.tags for each in read(report))


def test_it_shows_a_secret_of_trivy_nowhere(sample, read):
    plain = "AKIA-one-long-secret-in-the-plain"
    report = sample("image.trivy.json")
    line = {"Content": plain, "Highlighted": plain, "IsCause": True}
    report["Results"][3]["Secrets"][0] |= {
        "Match": f"key = {plain}",
        "Code": {"Lines": [line]},
        "Layer": {"CreatedBy": plain},
    }
    assert plain not in repr(read(report))
