from __future__ import annotations

import sys
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from ticketing import accounts, connections
from ticketing.account_data import AccountData
from ticketing.models import JiraAccount


class Command(BaseCommand):
    help = (
        "Connect a Jira account without the pages, and print its id. The connection is tested "
        "first: what does not work is not kept."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--url", required=True, help="as in https://acme.atlassian.net")
        parser.add_argument("--email", default="", help="whose token it is (Jira Cloud)")
        parser.add_argument("--token-file", required=True, metavar="FILE", help="- reads stdin")
        parser.add_argument(
            "--deployment",
            choices=JiraAccount.Deployment.values,
            default=JiraAccount.Deployment.CLOUD.value,
        )
        parser.add_argument("--api-url", default="", help="for tokens with scopes: the gateway")
        parser.add_argument("--webhook-secret-file", metavar="FILE", help="one is made if left out")
        parser.add_argument("--expires", type=_day, metavar="YYYY-MM-DD", help="the token's end")
        parser.add_argument("--no-test", action="store_true", help="keep it without asking Jira")

    def handle(self, *args: Any, **options: Any) -> None:
        data = AccountData(
            name=options["name"],
            deployment=options["deployment"],
            site_url=options["url"],
            api_url=options["api_url"],
            email=options["email"],
            token_expires_on=options["expires"],
        )
        secret = options["webhook_secret_file"]
        try:
            account = accounts.create_account(
                data,
                token=_read(options["token_file"]),
                webhook_secret=_read(secret) if secret else "",
                actor=None,
            )
        except ValidationError as error:
            raise CommandError("\n".join(_sentences(error))) from error
        if not options["no_test"]:
            self._test(account)
        accounts.connect(account, actor=None)
        self.stdout.write(str(account.pk))

    def _test(self, account: JiraAccount) -> None:
        report = connections.test_account(account, actor=None)
        if report.problem:
            accounts.delete_account(account, actor=None)
            raise CommandError(report.problem)
        self.stderr.write(f"{account.host} answered; signed in as {report.user_name}.")


def _read(name: str) -> str:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"The file could not be read: {error}") from error
    return text.strip()


def _day(text: str) -> date:
    """For argparse, which says "invalid … value" of a ValueError."""
    return date.fromisoformat(text)


def _sentences(error: ValidationError) -> list[str]:
    fields = {"site_url": "--url", "api_url": "--api-url", "token_expires_on": "--expires"}
    return [
        f"{fields.get(name, name)}: {' '.join(messages)}"
        for name, messages in error.message_dict.items()
    ]
