from __future__ import annotations

from django.urls import path

from config.accounts.views import audit, keys, people

app_name = "accounts"

urlpatterns = [
    path("users", people.list_people, name="person-list"),
    path("users/new", people.create, name="person-create"),
    path("users/<uuid:person_id>", people.edit, name="person-edit"),
    path("users/<uuid:person_id>/password", people.set_new_password, name="person-password"),
    path("audit", audit.show_log, name="audit-log"),
    path("audit.<slug:ending>", audit.export_log, name="audit-export"),
    path("api-keys", keys.list_keys, name="key-list"),
    path("api-keys/new", keys.create_key, name="key-create"),
    path("api-keys/<uuid:key_id>/revoke", keys.revoke_key, name="key-revoke"),
    path("api-keys/<uuid:key_id>/take-over", keys.take_over_key, name="key-take-over"),
]
