"""What a scanner is called in tags: one name, whatever its report of each format calls it."""

from __future__ import annotations

_BEGINNINGS = (
    ("defsec", "tfsec"),
    ("dependency-check", "dependency-check"),
    ("owasp dependency-check", "dependency-check"),
    ("owasp zap", "zap"),
    ("semgrep", "semgrep"),  # "Semgrep OSS", "Semgrep PRO"
    ("snyk", "snyk"),  # "Snyk Open Source", "SnykCode"
    ("trivy", "trivy"),  # "Trivy Vulnerability Scanner"
    ("zed attack proxy", "zap"),
)


def scanner_tag(name: str) -> str:
    """In lower case, without the name of an edition."""
    name = name.lower()
    return next((tag for beginning, tag in _BEGINNINGS if name.startswith(beginning)), name)
