from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from ticketing.models import JiraAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def add(sandbox_jira, settings, tmp_path):
    settings.ALLOW_PRIVATE_NETWORKS = True
    (tmp_path / "token").write_text(f"{sandbox_jira.access.token}\n")
    (tmp_path / "secret").write_text("a-secret-of-ours\n")

    def call(*more: str, token: str = str(tmp_path / "token")) -> str:
        out = io.StringIO()
        said = ["Acme", "--url", sandbox_jira.url, "--email", sandbox_jira.access.email]
        call_command(
            "add_jira_account",
            *said,
            "--token-file",
            token,
            *more,
            stdout=out,
            stderr=io.StringIO(),
        )
        return out.getvalue()

    call.secret = str(tmp_path / "secret")
    return call


def test_it_connects_an_account_and_prints_its_id_alone(add):
    printed = add("--webhook-secret-file", add.secret, "--expires", "2099-01-31")
    account = JiraAccount.objects.get()
    assert printed == f"{account.pk}\n"
    assert account.connected_at
    assert account.user_name == "Findings Bot"
    assert account.webhook_secret == "a-secret-of-ours"
    assert str(account.token_expires_on) == "2099-01-31"


def test_it_reads_the_token_from_stdin(add, monkeypatch, sandbox_jira):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{sandbox_jira.access.token}\n"))
    assert add(token="-")


def test_it_keeps_nothing_that_does_not_work(add, sandbox_jira):
    sandbox_jira.revoke_token()
    with pytest.raises(CommandError, match="HTTP 401"):
        add()
    assert not JiraAccount.objects.exists()


def test_it_keeps_an_account_untested_when_asked_to(add, sandbox_jira):
    sandbox_jira.revoke_token()
    add("--no-test")
    assert JiraAccount.objects.get().connected_at
    assert not sandbox_jira.log.matching("* .*")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--url", "https://u:p@acme.example"), "--url: Leave out the user name"),
        (("--email", "x"), "email: Enter the email address"),
        (("--expires", "2020-01-01"), "--expires: This day has passed."),
        (("--expires", "soon"), "invalid _day value"),
        (("--deployment", "server"), "invalid choice"),
        (("--webhook-secret-file", "/nowhere"), "could not be read"),
    ],
)
def test_it_says_what_is_wrong(add, more, said):
    with pytest.raises(CommandError, match=said):
        add(*more)
    assert not JiraAccount.objects.exists()


def test_it_does_not_take_a_name_twice(add):
    add()
    with pytest.raises(CommandError, match="name: Another account is already called “Acme”"):
        add()
