"""Whose comment it is decides who changes it; what it said before is kept."""

from __future__ import annotations

from uuid import UUID

import pytest

from config.accounts.api_keys import KeyActor, create_api_key
from config.accounts.roles import Permission, Role
from tests.factories import ProjectFactory, UserFactory, opened_case
from ticketing import commenting, services
from ticketing.models import CommentRevision

pytestmark = pytest.mark.django_db
EVERYTHING = frozenset(Permission)
OWN, OTHER = UUID(int=1), UUID(int=2)


@pytest.fixture
def actors(analyst, admin, editor):
    """By name; the two keys have the same one, and the analyst has made both."""

    def key(pk):
        return KeyActor(id=pk, name="ci", permissions=EVERYTHING, made_by=analyst)

    return {
        "author": analyst,
        "colleague": UserFactory(name="Cole", role=Role.ANALYST),
        "editor": editor,
        "admin": admin,
        "key": key(OWN),
        "namesake": key(OTHER),
        "system": None,
    }


@pytest.mark.parametrize(
    ("writer", "may"),
    [("author", {"author", "admin", "system"}), ("key", {"key", "admin", "system"})],
)
@pytest.mark.parametrize("change", ["edit", "delete"])
def test_it_is_changed_by_who_wrote_it_and_by_admins(actors, writer, may, change):
    done = set()
    for name, actor in actors.items():
        entry = services.comment(opened_case(ProjectFactory()), "Frist", actor=actors[writer])
        try:
            if change == "edit":
                commenting.edit_comment(entry, "First", actor=actor)
            else:
                commenting.delete_comment(entry, actor=actor)
        except commenting.NotYours:
            entry.refresh_from_db()
            assert entry.after == "Frist"
        else:
            done.add(name)
    assert done == may


def test_it_is_not_changed_by_a_key_where_no_key_is_known(actors):
    entry = services.comment(opened_case(ProjectFactory()), "x", actor=actors["key"])
    type(entry).objects.update(key_id=None)  # written before keys were kept
    with pytest.raises(commenting.NotYours):
        commenting.delete_comment(entry, actor=actors["key"])


def test_it_keeps_what_was_said_before(actors, as_user, viewer, admin):
    case = opened_case(ProjectFactory(key="SEC"))
    entry = services.comment(case, "One", actor=actors["author"])
    commenting.edit_comment(entry, "Two", actor=admin)
    commenting.edit_comment(entry, "Three", actor=actors["author"])
    commenting.delete_comment(entry, actor=actors["author"])

    kept = CommentRevision.objects.order_by("pk").values_list("before", "after", "actor__name")
    assert list(kept) == [
        ("One", "Two", "Ada Admin"),
        ("Two", "Three", "Alan Analyst"),
        ("Three", "", "Alan Analyst"),
    ]
    path = f"/cases/SEC-1/comments/{entry.pk}/revisions"
    assert path in (page := as_user(admin).get("/cases/SEC-1").content.decode())
    assert "Three" not in page
    assert "Edited by Ada Admin" in as_user(admin).get(path).content.decode().replace("\n", "")
    assert path not in as_user(viewer).get("/cases/SEC-1").content.decode()
    assert as_user(viewer).get(path).status_code == 403


def test_it_shows_that_somebody_else_edited_it(actors, as_user, viewer, admin):
    case = opened_case(ProjectFactory(key="SEC"))
    entry = services.comment(case, "One", actor=actors["author"])
    assert "edited by" not in as_user(viewer).get("/cases/SEC-1").content.decode()
    commenting.edit_comment(entry, "Two", actor=admin)
    assert "edited by Ada Admin" in as_user(viewer).get("/cases/SEC-1").content.decode()
    commenting.edit_comment(entry, "Three", actor=actors["author"])
    assert "edited by" not in as_user(viewer).get("/cases/SEC-1").content.decode()


def test_it_is_refused_to_a_key_over_the_api(client, analyst, admin):
    entry = services.comment(opened_case(ProjectFactory(key="SEC")), "One", actor=analyst)
    _, raw = create_api_key("ci", scopes=list(Permission), actor=admin)
    path = f"/api/v2/cases/SEC-1/comment/{UUID(int=entry.pk)}"
    body = {"data": {"type": "case", "attributes": {"comment": "Two"}}}
    sent = {"content_type": "application/json", "headers": {"DD-API-KEY": raw}}
    assert client.put(path, body, **sent).status_code == 403
    assert client.delete(path, **sent).status_code == 403
    assert not CommentRevision.objects.exists()
