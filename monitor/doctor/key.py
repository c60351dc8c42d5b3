"""The key that facts are sealed with: is it there, and nobody else's?"""

from __future__ import annotations

import os
from pathlib import Path

from monitor.doctor.finding import Finding
from monitor.store.database import StoreError
from monitor.store.signing_key import private_path, public_path, read_key


def signing(state_dir: Path) -> Finding:
    """Looks at the key and makes none."""
    path = private_path(state_dir)
    if not path.exists():
        return Finding("signing key", "ok", f"{path} is not there yet; the agent makes it")
    status = path.stat()
    if status.st_mode & 0o077:
        told = f"{path} may be read by others (mode {status.st_mode & 0o777:04o}): they could forge records"
        return Finding("signing key", "warn", told, f"chmod 600 {path}")
    if not os.access(path, os.R_OK):
        return Finding(
            "signing key", "ok", f"{path} is user {status.st_uid}'s alone; run as that user to try it"
        )
    try:
        key = read_key(path)
    except StoreError as error:
        advice = "bring the key back from a backup, or move the file away and have the agent make another"
        return Finding("signing key", "fail", str(error), advice)
    return Finding(
        "signing key", "ok", f"{key.signer.hex()}; keep a copy of {public_path(state_dir)} elsewhere"
    )
