"""The reports of the demo data: whose they are, and on which of its thirty days they came in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from findings.formats.shapes.column_map import column_map
from findings.imports.run import ImportOptions, import_report
from findings.imports.spool import chunks_of

_FILES: Final = Path(__file__).parent


class Owner(NamedTuple):
    """What the sample's organisation knows of a thing that is scanned, and no scanner does."""

    team: str
    service: str
    env: str

    @property
    def tags(self) -> list[str]:
        return [f"{name}:{value}" for name, value in self._asdict().items()]


OWNERS: Final[Mapping[str, Owner]] = {
    "bodgeit": Owner("web", "shop", "staging"),
    "cloud": Owner("cloud", "aws", "prod"),
    "container-engine": Owner("platform", "container-engine", "prod"),
    "example": Owner("payments", "ledger", "prod"),
    "feast": Owner("data", "feast", "prod"),
    "httpbin": Owner("web", "httpbin", "dev"),
    "httpie": Owner("developer-tools", "httpie", "dev"),
    "jupyterhub": Owner("data", "jupyterhub", "prod"),
    "locust": Owner("developer-tools", "locust", "staging"),
    "luigi": Owner("data", "luigi", "prod"),
    "minikube": Owner("platform", "kubernetes", "staging"),
    "node": Owner("platform", "kubernetes", "prod"),
}


class ScanReport(NamedTuple):
    file: str
    scope: str  # what was scanned: a key of OWNERS
    columns: str = ""  # of a table
    source: str = ""


def take_in(report: ScanReport) -> None:
    with (_FILES / report.file).open("rb") as file:
        import_report(
            chunks_of(file),
            ImportOptions(
                file_name=report.file,
                scope=report.scope,
                source=report.source,
                columns=column_map(report.columns),
                tags=OWNERS[report.scope].tags,
                by="sample content",
            ),
        )


def _bandit(package: str, version: str) -> ScanReport:
    return ScanReport(f"bandit-{package}-{version}.sarif.gz", package)


_CLOUDSPLAINING: Final = ScanReport(
    "cloudsplaining-example-account.csv.gz", "cloud", source="cloudsplaining"
)
_SPECTRAL: Final = ScanReport(
    "spectral-jupyterhub-6.1.1.csv.gz", "jupyterhub", "finding_type:=api_security", "spectral"
)

CALENDAR: Final[Mapping[int, tuple[ScanReport, ...]]] = {
    29: (_bandit("jupyterhub", "4.1.6"), _bandit("httpie", "2.6.0")),
    26: (
        ScanReport("checkov-secrets-luigi-3.8.1.sarif.gz", "luigi"),
        ScanReport("dojo-zap-bodgeit.xml.gz", "bodgeit"),
    ),
    23: (ScanReport("checkov-feast-0.67.0.sarif.gz", "feast"), _bandit("locust", "2.32.0")),
    20: (_bandit("httpie", "3.2.1"), _CLOUDSPLAINING),
    17: (_bandit("jupyterhub", "5.2.1"), ScanReport("dojo-kube-bench.json.gz", "node")),
    14: (
        ScanReport("checkov-jupyterhub-6.1.1.sarif.gz", "jupyterhub"),
        _bandit("httpbin", "0.10.4"),
    ),
    11: (ScanReport("dojo-semgrep-supply-chain.json.gz", "example"), _SPECTRAL),
    8: (
        ScanReport("dojo-trivy-kubernetes.json.gz", "minikube"),
        ScanReport("dojo-inspector.json.gz", "cloud"),
        _bandit("locust", "2.40.3"),
    ),
    5: (
        ScanReport("dojo-guardduty.json.gz", "cloud"),
        ScanReport("dojo-snyk-container.json.gz", "container-engine"),
        _bandit("httpie", "3.2.4"),
    ),
    2: (_bandit("jupyterhub", "6.1.1"),),
    0: (_bandit("locust", "2.47.0"), ScanReport("zizmor-feast-0.67.0.sarif.gz", "feast")),
}
"""Reports by how many days ago they came in, the oldest first. Several of the same scope are of
releases that followed each other: the later one closes what is fixed in it."""
