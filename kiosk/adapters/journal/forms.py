"""Which release forms were signed; the files are the station's."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import orders, release_forms
from kiosk.domain.model import OrderId, ReleaseState
from kiosk.domain.release_form import KeptForm
from kiosk.errors import InvalidValueError, OrderNotReleasedError, UnknownOrderError

_NAMES: Final = tuple(field.name for field in fields(KeptForm))  # as the columns are called


def _to_form(row: Any) -> KeptForm:
    values = {name: getattr(row, name) for name in _NAMES}
    return KeptForm(**values | {"order_id": OrderId(row.order_id)})


class JournalForms:
    """Keeps `kiosk.services.release_forms.FormRows`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine = engine
        self._chain = chain

    def of(self, order_id: OrderId) -> tuple[KeptForm, ...]:
        """Newest first."""
        newest = (release_forms.c.signed_at.desc(), release_forms.c.form_id)
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(release_forms)
                .where(release_forms.c.order_id == order_id)
                .order_by(*newest)
            ).all()
        return tuple(map(_to_form, rows))

    def add(self, form: KeptForm, *, actor: str) -> KeptForm:
        """The row and its audit row, in one transaction; the one that is there if it is the same.

        Raises:
            UnknownOrderError: No such order.
            OrderNotReleasedError: It is held or cancelled: nothing is signed for it.
            InvalidValueError: Another form has this id.
        """
        with writing(self._engine) as connection:
            state = connection.scalar(
                sa.select(orders.c.state)
                .where(orders.c.order_id == form.order_id)
                .with_for_update()
            )
            if state is None:
                raise UnknownOrderError(f"no order {form.order_id}")
            row = connection.execute(
                sa.select(release_forms).where(release_forms.c.form_id == form.form_id)
            ).one_or_none()
            if row is not None:
                known = _to_form(row)
                if (known.order_id, known.sha256) != (form.order_id, form.sha256):
                    raise InvalidValueError(f"form {form.form_id} is another one")
                return known
            if state in (ReleaseState.HELD.value, ReleaseState.CANCELLED.value):
                raise OrderNotReleasedError(f"order {form.order_id} is {state}")
            values = {name: getattr(form, name) for name in _NAMES}
            connection.execute(sa.insert(release_forms).values(values))
            self._chain.append(
                connection,
                "form.signed",
                actor=actor,
                subject=form.order_id,
                details={
                    "form": form.form_id,
                    "sha256": form.sha256,
                    "language": form.language,
                    "recipient": form.recipient,
                    "recipient_id": form.recipient_id,
                    "signed_by": form.signed_by,
                    "fee": f"{form.fee} {form.currency}",
                },
            )
        return form

    def note_read(self, form: KeptForm, *, actor: str) -> None:
        """On record before it is written out."""
        with writing(self._engine) as connection:
            self._chain.append(
                connection,
                "form.read",
                actor=actor,
                subject=form.order_id,
                details={"form": form.form_id, "sha256": form.sha256},
            )

    def sweep(self, station: str, signed_before: datetime) -> int:
        """Drop the rows of forms whose time to be kept is over, audited. Returns how many."""
        query = sa.select(release_forms).where(
            release_forms.c.station == station, release_forms.c.signed_at < signed_before
        )
        with reading(self._engine) as connection:
            if connection.execute(query.limit(1)).one_or_none() is None:
                return 0  # as nearly always: no lock is taken
        with writing(self._engine) as connection:
            gone = connection.execute(query).all()
            for row in gone:
                connection.execute(
                    sa.delete(release_forms).where(release_forms.c.form_id == row.form_id)
                )
                self._chain.append(
                    connection,
                    "form.purged",
                    actor="housekeeping",
                    subject=row.order_id,
                    details={"form": row.form_id, "sha256": row.sha256},
                )
        return len(gone)

    def files(self, station: str) -> list[tuple[OrderId, str]]:
        """What is in that station's state, by the journal."""
        with reading(self._engine) as connection:
            rows = connection.execute(
                sa.select(release_forms.c.order_id, release_forms.c.file_name).where(
                    release_forms.c.station == station
                )
            ).all()
        return [(OrderId(row.order_id), row.file_name) for row in rows]
