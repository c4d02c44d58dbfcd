"""Labels of a job's media: out of the image's own DICOMDIR, printed when a medium leaves, and never
in the way of it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from PIL import Image as Picture
from pydicom.filereader import dcmread

from dicomdir.encrypt.passwords import generate
from dicomdir.iso_reader import open_image
from kiosk import bootstrap_paper
from kiosk.adapters.label_files import LabelFiles
from kiosk.config_file import parse
from kiosk.domain.identity import parse_birth_date
from kiosk.domain.label import MediumLabel
from kiosk.domain.model import (
    AccessionNumber,
    ExecutionStatus,
    MediaChoice,
    Medium,
    Order,
    OrderId,
    PatientIdentity,
    Priority,
)
from kiosk.domain.paper import Words
from kiosk.errors import (
    JournalError,
    LabelLostError,
    LabelMismatchError,
    LabelPaperOutError,
    LabelPrinterError,
    LabelPrinterMissingError,
    LabelPrinterStoppedError,
)
from kiosk.ports import LedgerEntry, LedgerPhase, Printed, PrinterState, PrinterStatus
from kiosk.services.compose import ComposedImage, ComposeRequest, ComposerPool, compose
from kiosk.services.label_maker import LabelPaper, PictureForm
from kiosk.services.label_prints import LabelPrints
from kiosk.services.paper_texts import load_words
from kiosk.services.parts import Image, IsCancelled, OnCount
from kiosk.services.receipts import Receipts
from tests.factories import Patient, make_study
from tests.fakes.durable import FakeEngine
from tests.fakes.orders import an_order
from tests.fakes.papers import FakePrinter
from tests.fakes.station import Station
from tests.jobs import fill_job, request_for

pytestmark = pytest.mark.integration

KINDS = ("CT", "CT", "MR", "SR", "PR")
PERSON = Patient(
    patient_id="LBL-77", name="Yamada^Tarou=山田^太郎", charset="\\ISO 2022 IR 87", issuer=""
)
CONFIG = parse('[site]\ninstitution = "Riverside Imaging"\nphone = "555-0100"\n')


@dataclass
class FakeQueue:
    """Keeps `PagePrinter` in memory.

    Attributes:
        becomes: What following a page finds; an exception is raised.
    """

    pages: list[tuple[bytes, str]] = field(default_factory=list)
    trouble: Exception | None = None
    becomes: Printed | Exception = Printed.DONE

    def status(self) -> PrinterStatus:
        return PrinterStatus(PrinterState.READY, "ready")

    def submit(self, pdf: bytes, title: str) -> str:
        if self.trouble is not None:
            raise self.trouble
        self.pages.append((pdf, title))
        return f"labels-{len(self.pages)}"

    def follow(self, request: str, wait_s: float) -> Printed:
        del request, wait_s
        if isinstance(self.becomes, Exception):
            raise self.becomes
        return self.becomes


@dataclass(frozen=True)
class Made:
    request: ComposeRequest
    image: ComposedImage

    def order(self, number: int = 1) -> Order:
        """That somebody placed for it."""
        return replace(
            an_order(number),
            patient=replace(self.request.patient, issuer=""),
            study_instance_uid=self.request.study_instance_uids[0],
            study_date="20240311",
            accession_number=AccessionNumber("A0000001"),
        )


def built(folder: Path, pool: ComposerPool, **changes: object) -> Made:
    files = make_study(folder / "in", KINDS, patient=PERSON)
    fill_job(folder / "job", files)
    request = request_for(folder / "job", files, volume_id="PDI_LABEL01", **changes)
    done = compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool)
    return Made(request, done)


@pytest.fixture(scope="module")
def pool() -> Iterator[ComposerPool]:
    with ComposerPool() as opened:
        yield opened


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, pool: ComposerPool) -> Made:
    return built(tmp_path_factory.mktemp("plain"), pool)


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, pool: ComposerPool) -> Made:
    folder = tmp_path_factory.mktemp("sealed")
    return built(folder, pool, password=generate(), password_id="p1")


def _quickly(paper: LabelPaper, label: MediumLabel, words: Words) -> bytes:
    """Stands for a page, where it matters only which one it is."""
    return f"%PDF {paper.value} {words.language} {label.to_facts()}".encode()


class Bench:
    """A station that prints labels, and one order's image."""

    def __init__(self, folder: Path, made: Made, *, is_quick: bool = True) -> None:
        self.folder, self.made = folder, made
        self.station = Station(folder)
        self.queues = {paper: FakeQueue() for paper in LabelPaper}
        labels = bootstrap_paper.labels(CONFIG, self.station.journal)
        self.kept = LabelFiles(folder / "labels")
        maker = replace(labels.maker, draw=_quickly) if is_quick else labels.maker
        self.labels = replace(
            labels,
            maker=maker,
            kept=self.kept,
            folder_of=lambda job_id: folder / "spool" / job_id,
        )
        self.prints = LabelPrints(
            self.labels,
            {LabelPaper.DISC: self.disc},
            self.station.journal.calls,
            self.station.journal.audit,
            "station1",
        )
        self.station.parts = replace(self.station.parts, labels=self.prints, compose=self._compose)

    @property
    def disc(self) -> FakeQueue:
        return self.queues[LabelPaper.DISC]

    def place(self, *, is_protected: bool = False, medium: Medium = Medium.DISC) -> OrderId:
        order = self.made.order()
        self.station.journal.orders.add(order, actor="test")
        choice = MediaChoice(medium, is_protected=is_protected)
        return self.station.jobs.submit(
            order.order_id, choice, Priority.WAITING_PATIENT, actor="test"
        )

    def spooled(self, job_id: OrderId) -> str:
        """The image is there and not recorded yet."""
        folder = self.station.parts.spool.folder(job_id)
        shutil.copyfile(self.made.image.path, folder / "image.iso")
        return self.made.image.volume_id

    def run(self, job_id: OrderId) -> None:
        FakeEngine(self.station.parts).run(job_id, self.station.journal.jobs.newest_run(job_id))

    def _compose(
        self,
        order: Order,
        medium: Medium,
        folder: Path,
        *,
        inventory: str,
        on_progress: OnCount,
        is_cancelled: IsCancelled,
    ) -> Image:
        del order, medium, inventory, on_progress, is_cancelled
        image = self.made.image
        shutil.copyfile(image.path, folder / "image.iso")
        return Image(
            "image.iso", image.size_bytes, image.sha256, image.volume_id, image.instances, 0,
            "station1",
        )  # fmt: skip

    def audit(self, event: str) -> list[dict[str, str]]:
        return [dict(row.details) for row in self.station.journal.audit.rows(event=event)]


