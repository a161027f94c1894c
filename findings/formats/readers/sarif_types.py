"""The types of what tools write as SARIF: by their own formats, by their names, by their words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from findings.facts import FindingType
from findings.formats.readers import bandit, gosec, semgrep
from findings.formats.values.scanners import scanner_tag

_OF_A_PLATFORM = ("CKV_GITHUB_", "CKV_GITLAB_", "CKV_BITBUCKET_")  # settings, in no file
_SYSTEM_TAGS = frozenset({"alpine", "apk", "deb", "linux", "rpm"})

# By the beginning of the tool's name in lower case; a rule's own words come first.
_TOOLS: tuple[tuple[FindingType, tuple[str, ...]], ...] = (
    (FindingType.SECRET, ("gitleaks", "trufflehog", "detect-secrets", "ggshield", "whispers")),
    (
        FindingType.IAC,
        (
            "checkov",
            "tfsec",
            "kics",
            "terrascan",
            "tflint",
            "hadolint",
            "cfn-lint",
            "kube-linter",
            "kubescape",
            "zizmor",
            "actionlint",
            "trivy config",
            "snyk iac",
            "cfn_nag",
            "cfn-nag",
            "ansible-lint",
            "kube-score",
            "kubesec",
            "regula",
            "psrule",
            "template-analyzer",
        ),
    ),
    (
        FindingType.RUNTIME_CODE,
        ("zap", "owasp zap", "nuclei", "stackhawk", "burp", "acunetix", "invicti", "dastardly"),
    ),
    (FindingType.API_SECURITY, ("42crunch", "cherrybomb", "akto")),
    (
        FindingType.LIBRARY,
        (
            "trivy",
            "grype",
            "snyk open source",
            "osv-scanner",
            "dependency-check",
            "black duck",
            "npm audit",
            "pip-audit",
            "govulncheck",
        ),
    ),
)
_TOOL_WORDS = (
    # Of images and machines as they are, not of the files that make them.
    (FindingType.MISCONFIGURATION, re.compile(r"dockle|docker.?bench|kube-?bench|lynis|\bcis\b")),
    (
        FindingType.API_SECURITY,
        re.compile(r"schemathesis|restler|wuppiefuzz|evomaster|apisec|\bapi\b.*(?:dast|scan|fuzz)"
                   r"|\bdast\b.*\bapi\b|vacuum|spectral"),
    ),
    (FindingType.RUNTIME_CODE, re.compile(r"\bdast\b|wapiti|arachni|nikto|dalfox|sqlmap")),
    (FindingType.IAC, re.compile(r"compose|dclint|helm|terraform|dockerfile")),
)  # fmt: skip


def type_in_own_format(tool: str, check: str, file: str, cwes: Sequence[str]) -> FindingType | None:
    name = scanner_tag(tool)
    if name == "semgrep":
        if check.startswith("ssc-"):  # of Semgrep Supply Chain
            return FindingType.LIBRARY
        return semgrep.type_of(check, file, cwes)[0]
    if name == "checkov" and check.startswith(_OF_A_PLATFORM):
        return FindingType.MISCONFIGURATION
    if name == "snyk" and check.startswith("SNYK-CC-"):
        return FindingType.IAC
    if (name, check) == ("gosec", gosec.HARD_CODED):
        return FindingType.SECRET
    return FindingType.SECRET if name == "bandit" and check in bandit.HARD_CODED else None


def type_in_image(rule_tags: frozenset[str]) -> FindingType:
    """Of what Snyk Container found, whose rules name the package manager."""
    is_of_system = not rule_tags.isdisjoint(_SYSTEM_TAGS)
    return FindingType.HOST_AND_CONTAINER if is_of_system else FindingType.LIBRARY


def type_by_tool(tool: str) -> FindingType:
    """By the beginning of its name."""
    name = tool.lower()
    found = (finding_type for finding_type, names in _TOOLS if name.startswith(names))
    return next(found, FindingType.STATIC_CODE)


def type_by_tool_words(tool: str) -> FindingType | None:
    """Of a tool that is not in the list: by any word of its name."""
    name = tool.lower()
    return next((kind for kind, words in _TOOL_WORDS if words.search(name)), None)
