"""Alembic's entry: only tables of ours are looked at, the engine's own stand beside them.

Nor are the mirrors, which `health` keeps by itself.
"""

from __future__ import annotations

from typing import Any

from alembic import context

from kiosk.adapters.journal.health import is_mirror
from kiosk.adapters.journal.tables import PREFIX, VERSION_TABLE, metadata


def include_name(name: str | None, kind: str, parents: Any) -> bool:
    """Without this autogenerate would drop the tables that are not ours."""
    del parents
    if kind == "schema":
        return name is None
    if kind == "table":
        return name is not None and name.startswith(PREFIX) and name != VERSION_TABLE
    if kind == "index":
        return not is_mirror(name)
    return True


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    include_name=include_name,
    version_table=VERSION_TABLE,
    user_module_prefix="",
)
with context.begin_transaction():
    context.run_migrations()
