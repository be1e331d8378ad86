"""What MedQL makes for itself when it runs embedded."""

import base64
import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path


def own_secret_key(folder: Path) -> str:
    """The key that signs this installation's sessions."""
    return _made_once(folder / "secret_key", lambda: secrets.token_urlsafe(64))


def own_keys(folder: Path) -> str:
    """The key ring of this installation, of one key."""
    return _made_once(folder / "keys", lambda: f"own:{base64.b64encode(secrets.token_bytes(32)).decode()}")


def _made_once(path: Path, make: Callable[[], str]) -> str:
    """A secret in a file: made once, readable by its owner only, whole even when two processes start at once."""
    path.parent.mkdir(exist_ok=True)
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(make())
            draft.flush()
            _link_unless_there(draft.name, path)
    return path.read_text()


def _link_unless_there(draft: str, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first: its key is the one
