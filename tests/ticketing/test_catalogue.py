"""What an account has to offer: asked once, kept for a moment, failures too."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from tests.jira_places import destination_at
from ticketing.catalogue.cache import CatalogueError, NotCached, cached, fetch
from ticketing.catalogue.options import (
    Selection,
    cached_options,
    evict_place,
    fetch_options,
    people,
)
from ticketing.models import JiraAccount, JiraSpace
from ticketing.required import required_fields

pytestmark = pytest.mark.django_db
FIELDS = "GET /createmeta/[^/]+/issuetypes/"


@pytest.fixture
def place(sandbox_jira, settings):
    settings.ALLOW_PRIVATE_NETWORKS = True
    cache.clear()
    return destination_at(sandbox_jira)


def options(place):
    return fetch_options(Selection.of(place), [place.account])


def test_it_reads_the_fields_of_a_type_once_for_the_editor_and_for_tickets_by_hand(
    place, sandbox_jira
):
    editor, by_hand = options(place).fields, required_fields(place)

    assert [spec.id for spec in by_hand] == [s.id for s in editor if s.is_required and s.is_offered]
    assert len(sandbox_jira.log.matching(FIELDS)) == 1


def test_what_the_editor_finds_outdated_is_read_anew_by_both(place, sandbox_jira):
    assert required_fields(place) == ()
    sandbox_jira.require_field("SEC", "customfield_10020")
    evict_place(place.account, Selection.of(place))

    assert [spec.id for spec in required_fields(place)] == ["customfield_10020"]


def test_it_waits_for_nobody_where_only_what_is_known_is_wanted(place, sandbox_jira):
    assert cached_options(Selection.of(place), [place.account]).is_waiting
    assert sandbox_jira.log.matching("GET ") == []


def test_it_keeps_a_failure_so_that_no_page_waits_for_it_twice(place, sandbox_jira):
    sandbox_jira.revoke_token()
    first = options(place).problem
    asked = len(sandbox_jira.log.all())

    assert "credentials" in first
    assert options(place).problem == first
    assert len(sandbox_jira.log.all()) == asked


def test_it_asks_anew_with_another_token(place):
    fetch(place.account, ("number",), lambda _: 1)
    JiraAccount.objects.update(token="another")

    with pytest.raises(NotCached):
        cached(JiraAccount.objects.get(), ("number",), lambda _: 1)


def test_it_names_nobody_of_a_space_that_is_closed(place, sandbox_jira):
    JiraSpace.objects.create(
        account=place.account, space_id=place.space_id, key="SEC", is_allowed=False
    )

    with pytest.raises(CatalogueError, match="SEC is not open for tickets"):
        people(place.account, "SEC", "")
    assert sandbox_jira.log.all() == []
