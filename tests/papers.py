"""Forms and receipts of invented people, for tests and for looking at."""

from __future__ import annotations

import hashlib
import math
from datetime import UTC, date, datetime

from kiosk.domain.bill import Bill
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.fee import (
    ActualCost,
    Ceiling,
    FeePolicy,
    FeeRequest,
    RequestKind,
    quote,
)
from kiosk.domain.model import Medium, OrderId
from kiosk.domain.receipt import Receipt, ReceiptMedium, person_of
from kiosk.domain.recipient import Recipient, RecipientKind, for_me, typed
from kiosk.domain.release_form import (
    DrawnSignature,
    ReleasedExam,
    ReleaseForm,
    ReleaseRequest,
    drawn_signature,
    sign,
    typed_signature,
)
from kiosk.domain.waiver import WaiverReason

AT = datetime(2026, 3, 3, 14, 5, tzinfo=UTC)
NAMES = {
    "en": "Dorothy Whitfield",
    "es": "María Ángeles Núñez",
    "fr": "Hélène Lefèvre-Œuvrard",
    "de": "Jürgen Weißmüller",
    "ar": "محمد عبد الله الأنصاري",
    "zh": "李小明",
}
POLICY = FeePolicy(
    third_party=ActualCost(2000, {Medium.DISC: 45}, postage=310),
    ceilings={RequestKind.THIRD_PARTY: Ceiling("TX", 500)},
)


def scrawl() -> DrawnSignature:
    """A made-up hand."""
    wave = [(10 + t * 2.6, 40 + 25 * math.sin(t / 4) * math.exp(-t / 90)) for t in range(100)]
    return drawn_signature([wave, [(60, 70), (260, 62)]], 300, 100)


def somebody() -> Recipient:
    address = "Praxis am Fluss\n12 River Road\nExampletown, TX 70000"
    return typed(RecipientKind.NAMED, "Dr. Ann Lee", address).confirmed()


def a_request(
    language: str = "en",
    *,
    recipient: Recipient | None = None,
    is_protected: bool = False,
    waiver: WaiverReason | None = None,
    name: str = "",
    order_id: str = "order-0001",
) -> ReleaseRequest:
    recipient = recipient or for_me()
    fee = quote(
        POLICY,
        FeeRequest(recipient.request_kind, Medium.DISC, 2, 15, is_posted=True, waiver=waiver),
    )
    return ReleaseRequest(
        language=language,
        site_name="Riverside Imaging",
        site_address="Riverside Imaging, 1 Example Street, Exampletown",
        patient_name=name or NAMES[language],
        birth_date=date(1944, 11, 30),
        exams=(
            ReleasedExam(OrderId(order_id), "CT", date(2026, 3, 3), "with"),
            ReleasedExam(OrderId("order-0002"), "DX", date(2025, 12, 24), "later"),
        ),
        recipient=recipient,
        medium=Medium.DISC,
        copies=2,
        is_protected=is_protected,
        fee=fee,
        received_at=AT,
    )


def a_form(
    language: str = "en", *, is_drawn: bool = True, order_id: str = "order-0001"
) -> ReleaseForm:
    request = a_request(language, recipient=somebody(), order_id=order_id)
    signature = scrawl() if is_drawn else typed_signature(request.patient_name)
    return sign(request, signature, AT)


LATIN = {
    "en": "WHITFIELD^DOROTHY",
    "es": "NÚÑEZ^MARÍA ÁNGELES",
    "fr": "LEFÈVRE^HÉLÈNE",
    "de": "WEISSMÜLLER^JÜRGEN",
    "ar": "الأنصاري^محمد",
    "zh": "李^小明",
}


def a_receipt(
    language: str = "en", *, media: int = 1, is_protected: bool = False, exams: int = 1
) -> Receipt:
    request = FeeRequest(RequestKind.THIRD_PARTY, Medium.DISC, media, 15, is_posted=True)
    return Receipt(
        language=language,
        site_name="Riverside Imaging",
        phone="555-0100",
        person=person_of(LATIN[language]),
        made_at=AT,
        exam_dates=(date(2026, 3, 3),),
        kinds=(Medium.DISC,),
        media=tuple(
            ReceiptMedium(f"V0000AB{number:02}", hashlib.sha256(bytes([number])).hexdigest())
            for number in range(media)
        ),
        holds=ObjectCounts(412, 1, 2),
        is_protected=is_protected,
        bills=(Bill("0123456789abcdef", quote(POLICY, request), AT, exams),),
    )
