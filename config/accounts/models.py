from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from simple_history.models import HistoricalRecords

from config.accounts.roles import PERMISSIONS, Permission, Role
from config.lib.crypto import EncryptedTextField


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)

    def create_user(
        self,
        email: str,
        password: str | None = None,
        *,
        name: str = "",
        role: str = Role.VIEWER,
        **fields: Any,
    ) -> User:
        user = self.model(
            email=self.normalize_email(email), name=name or email, role=role, **fields
        )
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
    # The `team:` tag whose findings are theirs, as it is written in the tag; "" for none.
    team = models.CharField(max_length=100, blank=True, default="", db_default="")
    is_active = models.BooleanField(default=True)
    # Somebody else has seen the password: it is the first thing to be changed.
    must_change_password = models.BooleanField(default=False, db_default=False)
    # Counted up to end every session that was begun before, for good.
    session_generation = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    history = HistoricalRecords(
        excluded_fields=["password", "last_login", "must_change_password", "session_generation"]
    )

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

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's, which ends the sessions when the password changes, and ours."""
        material = f"{self.session_generation}:{self.password}"
        return salted_hmac(
            "config.accounts.models.User", material, secret=secret, algorithm="sha256"
        ).hexdigest()

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email = self.email.lower()
        raw = getattr(self, "_password", None)  # until it is saved: Django's own
        if raw is not None and not self._state.adding:
            # Whoever sets it, a command of Django's too: the log says so. A service that knows
            # more has signed already.
            self._change_reason = getattr(self, "_change_reason", None) or "Password changed"
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
    kept_by = models.ForeignKey(  # an admin who took it over from who made it
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
    def answerable(self) -> User | None:
        """Whose permissions bound it; None for one that the command line made."""
        return self.kept_by or self.created_by

    @property
    def permissions(self) -> frozenset[Permission]:
        """What it may do now: its scopes, as far as who answers for it may do the same."""
        return self._scopes - self.lost

    @property
    def lost(self) -> frozenset[Permission]:
        """Scopes that who answers for it may not use any more."""
        person = self.answerable
        return self._scopes - person.permissions if person else frozenset()

    @property
    def _scopes(self) -> frozenset[Permission]:
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


class Act(models.Model):
    """Something that a person did and may undo within the hour. Written by `undo` alone.

    Its rows say what was changed: they go when the hour is over. The act itself stays for a day,
    so that who comes too late is told so.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)  # its name in `undo.registry`
    actor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+")

    class Meta:
        ordering = ("-created_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(undone_at=None, undone_by=None)
                | models.Q(undone_at__isnull=False, undone_by__isnull=False),
                name="act_undone_by_somebody",
            ),
        )
        indexes = (models.Index(fields=("expires_at",), name="act_expires"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class ActRow(models.Model):
    """One thing that an act changed: what it was before, and what the act made of it."""

    act = models.ForeignKey(
        Act, on_delete=models.CASCADE, related_name="rows", db_index=False
    )  # the constraint's index serves it
    object_id = models.CharField(max_length=64)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=300, blank=True)  # why it was not put back

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("act", "object_id"), name="act_row_once"),)
        indexes = (models.Index(fields=("object_id",), name="act_row_object"),)

    def __str__(self) -> str:
        return f"{self.act_id} {self.object_id}"


class AuditEvent(models.Model):
    """Something that somebody did, as a row that nothing here changes or deletes.

    Written by `audit.events` in the transaction of what it tells of, and put into the chain by
    `audit.chain` right after; only the retention takes it away again. It refers to people and
    things by id and name and not by foreign keys: it outlives them.
    """

    class Actor(models.TextChoices):
        PERSON = "person", "Person"
        KEY = "key", "API key"
        SYSTEM = "system", "System"

    at = models.DateTimeField()
    category = models.CharField(max_length=40)  # "rule", "sign-in"
    action = models.CharField(max_length=40)  # "changed", "failed"
    actor_type = models.CharField(max_length=10, choices=Actor.choices)
    actor_id = models.CharField(max_length=36, blank=True)
    actor_name = models.CharField(max_length=120, blank=True)
    address = models.CharField(max_length=45, blank=True)  # of the client; none in the queue
    request_id = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=64, blank=True)
    object_name = models.CharField(max_length=200, blank=True)
    count = models.PositiveIntegerField(null=True)  # of what it was done to
    details = models.JSONField(default=dict)
    origin = models.CharField(max_length=80, null=True, unique=True)  # noqa: DJ001  of a history
    # Its place in the chain; none until it is there.
    position = models.BigIntegerField(null=True, unique=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(actor_type__in=["person", "key", "system"]),
                name="audit_event_actor_known",
            ),
            models.CheckConstraint(
                condition=models.Q(position=None, hash="")
                | (models.Q(position__gt=0) & ~models.Q(hash="")),
                name="audit_event_chained_as_a_whole",
            ),
        )
        indexes = (
            models.Index(fields=("-at", "-id"), name="audit_event_at"),
            models.Index(fields=("category", "-at", "-id"), name="audit_event_category"),
            models.Index(fields=("actor_id", "-at", "-id"), name="audit_event_actor"),
            models.Index(
                fields=("id",), condition=models.Q(position=None), name="audit_event_not_chained"
            ),
        )

    def __str__(self) -> str:
        return f"{self.category} {self.action}"


class AuditHead(models.Model):
    """Both ends of the chain: one row. Written by `audit.chain` alone."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    key = EncryptedTextField()  # of the HMAC: who can only write to the database cannot make one
    position = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)
    pruned_position = models.BigIntegerField(default=0)  # of the last row that the retention took
    pruned_hash = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64, blank=True)  # HMAC of both ends
    is_history_imported = models.BooleanField(default=False)

    class Meta:
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="audit_head_is_one"),)

    def __str__(self) -> str:
        return f"{self.position}"
