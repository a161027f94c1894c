"""Of the versions of rule sets, which were all whole, what changed; every hundredth stays. In
chunks: one that is interrupted goes on with what is left."""

from django.db import migrations, models, transaction
from django.db.models import Q

from automation.rules.version_changes import changed, changes_between, size

CHUNK = 50
MAX_CHANGES = 100


def shorten(apps, schema_editor):
    Version = apps.get_model("automation", "RuleSetVersion")
    for kind in Version.objects.order_by("kind").values_list("kind", flat=True).distinct():
        shorten_kind(Version.objects.filter(kind=kind).order_by("version"))


def shorten_kind(versions):
    rules, base, number, total, at = None, None, 0, 0, -1
    while chunk := list(versions.filter(version__gt=at)[:CHUNK]):
        with transaction.atomic():
            for row in chunk:
                at = row.version
                changes = row.changes
                if row.rules is not None:
                    changes = changes_of(rules, row.rules, number, total)
                    if changes is not None:
                        same = versions.model.objects.filter(pk=row.pk)
                        same.update(rules=None, changes=changes, base=base)
                if changes is None:
                    rules, base, number, total = row.rules, row.version, 0, 0
                else:
                    rules = changed(rules, changes)
                    number, total = number + 1, total + size(changes)


def changes_of(before, rules, number, total):
    """None where the version stays whole."""
    if before is None or number >= MAX_CHANGES:
        return None
    changes = changes_between(before, rules)
    if changes is None or total + size(changes) > size(rules):
        return None
    return changes if changed(before, changes) == rules else None


class Migration(migrations.Migration):
    atomic = False
    dependencies = (("automation", "0016_rule_set_versions"),)
    operations = (
        migrations.RunPython(shorten, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="rulesetversion",
            constraint=models.CheckConstraint(
                condition=Q(rules__isnull=False, changes__isnull=True, base__isnull=True)
                | Q(rules__isnull=True, changes__isnull=False, base__isnull=False),
                name="rule_set_version_whole_or_changes",
            ),
        ),
    )
