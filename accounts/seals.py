"""The words of an entry, and what is computed over them with the key ring.

The mark says that MedQL wrote the entry; it is made with the entry. The seal says where in the chain it stands; it is set
by the watcher. Whoever has the database but not the keys can make neither.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from accounts import keyring
from accounts.keyring import Key
from accounts.models import AuditEntry

SEALS = ("number", "seal", "key")
# Whatever else an entry holds is sealed, also what will be added: an empty field leaves no trace in the words.
SEALED = tuple(field.attname for field in AuditEntry._meta.concrete_fields if field.name not in SEALS)
MARKED = tuple(name for name in SEALED if name not in ("id", "mark"))  # what is known before the row is there
Row = Mapping[str, Any]


def marked(entry: AuditEntry) -> AuditEntry:
    """The entry, not written yet, with MedQL's mark."""
    key, once = keyring.current(), secrets.token_hex(8)
    entry.mark = f"{key.id}.{once}.{_mark({name: getattr(entry, name) for name in MARKED}, once, key)}"
    return entry


def is_marked(row: Row) -> bool:
    """MedQL wrote it as it is. Raises UnknownKey."""
    parts = row["mark"].split(".")
    if len(parts) != 3:
        return False
    id, once, mark = parts
    return hmac.compare_digest(mark, _mark(row, once, keyring.by_id(id)))


def seal_of(row: Row, *, after: str, key: Key) -> str:
    """The seal of an entry after that seal."""
    return mac(key, "audit entry", f"{after}\n{_words(row, SEALED)}")


def mac(key: Key, purpose: str, words: str) -> str:
    return hmac.new(keyring.derived(key, purpose), words.encode(), hashlib.sha256).hexdigest()


def _mark(row: Row, once: str, key: Key) -> str:
    """`once` is random: two entries have the same mark only where one is a copy of the other."""
    return mac(key, "audit mark", f"{once}\n{_words(row, MARKED)}")


def _words(row: Row, names: Iterable[str]) -> str:
    said = {name: value for name in names if (value := row[name]) not in (None, "", {})}
    return json.dumps(said, sort_keys=True, separators=(",", ":"), default=_spoken)


def _spoken(value: Any) -> str:
    assert isinstance(value, datetime)
    return value.astimezone(UTC).isoformat(timespec="microseconds")
