"""Who gives a command."""

from __future__ import annotations

import getpass


def actor() -> str:
    """For the audit trail."""
    try:
        return f"staff:{getpass.getuser()}"
    except (KeyError, OSError):  # a user id without a name
        return "staff:unknown"
