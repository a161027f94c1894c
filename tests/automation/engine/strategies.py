"""Small worlds in which generated rules and findings meet often."""

from __future__ import annotations

from hypothesis import strategies as st

from automation.engine.rules import RuleSpec
from findings.facts import Facts, FindingType, Severity

TYPES = [
    FindingType.SECRET.value,
    FindingType.MISCONFIGURATION.value,
    FindingType.HOST_AND_CONTAINER.value,
]
SEVERITIES = [Severity.CRITICAL.value, Severity.HIGH.value, Severity.LOW.value]
RESOURCES = ["container_image", "host", ""]
VALUES = ["prod", "prod-eu", "pro", "7", "7.0", "8.5", "-3", "", "true", "10.0.0.7", "Ünï code"]
BARE = ["prod", "prod-eu", "pro", "7", "8.5", "true", "10.0.0.7"]
KEYS = ["env", "team"]
OPERANDS = [
    *("*", "pro*", "prod*", "*eu", "p?o", "*o*", '""', ">=7", ">7", "<8.5", "<=-3"),
    *("[0 TO 8]", "{7 TO 8.5}", "[* TO *]", "(prod OR 7)", "(pro* OR -prod)"),
]
PATHS = ["cvss", "host.ip", "host", "package.name"]
LEAVES = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from([7, 7.0, 8.5, -3, 0, 1, True, False, None, 1e23, 10**23, {}, {"a": 1}]),
)
NODES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["ip", "name"]), inner, max_size=2),
    ),
    max_leaves=4,
)

TERMS = st.one_of(
    st.builds("{}:{}".format, st.sampled_from(KEYS), st.sampled_from(BARE)),
    st.builds("@{}:{}".format, st.sampled_from(PATHS), st.sampled_from(BARE)),
    st.builds(
        "{}:{}".format,
        st.sampled_from([*KEYS, *(f"@{path}" for path in PATHS), "@resource_type"]),
        st.sampled_from(OPERANDS),
    ),
    st.builds("@severity:{}".format, st.sampled_from(["CRITICAL", "(high OR low)", "h*"])),
    st.builds("@finding_type:{}".format, st.sampled_from(["secret", "*config*"])),
    st.sampled_from(["@resource_type:container_image", "@title:Leak", "@first_seen_at:*"]),
    st.sampled_from(["leak", '"open port"', "CIDR(@host.ip,10.0.0.0/8)", "*"]),
    st.sampled_from(
        ["(-@finding_type:host_and_container_vulnerability OR @resource_type:container_image)"]
    ),
)
QUERIES = st.recursive(
    TERMS,
    lambda inner: st.one_of(
        st.builds("-({})".format, inner),
        st.builds("({} {})".format, inner, inner),
        st.builds("({} OR {})".format, inner, inner),
    ),
    max_leaves=8,
)
TEXTS = st.one_of(QUERIES, st.just(""), st.sampled_from(["(env:prod", "@status:open", "env:"]))


@st.composite
def specs(draw: st.DrawFn) -> RuleSpec:
    return rule(
        query=draw(TEXTS),
        enabled=draw(st.integers(0, 9)) > 0,
        finding_types=tuple(draw(st.lists(st.sampled_from(TYPES), unique=True, max_size=3))),
    )


def rule(
    query: str = "",
    *,
    enabled: bool = True,
    finding_types: tuple[str, ...] = (FindingType.MISCONFIGURATION.value,),
    broken: str = "",
) -> RuleSpec:
    return RuleSpec(
        id="4b4cbf6e-0f2a-4d5c-9d5e-0f1c9f4a1a11",
        name="Rule",
        enabled=enabled and not broken,
        finding_types=finding_types,
        query=query,
        auto_disabled_reason=broken,
    )


def misconfiguration(**values: object) -> Facts:
    return Facts(
        **{"finding_type": FindingType.MISCONFIGURATION.value, "severity": "critical"} | values
    )


FACTS = st.builds(
    misconfiguration,
    finding_type=st.sampled_from(TYPES),
    severity=st.sampled_from(SEVERITIES),
    title=st.sampled_from(["Leak", "An open port", "Nothing"]),
    resource_type=st.sampled_from(RESOURCES),
    tags=st.lists(
        st.one_of(
            st.builds("{}:{}".format, st.sampled_from(KEYS), st.sampled_from(VALUES)),
            st.sampled_from(["env", "other:prod", "environment:prod", ":", "env:a:b"]),
        ),
        max_size=5,
        unique=True,
    ).map(sorted),
    attributes=st.dictionaries(
        st.sampled_from(["cvss", "host", "package", "title", "severity"]), NODES, max_size=4
    ),
)
