from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from simple_history.models import HistoricalRecords

from config.accounts.roles import PERMISSIONS, Permission, Role


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(
        self, email: str, password: str | None = None, *, name: str = "", role: str = Role.VIEWER
    ) -> User:
        user = self.model(email=self.normalize_email(email), name=name or email, role=role)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, **fields, role=Role.ADMIN)


class User(AbstractBaseUser):
    """A person. Nobody is ever deleted, only deactivated: their name stays on what they did."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(max_length=254)
    name = models.CharField(max_length=120)
    role = models.CharField(
        max_length=20, choices=[(r.value, r.label) for r in Role], default=Role.VIEWER
    )
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(excluded_fields=["password", "last_login"])

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name", "email")
        constraints = (
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message="Email taken."
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[r.value for r in Role]), name="user_role_known"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    @property
    def permissions(self) -> frozenset[Permission]:
        return PERMISSIONS[Role(self.role)] if self.is_active else frozenset()

    def may(self, permission: Permission) -> bool:
        return permission in self.permissions

    # The admin site asks these four; it is for admins alone.

    @property
    def is_staff(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    is_superuser = is_staff

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_staff

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0]


class ApiKey(models.Model):
    """A key of a machine. Only its prefix and the SHA-256 of the whole are stored."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, editable=False)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    history = HistoricalRecords(excluded_fields=["digest", "last_used_at"])

    class Meta:
        ordering = ("-created_at",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name

    @property
    def is_live(self) -> bool:
        now = timezone.now()
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    @property
    def permissions(self) -> frozenset[Permission]:
        return frozenset(Permission(scope) for scope in self.scopes)


class KeyWindow(models.Model):
    """How many requests a key has made in the running window. Written by `throttling` alone."""

    key = models.OneToOneField(ApiKey, on_delete=models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField()  # of the window: seconds since 1970 / its length
    used = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key_id} {self.used}"


class KeptAnswer(models.Model):
    """The answer to a request that may be sent again, kept for a day under the sender's key.

    Written by `idempotency` alone. Without a status the first request is still at work.
    """

    owner = models.UUIDField()  # the API key or the person who sent it
    key = models.CharField(max_length=255)  # their name for the request
    digest = models.CharField(max_length=64, blank=True)  # of its address and its body
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)  # JSON, in the order in which it was answered
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("owner", "key"), name="one_answer_per_key"),)
        indexes = (models.Index(fields=("created_at",), name="kept_answer_created"),)

    def __str__(self) -> str:
        return f"{self.key} {self.status or 'at work'}"
