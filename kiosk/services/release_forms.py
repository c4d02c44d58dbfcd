"""Release forms: laid out, kept with their hash, found again, purged when their time is over.

The file is durable before the journal speaks of it, and goes after the journal has stopped to: what
a cut between both leaves is found by the next sweep. The same form signed twice is kept once.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from kiosk.domain.model import OrderId
from kiosk.domain.paper import Block, Paper, Words
from kiosk.domain.release_form import (
    FORM_ID,
    KeptForm,
    ReleaseForm,
    ReleaseRequest,
    compose,
    preview,
)
from kiosk.errors import (
    FormLostError,
    InvalidValueError,
    OrderNotReleasedError,
    UnknownFormError,
    UnknownOrderError,
)
from kiosk.ports import Clock

log = logging.getLogger(__name__)


class FormFiles(Protocol):
    """Where the files are."""

    def changing(self) -> AbstractContextManager[None]: ...
    def workshop(self) -> AbstractContextManager[Path]: ...
    def keep(self, order_id: OrderId, source: Path, name: str = "") -> str: ...
    def path(self, order_id: OrderId, name: str) -> Path: ...
    def digest(self, order_id: OrderId, name: str) -> str: ...
    def keep_only(self, wanted: Collection[tuple[OrderId, str]]) -> int: ...


class FormRows(Protocol):
    """What is kept, by each order that it covers."""

    def of(self, order_id: OrderId) -> tuple[KeptForm, ...]: ...
    def add(self, form: KeptForm, *, actor: str) -> KeptForm: ...
    def note_read(self, form: KeptForm, *, actor: str) -> None: ...
    def sweep(self, station: str, signed_before: datetime) -> int: ...
    def files(self, station: str) -> list[tuple[OrderId, str]]: ...


class LayOut(Protocol):
    """A paper as a PDF, and its number of pages; the same paper gives the same bytes."""

    def __call__(self, paper: Paper, made_at: datetime) -> tuple[bytes, int]: ...


class ReleaseForms:
    """The forms of one station.

    Args:
        words: The texts of a language; raises ConfigError.
        keep_years: So long a form is kept after it was signed.
    """

    def __init__(
        self,
        rows: FormRows,
        files: FormFiles,
        lay_out: LayOut,
        words: Callable[[str], Words],
        clock: Clock,
        station: str,
        keep_years: int = 6,
    ) -> None:
        self._rows, self._files, self._lay_out = rows, files, lay_out
        self._words, self._clock = words, clock
        self._station, self._keep_years = station, keep_years

    def preview(self, request: ReleaseRequest) -> tuple[Block, ...]:
        """What the patient reads before signing, in the request's language."""
        return preview(request, self._words(request.language))

    def keep(self, form: ReleaseForm, *, actor: str) -> KeptForm:
        """Lay it out and keep it; the same form again changes nothing. Takes a second or more.

        Raises:
            UnknownOrderError, OrderNotReleasedError: Nothing can be signed for one that it covers.
            InvalidValueError: Another form of this order was signed at the very same time.
            FormLostError: The station's state cannot be written: nothing may be given out.
            JournalError: Nothing was kept.
            ConfigError: Texts or fonts are missing.
        """
        request = form.request
        if known := self._known(form):
            return known
        data, pages = self._lay_out(compose(form, self._words(request.language)), form.signed_at)
        kept = _facts(form, data, pages, self._station)
        try:
            with self._files.changing(), self._files.workshop() as folder:
                if known := self._known(form):  # somebody was first
                    return known
                source = folder / "form"
                source.touch(mode=0o600)
                source.write_bytes(data)
                self._files.keep(request.order_id, source, kept.file_name)
                try:
                    return self._rows.add(kept, actor=actor)
                except (UnknownOrderError, OrderNotReleasedError):
                    self._files.keep_only(self._rows.files(self._station))
                    raise
        except OSError as error:
            raise FormLostError(f"a form cannot be kept: {error.strerror}") from error

    def of(self, order_id: OrderId) -> tuple[KeptForm, ...]:
        """Those that cover an order, newest first."""
        return self._rows.of(order_id)

    def read(self, order_id: OrderId, form_id: str, *, actor: str) -> tuple[KeptForm, bytes]:
        """A form for staff; audited before it is returned.

        Raises:
            UnknownFormError: No such form covers the order.
            FormLostError: It is gone, damaged, or in another station's state.
        """
        if not FORM_ID.fullmatch(form_id):
            raise UnknownFormError("a form's id is 16 hex digits")
        for known in self._rows.of(order_id):
            if known.form_id == form_id:
                break
        else:
            raise UnknownFormError(f"order {order_id} has no form {form_id}")
        try:
            data = self._files.path(known.order_id, known.file_name).read_bytes()
        except OSError as error:
            raise FormLostError(
                f"form {form_id} is not at {self._station}; it was kept at {known.station}"
            ) from error
        if hashlib.sha256(data).hexdigest() != known.sha256:
            raise FormLostError(f"form {form_id} is damaged: its hash differs")
        self._rows.note_read(known, actor=actor)
        return known, data

    def sweep(self) -> None:
        """Purge what was kept long enough, and files that a cut left behind.

        Raises:
            JournalError, OSError: Not all of it went.
        """
        now = self._clock.now()
        try:
            before = now.replace(year=now.year - self._keep_years)
        except ValueError:  # 29 February
            before = now.replace(year=now.year - self._keep_years, day=28)
        with self._files.changing():
            if gone := self._rows.sweep(self._station, before):
                log.info("%d release forms were purged", gone)
            self._files.keep_only(self._rows.files(self._station))

    def _known(self, form: ReleaseForm) -> KeptForm | None:
        """The same form, kept before and whole. Raises InvalidValueError if it is another one."""
        for known in self._rows.of(form.request.order_id):
            if known.form_id != form.form_id:
                continue
            ours = _facts(form, b"", 0, known.station)
            if ours != replace(known, sha256=ours.sha256, size_bytes=0, pages=0):
                raise InvalidValueError(f"form {form.form_id} is another one")
            if self._files.digest(known.order_id, known.file_name) == known.sha256:
                return known
        return None


def _facts(form: ReleaseForm, data: bytes, pages: int, station: str) -> KeptForm:
    request, total = form.request, form.request.fee.total
    return KeptForm(
        form_id=form.form_id,
        order_id=request.order_id,
        file_name=form.form_id,
        station=station,
        sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
        pages=pages,
        language=request.language,
        recipient=request.recipient.kind.value,
        recipient_id=request.recipient.entry_id,
        signed_by=form.signature.kind,
        fee=total.amount,
        currency=total.currency,
        signed_at=form.signed_at,
        order_ids=request.order_ids,
    )
