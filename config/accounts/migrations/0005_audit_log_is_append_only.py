"""On PostgreSQL the table itself refuses what the program never does.

Linking fills the three columns of the chain once; the retention says in its transaction that it
deletes. TRUNCATE stays possible for the table's owner: it is how a database is emptied.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations

_FUNCTION = """
CREATE OR REPLACE FUNCTION audit_event_is_append_only() RETURNS trigger AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('findings.audit_pruning', true) = 'on' THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.position IS NULL
        AND to_jsonb(OLD) - ARRAY['position', 'previous_hash', 'hash']
          = to_jsonb(NEW) - ARRAY['position', 'previous_hash', 'hash'] THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'The audit log is append-only: % is refused.', TG_OP;
END
$$ LANGUAGE plpgsql;
"""
_TRIGGER = """
CREATE TRIGGER audit_event_is_append_only BEFORE UPDATE OR DELETE ON accounts_auditevent
FOR EACH ROW EXECUTE FUNCTION audit_event_is_append_only();
"""


def forwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(_FUNCTION, params=None)
        schema_editor.execute(_TRIGGER)


def backwards(apps: Any, schema_editor: Any) -> None:
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER audit_event_is_append_only ON accounts_auditevent")
        schema_editor.execute("DROP FUNCTION audit_event_is_append_only()")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_audit_log")]
    operations = [migrations.RunPython(forwards, backwards)]
