from __future__ import annotations

from typing import Any, Never

from django.db import models
from django.utils import timezone

from accounts.fields import IdentifierField
from accounts.models.device import Device
from accounts.models.service_token import ServiceToken
from accounts.models.user import User
from accounts.models.ward import Ward

LONGEST_WHO = 64
LONGEST_ABOUT = 150


class AppendOnly(Exception):
    """What was written down stays as it was written."""


class Deed(models.TextChoices):
    """What somebody did, in the past tense."""

    SAW = "saw", "saw"
    EXPORTED = "exported", "exported"
    REFUSED = "refused", "was refused"
    SIGNED_IN = "signed_in", "signed in"
    SIGNED_OUT = "signed_out", "signed out"
    SIGN_IN_REFUSED = "sign_in_refused", "could not sign in"
    INVITED = "invited", "invited"
    RESET_ASKED = "reset_asked", "asked for a new password of"
    PASSWORD_CHANGED = "password_changed", "changed the password of"
    SECOND_FACTOR_SET = "second_factor_set", "set up a second factor"
    SECOND_FACTOR_REMOVED = "second_factor_removed", "removed the second factor of"
    SECOND_FACTOR_REFUSED = "second_factor_refused", "showed a wrong code"
    RECOVERY_CODE_USED = "recovery_code_used", "used a recovery code"
    RECOVERY_CODES_RENEWED = "recovery_codes_renewed", "made new recovery codes"
    LOCKED_OUT = "locked_out", "was locked out"
    LOCKOUT_LIFTED = "lockout_lifted", "lifted a lockout"
    SESSIONS_ENDED = "sessions_ended", "ended the sessions of"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    RESOLVED = "resolved", "resolved"
    SILENCED = "silenced", "silenced"
    MARKED_AS_NOISE = "marked_as_noise", "marked as noise"
    WRITTEN_DOWN = "written_down", "wrote down a vital of"
    CORRECTED = "corrected", "corrected a vital of"
    ENTERED_IN_ERROR = "entered_in_error", "marked a vital as entered in error of"
    LIMITS_CHANGED = "limits_changed", "changed limits"
    NIGHT_CHANGED = "night_changed", "changed the night of a ward"
    CALLED_FOR_HELP = "called_for_help", "called for help of"
    ADMITTED = "admitted", "admitted"
    TRANSFERRED = "transferred", "transferred"
    DISCHARGED = "discharged", "discharged"
    ASSIGNED = "assigned", "put a device on"
    TAKEN_OFF = "taken_off", "took a device off"
    SCALE_CHANGED = "scale_changed", "changed the NEWS2 scale"
    PREGNANCY_CHANGED = "pregnancy_changed", "changed the pregnancy"
    HISTORY_CHANGED = "history_changed", "changed the history"
    CONTACTS_CHANGED = "contacts_changed", "changed the contacts"
    ARCHIVED = "archived", "archived"
    BROUGHT_BACK = "brought_back", "brought back"
    ADDED = "added", "added"
    CHANGED = "changed", "changed"
    REMOVED = "removed", "removed"
    REGISTERED = "registered", "registered"
    APPROVED = "approved", "approved a registration"
    TOKEN_REUSED = "token_reused", "showed a refresh token again"
    SERVICE_TOKEN_ISSUED = "service_token_issued", "issued a service token"
    SERVICE_TOKEN_REVOKED = "service_token_revoked", "revoked a service token"
    GLASS_BROKEN = "glass_broken", "entered in an emergency"
    GLASS_CLOSED = "glass_closed", "left after an emergency"
    KIOSK_SET_UP = "kiosk_set_up", "made a browser a kiosk"
    KIOSK_TAKEN_DOWN = "kiosk_taken_down", "took a kiosk's key out of a browser"
    SEALED_ANEW = "sealed_anew", "sealed everything anew"
    KEY_ISSUED = "key_issued", "issued a device key"
    KEY_ROTATED = "key_rotated", "rotated a device key"
    KEY_REVOKED = "key_revoked", "revoked a device key"
    REPLAYED = "replayed", "replayed a refused vital"
    SENT_AGAIN = "sent_again", "had messages sent again"
    LOOKS_LOST = "looks_lost", "lost entries"
    CHAIN_RESUMED = "chain_resumed", "resumed the chain of seals"
    KEY_REFUSED = "key_refused", "showed a device key that opens nothing"


