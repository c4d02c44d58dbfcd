"""Orders: what the kiosk may hand out. It searches nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from kiosk.adapters.journal.audit import AuditChain
from kiosk.adapters.journal.engine import reading, writing
from kiosk.adapters.journal.tables import orders, reports
from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.identity import match
from kiosk.domain.model import (
    AccessionNumber,
    Order,
    OrderId,
    PatientIdentity,
    ReleaseState,
    Uid,
)
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import InvalidValueError, UnknownOrderError

_OPEN = (ReleaseState.RELEASED.value, ReleaseState.HELD.value)
_CANDIDATES = 1000  # released orders compared with one person; a site has tens


def _orders() -> sa.Select[Any]:
    """Orders, each with whether a report was handed in for it, and whether a final one."""
    has_report = sa.exists().where(reports.c.order_id == orders.c.order_id)
    has_final = has_report.where(reports.c.is_preliminary.is_(sa.false()))
    return sa.select(orders, has_report.label("has_report"), has_final.label("has_final"))


def _to_order(row: Any) -> Order:
    return Order(
        order_id=OrderId(row.order_id),
        patient=PatientIdentity(row.patient_id, row.issuer, row.name, row.birth_date),
        accession_number=AccessionNumber(row.accession_number),
        study_instance_uid=row.study_instance_uid,
        modality=row.modality,
        study_date=row.study_date,
        state=ReleaseState(row.state),
        with_report=row.with_report or row.has_report,
        created_at=row.created_at,
        is_report_preliminary=row.has_report and not (row.has_final or row.with_report),
        facts=SecondFacts(row.visit_number, row.phone_digits, row.postcode),
        send_home=row.send_home,
        desk_only=DeskReason(row.desk_only) if row.desk_only else None,
        waiver=WaiverReason(row.waiver) if row.waiver else None,
    )


def change_state(
    connection: sa.Connection,
    chain: AuditChain,
    order_id: OrderId,
    state: ReleaseState,
    *,
    actor: str,
) -> None:
    """In somebody's transaction; no audit row if the state was the same already.

    Raises:
        UnknownOrderError: No such order.
    """
    before = connection.scalar(
        sa.select(orders.c.state).where(orders.c.order_id == order_id).with_for_update()
    )
    if before is None:
        raise UnknownOrderError(f"no order {order_id}")
    if before == state.value:
        return
    connection.execute(
        sa.update(orders).where(orders.c.order_id == order_id).values(state=state.value)
    )
    chain.append(
        connection,
        "order.state",
        actor=actor,
        subject=order_id,
        details={"from": before, "to": state.value},
    )


class JournalOrders:
    """Keeps `kiosk.ports.Orders`."""

    def __init__(self, engine: sa.Engine, chain: AuditChain) -> None:
        self._engine = engine
        self._chain = chain

    def add(self, order: Order, *, actor: str) -> None:
        """Row and audit row in one transaction; the same order twice is one order.

        Raises:
            InvalidValueError: There is another order with this id.
        """
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(orders).where(orders.c.order_id == order.order_id)
            ).one_or_none()
            if row is not None:
                if (row.accession_number, row.patient_id) != (
                    order.accession_number,
                    order.patient.patient_id,
                ):
                    raise InvalidValueError(f"order {order.order_id} exists and is another one")
                return
            connection.execute(
                sa.insert(orders).values(
                    order_id=order.order_id,
                    patient_id=order.patient.patient_id,
                    issuer=order.patient.issuer,
                    name=order.patient.name,
                    birth_date=order.patient.birth_date,
                    accession_number=order.accession_number,
                    study_instance_uid=order.study_instance_uid,
                    modality=order.modality,
                    study_date=order.study_date,
                    state=order.state.value,
                    with_report=order.with_report,
                    created_at=order.created_at,
                    visit_number=order.facts.visit_number,
                    phone_digits=order.facts.phone_digits,
                    postcode=order.facts.postcode,
                    send_home=order.send_home,
                    desk_only=order.desk_only.value if order.desk_only else "",
                    waiver=order.waiver.value if order.waiver else "",
                )
            )
            self._chain.append(
                connection,
                "order.created",
                actor=actor,
                subject=order.order_id,
                details={"accession": order.accession_number, "state": order.state.value},
            )

    def get(self, order_id: OrderId) -> Order:
        """Raises UnknownOrderError."""
        with reading(self._engine) as connection:
            row = connection.execute(_orders().where(orders.c.order_id == order_id)).one_or_none()
        if row is None:
            raise UnknownOrderError(f"no order {order_id}")
        return _to_order(row)

    def released_for(self, patient: PatientIdentity) -> list[Order]:
        """Released orders of the same person by `domain.identity`, newest first."""
        query = _orders().where(orders.c.state == ReleaseState.RELEASED.value)
        if patient.birth_date:
            query = query.where(orders.c.birth_date.in_([patient.birth_date, ""]))
        query = query.order_by(orders.c.created_at.desc(), orders.c.order_id).limit(_CANDIDATES)
        with reading(self._engine) as connection:
            found = [_to_order(row) for row in connection.execute(query)]
        return [order for order in found if match(patient, order.patient).accepted]

    def set_state(self, order_id: OrderId, state: ReleaseState, *, actor: str) -> None:
        """Raises UnknownOrderError."""
        with writing(self._engine) as connection:
            change_state(connection, self._chain, order_id, state, actor=actor)

    def set_study(self, order_id: OrderId, study_instance_uid: str) -> None:
        """Only if none is known yet.

        Raises:
            InvalidValueError: Not a UID.
        """
        with writing(self._engine) as connection:
            connection.execute(
                sa.update(orders)
                .where(orders.c.order_id == order_id, orders.c.study_instance_uid == "")
                .values(study_instance_uid=Uid(study_instance_uid))
            )

    def set_marks(
        self,
        order_id: OrderId,
        *,
        desk_only: DeskReason | None,
        send_home: bool,
        actor: str,
    ) -> None:
        """What the kiosk may do with it; with an audit row, unless all was so already.

        Raises:
            UnknownOrderError: No such order.
        """
        marks = {"desk_only": desk_only.value if desk_only else "", "send_home": send_home}
        with writing(self._engine) as connection:
            row = connection.execute(
                sa.select(orders.c.desk_only, orders.c.send_home)
                .where(orders.c.order_id == order_id)
                .with_for_update()
            ).one_or_none()
            if row is None:
                raise UnknownOrderError(f"no order {order_id}")
            if row._asdict() == marks:
                return
            connection.execute(
                sa.update(orders).where(orders.c.order_id == order_id).values(**marks)
            )
            self._chain.append(
                connection,
                "order.marked",
                actor=actor,
                subject=order_id,
                details={
                    "desk_only": str(marks["desk_only"]),
                    "send_home": "yes" if send_home else "no",
                },
            )

    def set_waiver(self, order_id: OrderId, waiver: WaiverReason | None, *, actor: str) -> None:
        """Until its next copy is placed at the kiosk; with an audit row, unless it was so already.

        Raises:
            UnknownOrderError: No such order.
        """
        code = waiver.value if waiver else ""
        with writing(self._engine) as connection:
            before = connection.scalar(
                sa.select(orders.c.waiver).where(orders.c.order_id == order_id).with_for_update()
            )
            if before is None:
                raise UnknownOrderError(f"no order {order_id}")
            if before == code:
                return
            connection.execute(
                sa.update(orders).where(orders.c.order_id == order_id).values(waiver=code)
            )
            self._chain.append(
                connection, "order.waived", actor=actor, subject=order_id, details={"reason": code}
            )

    def open_since(self, since: datetime) -> list[Order]:
        query = _orders().where(orders.c.state.in_(_OPEN), orders.c.created_at >= since)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(orders.c.created_at.desc(), orders.c.order_id))
            return [_to_order(row) for row in rows]

    def newest(self, *, limit: int = 100) -> list[Order]:
        with reading(self._engine) as connection:
            rows = connection.execute(
                _orders().order_by(orders.c.created_at.desc(), orders.c.order_id).limit(limit)
            )
            return [_to_order(row) for row in rows]
