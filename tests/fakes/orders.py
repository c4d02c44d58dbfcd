"""The table of orders, in memory; and orders of made-up people."""

from __future__ import annotations

import dataclasses
from datetime import datetime

from kiosk.domain.facts import DeskReason, SecondFacts
from kiosk.domain.identity import match
from kiosk.domain.model import (
    AccessionNumber,
    Order,
    OrderId,
    PatientIdentity,
    ReleaseState,
)
from kiosk.domain.waiver import WaiverReason
from kiosk.errors import UnknownOrderError
from tests.fakes.clock import START


class FakeOrders:
    """Keeps the `Orders` port."""

    def __init__(self, *orders: Order) -> None:
        self.rows: dict[OrderId, Order] = {order.order_id: order for order in orders}

    def add(self, order: Order, *, actor: str) -> None:
        self.rows[order.order_id] = order

    def get(self, order_id: OrderId) -> Order:
        try:
            return self.rows[order_id]
        except KeyError:
            raise UnknownOrderError(order_id) from None

    def released_for(self, patient: PatientIdentity) -> list[Order]:
        return [
            order
            for order in self.newest()
            if order.state is ReleaseState.RELEASED and match(patient, order.patient).accepted
        ]

    def set_state(self, order_id: OrderId, state: ReleaseState, *, actor: str) -> None:
        self.rows[order_id] = dataclasses.replace(self.get(order_id), state=state)

    def open_since(self, since: datetime) -> list[Order]:
        states = (ReleaseState.RELEASED, ReleaseState.HELD)
        return [
            it
            for it in self.newest(limit=len(self.rows))
            if it.state in states and it.created_at >= since
        ]

    def newest(self, *, limit: int = 100) -> list[Order]:
        return sorted(self.rows.values(), key=lambda it: it.created_at, reverse=True)[:limit]


def an_order(
    number: int = 1,
    *,
    patient_id: str = "",
    name: str = "GARCIA^MARIA",
    birth_date: str = "19610303",
    modality: str = "CT",
    study_date: str = "20260303",
    state: ReleaseState = ReleaseState.RELEASED,
    with_report: bool = False,
    created_at: datetime = START,
    is_report_preliminary: bool = False,
    facts: SecondFacts | None = None,
    send_home: bool = False,
    desk_only: DeskReason | None = None,
    waiver: WaiverReason | None = None,
) -> Order:
    return Order(
        order_id=OrderId(f"order-{number:04}"),
        patient=PatientIdentity(patient_id or f"P{number:05}", "HOSP", name, birth_date),
        accession_number=AccessionNumber(f"A{number:05}"),
        study_instance_uid=f"1.2.3.{number}",
        modality=modality,
        study_date=study_date,
        state=state,
        with_report=with_report,
        created_at=created_at,
        is_report_preliminary=is_report_preliminary,
        facts=facts or SecondFacts(),
        send_home=send_home,
        desk_only=desk_only,
        waiver=waiver,
    )
