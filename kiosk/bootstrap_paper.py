"""`bootstrap` of what is on paper: release forms, receipts, labels, and to whom copies go."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.adapters.journal import Journal
from kiosk.config import Config, DriveConfig
from kiosk.config_label import DiscLabelConfig, SheetConfig, TagConfig
from kiosk.domain.model import OrderId
from kiosk.domain.paper import LANGUAGES, Paper, Words
from kiosk.domain.recipient import MAX_DIRECTORY_BYTES, Doctor, parse_directory
from kiosk.errors import ConfigError, KioskError

if TYPE_CHECKING:  # slow to import: only where they are used
    from kiosk.adapters.robots import FindLabel
    from kiosk.adapters.simulated_printer import SimulatedPrinter
    from kiosk.domain.label import MediumLabel
    from kiosk.ports import Jobs, PagePrinter, ReceiptPrinter
    from kiosk.services.label_maker import LabelMaker, LabelPaper, PictureForm
    from kiosk.services.label_prints import LabelPrints
    from kiosk.services.labels import Labels
    from kiosk.services.paper_texts import PaperWords
    from kiosk.services.receipts import Receipts
    from kiosk.services.release_forms import ReleaseForms

log = logging.getLogger(__name__)


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
        case "simulated":
            from kiosk.adapters.receipt.simulated import SimulatedLink

            machine = simulated_printer(config, wanted.folder)
            link = SimulatedLink(machine, wanted.dots, wanted.columns, wanted.timeout_s)
        case "cups":
            return CupsPrinter(wanted.queue, lambda paper: _page(config, paper), wanted.timeout_s)
        case _:
            return NoPrinter()
    return EscPosPrinter(link, wanted.columns, wanted.dots, wanted.code_page, wanted.has_status)


def simulated_printer(config: Config, folder: str) -> SimulatedPrinter:
    """The printer made of that folder, "" for the one in the station's state."""
    from kiosk.adapters.simulated_printer import SimulatedPrinter

    return SimulatedPrinter(Path(folder) if folder else config.store.state_dir / "printed")


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


# --- labels


def label_maker(config: Config) -> LabelMaker:
    """What this station's labels look like; draws nothing yet."""
    from kiosk.domain.label import Second
    from kiosk.services.label_maker import LabelMaker, Site

    site = Site(
        institution=config.site.institution,
        phone=config.site.phone,
        language=config.label.language or config.kiosk.languages[0],
        second=Second(config.label.second),
        keep_days=config.label.keep_days,
    )
    return LabelMaker(
        site,
        draw=lambda paper, label, words: draw_label(config, paper, label, words),
        picture=_picture,
        words=lambda language: paper_words(config, language),
    )


def labels(config: Config, journal: Journal) -> Labels:
    """Labels of this station's media; draws and prints nothing yet."""
    from kiosk.adapters.label_files import LabelFiles
    from kiosk.services.labels import Labels

    def language_of(job_id: OrderId) -> str:
        """The owner signed in it, if he signed anything."""
        forms = journal.forms.of(journal.jobs.get(job_id).order_id)
        return forms[0].language if forms else ""

    return Labels(
        maker=label_maker(config),
        language_of=language_of,
        kept=LabelFiles(config.store.state_dir / "labels"),
        orders=journal.orders,
        jobs=journal.jobs,
        media=journal.ledger,
        folder_of=lambda job_id: config.store.spool_dir / job_id,
        clock=journal.clock,
    )


def label_prints(config: Config, journal: Journal) -> LabelPrints:
    """Printing them where the site has set up printers."""
    from kiosk.services.label_prints import LabelPrints

    return LabelPrints(
        labels(config, journal),
        label_printers(config),
        journal.calls,
        journal.audit,
        config.engine.station,
        config.label.wait_s,
    )


def label_printers(config: Config) -> dict[LabelPaper, PagePrinter]:
    """Of the papers that are printed here, by paper; asked only when they are used."""
    from kiosk.adapters.cups import CupsQueue
    from kiosk.adapters.simulated_printer import SimulatedPageQueue
    from kiosk.services.label_maker import LabelPaper

    wanted = config.label
    sections: dict[LabelPaper, DiscLabelConfig | TagConfig | SheetConfig] = {
        LabelPaper.DISC: wanted.disc,
        LabelPaper.TAG: wanted.tag,
        LabelPaper.SHEET: wanted.sheet,
    }
    printers: dict[LabelPaper, PagePrinter] = {}
    for paper, it in sections.items():
        match it.printer:
            case "cups":
                printers[paper] = CupsQueue(it.queue, it.options, wanted.server, wanted.timeout_s)
            case "simulated":
                printers[paper] = SimulatedPageQueue(simulated_printer(config, it.folder))
    return printers


def robot_labels(config: Config, journal: Journal, drive: DriveConfig) -> FindLabel | None:
    """Makes the label of an image that a robot is to print, beside the image.

    A label that cannot be made keeps no disc from being made: it is in the log, staff are called.

    Returns:
        None where the robot prints none of ours.
    """
    if config.label.disc.printer != "robot" or not drive.is_robot:
        return None
    from kiosk.services.label_facts import read_serial
    from kiosk.services.label_maker import LabelPaper, PictureForm

    is_primera = drive.kind.endswith("primera")  # it takes no PNG, Epson takes both
    form, suffix = (PictureForm.JPEG, ".jpg") if is_primera else (PictureForm.PNG, ".png")
    made = labels(config, journal)

    def find(image: Path) -> Path | None:
        job, path = image.parent.name, image.with_suffix(suffix)
        try:
            job_id = OrderId(job)
            data = made.file_of(job_id, read_serial(image), form, paper=LabelPaper.DISC)
            part = path.with_suffix(".part")
            part.write_bytes(data)
            part.replace(path)
        except KioskError as error:
            log.warning("label of job %s: %s", job, error.code)
            journal.calls.call(config.engine.station, f"label {job}")
            return None
        return path

    return find


def draw_label(config: Config, paper: LabelPaper, label: MediumLabel, words: Words) -> bytes:
    """A label, tag or sheet as PDF. Raises ConfigError."""
    from kiosk.adapters import label_pdf
    from kiosk.adapters.paper_pdf import render_on_one_page
    from kiosk.domain import cover_sheet
    from kiosk.domain.label import Second, compose
    from kiosk.domain.label_layout import Ring, Tag
    from kiosk.services.label_maker import LabelPaper

    made_at = datetime.combine(label.made_on, time(12), UTC)  # the same again
    wanted, site = config.label, config.site
    if paper is LabelPaper.SHEET:
        sheet = cover_sheet.compose(label, words)
        return render_on_one_page(sheet, size=site.paper, made_at=made_at, author=site.institution)
    text = compose(label, words, Second(wanted.second))
    if paper is LabelPaper.TAG:
        tag = Tag(wanted.tag.width_mm, wanted.tag.height_mm)
        return label_pdf.render_tag(text, made_at=made_at, tag=tag)
    disc = wanted.disc
    return label_pdf.render_disc(
        text,
        made_at=made_at,
        ring=Ring(disc.inner_mm, disc.outer_mm),
        sheet=label_pdf.Sheet(disc.width_mm, disc.height_mm, disc.shift_x_mm, disc.shift_y_mm),
    )


def _picture(pdf: bytes, form: PictureForm, dpi: int) -> bytes:
    from kiosk.adapters.raster import Picture, draw_page

    return draw_page(pdf, dpi=dpi, form=Picture(form.value))
