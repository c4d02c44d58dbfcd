"""Which release forms were signed; the files are the station's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import form_orders, orders, release_forms
from kiosk.domain.model import OrderId, ReleaseState
from kiosk.domain.release_form import KeptForm
from kiosk.errors import InvalidValueError, OrderNotReleasedError, UnknownOrderError

# As the columns are called; the orders have rows of their own.
_NAMES: Final = tuple(field.name for field in fields(KeptForm) if field.name != "order_ids")


def _forms(connection: sa.Connection, query: sa.Select[Any]) -> list[KeptForm]:
    """What a query for forms' rows finds, in its order."""
    rows = connection.execute(query).all()
    covered: dict[str, list[OrderId]] = {row.form_id: [] for row in rows}
    for row in connection.execute(
        sa.select(form_orders)
        .where(form_orders.c.form_id.in_(covered))
        .order_by(form_orders.c.form_id, form_orders.c.place)
    ):
        covered[row.form_id].append(OrderId(row.order_id))
    return [_to_form(row, tuple(covered[row.form_id])) for row in rows]


def _to_form(row: Any, order_ids: tuple[OrderId, ...]) -> KeptForm:
    values = {name: getattr(row, name) for name in _NAMES}
    return KeptForm(**values | {"order_id": OrderId(row.order_id), "order_ids": order_ids})


class JournalForms:
    """Keeps `kiosk.services.release_forms.FormRows`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine = engine
        self._chain = chain

    def of(self, order_id: OrderId) -> tuple[KeptForm, ...]:
        """Those that cover the order, newest first."""
        newest = (release_forms.c.signed_at.desc(), release_forms.c.form_id)
        covering = sa.select(form_orders.c.form_id).where(form_orders.c.order_id == order_id)
        query = sa.select(release_forms).where(release_forms.c.form_id.in_(covering))
        with reading(self._engine) as connection:
            return tuple(_forms(connection, query.order_by(*newest)))

    def add(self, form: KeptForm, *, actor: str) -> KeptForm:
        """The row and the audit rows of its orders, in one transaction; the one that is there if it
        is the same.

        Raises:
            UnknownOrderError: It covers an order that there is not.
            OrderNotReleasedError: One is held or cancelled: nothing is signed for it.
            InvalidValueError: Another form has this id.
        """
        with writing(self._engine) as connection:
            states: dict[str, str] = {
                row.order_id: row.state
                for row in connection.execute(
                    sa.select(orders.c.order_id, orders.c.state)
                    .where(orders.c.order_id.in_(form.order_ids))
                    .order_by(orders.c.order_id)  # locked in one order by everybody
                    .with_for_update()
                )
            }
            same_id = sa.select(release_forms).where(release_forms.c.form_id == form.form_id)
            for known in _forms(connection, same_id):
                if (known.order_ids, known.sha256) != (form.order_ids, form.sha256):
                    raise InvalidValueError(f"form {form.form_id} is another one")
                return known
            for order_id in form.order_ids:
                if order_id not in states:
                    raise UnknownOrderError(f"no order {order_id}")
                if states[order_id] in (ReleaseState.HELD.value, ReleaseState.CANCELLED.value):
                    raise OrderNotReleasedError(f"order {order_id} is {states[order_id]}")
            values = {name: getattr(form, name) for name in _NAMES}
            connection.execute(sa.insert(release_forms).values(values))
            connection.execute(
                sa.insert(form_orders),
                [
                    {"form_id": form.form_id, "order_id": order_id, "place": place}
                    for place, order_id in enumerate(form.order_ids)
                ],
            )
            details = {
                "language": form.language,
                "recipient": form.recipient,
                "recipient_id": form.recipient_id,
                "signed_by": form.signed_by,
                "fee": f"{form.fee} {form.currency}",
            }
            self._note(connection, "form.signed", form, actor, details)
        return form

    def note_read(self, form: KeptForm, *, actor: str) -> None:
        """On record before it is written out."""
        with writing(self._engine) as connection:
            self._note(connection, "form.read", form, actor)

    def sweep(self, station: str, signed_before: datetime) -> int:
        """Drop the rows of forms whose time to be kept is over, audited. Returns how many."""
        query = sa.select(release_forms).where(
            release_forms.c.station == station, release_forms.c.signed_at < signed_before
        )
        with reading(self._engine) as connection:
            if connection.execute(query.limit(1)).one_or_none() is None:
                return 0  # as nearly always: no lock is taken
        with writing(self._engine) as connection:
            gone = _forms(connection, query)
            for form in gone:
                for table in (form_orders, release_forms):
                    connection.execute(sa.delete(table).where(table.c.form_id == form.form_id))
                self._note(connection, "form.purged", form, "housekeeping")
        return len(gone)

    def _note(
        self,
        connection: sa.Connection,
        event: str,
        form: KeptForm,
        actor: str,
        details: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A row for each order that it covers: the trail of each tells all that became of it."""
        for order_id in form.order_ids:
            self._chain.append(
                connection,
                event,
                actor=actor,
                subject=order_id,
                details={"form": form.form_id, "sha256": form.sha256, **details},
            )

    def files(self, station: str) -> list[tuple[OrderId, str]]:
        """What is in that station's state, by the journal."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(release_forms.c.order_id, release_forms.c.file_name).where(
                    release_forms.c.station == station
                )
            ).all()
        return [(OrderId(row.order_id), row.file_name) for row in rows]
