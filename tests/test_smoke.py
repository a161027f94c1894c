import pytest

from tests.factories import FindingFactory, RuleFactory


@pytest.mark.django_db
def test_it_makes_rows():
    assert FindingFactory().severity_rank == 5
    assert RuleFactory().pk
