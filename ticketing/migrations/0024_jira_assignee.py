"""Cases name assignees in Jira who have no account here; those that wait for one are filled in.

One statement, in the transaction that adds the column: as a whole or not at all.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from django.db.models import OuterRef, Q, Subquery
from django.db.models.fields.json import KT


def fill(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Where both sides agreed on somebody there, who was nobody here."""
    get = apps.get_model
    once_or_off = get("ticketing", "Destination").objects.exclude(sync_assignee="two_way")
    issues = (
        get("ticketing", "ExternalIssue")
        .objects.filter(state="created", detached_at=None, agreed__assignee__here="")
        .exclude(agreed__assignee__is_owed=True)
        .exclude(case__project__in=once_or_off.values("project"))
        .alias(there=KT("agreed__assignee__there"))
    )
    users = get("ticketing", "JiraUser").objects.filter(
        account=OuterRef("account"), user_id=OuterRef("there"), person=None
    )
    named = issues.annotate(user=Subquery(users.values("pk")[:1])).exclude(user=None)
    cases = get("ticketing", "Case").objects.filter(
        assignee=None, pk__in=named.order_by().values("case")
    )
    of_case = named.filter(case=OuterRef("pk")).order_by().values("user")[:1]
    cases.update(jira_assignee=Subquery(of_case))


class Migration(migrations.Migration):
    dependencies = (
        ("ticketing", "0023_fill_creation_source"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    )
    operations = (
        migrations.AddField(
            model_name="case",
            name="jira_assignee",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="ticketing.jirauser",
            ),
        ),
        migrations.AddIndex(
            model_name="case",
            index=models.Index(
                condition=Q(jira_assignee__isnull=False),
                fields=["jira_assignee"],
                name="case_jira_assignee",
            ),
        ),
        migrations.AddConstraint(
            model_name="case",
            constraint=models.CheckConstraint(
                condition=Q(assignee=None) | Q(jira_assignee=None), name="case_one_assignee"
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    )