@pytest.fixture
def bench(tmp_path: Path, plain: Made) -> Iterator[Bench]:
    made = Bench(tmp_path, plain)
    yield made
    made.station.close()


# --- what it says


def test_a_label_says_what_the_dicomdir_says(bench: Bench, tmp_path: Path) -> None:
    """PDI-98; read back by pydicom, before anything is recorded."""
    job_id = bench.place()
    label = bench.labels.label_of(job_id, bench.spooled(job_id))
    directory = tmp_path / "DICOMDIR"
    with open_image(bench.made.image.path) as reader:
        found = reader.find("DICOMDIR")
        assert found is not None
        directory.write_bytes(reader.read(found, 0, found.size_bytes))
    records = dcmread(directory).DirectoryRecordSequence
    (patient,) = [it for it in records if it.DirectoryRecordType == "PATIENT"]
    (study,) = [it for it in records if it.DirectoryRecordType == "STUDY"]
    kinds = [it.Modality for it in records if it.DirectoryRecordType == "SERIES"]
    assert label.patient_name == str(patient.PatientName)
    assert label.patient_id == patient.PatientID
    assert label.birth_date == parse_birth_date(patient.PatientBirthDate, "YMD")
    assert [(it.day, set(it.kinds)) for it in label.studies] == [
        (parse_birth_date(study.StudyDate, "YMD"), set(kinds))
    ]
    assert (label.serial, label.number, label.count) == ("PDI_LABEL01", 1, 1)
    assert (label.has_pages, label.is_encrypted, label.profile) == (True, False, "STD-GEN-CD")
    names = bench.labels.maker.text_of(label).names
    assert [it[0] for it in names] == ["Yamada, Tarou", "山田太郎"]


def test_a_label_that_was_made_says_the_same_when_its_image_is_gone(bench: Bench) -> None:
    job_id = bench.place()
    serial = bench.spooled(job_id)
    label = bench.labels.label_of(job_id, serial)
    bench.station.parts.spool.wipe(job_id)
    assert bench.labels.label_of(job_id, serial) == label
    assert bench.labels.serials(job_id) == [serial]
    (kept,) = (bench.folder / "labels" / job_id).iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    assert kept.name == "PDI_LABEL01.json"