class ByKind(models.TextChoices):
    """Who acts. `medql`: the house itself, its watcher or a command; `nobody`: who has not said who he is."""

    PERSON = "person", "person"
    DEVICE = "device", "device"
    SERVICE = "service", "service"
    NOBODY = "nobody", "nobody"
    MEDQL = "medql", "MedQL"


class Door(models.TextChoices):
    """By which way somebody came in. `command` is whatever runs in the house: manage.py, the watcher."""

    PAGE = "page", "page"
    API = "api", "API"
    ADMIN = "admin", "administration"
    SOCKET = "socket", "socket"
    COMMAND = "command", "command"


def deeds() -> list[tuple[str, str]]:
    """By a function, so that another deed needs no migration."""
    return list(Deed.choices)


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Rows that are added and read."""

    def update(self, **kwargs: Any) -> Never:
        raise AppendOnly

    def delete(self) -> Never:
        raise AppendOnly

    def bulk_update(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly

    def bulk_create(self, objs: Any, *args: Any, **kwargs: Any) -> Any:
        if any(kwargs.get(name) for name in ("update_conflicts", "ignore_conflicts")):
            raise AppendOnly
        return super().bulk_create(objs, *args, **kwargs)


class AuditEntry(models.Model):
    """Who did or saw what, of which patient, from where and when.

    No constraint binds it to what it names: an entry outlives that, and writing one takes no lock on a ward or a person.
    `patient` is the patient's id and never the name. `written_at` is later than `at` where it waited in a buffer. The last
    four say that MedQL wrote it and where in the chain it stands: see accounts/seals.py; three of them are set once, later.
    """

    at = models.DateTimeField(editable=False)
    written_at = models.DateTimeField(default=timezone.now, null=True, editable=False)
    what = models.CharField("deed", max_length=30, choices=deeds)
    by_kind = models.CharField("by", max_length=7, choices=ByKind.choices)
    user = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+", verbose_name="person"
    )
    device = models.ForeignKey(
        Device, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    service = models.ForeignKey(
        ServiceToken, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    who = models.CharField(max_length=LONGEST_WHO, blank=True)
    ward = models.ForeignKey(Ward, on_delete=models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+")
    patient = IdentifierField("patient id", blank=True)
    about = models.CharField(max_length=LONGEST_ABOUT, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    address = models.CharField(max_length=45, blank=True)
    door = models.CharField(max_length=7, choices=Door.choices)
    mark = models.CharField("MedQL's mark", max_length=100, blank=True, default="", editable=False)
    number = models.PositiveBigIntegerField(null=True, unique=True, editable=False)
    seal = models.CharField(max_length=64, blank=True, editable=False)
    key = models.CharField("id of the seal's key", max_length=64, blank=True, editable=False)

    objects = AuditQuerySet.as_manager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = "audit entry"
        verbose_name_plural = "audit"
        indexes = [
            models.Index(fields=["at"], name="audit_by_time"),
            models.Index(fields=["patient", "at"], name="audit_of_patient"),
            models.Index(fields=["who", "at"], name="audit_of_who"),
            models.Index(fields=["ward", "at"], name="audit_of_ward"),
            models.Index(fields=["what", "at"], name="audit_of_deed"),
        ]

    def __str__(self) -> str:
        return f"{self.who or self.get_by_kind_display()} {self.get_what_display()} {self.patient or self.about}".rstrip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The guard of the trail: a row is written once."""
        if self.pk:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        raise AppendOnly
