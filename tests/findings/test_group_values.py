"""Groups in SQL, on the database at hand, are those of `grouping.values_of`."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findings.explorer.group_values import are, has_all, value_names, with_values
from findings.facts import Facts
from findings.grouping import GROUP_FIELDS, MAX_VALUE, columns_of_group, values_of
from findings.models import Finding
from tests.factories import FindingFactory, SourceFactory, create_findings
from tests.findings.query import strategies
from tests.findings.query.test_agreement import QUICKLY, limited

ATTRIBUTES = ("a", "b", "a.b", "b.a", "ключ.a", "package.name", "cve")
CORE = ("finding_type", "title", "severity", "severity_details.base.value", "resource_name")
NAMES = [
    *GROUP_FIELDS,
    *("tag:a", "tag:b", "tag:ключ", "tag:missing"),
    *(f"@{path}" for path in (*ATTRIBUTES, *CORE, "description", "missing")),
]
packages = st.fixed_dictionaries({"name": strategies.texts, "purl": strategies.texts})
known = st.fixed_dictionaries(
    {},
    optional={
        "package": packages | strategies.json_values,
        "advisory": st.fixed_dictionaries({"id": strategies.texts}) | strategies.json_values,
        "rule": st.fixed_dictionaries({"id": strategies.texts}),
        "git": st.fixed_dictionaries({"repository": strategies.texts}),
        "correlation_id": strategies.json_values,
        "cve": strategies.json_values,
    },
)
documents = st.builds(lambda some, more: some | more, strategies.documents, known)
tags = st.lists(
    st.builds(
        "{}:{}".format, st.sampled_from([*strategies.KEYS, "team", "service"]), strategies.texts
    ),
    max_size=6,
    unique=True,
)
findings = st.builds(
    lambda fields, attributes, more: (
        fields | {"attributes": attributes, "tags": [*fields["tags"], *more]}
    ),
    strategies.findings,
    documents,
    tags,
)


def in_database(names):
    found = with_values(Finding.objects.order_by("pk"), names)
    return list(found.values_list(*value_names(names)))


def in_python(names):
    rows = [finding.facts for finding in Finding.objects.order_by("pk")]
    return [tuple((values_of([name], facts) or ("",))[0] for name in names) for facts in rows]


@pytest.mark.django_db
@given(st.lists(findings, min_size=1, max_size=4))
@QUICKLY
def test_it_reads_what_python_reads(drawn):
    Finding.objects.all().delete()
    source = SourceFactory()
    create_findings(FindingFactory.build(source=source, **each) for each in drawn)

    assert in_database(NAMES) == in_python(NAMES)


@given(findings)
@QUICKLY
def test_it_depends_on_the_columns_that_it_says(fields):
    facts = Facts(**fields)
    for name in NAMES:
        said = limited(facts, columns_of_group(name))
        assert values_of([name], said) == values_of([name], facts), name


LONG = "é" * (MAX_VALUE + 5)
HARD = {
    "long tags": {"tags": [f"team:{LONG}", f"team:{LONG}x"]},
    "a tag that is a key": {"tags": ["team", "team:", "team:a:b"]},
    "upper case beyond ASCII": {"title": "ÄÖ Straße İ", "description": LONG},
    "long attribute": {"attributes": {"a": [LONG, "", {"b": 1.50}, None]}},
    "numbers": {"attributes": {"a": 1e23, "b": [True, 7.0, -0.0]}},
    "just short enough": {"tags": [f"team:{LONG[:MAX_VALUE]}"], "resource_id": LONG},
}


@pytest.mark.django_db
@pytest.mark.parametrize("fields", HARD.values(), ids=HARD)
def test_it_reads_hard_ones(fields):
    FindingFactory(**fields)

    assert in_database(NAMES) == in_python(NAMES)


@pytest.mark.django_db
@pytest.mark.parametrize("names", [["team"], ["team", "@severity"], ["tag:a", "service", "team"]])
def test_it_groups_by_them(names):
    for nth in range(24):
        tags = [f"team:t{nth % 3}", f"service:s{nth % 2}", f"a:{nth % 4}"][: nth % 5]
        FindingFactory(tags=tags, severity="high" if nth % 7 else "low")
    expected = Counter(values_of(names, finding.facts) for finding in Finding.objects.all())
    lone = expected.pop(None)

    found = with_values(Finding.objects.order_by(), names)

    assert found.exclude(has_all(names)).count() == lone
    for values, number in expected.items():
        assert found.filter(are(names, [values])).count() == number
    assert found.filter(are(names, list(expected))).count() == 24 - lone
