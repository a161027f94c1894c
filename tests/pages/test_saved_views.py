from __future__ import annotations

import pytest

from findings.models import SavedView
from tests.factories import FindingFactory

NEW = "/explorer/views/new"


@pytest.fixture(autouse=True)
def _finding(db):
    FindingFactory()


def save(client, name="Mine", query="q=env:prod&severity=high", **data):
    return client.post(f"{NEW}?{query}", {"name": name, **data})


def tabs(client, query="") -> str:
    body = client.get(f"/findings?{query}").content.decode()
    return body.partition('id="views"')[2].partition("</nav>")[0]


def test_it_saves_the_search_as_a_tab(as_user, viewer):
    client = as_user(viewer)

    answer = save(client)

    assert answer.headers["Location"] == "/findings?q=env%3Aprod&severity=high"
    shown = tabs(client, "severity=high&q=env:prod")
    assert 'href="/findings?q=env%3Aprod&amp;severity=high" aria-current="true">Mine' in shown
    assert 'aria-label="Edit the view Mine"' in shown


def test_it_knows_three_views_from_the_start(as_user, viewer):
    shown = tabs(as_user(viewer), "from=today&by=decided&ticket=over_limit")

    assert "Unticketed criticals" in shown
    assert 'aria-current="true">Over limit today' in shown


def test_it_keeps_a_view_to_its_owner_unless_it_is_shared(as_user, analyst, viewer):
    save(as_user(analyst), "Private")
    save(as_user(analyst), "Public", is_shared="on")

    shown = tabs(as_user(viewer))

    assert "Private" not in shown
    assert "Public" in shown
    assert analyst.name in shown


def test_it_lets_nobody_share_who_may_only_read(as_user, viewer):
    save(as_user(viewer), is_shared="on")

    assert not SavedView.objects.get().is_shared


def test_it_renames_and_deletes(as_user, analyst):
    client = as_user(analyst)
    save(client, is_shared="on")
    view = SavedView.objects.get()

    client.post(f"/explorer/views/{view.pk}", {"name": "Ours"})
    view.refresh_from_db()
    assert (view.name, view.is_shared) == ("Ours", False)

    client.post(f"/explorer/views/{view.pk}/delete")
    assert not SavedView.objects.exists()


def test_it_leaves_the_views_of_others_alone(as_user, analyst, admin):
    save(as_user(analyst), is_shared="on")
    view = SavedView.objects.get()
    client = as_user(admin)

    assert client.post(f"/explorer/views/{view.pk}", {"name": "x"}).status_code == 404
    assert client.post(f"/explorer/views/{view.pk}/delete").status_code == 404
    assert client.get("/explorer/views/99999999999999999999").status_code == 404


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "This field is required."),
        ("Mine", "Another view of yours is already called “Mine”."),
        ("x" * 61, "at most 60 characters"),
        ("a\0b", "Null characters are not allowed."),
    ],
)
def test_it_refuses_a_name_that_is_none(as_user, viewer, name, said):
    client = as_user(viewer)
    save(client)

    answer = save(client, name)

    assert answer.status_code == 422
    assert said in answer.content.decode()


def test_it_asks_in_a_dialog_when_the_page_can_show_one(as_user, viewer):
    page = as_user(viewer).get(f"{NEW}?q=env:prod")
    dialog = as_user(viewer).get(f"{NEW}?q=env:prod", headers={"HX-Request": "true"})

    assert "<html" in page.content.decode()
    assert "<html" not in dialog.content.decode()


def test_it_keeps_views_from_strangers(client):
    assert save(client).status_code == 302
    assert not SavedView.objects.exists()
