"""The receipt: what was made and how it is opened, as a value, and as a paper.

It is carried about and lost, so it names nobody: a first name and an initial, no birth date, no
kind of exam, no finding. Its code (QR) names the medium and its hash, for whoever checks it later.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from kiosk.domain.bill import Bill
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.model import Medium
from kiosk.domain.paper import LANGUAGES, Block, Code, Fact, Heading, Paper, Paragraph, Words, bill
from kiosk.errors import InvalidValueError

MAX_MEDIA: Final = 100
MAX_FIRST_NAME: Final = 24
CODE_VERSION: Final = "SHR1"


@dataclass(frozen=True, slots=True)
class ReceiptMedium:
    """One disc or stick that was handed over.

    Attributes:
        name: Volume identifier; nothing of the patient.
        digest: Hex SHA-256 of all that is on it, as it was read back.
        serial: Of the stick or disc, "" if it has none.
    """

    name: str
    digest: str
    serial: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", self.name):
            raise InvalidValueError("a medium's name is 1 to 32 letters, digits, _ and -")
        if not re.fullmatch(r"[0-9a-f]{64}", self.digest):
            raise InvalidValueError("a digest is 64 hex digits")
        if self.serial and not re.fullmatch(r"[!-~]{1,64}", self.serial):
            raise InvalidValueError("a serial number is printable ASCII")


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is handed over with the medium.

    Attributes:
        person: First name and initial, by `person_of`.
        exam_dates: Of the exams on the media, as far as they are known.
        kinds: What the media are, each once.
        holds: What one copy of all exams is made of; None if it is not known.
        phone: Whom to call.
        bills: What was agreed to for what was placed together, each once; nothing is said of a
            price if there is none. One bill may stand on several receipts.
    """

    language: str
    site_name: str
    phone: str
    person: str = field(repr=False)
    made_at: datetime
    exam_dates: tuple[date, ...]
    kinds: tuple[Medium, ...]
    media: tuple[ReceiptMedium, ...]
    holds: ObjectCounts | None
    is_protected: bool
    bills: tuple[Bill, ...]

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise InvalidValueError("a language that receipts do not have")
        if not 1 <= len(self.media) <= MAX_MEDIA:
            raise InvalidValueError(f"a receipt is for 1 to {MAX_MEDIA} media")
        if not 1 <= len(set(self.kinds)) == len(self.kinds):
            raise InvalidValueError("a receipt names each kind of medium once")
        if self.made_at.tzinfo is None:
            raise InvalidValueError("times are aware")

    @property
    def code_text(self) -> str:
        """What the code holds; see `code_of`."""
        return code_of(self.media)


def code_of(media: Sequence[ReceiptMedium]) -> str:
    """Number of media, name of the first, and the hash: such as "SHR1 1 V0000ABCD 9f86d0…".

    Of several media the hash is the SHA-256 over their hashes, as hex and in order, a line each.
    """
    if len(media) == 1:
        digest = media[0].digest
    else:
        lines = "".join(f"{one.digest}\n" for one in media)
        digest = hashlib.sha256(lines.encode()).hexdigest()
    return f"{CODE_VERSION} {len(media)} {media[0].name} {digest}"


def person_of(name: str) -> str:
    """First name and initial of a DICOM name (PS3.5 6.2.1.1): "GARCIA^MARIA" is "Maria G."; "" of
    nothing.

    A name of ideographs gives its ideographic family name alone: the rest would name the person.
    """
    groups = [group for group in name.split("=") if group.strip("^ ")]
    if not groups:
        return ""
    family, given = ([*_components(groups[0]), ""])[:2]
    if _is_ideographic(family + given) or (not given and _is_ideographic(family)):
        return f"{family[:1]}**"
    first = given.split(" ")[0].split("-")[0]
    shown = _titled(first)[:MAX_FIRST_NAME]
    initial = _first_letter(family)
    if not shown:  # one name only: no more than its first letter
        return f"{initial}." if initial else ""
    return f"{shown} {initial}." if initial else shown


