from __future__ import annotations

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from automation.destinations.check import require_destinations
from automation.models import Rule
from automation.rule_file.apply import apply_plan
from automation.rule_file.document import RuleFileError
from automation.rule_file.parse import read_rules
from automation.rule_file.plan import Plan, plan_rules
from automation.rule_file.report import describe, rules_of
from automation.rule_file.serialize import write_rules
from automation.rules.data import CANNOT_BE_READ, InvalidRule, known_action
from automation.rules.order import RulesChanged
from automation.rules.services import current_version
from config.accounts.models import User
from config.accounts.roles import Permission, lowest_role_with

DIFFERS = 2


class Command(BaseCommand):
    help = (
        "Rules as code, of every kind: write them to a file, see what a file would change and "
        "would have done, put it in force. Kinds that a file does not name stay as they are. "
        "`plan` exits with 0 if nothing differs, 2 if something does, 1 if the file is wrong."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        export = actions.add_parser("export", help="Write the rules as YAML.")
        export.add_argument("file", nargs="?", default="-", help="Default: standard output.")
        export.add_argument("--ids", action="store_true", help="Write every rule's id.")
        plan = actions.add_parser("plan", help="Say what the file would change.")
        apply = actions.add_parser("apply", help="Make the rules those of the file, at once.")
        for each in (plan, apply):
            each.add_argument("file", help="YAML; - is standard input.")
        apply.add_argument("--by", metavar="EMAIL", help="Who does it; default: the system.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "export":
            self._export(options["file"], with_ids=options["ids"])
            return
        plan = self._plan(options["file"])
        if options["action"] == "apply":
            self._apply(plan, by=options["by"])
        elif not plan.is_empty:
            sys.exit(DIFFERS)

    def _export(self, file: str, *, with_ids: bool) -> None:
        rules = _readable_rules()
        text = write_rules(rules, with_ids=with_ids)
        if file == "-":
            self.stdout.write(text, ending="")
        else:
            Path(file).write_text(text)

    def _plan(self, file: str) -> Plan:
        _readable_rules()
        try:
            plan = plan_rules(read_rules(_read(file)))
        except RuleFileError as error:
            faults = [f"{file}:{line}: {sentence}" for line, sentence in error.faults]
            raise CommandError("\n".join(faults)) from None
        for line in describe(plan):
            self.stdout.write(line)
        return plan

    def _apply(self, plan: Plan, *, by: str | None) -> None:
        actor = _person(by) if by else None
        try:
            if unknown := require_destinations(plan.changed):
                self.stdout.write(f"warning: {unknown}")
            apply_plan(plan, actor=actor)
        except RulesChanged as change:
            raise CommandError(f"Nothing was applied. {change} Plan again.") from None
        except InvalidRule as refusal:
            raise CommandError(f"Nothing was applied. {refusal}") from None
        for kind in plan.changed_kinds:
            version = current_version(kind)
            self.stdout.write(f"Applied as version {version} of the {rules_of(kind)}.")


def _readable_rules() -> list[Rule]:
    """All of them. Raises CommandError for those that cannot be read: nothing is left out of a
    file, or deleted by one, unseen."""
    rules = list(Rule.objects.all())
    if bad := [rule.name for rule in rules if known_action(rule) is None]:
        names = ", ".join(bad)
        raise CommandError(f"{names}: {CANNOT_BE_READ} Set its action again, or delete it.")
    return rules


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{file}: {error}") from None


def _person(email: str) -> User:
    person = User.objects.filter(email=email.lower(), is_active=True).first()
    if person is None:
        raise CommandError(f"Nobody active has the address {email}.")
    if not person.may(Permission.RULES_WRITE):
        role = lowest_role_with(Permission.RULES_WRITE).label
        raise CommandError(f"{person.name} may not change rules: that needs the {role} role.")
    return person