@pytest.mark.parametrize("what", ["patient", "study", "accession number"])
def test_no_label_of_somebody_elses_image(bench: Bench, what: str) -> None:
    order = bench.made.order()
    others = {
        "patient": replace(order, patient=PatientIdentity("LBL-78", "", "Other^Olga", "19700101")),
        "study": replace(order, study_instance_uid="1.2.3.4"),
        "accession number": replace(order, accession_number=an_order(9).accession_number),
    }
    bench.station.journal.orders.add(others[what], actor="test")
    job_id = bench.station.jobs.submit(
        order.order_id, MediaChoice(Medium.DISC), Priority.WAITING_PATIENT, actor="test"
    )
    serial = bench.spooled(job_id)
    with pytest.raises(LabelMismatchError):
        bench.labels.label_of(job_id, serial)
    assert bench.labels.kept.serials(job_id) == []


def test_a_damaged_image_and_one_that_is_not_there_have_no_label(bench: Bench) -> None:
    job_id = bench.place()
    with pytest.raises(LabelLostError):
        bench.labels.label_of(job_id, "PDI_LABEL01")
    assert not (bench.folder / "spool" / job_id).exists()
    serial = bench.spooled(job_id)
    path = bench.folder / "spool" / job_id / "image.iso"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"DIRECTORY RECORD", b"X").replace(b"STUDY ", b"STUDX "))
    with pytest.raises(LabelMismatchError):
        bench.labels.label_of(job_id, serial)


def test_a_sealed_medium_is_told_by_its_order_and_says_that_it_is(
    tmp_path: Path, sealed: Made
) -> None:
    bench = Bench(tmp_path, sealed, is_quick=False)
    job_id = bench.place(is_protected=True)
    label = bench.labels.label_of(job_id, bench.spooled(job_id))
    assert (label.is_encrypted, label.profile) == (True, "STD-GEN-SEC-CD")
    assert label.patient_id == "LBL-77"
    assert [(str(it.day), it.kinds) for it in label.studies] == [("2024-03-11", ("CT",))]
    told = bench.station.journal.passwords.of(job_id)
    assert told is not None
    for paper in LabelPaper:
        pdf = bench.labels.file_of(job_id, "PDI_LABEL01", paper=paper)
        assert told.text.encode() not in pdf
    bench.station.close()


def test_discs_of_a_set_know_their_place(bench: Bench) -> None:
    job_id = bench.place()
    serial = bench.spooled(job_id)
    bench.station.journal.jobs.note_set(job_id, ["PDI_LABEL00", serial, "PDI_LABEL02"])
    label = bench.labels.label_of(job_id, serial)
    assert (label.number, label.count) == (2, 3)
    assert bench.labels.serials(job_id) == ["PDI_LABEL00", serial, "PDI_LABEL02"]
    # Of one whose image is gone, what the order says.
    other = bench.labels.label_of(job_id, "PDI_LABEL02")
    assert (other.number, other.patient_id, len(other.studies)) == (3, "LBL-77", 1)


def test_robots_get_files_and_fields_before_the_disc_is_recorded(
    tmp_path: Path, plain: Made
) -> None:
    bench = Bench(tmp_path, plain, is_quick=False)
    job_id = bench.place()
    serial = bench.spooled(job_id)
    assert bench.labels.file_of(job_id, serial).startswith(b"%PDF")
    path = bench.folder / "label.jpg"
    path.write_bytes(bench.labels.file_of(job_id, serial, PictureForm.JPEG, dpi=300))
    with Picture.open(path) as picture:
        assert (picture.format, picture.size) == ("JPEG", (1418, 1418))
    fields = bench.labels.fields_of(job_id, serial)
    assert (fields["patient"], fields["serial"]) == ("Yamada, Tarou", serial)
    assert fields["study1"].startswith("March 11, 2024: ")
    bench.station.close()


# --- printed when it leaves


