from django.db import migrations


def open_linked_spaces(apps, schema_editor):
    """A space that is on no list is closed from now on: those that projects are linked to stay.

    May be run again: what has a row keeps it.
    """
    Destination = apps.get_model("ticketing", "Destination")
    JiraSpace = apps.get_model("ticketing", "JiraSpace")
    linked = Destination.objects.order_by("pk").values_list(
        "account_id", "space_id", "space_key", "space_name"
    )
    listed = set(JiraSpace.objects.values_list("account_id", flat=True).distinct())
    for account_id, space_id, key, name in linked:
        if account_id in listed:
            JiraSpace.objects.get_or_create(
                account_id=account_id, space_id=space_id, defaults={"key": key, "name": name}
            )


class Migration(migrations.Migration):
    dependencies = [("ticketing", "0014_bulk_singly")]
    operations = [migrations.RunPython(open_linked_spaces, migrations.RunPython.noop)]
