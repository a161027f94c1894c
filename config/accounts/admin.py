from __future__ import annotations

from typing import Any
from uuid import UUID

from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt, AccessLog
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from unfold.decorators import action, display
from unfold.forms import BaseDialogForm

from config.accounts.access import signed_in
from config.accounts.api_keys import create_api_key, revoke_api_key
from config.accounts.forms import ApiKeyForm, PersonChangeForm, PersonCreationForm
from config.accounts.models import (
    Act,
    ActRow,
    ApiKey,
    AuditEvent,
    AuditHead,
    KeptAnswer,
    KeyWindow,
    User,
)
from config.accounts.people import change_person, create_person
from config.accounts.roles import Role
from config.lib.admin import BrowseAdmin, HistoryAdmin

admin.site.unregister(Group)  # roles are the groups; see config.accounts.roles


@admin.register(User)
class UserAdmin(HistoryAdmin, DjangoUserAdmin):  # type: ignore[type-arg]
    """People: made, given a role, deactivated. Never deleted: their name is on what they did."""

    form = PersonChangeForm
    add_form = PersonCreationForm
    list_display = ("name", "email", "role", "is_active", "last_login", "date_joined")
    list_filter = ("role", "is_active")
    search_fields = ("name", "email")
    ordering = ("name", "email")
    date_hierarchy = "date_joined"
    filter_horizontal = ()
    fieldsets = ((None, {"fields": ("email", "name", "role", "is_active", "keys", "last_login")}),)
    add_fieldsets = ((None, {"fields": ("email", "name", "role", "password1", "password2")}),)
    readonly_fields = ("email", "last_login")
    actions_detail = ("set_password",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        own = ("role", "is_active") if obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *own)

    def save_model(
        self, request: HttpRequest, obj: User, form: forms.ModelForm[User], change: Any
    ) -> None:
        if change:
            change_person(
                User.objects.get(pk=obj.pk),
                name=obj.name,
                role=Role(obj.role),
                is_active=obj.is_active,
                actor=signed_in(request),
                keys=form.cleaned_data.get("keys"),
            )
            return
        password = form.cleaned_data["password1"]
        role = Role(obj.role)
        obj.pk = create_person(email=obj.email, name=obj.name, role=role, password=password).pk

    @action(description="Set password", url_path="set-password")
    def set_password(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.user_change_password(request, object_id)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """On our own pages, which know the one way to a new password."""
        if id == str(signed_in(request).pk):
            return redirect("password-change")
        person = self.get_object(request, unquote(id))
        if person is None:
            raise Http404
        return redirect("accounts:person-password", person.pk)


class RevokeForm(BaseDialogForm):
    """Nothing but the question."""


@admin.register(ApiKey)
class ApiKeyAdmin(HistoryAdmin):
    """Keys: made here and shown once, then only revoked."""

    form = ApiKeyForm
    list_display = ("name", "start", "state", "created_by", "expires_at", "last_used_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), "created_by")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    date_hierarchy = "created_at"
    readonly_fields = ("start", "state", "created_by", "created_at", "last_used_at", "revoked_at")
    actions_detail = ("revoke",)
    actions_row = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> tuple[str, ...]:
        editable = ("name", "scopes", "expires_at")
        return editable if obj is None else (*editable, *self.readonly_fields)

    @display(description="Key")
    def start(self, key: ApiKey) -> str:
        return f"{key.prefix}…"

    @display(
        description="State", label={"Live": "success", "Expired": "warning", "Revoked": "danger"}
    )
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "Revoked"
        return "Live" if key.is_live else "Expired"

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ApiKeyForm, change: Any) -> None:
        key, raw = create_api_key(
            obj.name,
            scopes=form.cleaned_data["scopes"],
            actor=signed_in(request),
            expires_at=obj.expires_at,
        )
        obj.pk = key.pk
        request.raw_api_key = raw  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The only page that ever shows the key: no redirect, so that nothing has to keep it."""
        context = self.admin_site.each_context(request) | {
            "title": f"Key {obj.name} created",
            "opts": self.opts,
            "raw": request.raw_api_key,  # type: ignore[attr-defined]
        }
        return TemplateResponse(request, "admin/accounts/apikey/created.html", context)

    @action(
        description="Revoke",
        url_path="revoke",
        dialog={
            "title": "Revoke this key?",
            "description": "Anything that still uses it will be refused. This can't be undone.",
            "form_class": RevokeForm,
            "form_submit_text": "Revoke key",
        },
    )
    def revoke(self, request: HttpRequest, form: RevokeForm, object_id: str) -> HttpResponse:
        key = ApiKey.objects.get(pk=UUID(object_id))
        if revoke_api_key(key.pk, actor=signed_in(request)):
            self.log_change(request, key, "Revoked.")
            messages.success(request, f"Key {key.name} is revoked.")
        else:
            messages.info(request, f"Key {key.name} was revoked before.")
        return redirect("admin:accounts_apikey_changelist")


@admin.register(KeptAnswer)
class KeptAnswerAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("key", "owner", "status", "created_at")
    search_fields = ("key", "=owner")
    date_hierarchy = "created_at"


@admin.register(KeyWindow)
class KeyWindowAdmin(BrowseAdmin):
    list_display = ("key", "number", "used")
    list_select_related = ("key",)
    search_fields = ("key__name",)


@admin.register(AuditEvent)
class AuditEventAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("at", "category", "action", "object_name", "actor_name", "address", "position")
    list_filter = ("actor_type",)
    date_hierarchy = "at"


@admin.register(AuditHead)
class AuditHeadAdmin(BrowseAdmin):
    list_display = ("position", "pruned_position", "is_history_imported")
    exclude = ("key",)


@admin.register(LogEntry)
class LogEntryAdmin(BrowseAdmin):
    """What was done in this admin."""

    has_many_rows = True
    list_display = ("action_time", "user", "content_type", "object_repr", "action_flag")
    list_filter = ("action_flag", "content_type")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "user__name", "user__email")
    date_hierarchy = "action_time"


@admin.register(AccessAttempt)
class AccessAttemptAdmin(BrowseAdmin):
    """Failed sign-ins that still count: see config.accounts.sign_in_limits."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    fields = ("username", "ip_address", "user_agent", "failures_since_start", "attempt_time")
    actions = ("unlock",)

    @admin.action(description="Let these try again now")
    def unlock(self, request: HttpRequest, attempts: QuerySet[AccessAttempt]) -> None:
        for attempt in attempts:
            AxesProxyHandler.reset_attempts(
                ip_address=attempt.ip_address, username=attempt.username
            )


@admin.register(AccessLog)
class AccessLogAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("username", "ip_address", "attempt_time", "logout_time")
    search_fields = ("username", "ip_address")
    date_hierarchy = "attempt_time"
    fields = ("username", "ip_address", "user_agent", "attempt_time", "logout_time")


@admin.register(Act)
class ActAdmin(BrowseAdmin):
    """What people did and can undo for an hour."""

    list_display = ("created_at", "kind", "actor", "expires_at", "undone_at", "undone_by")
    list_filter = ("kind",)
    list_select_related = ("actor", "undone_by")
    search_fields = ("kind", "actor__name")
    date_hierarchy = "created_at"


@admin.register(ActRow)
class ActRowAdmin(BrowseAdmin):
    has_many_rows = True
    list_display = ("act", "object_id", "reason")
    list_select_related = ("act",)
    search_fields = ("=object_id", "reason")
