"""No two rules of one kind are called alike: later ones of a name become `name (2)`, and from then
on the database refuses another. In chunks, each whole: one that is interrupted goes on with what
is left."""

from datetime import UTC, datetime
from itertools import count

from django.db import migrations, models, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Lower, Trim

CHUNK = 200
LONGEST = 255
REASON = "renamed: another rule had this name"


def rename(apps, schema_editor):
    Rule = apps.get_model("automation", "Rule")
    rules = Rule.objects.annotate(key=Lower(Trim("name")))
    earlier = rules.filter(
        kind=OuterRef("kind"), key=OuterRef("key"), position__lt=OuterRef("position")
    )
    doubles = rules.filter(Exists(earlier)).order_by("kind", "position")
    while chunk := list(doubles[:CHUNK]):
        with transaction.atomic():
            for kind in sorted({rule.kind for rule in chunk}):
                rename_of_kind(apps, kind, [rule for rule in chunk if rule.kind == kind])


def rename_of_kind(apps, kind, doubles):
    """As any other change of the rules: under their lock, with history, as a new version."""
    Rule, RuleSet = (apps.get_model("automation", name) for name in ("Rule", "RuleSet"))
    RuleSet.objects.get_or_create(kind=kind)
    rule_set = RuleSet.objects.select_for_update().get(kind=kind)
    taken = set(Rule.objects.filter(kind=kind).values_list(Lower(Trim("name")), flat=True))
    for rule in doubles:
        rule.name = free(rule.name, taken)
        taken.add(rule.name.strip().lower())
    Rule.objects.bulk_update(doubles, ["name"])
    write_history(apps, doubles)
    write_version(apps, rule_set, {str(rule.pk): rule.name for rule in doubles})


def free(name, taken):
    suffixes = (f" ({number})" for number in count(2))
    names = (name.strip()[: LONGEST - len(suffix)] + suffix for suffix in suffixes)
    return next(each for each in names if each.strip().lower() not in taken)


def write_history(apps, rules):
    History = apps.get_model("automation", "HistoricalRule")
    fields = [field.attname for field in rules[0]._meta.concrete_fields]
    History.objects.bulk_create(
        History(
            history_date=datetime.now(UTC),
            history_type="~",
            history_change_reason=REASON,
            **{name: getattr(rule, name) for name in fields},
        )
        for rule in rules
    )


def write_version(apps, rule_set, names):
    """What decisions are explained with, and what the workers read."""
    Version = apps.get_model("automation", "RuleSetVersion")
    latest = Version.objects.filter(kind=rule_set.kind).order_by("-version").first()
    if latest is None:
        return
    rules = [each | {"name": names.get(each["id"], each["name"])} for each in latest.rules]
    rule_set.version += 1
    rule_set.save(update_fields=["version"])
    Version.objects.create(
        kind=rule_set.kind, version=rule_set.version, rules=rules, created_at=datetime.now(UTC)
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("automation", "0012_grouped"),)
    operations = (
        migrations.RunPython(rename, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="rule",
            constraint=models.UniqueConstraint(
                F("kind"), Lower(Trim("name")), name="rule_name_unique"
            ),
        ),
    )
