"""`bootstrap` of what is on paper: release forms, receipts, and to whom copies go."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.adapters.journal import Journal
from kiosk.config import Config
from kiosk.domain.paper import LANGUAGES, Paper
from kiosk.domain.recipient import MAX_DIRECTORY_BYTES, Doctor, parse_directory
from kiosk.errors import ConfigError

if TYPE_CHECKING:  # slow to import: only where they are used
    from kiosk.ports import Jobs, ReceiptPrinter
    from kiosk.services.paper_texts import PaperWords
    from kiosk.services.receipts import Receipts
    from kiosk.services.release_forms import ReleaseForms


def paper_words(config: Config, language: str) -> PaperWords:
    """Texts of forms and receipts in that language. Raises ConfigError."""
    from kiosk.services.paper_texts import load_words

    return load_words(language, own=Path(config.forms.texts) if config.forms.texts else None)


def release_forms(config: Config, journal: Journal) -> ReleaseForms:
    """Release forms that patients signed, in this station's state."""
    from kiosk.adapters.order_files import OrderFiles
    from kiosk.services.release_forms import ReleaseForms

    def lay_out(paper: Paper, made_at: datetime) -> tuple[bytes, int]:
        from kiosk.adapters.paper_pdf import render

        site = config.site
        return render(paper, size=site.paper, made_at=made_at, author=site.institution)

    return ReleaseForms(
        journal.forms,
        OrderFiles(config.store.state_dir / "forms"),
        lay_out,
        lambda language: paper_words(config, language),
        journal.clock,
        config.engine.station,
        config.forms.keep_years,
    )


def doctors(config: Config) -> tuple[Doctor, ...]:
    """The site's directory, in its order; none if there is none. Raises ConfigError."""
    if not config.forms.directory:
        return ()
    try:
        with Path(config.forms.directory).open("rb") as file:
            return parse_directory(file.read(MAX_DIRECTORY_BYTES + 1))
    except OSError as error:
        raise ConfigError(f"forms.directory: {error.strerror}") from error
    except ConfigError as error:
        raise ConfigError(f"forms.directory: {error}") from None


def check(config: Config) -> None:
    """Read all files that the configuration names. Raises ConfigError."""
    doctors(config)
    for language in LANGUAGES:
        paper_words(config, language)


def receipt_printer(config: Config) -> ReceiptPrinter:
    """The printer that is set up; asked and opened only when something is printed."""
    from kiosk.adapters.receipt.link import DeviceLink, Link, TcpLink
    from kiosk.adapters.receipt.printer import CupsPrinter, EscPosPrinter, NoPrinter

    wanted = config.receipt
    link: Link
    match wanted.printer:
        case "device":
            link = DeviceLink(Path(wanted.device), wanted.timeout_s)
        case "network":
            link = TcpLink(wanted.host, wanted.port, wanted.timeout_s)
        case "cups":
            return CupsPrinter(wanted.queue, lambda paper: _page(config, paper), wanted.timeout_s)
        case _:
            return NoPrinter()
    return EscPosPrinter(link, wanted.columns, wanted.dots, wanted.code_page, wanted.has_status)


def _page(config: Config, paper: Paper) -> bytes:
    from kiosk.adapters.clock import SystemClock
    from kiosk.adapters.paper_pdf import render

    site = config.site
    now = SystemClock().now()
    return render(paper, size=site.paper, made_at=now, author=site.institution)[0]


def receipts(config: Config, journal: Journal, jobs: Jobs) -> Receipts:
    """Receipts of what is handed out here."""
    from kiosk.services.receipts import Receipts

    return Receipts(
        printer=receipt_printer(config),
        words=lambda language: paper_words(config, language),
        jobs=jobs,
        orders=journal.orders,
        media=journal.ledger,
        audit=journal.audit,
        clock=journal.clock,
        site_name=config.site.institution,
        phone=config.site.phone,
    )
