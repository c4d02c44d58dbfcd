"""The cover sheet: one page that goes with a medium and says how it is opened, and what if not.

It lies about: a first name and an initial, no birth date and no kind of exam, as on a receipt; and
never the password.
"""

from __future__ import annotations

from typing import Final

from kiosk.domain.label import MediumLabel
from kiosk.domain.paper import Block, Fact, Heading, Paper, Paragraph, Words
from kiosk.domain.receipt import person_of

_SYSTEMS: Final = (
    ("windows", "Windows"),
    ("macos", "macOS"),
    ("linux", "Linux"),
    ("chromeos", "ChromeOS"),
)
_MAX_DAYS: Final = 3


def compose(label: MediumLabel, words: Words) -> Paper:
    """The sheet of this medium; `words` in its reader's language."""
    say, kind = words.say, label.medium.form
    title = say(f"sheet.title_{kind}")
    blocks: list[Block] = [
        Paragraph(words.own(label.institution)),
        Heading(title, 1),
        Paragraph(say("sheet.lead")),
        Heading(say("sheet.facts")),
    ]
    if person := person_of(label.patient_name):
        blocks.append(Paragraph(say("receipt.person", person=person)))
    blocks.append(Fact(say("receipt.serial"), words.own(label.serial)))
    if label.count > 1:
        text = say(f"label.{kind}", number=label.number, count=label.count)
        blocks.append(Paragraph(text, is_strong=True))
    blocks.append(Fact(say("receipt.made"), words.day(label.made_on)))
    if days := _days(label, words):
        blocks.append(Fact(say("sheet.exams"), days))
    for name, shown in _SYSTEMS:
        blocks += [Heading(shown), Paragraph(say(f"sheet.{name}_{kind}"))]
    blocks += [Heading(say("sheet.tablet")), Paragraph(say(f"sheet.tablet_{kind}"))]
    if label.is_encrypted:
        blocks += [
            Heading(say("sheet.password")),
            Paragraph(say("sheet.password_text"), is_strong=True),
        ]
    doctor = "doctor_protected" if label.is_encrypted else "doctor_text"
    blocks += [
        Heading(say("sheet.doctor")),
        Paragraph(say(f"sheet.{doctor}")),
        Heading(say("sheet.trouble")),
        Paragraph(say("sheet.trouble_other")),
        Paragraph(say(f"sheet.trouble_{kind}")),
        Paragraph(say("receipt.call", phone=label.phone), is_strong=True),
        Paragraph(say("form.notice")),
    ]
    return Paper(words.language, words.is_rtl, title, tuple(blocks))


def _days(label: MediumLabel, words: Words) -> str:
    days = sorted({it.day for it in label.studies if it.day}, reverse=True)
    more = [words.say("label.more", count=len(days) - _MAX_DAYS)] if len(days) > _MAX_DAYS else []
    return "; ".join([*map(words.day, days[:_MAX_DAYS]), *more])
