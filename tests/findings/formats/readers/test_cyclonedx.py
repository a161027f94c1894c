from __future__ import annotations

import pytest

from findings.formats.normalised import Normalised
from findings.formats.registry import recognise, target_of
from findings.formats.streams.records import RefusedReport
from tests.findings.formats.conftest import SAMPLES

REPORT = "image.cyclonedx.json"
BOTH = pytest.mark.parametrize("name", ["image.cyclonedx.json", "image.cyclonedx.xml"])


def _bytes(name):
    return (SAMPLES / name).read_bytes()


@BOTH
def test_it_makes_a_finding_of_each_vulnerability_of_each_component(name, read_all):
    found = read_all(_bytes(name))
    assert [(each.title, each.severity) for each in found if isinstance(each, Normalised)] == [
        ("CVE-2021-44228 in org.apache.logging.log4j:log4j-core", "critical"),
        ("CVE-2021-44228 in org.apache.logging.log4j:log4j-core", "critical"),
        ("CVE-2022-0002 in openssl", "medium"),
        ("CVE-2022-0003 in left-pad", "unknown"),
        ("CVE-2022-0004 in ghcr.io/acme/api", "high"),
    ]
    assert found[-1].pointer in (
        "/vulnerabilities/5/id",
        "/bom/vulnerabilities[1]/vulnerability[6]/id",
    )


def test_it_reads_xml_and_json_the_same(read):
    assert read(_bytes("image.cyclonedx.xml")) == read(_bytes("image.cyclonedx.json"))


def test_it_describes_a_component_of_an_image(sample, read):
    finding = read(sample(REPORT))[0]
    assert (finding.resource_id, finding.resource_name) == (
        "ghcr.io/acme/api",
        "ghcr.io/acme/api:1.4",
    )
    assert finding.resource_type == "container_image"
    assert finding.attributes["cvss"] == 10.0
    assert finding.attributes["advisory"]["cwe"] == ["CWE-400", "CWE-502"]
    assert finding.attributes["package"]["fixed_version"] == "2.17.1"
    assert finding.attributes["scanner"]["name"] == "acme-sbom"
    assert {"fix_available:true", "language:java", "cve:CVE-2021-44228"} <= set(finding.tags)
    assert "Upgrade log4j-core to 2.17.1." in finding.description


def test_it_tells_packages_of_the_system_from_libraries(sample, read):
    types = [finding.finding_type for finding in read(sample(REPORT))]
    assert types[:3] == ["library_vulnerability"] * 2 + ["host_and_container_vulnerability"]


@pytest.mark.parametrize(
    ("state", "is_read"),
    [
        ("exploitable", True),
        ("in_triage", True),
        ("not_affected", False),
        ("false_positive", False),
        ("resolved", False),
        ("resolved_with_pedigree", False),
    ],
)
def test_it_heeds_the_analysis(state, is_read, sample, read):
    report = sample(REPORT)
    report["vulnerabilities"] = [report["vulnerabilities"][2] | {"analysis": {"state": state}}]
    assert len(read(report)) == is_read


def test_it_leaves_out_a_component_in_an_unaffected_version(sample, read):
    report = sample(REPORT)
    report["components"][0]["version"] = "2.17.1"
    assert len(read(report)) == len(read(sample(REPORT))) - 1


def test_it_knows_findings_again_in_another_order_build_and_version(sample, read):
    before, report = read(sample(REPORT)), sample(REPORT)
    report["vulnerabilities"].reverse()
    report["components"].reverse()
    report["metadata"]["component"]["version"] = "1.5"
    report["serialNumber"] = "urn:uuid:00000000-0000-0000-0000-000000000000"
    report["components"][3]["version"] = "2.14.2"
    report["specVersion"] = "1.7"
    assert {f.fingerprint for f in read(report)} == {f.fingerprint for f in before}


def test_it_reads_the_extension_of_older_versions(read):
    found = read(_bytes("extension.cyclonedx.xml"))
    assert {(each.title, each.severity) for each in found} == {
        ("CVE-2020-0001 in @acme/cart", "critical"),
        ("CVE-2020-0002 in @acme/cart", "medium"),
    }


def test_it_takes_a_bill_without_vulnerabilities(sample, read_all):
    report = sample(REPORT)
    del report["vulnerabilities"]
    assert read_all(report) == []


@pytest.mark.parametrize("version", ["2.0", "1.8", ""])
def test_it_refuses_a_version_that_it_does_not_read(version, sample, read_all):
    with pytest.raises(RefusedReport, match=r"1\.0 to 1\.7 are read"):
        read_all(dict(sample(REPORT), specVersion=version))
    bom = f'<bom xmlns="http://cyclonedx.org/schema/bom/{version}"/>'
    with pytest.raises(RefusedReport, match=r"1\.0 to 1\.7 are read"):
        read_all(bom.encode())


@BOTH
def test_it_says_which_image_the_bill_is_of(name):
    with (SAMPLES / name).open("rb") as file:
        assert target_of(recognise(file), file) == "ghcr.io/acme/api"


UUID = "013325a7-027a-49f4-bb7d-8f1de4020c28"


@pytest.mark.parametrize(
    ("ref", "package"),
    [
        (f"urn:uuid:{UUID}", "acme/shop"),
        (f"urn:cdx:{UUID}/1#{UUID}", "acme/shop"),
        ("0f3c9a1be77d4e5f9a1be77d4e5f0f3c", "acme/shop"),
        ("17", "acme/shop"),
        (f"urn:cdx:{UUID}/1#pkg%3Anpm%2Fleft-pad%401.0.0", "left-pad"),
        ("app:pkg:npm/left-pad@1.0.0?package-id=5", "left-pad"),
        ("left-pad", "left-pad"),
        ("", "acme/shop"),
    ],
)
@pytest.mark.parametrize("is_named", [True, False])
def test_it_takes_no_reference_to_nothing_for_a_name(is_named, ref, package, read):
    bill = {"bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": [
        {"id": "CVE-2020-1", "affects": [{"ref": ref}]}
    ]}  # fmt: skip
    if is_named:
        named = {"group": "acme", "name": "shop", "type": "application"}
        bill["metadata"] = {"component": named}
    (found,) = read(bill)
    expected = package if is_named or package == "left-pad" else "component"
    assert found.attributes["package"]["name"] == expected
    assert UUID not in repr(found)


@pytest.mark.parametrize("ref", ["", f' ref="urn:uuid:{UUID}"'])
@pytest.mark.parametrize("bom_ref", ["", ' bom-ref="a"', f' bom-ref="{UUID}"'])
def test_it_takes_the_component_around_a_vulnerability_of_the_extension(bom_ref, ref, read):
    bill = f"""<bom xmlns="http://cyclonedx.org/schema/bom/1.2"
        xmlns:v="http://cyclonedx.org/schema/ext/vulnerability/1.0"><components>
        <component type="library"><name>other</name><version>2</version></component>
        <component type="library"{bom_ref}><name>cart</name><version>1.0</version>
        <v:vulnerabilities><v:vulnerability{ref}><v:id>CVE-2020-1</v:id></v:vulnerability>
        </v:vulnerabilities></component></components></bom>"""
    (found,) = read(bill.encode())
    assert found.attributes["package"]["name"] == "cart"
    assert found.attributes["package"]["version"] == "1.0"
    assert UUID not in repr(found)