def _components(group: str) -> list[str]:
    parts = [
        " ".join("".join(c if c.isprintable() else " " for c in part).split())
        for part in group.split("^")
    ]
    return [*parts, ""][:2]


def _is_ideographic(text: str) -> bool:
    return any(unicodedata.name(c, "").startswith(("CJK", "HANGUL")) for c in text)


def _titled(text: str) -> str:
    return text.title() if text.isupper() or text.islower() else text


def _first_letter(text: str) -> str:
    """With the accents that belong to it; "" if there is none."""
    letters = unicodedata.normalize("NFC", text)
    start = next((at for at, c in enumerate(letters) if c.isalpha()), len(letters))
    end = start + 1
    while end < len(letters) and unicodedata.category(letters[end]) in ("Mn", "Mc"):
        end += 1
    return letters[start:end].upper()


# --- the paper


def compose(receipt: Receipt, words: Words) -> Paper:
    """The slip; `words` in its language."""
    say = words.say
    blocks: list[Block] = [
        Heading(words.own(receipt.site_name), 1),
        Paragraph(say("receipt.title"), is_strong=True),
    ]
    if receipt.person:
        blocks.append(Paragraph(say("receipt.person", person=receipt.person)))
    blocks.append(Fact(say("receipt.made"), words.moment(receipt.made_at)))
    blocks += [Fact(say("receipt.exam"), words.day(day)) for day in receipt.exam_dates]
    blocks += [Fact(say("receipt.medium"), say(f"medium.{kind.value}")) for kind in receipt.kinds]
    for number, one in enumerate(receipt.media, 1):
        if len(receipt.media) > 1:
            place = say("receipt.place", number=number, count=len(receipt.media))
            blocks.append(Paragraph(place, is_strong=True))
        name = f"{one.name} ({one.serial})" if one.serial else one.name
        blocks.append(Fact(say("receipt.serial"), words.own(name)))
        blocks.append(Fact(say("receipt.digest"), words.own(shown_digest(one.digest))))
    if receipt.holds is not None:
        blocks += _contents(receipt.holds, words)
    blocks.append(Heading(say("receipt.open")))
    forms = dict.fromkeys(kind.form for kind in receipt.kinds)
    blocks += [Paragraph(say(f"receipt.open_{form}")) for form in forms]
    if receipt.is_protected:
        blocks.append(Paragraph(say("receipt.open_protected"), is_strong=True))
    blocks += [
        Paragraph(say("receipt.doctor")),
        Paragraph(say("form.notice")),
    ]
    for agreed in receipt.bills:
        blocks += _price(agreed, words)
    blocks += [
        Heading(say("receipt.help")),
        Paragraph(say("receipt.call", phone=receipt.phone), is_strong=True),
        Code(receipt.code_text),
        Paragraph(say("receipt.code")),
    ]
    return Paper(receipt.language, words.is_rtl, say("receipt.title"), tuple(blocks))


def _price(agreed: Bill, words: Words) -> list[Block]:
    """Of several exams the price is one: each of their receipts must say so, or it seems to be due
    as often as there are receipts.
    """
    say = words.say
    together = say("receipt.together", count=agreed.exams)
    return [
        Heading(say("receipt.cost")),
        *([Paragraph(together, is_strong=True)] if agreed.exams > 1 else []),
        *bill(agreed.fee, words),
        Fact(say("receipt.agreed"), words.moment(agreed.agreed_at)),
        Fact(say("receipt.bill"), words.own(agreed.shown_id)),
    ]


def _contents(holds: ObjectCounts, words: Words) -> list[Block]:
    say = words.say
    report = "receipt.report_yes" if holds.reports else "receipt.report_no"
    blocks: list[Block] = [
        Fact(say("receipt.images"), str(holds.images)),
        Fact(say("receipt.report"), str(holds.reports) if holds.reports > 1 else say(report)),
    ]
    if holds.others:
        blocks.append(Fact(say("receipt.others"), str(holds.others)))
    return blocks


def shown_digest(digest: str) -> str:
    """The first sixteen digits in groups of four, to be compared by eye; the code has all."""
    return " ".join(digest[at : at + 4] for at in range(0, 16, 4))
