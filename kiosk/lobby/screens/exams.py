"""Which exams will be copied."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from kiosk.domain.exam import Exam, Readiness, ReportState, reports_due
from kiosk.domain.model import OrderId
from kiosk.lobby.screens.base import Frame, LobbyScreen
from kiosk.lobby.screens.messages import ExamsChosen, StartOver
from kiosk.widgets.buttons import LowToggle, Toggle, TouchButton
from kiosk.widgets.mirror import Row
from kiosk.widgets.safe_text import safe_text
from kiosk.widgets.screen import Heard
from kiosk.widgets.shown import Shown
from kiosk.widgets.wording import exam_words
from kiosk.widgets.words import _, date_words, ngettext

_A_PAGE: Final = 2


def can_be_made(exam: Exam, today: date) -> bool:
    """Whether it may be chosen: nobody holds it, and its day has come.

    One whose study is not known yet may: the archive is asked for it when it is fetched.
    """
    has_come = exam.study_date <= today.strftime("%Y%m%d")
    return exam.order_id is not None and (exam.readiness is Readiness.READY or has_come)


def newest_of(exams: Sequence[Exam], today: date) -> tuple[OrderId, ...]:
    """What is chosen as long as the visitor says nothing else; the first of two of a day."""
    made = [it for it in exams if can_be_made(it, today)]
    newest = max(made, key=lambda it: it.study_date, default=None)
    return () if newest is None or newest.order_id is None else (newest.order_id,)


class ExamToggle(LowToggle, inherit_bindings=False):
    """An exam that is wanted or not."""

    def __init__(
        self,
        exam: Exam,
        state: str,
        *,
        id: str,  # noqa: A002  # Textual's own name
        is_on: bool,
        disabled: bool,
    ) -> None:
        self._state = state
        super().__init__(safe_text(exam_words(exam), 50), id=id, is_on=is_on, disabled=disabled)

    def toggle(self) -> None:
        super().toggle()
        if not self.disabled:
            self.note = f"{self.note} · {self._state}"
        else:
            self.note = self._state


class ExamsScreen(LobbyScreen):
    """Whole exams: nobody can tell beforehand which image a doctor needs.

    Args:
        exams: As they were released; of those that are the desk's only the number is shown.
        today: The day on the wall of the place.
        chosen: Orders that are wanted so far; None for the newest.
        report_days: After an exam its report is usually final; 0 if nobody knows.
    """

    kept = ("_chosen", "_page")

    def __init__(
        self,
        frame: Frame,
        exams: Sequence[Exam],
        today: date,
        chosen: Collection[OrderId] | None = None,
        report_days: int = 0,
    ) -> None:
        super().__init__(frame, _("What you will take home"))
        self._offered = [it for it in exams if it.order_id is not None]
        self._at_desk = len(exams) - len(self._offered)
        self._today, self._report_days = today, report_days
        self._chosen = set(newest_of(exams, today) if chosen is None else chosen)
        self._page = 0

    def compose_body(self) -> ComposeResult:
        with Vertical(id="middle", classes="several" if len(self._offered) > 1 else ""):
            if len(self._offered) == 1:
                exam = self._offered[0]
                yield Shown(safe_text(exam_words(exam), 58), classes="said strong")
                yield Shown(self._state(exam), classes="said")
            else:
                with Vertical(id="exams"):
                    start = self._page * _A_PAGE
                    for at, exam in enumerate(self._offered[start : start + _A_PAGE], start):
                        yield ExamToggle(
                            exam,
                            self._state(exam),
                            id=f"exam-{at}",
                            is_on=exam.order_id in self._chosen,
                            disabled=not can_be_made(exam, self._today),
                        )
            for text in self._sentences():
                yield Shown(text, classes="said")
            with Row(classes="buttons"):
                yield TouchButton(_("Stop"), id="stop")
                if len(self._offered) > _A_PAGE:
                    yield TouchButton(_("Other exams"), note=self._place(), id="more")
                if self._can_go:
                    yield TouchButton(_("Continue"), id="go", classes="primary")

    def pressed(self, button: TouchButton) -> None:
        if isinstance(button, Toggle):
            order_id = self._offered[int((button.id or "").removeprefix("exam-"))].order_id
            button.toggle()
            if order_id is not None:
                (self._chosen.add if button.is_on else self._chosen.discard)(order_id)
            self.notice("")
            self.post_message(Heard(button.heard()))
        elif button.id == "more":
            self._page = (self._page + 1) % self._pages
            self.run_worker(self._turn_page(), exclusive=True)
        elif button.id == "go" and not self._chosen:
            self.notice(_("Please choose at least one exam first."))
        else:
            super().pressed(button)

    def answers(self) -> dict[str, Message]:
        wanted = [it.order_id for it in self._offered if it.order_id in self._chosen]
        return {"go": ExamsChosen(tuple(it for it in wanted if it)), "stop": StartOver()}

    async def _turn_page(self) -> None:
        await self.recompose()
        if self.is_attached and (more := self.query("#more")):
            more.first().focus()
        self.post_message(Heard(self._place()))

    @property
    def _pages(self) -> int:
        return -(-len(self._offered) // _A_PAGE)

    @property
    def _can_go(self) -> bool:
        return any(can_be_made(it, self._today) for it in self._offered)

    def _place(self) -> str:
        return _("page {number} of {of}").format(number=self._page + 1, of=self._pages)

    def _sentences(self) -> list[str]:
        """Why the whole exam, and what else there is to know."""
        said = [_("All images are copied, so that any doctor can use them.")]
        if not self._can_go:
            said = [_("Please come back when it is ready, or ask at the desk.")]
        if any(it.report is ReportState.NOT_FINAL for it in self._offered):
            said.append(self._about_reports())
        elif self._can_go and any(it.report is ReportState.NOT_KNOWN for it in self._offered):
            said.append(
                _("A report that comes later is not on it. Then ask at the desk for a second copy.")
            )
        if self._at_desk:
            said.append(
                ngettext(
                    "For {number} more exam, please see the desk.",
                    "For {number} more exams, please see the desk.",
                    self._at_desk,
                )
            )
        return said

    def _about_reports(self) -> str:
        """When, as far as that is known, and that the copy of today is not the last."""
        due = reports_due(self._offered, self._report_days, self._today)
        if due is None:
            return _(
                "A report is not final yet; when, we do not know. Then ask at the desk for a second"
                " copy with it."
            )
        return _(
            "A report is not final yet; usually it is by {date}. Then you can have a second copy"
            " with it."
        ).format(date=date_words(due))

    def _state(self, exam: Exam) -> str:
        if exam.readiness is Readiness.READY:
            ready = _("ready")
        elif can_be_made(exam, self._today):
            ready = _("not here yet")
        else:
            ready = _("not ready yet")
        # Never "images only": a report in the study goes along whether we know of it or not.
        report = {
            ReportState.FINAL: _("with report"),
            ReportState.NOT_FINAL: _("report not final yet"),
            ReportState.NOT_KNOWN: _("all images"),
        }[exam.report]
        return f"{ready} · {report}"
