from __future__ import annotations

import pytest

HOSTILE = "<script>alert(1)</script>"


def test_it_says_everywhere_that_it_is_not_real(api):
    api.create()

    for path in ("/", "/projects/SEC", "/browse/SEC-1", "/nothing"):
        page = api("GET", path)
        assert "Not a real Jira" in page.text
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_it_shows_an_issue_with_its_text_and_escapes_it(api):
    api.create(HOSTILE, description=f"h2. Why\n\n* {HOSTILE}\n\n[bad|javascript:alert(1)]")
    api.jira.comment("SEC-1", HOSTILE)

    page = api("GET", "/browse/SEC-1").text

    assert HOSTILE not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "<h3>Why</h3>" in page
    assert "javascript:" not in page


def test_it_links_an_address_alone(api):
    api.create(description="[https://fa.example/1] [javascript:alert(1)]")

    page = api("GET", "/browse/SEC-1").text

    assert (
        '<a href="https://fa.example/1" rel="noreferrer noopener">https://fa.example/1</a>' in page
    )
    assert 'href="javascript' not in page


def test_it_shows_a_document_readably(api):
    link = {"type": "link", "attrs": {"href": "https://fa.example/1"}}
    text = {"type": "text", "text": "Finding", "marks": [link]}
    document = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]}
    api.create(version="3", description=document)

    page = api("GET", "/browse/SEC-1").text

    assert '<a href="https://fa.example/1" rel="noreferrer noopener">Finding</a>' in page


@pytest.mark.parametrize(
    ("action", "form", "changed"),
    [
        ("summary", {"summary": "New"}, ("summary", "Leaked key", "New")),
        ("assignee", {"person": "712020:sam"}, ("assignee", None, "Sam Support")),
        ("status", {"step": "41"}, ("status", "To Do", "Done")),
    ],
)
def test_a_visitor_changes_an_issue_as_a_colleague(api, action, form, changed):
    api.create()

    answer = api("POST", f"/browse/SEC-1/{action}", data=form)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/browse/SEC-1")
    (history,) = api.jira.issue("SEC-1").histories
    item = history.items[0]
    assert history.by == "712020:dana"
    assert (item.field, item.before, item.after) == changed
    assert changed[2] in api("GET", "/browse/SEC-1").text


def test_a_visitor_comments_creates_and_deletes(api):
    made = api("POST", "/projects/PLAT/issues", data={"summary": "By hand"})
    assert made.headers["Location"] == "/browse/PLAT-1"
    api("POST", "/browse/PLAT-1/comment", data={"text": "Look"})
    assert api.jira.issue("PLAT-1").comments[0].text == "Look"

    gone = api("POST", "/browse/PLAT-1/delete")

    assert gone.headers["Location"] == "/projects/PLAT"
    assert api("GET", "/browse/PLAT-1").status_code == 404


def test_a_visitor_acts_as_somebody_else(api):
    api.create()
    chosen = api("POST", "/person", data={"person": "712020:sam", "back": "/browse/SEC-1"})
    assert chosen.headers["Location"] == "/browse/SEC-1"

    api("POST", "/browse/SEC-1/comment", data={"text": "Look"})

    assert api.jira.issue("SEC-1").comments[0].author == "712020:sam"
    elsewhere = api("POST", "/person", data={"person": "x", "back": "//evil.example"})
    assert elsewhere.headers["Location"] == "/"


def test_what_is_refused_is_said_on_the_issue(api):
    api.create()

    page = api("POST", "/browse/SEC-1/summary", data={"summary": " "})

    assert page.status_code == 400
    assert "You must specify a summary of the issue." in page.text


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}]
)
def test_another_site_cannot_press_the_buttons(api, headers):
    api.create()

    assert api("POST", "/browse/SEC-1/delete", headers=headers).status_code == 403
    assert api("POST", "/sandbox/faults", headers=headers).status_code == 403
    assert api("POST", "/trouble/revoke-token", headers=headers).status_code == 403
    assert api("POST", "/projects/SEC/archive", headers=headers).status_code == 403
    assert len(api.jira.issues()) == 1


def test_a_visitor_archives_a_project_and_restores_it(api):
    assert "Archive this project" in api("GET", "/projects/SEC").text

    assert api("POST", "/projects/SEC/archive").headers["Location"] == "/projects/SEC"
    assert "Security" in (page := api("GET", "/projects/SEC").text)
    assert "(archived)" in page
    assert api.create().status_code == 400

    api("POST", "/projects/SEC/restore")
    assert api.create().status_code == 201
    assert api("POST", "/projects/NONE/archive").status_code == 404


def test_a_visitor_revokes_the_token_and_restores_it(api):
    assert api("POST", "/trouble/revoke-token").headers["Location"] == "/"
    assert api("GET", "myself").status_code == 401
    assert "Token revoked" in (page := api("GET", "/").text)
    assert "Restore token" in page

    api("POST", "/trouble/restore-token")
    assert api("GET", "myself").status_code == 200
    assert "Token revoked" not in api("GET", "/").text


def test_a_visitor_slows_it_down_without_touching_other_faults(api):
    kept = api.jira.faults.throttle("POST /never$")
    for _ in range(2):
        api("POST", "/trouble/slow-down")

    slow, *rest = [rule for rule in api.jira.faults.all() if rule is not kept]
    assert (slow.effect.value, slow.seconds, slow.times, rest) == ("slow", 3, None, [])
    assert "Be fast again" in api("GET", "/").text

    api("POST", "/trouble/speed-up")
    assert api.jira.faults.all() == [kept]
    assert "Be slow" in api("GET", "/").text
    assert api("POST", "/trouble/else").status_code == 404


def test_a_moved_issue_leads_to_its_new_page(api):
    api.create()
    api.jira.move("SEC-1", "OPS")

    assert api("GET", "/browse/SEC-1").headers["Location"] == "/browse/OPS-1"
    assert api("GET", "/sandbox.css").headers["Content-Type"].startswith("text/css")