def test_a_label_is_printed_when_its_disc_leaves(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    job_id = bench.place()
    bench.run(job_id)
    assert bench.station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert len(bench.station.good_discs()) == 1
    ((pdf, title),) = bench.disc.pages
    assert title == "PDI_LABEL01"
    assert pdf == bench.labels.file_of(job_id, "PDI_LABEL01")
    assert bench.audit("label.printed") == [
        {"medium": "PDI_LABEL01", "paper": "disc", "state": "printed"}
    ]
    (record,) = bench.prints.records(job_id, "PDI_LABEL01")
    assert (record.attempt, record.state, record.request) == (1, "printed", "labels-1")
    assert bench.station.journal.calls.newest() == []
    for word in ("Yamada", "山田", "LBL-77"):
        assert word not in caplog.text


def test_the_receipt_has_the_serial_of_the_label_and_the_hash_of_the_medium(bench: Bench) -> None:
    """Whoever calls about a disc reads one number from either."""
    job_id = bench.place()
    bench.run(job_id)
    journal = bench.station.journal
    receipts = Receipts(
        printer=FakePrinter(),
        words=load_words,
        jobs=bench.station.jobs,
        orders=journal.orders,
        media=journal.ledger,
        audit=journal.audit,
        clock=bench.station.clock,
        site_name="Riverside Imaging",
        phone="555-0100",
    )
    receipt = receipts.make([job_id], language="en")
    (serial,) = bench.labels.serials(job_id)
    assert bench.labels.label_of(job_id, serial).serial == serial
    (disc,) = bench.station.good_discs()
    assert [(it.name, it.digest) for it in receipt.media] == [
        (serial, hashlib.sha256(disc.content).hexdigest())
    ]
    text = " ".join(receipts.lines(receipt, 200))
    assert f"Serial number: {serial}" in text


def test_each_copy_has_its_own(bench: Bench) -> None:
    order = bench.made.order()
    bench.station.journal.orders.add(order, actor="test")
    job_id = bench.station.jobs.submit(
        order.order_id, MediaChoice(Medium.DISC, 2), Priority.WAITING_PATIENT, actor="test"
    )
    bench.run(job_id)
    assert len(bench.disc.pages) == len(bench.station.good_discs()) == 2


TROUBLES = [
    LabelPrinterMissingError("no such queue"),
    LabelPrinterStoppedError("stopped"),
    LabelPaperOutError("media-empty-error"),
    RuntimeError("nobody thought of that"),
]


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda it: type(it).__name__)
def test_whatever_the_printer_does_the_disc_leaves_and_staff_are_told(
    bench: Bench, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    bench.disc.trouble = trouble
    job_id = bench.place()
    bench.run(job_id)
    assert bench.station.jobs.get(job_id).status is ExecutionStatus.DONE
    assert len(bench.station.good_discs()) == 1
    (call,) = bench.station.journal.calls.newest(only_open=True)
    assert (call.kiosk, call.where) == ("station1", "label PDI_LABEL01")
    code = getattr(trouble, "code", type(trouble).__name__)
    assert f"disc of PDI_LABEL01: {code}" in caplog.text
    # Mended, it is printed by command, from what was kept.
    bench.disc.trouble = None
    done = bench.prints.print_out(job_id, "PDI_LABEL01", LabelPaper.DISC, actor="staff")
    assert done is Printed.DONE
    assert len(bench.disc.pages) == 1
    states = [it.state for it in bench.prints.records(job_id, "PDI_LABEL01")]
    assert states[-1] == "printed"
    if isinstance(trouble, LabelPrinterError):
        assert states == ["failed", "printed"]
        (row,) = bench.audit("label.not_printed")
        assert row["error"] == trouble.code


def test_of_an_image_that_tells_nothing_the_label_says_what_the_order_does(
    tmp_path: Path, plain: Made
) -> None:
    """As at a station whose discs hold noise; nothing is asked of the patient's medium for it."""
    bench = Bench(tmp_path, plain)
    bench.station.archive.is_noise = True
    bench.station.parts = replace(bench.station.parts, compose=bench.station.archive.compose)
    job_id = bench.station.place()
    bench.run(job_id)
    assert len(bench.station.good_discs()) == 1
    ((pdf, title),) = bench.disc.pages
    assert title.startswith("V")
    assert b"GARCIA^MARIA" in pdf
    bench.station.close()


def an_entry(job_id: OrderId, attempt: int = 1) -> LedgerEntry:
    return LedgerEntry("disc1", job_id, LedgerPhase.VERIFIED, attempt, "PDI_LABEL01", "0" * 64)


def test_a_crash_prints_nothing_twice_and_a_failure_is_tried_again(bench: Bench) -> None:
    job_id = bench.place()
    bench.spooled(job_id)
    bench.disc.becomes = LabelPrinterError("given up")
    bench.prints.handed_out(an_entry(job_id), Medium.DISC)
    bench.disc.becomes = Printed.HANDED_OVER
    bench.prints.handed_out(an_entry(job_id), Medium.DISC)
    bench.prints.handed_out(an_entry(job_id), Medium.DISC)
    assert len(bench.disc.pages) == 2  # the one that was given up, and one
    bench.prints.handed_out(an_entry(job_id, 2), Medium.DISC)
    assert len(bench.disc.pages) == 3


def test_what_was_only_handed_over_is_followed_later(bench: Bench) -> None:
    job_id = bench.place()
    serial = bench.spooled(job_id)
    bench.disc.becomes = Printed.HANDED_OVER
    assert bench.prints.print_out(job_id, serial, LabelPaper.DISC, actor="staff") is (
        Printed.HANDED_OVER
    )
    assert [it.state for it in bench.prints.records(job_id, serial)] == ["handed_over"]
    bench.disc.becomes = LabelPrinterMissingError("CUPS does not answer")
    assert [it.state for it in bench.prints.records(job_id, serial)] == ["handed_over"]
    bench.disc.becomes = Printed.DONE
    assert [it.state for it in bench.prints.records(job_id, serial)] == ["printed"]
    bench.disc.becomes = LabelPrinterError("asked of what is settled")
    assert [it.state for it in bench.prints.records(job_id, serial)] == ["printed"]


def test_a_stick_has_a_tag_and_whoever_wants_it_a_sheet(bench: Bench) -> None:
    job_id = bench.place(medium=Medium.STICK)
    bench.spooled(job_id)
    prints = replace(bench.prints, printers=bench.queues)
    prints.handed_out(an_entry(job_id), Medium.STICK)
    assert bench.disc.pages == []
    assert len(bench.queues[LabelPaper.TAG].pages) == 1
    ((sheet, title),) = bench.queues[LabelPaper.SHEET].pages
    assert title == "PDI_LABEL01"
    german = replace(bench.labels, language_of=lambda _job_id: "de")
    replace(prints, labels=german).handed_out(an_entry(job_id, 2), Medium.STICK)
    assert bench.queues[LabelPaper.SHEET].pages[1][0] != sheet
    assert bench.queues[LabelPaper.TAG].pages[0] == bench.queues[LabelPaper.TAG].pages[1]
    assert bench.labels.label_of(job_id, "PDI_LABEL01").profile == "STD-GEN-USB-JPEG"


def test_without_printers_nothing_is_made(bench: Bench) -> None:
    job_id = bench.place()
    bench.spooled(job_id)
    replace(bench.prints, printers={}).handed_out(an_entry(job_id), Medium.DISC)
    assert bench.kept.serials(job_id) == []


def test_a_journal_that_is_gone_is_the_workflows_trouble(bench: Bench) -> None:
    job_id = bench.place()
    bench.spooled(job_id)

    class Broken:
        def append(self, *_: object, **__: object) -> None:
            raise JournalError("gone")

        def verify(self) -> int:
            return 0

    with pytest.raises(JournalError):
        replace(bench.prints, audit=Broken()).handed_out(an_entry(job_id), Medium.DISC)


# --- what is kept


def test_what_labels_said_goes_after_some_days(bench: Bench) -> None:
    job_id = bench.place()
    serial = bench.spooled(job_id)
    bench.labels.label_of(job_id, serial)
    path = bench.folder / "labels" / job_id / f"{serial}.json"
    old = bench.station.clock.now().timestamp() - 8 * 86_400
    os.utime(path, (old, old))
    bench.labels.kept.keep(OrderId("order-0002"), "PDI_OTHER", {})
    fresh = bench.folder / "labels" / "order-0002" / "PDI_OTHER.json"
    now = bench.station.clock.now().timestamp()
    os.utime(fresh, (now, now))
    bench.labels._sweep()
    assert not path.exists()
    assert not path.parent.exists()
    assert fresh.exists()


@pytest.mark.parametrize(
    "damage", ["", "[]", "{", '{"label": {}}', '{"label": {"serial": 3}}', "\u0000"]
)
def test_damaged_facts_are_no_label(bench: Bench, damage: str) -> None:
    job_id = bench.place()
    serial = bench.spooled(job_id)
    bench.labels.label_of(job_id, serial)
    path = bench.folder / "labels" / job_id / f"{serial}.json"
    path.write_text(damage)
    with pytest.raises(LabelLostError):
        bench.labels.label_of(job_id, serial)
    if damage.startswith('{"label"'):
        path.write_text(json.dumps({"label": {}, "printed": [{"odd": 1}]}))
        with pytest.raises(LabelLostError):
            bench.prints.records(job_id, serial)


@pytest.mark.parametrize("serial", ["../../etc/passwd", "", "A/B", "pdi_1"])
def test_names_lead_nowhere_else(bench: Bench, serial: str) -> None:
    with pytest.raises(LabelLostError):
        bench.kept.read(OrderId("order-0001"), serial)
