"""Who gets into the admin, and under which policy its pages run."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.django_db
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
}
INLINE_STYLE = {"style-src 'self' 'unsafe-inline'"}
ADMIN = STRICT - {"script-src 'self'", "style-src 'self'"} | INLINE_STYLE
ADMIN |= {"script-src 'self' 'unsafe-eval'"}


def policy(answer) -> set[str]:
    return set(answer["Content-Security-Policy"].split("; "))


def test_it_shows_the_index_to_an_admin(as_user, admin):
    answer = as_user(admin).get("/admin/")
    assert answer.status_code == 200
    assert policy(answer) == ADMIN


@pytest.mark.parametrize(
    "path",
    ["/login", "/api/schema", "/api/v1/findings", "/nothing", "/administrators", "/api/docs/"],
)
def test_it_is_strict_everywhere_else(client, path):
    assert policy(client.get(path)) == STRICT


@pytest.mark.parametrize("path", ["/admin/", "/admin/automation/rule/"])
def test_it_sends_a_stranger_to_the_one_login_page_and_back(client, path):
    answer = client.get(path, follow=True)
    assert answer.redirect_chain[-1] == (f"/login?next={path}", 302)


@pytest.mark.parametrize("person", ["viewer", "analyst", "editor"])
def test_it_tells_others_that_it_is_for_admins(as_user, person, request):
    answer = as_user(request.getfixturevalue(person)).get("/admin/", follow=True)
    assert answer.status_code == 403
    assert "You need the Admin role" in answer.content.decode()


def test_it_signs_out_to_the_login_page(as_user, admin):
    assert as_user(admin).post("/admin/logout/")["Location"] == "/login"


def test_it_closes_at_once_for_an_admin_who_was_demoted(as_user, admin):
    browser = as_user(admin)
    admin.role = "viewer"
    admin.save(update_fields=["role"])
    assert browser.get("/admin/", follow=True).status_code == 403


def test_it_wears_our_colours(as_user, admin):
    page = as_user(admin).get("/admin/").content.decode()
    assert "rgb(36, 82, 217)" in page
    assert "css/admin.css" in page
