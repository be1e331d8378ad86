"""What MedQL makes for itself when it runs embedded."""

import os
import secrets
import tempfile
from pathlib import Path


def own_secret_key(folder: Path) -> str:
    """The key of this installation: made once, readable by its owner only, whole even when two processes start at once."""
    folder.mkdir(exist_ok=True)
    path = folder / "secret_key"
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=folder) as draft:
            draft.write(secrets.token_urlsafe(64))
            draft.flush()
            _link_unless_there(draft.name, path)
    return path.read_text()


def _link_unless_there(draft: str, path: Path) -> None:
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first: its key is the one
