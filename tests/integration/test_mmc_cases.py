"""One attempt with the real engine on the emulated writer, case by case: what it comes to, what is
said, what is asked of a person, and what became of the blank, on record in a real journal.

The table is the list of cases; a name is the test's id. `test_burn_mmc` has what is below an
attempt (tray, links, locks).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kiosk.adapters.journal import Journal
from kiosk.adapters.media_disc import DiscWriter
from kiosk.domain.model import Wanted
from kiosk.domain.unfit import Unfit
from kiosk.errors import KioskError
from kiosk.ports import LedgerPhase
from kiosk.services.attempt import NeedsMedium, Outcome, Written
from kiosk.services.outcomes import reason_of
from kiosk.services.write import ImageFacts, write_once
from kiosk.widgets.wording import ask_words, failure_words
from tests.fakes.media import make_image
from tests.fakes.orders import an_order
from tests.fakes.station import open_test_journal, sqlite_url
from tests.integration.mmc.double import MmcDouble, is_available

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not is_available(), reason="needs umockdev, gir1.2-umockdev-1.0 and python3-gi"
    ),
]

BLOCKS = 2000
RESERVE = 182  # padding and rounding
STOCK = 10
BLANKS = {
    "CD-R": 359_844,
    "CD-RW": 359_844,
    "DVD-R": 2_298_496,
    "DVD-RW": 2_298_496,
    "DVD-RAM": 2_236_704,
    "DVD-R DL": 4_171_712,
    "DVD+R": 2_295_104,
    "DVD+RW": 2_295_104,
    "DVD+R DL": 4_173_824,
    "BD-R": 12_219_392,
    "BD-RE": 11_826_176,
}
MEDIUM_ERROR, WRITE_ERROR = [3, 0x0C, 0x00], [3, 0x0C, 0x07]
POWER_CALIBRATION, FIXATION = [3, 0x73, 0x03], [3, 0x72, 0x00]
HARDWARE, SERVO, ABORTED = [4, 0x44, 0x00], [4, 0x09, 0x01], [0xB, 0x4B, 0x00]
ILLEGAL = [5, 0x24, 0x00]


@dataclass(frozen=True)
class Case:
    """What is in the drive, what goes wrong, and what it must come to.

    Attributes:
        kind: "" for an empty drive.
        faults: Attributes of `MmcDrive`.
        ends: "written", a `Wanted`, or the code of the error that is raised.
        says: Part of what the log and staff are told.
        touched: Whether a blank was spent; if it was not "written" then it is scrap.
        survey: Part of the line about the disc's blocks, "" if there must be none.
    """

    kind: str
    ends: str | Wanted
    says: str = ""
    blocks: int = 0
    state: str = "blank"
    faults: dict[str, Any] = field(default_factory=dict)
    unfit: Unfit | None = None
    touched: bool = False
    survey: str = ""
    cancel_behind: int | None = None
    is_open: bool = False


def used(kind: str, state: str) -> Case:
    return Case(kind, Wanted.OTHER_DISC, "medium.wanted", state=state, unfit=Unfit.NOT_BLANK)


def rewritable(kind: str) -> Case:
    return Case(kind, Wanted.OTHER_DISC, kind, unfit=Unfit.REWRITABLE)


def small(kind: str) -> Case:
    return Case(
        kind, Wanted.LARGER_MEDIUM, "blocks needed", BLOCKS + RESERVE - 1, unfit=Unfit.TOO_SMALL
    )


def spoiled(kind: str, says: str, **faults: Any) -> Case:
    return Case(kind, Wanted.OTHER_DISC, says, faults=faults, touched=True)


def drive_fault(kind: str, says: str, **faults: Any) -> Case:
    return Case(kind, "medium.drive_fault", says, faults=faults, touched=True)


def bad_read(kind: str, says: str, survey: str, **faults: Any) -> Case:
    return Case(kind, Wanted.OTHER_DISC, says, faults=faults, touched=True, survey=survey)


CASES: dict[str, Case] = {
    # --- good
    **{
        f"good {kind}": Case(kind, "written", touched=True)
        for kind in ("CD-R", "DVD-R", "DVD-R DL", "DVD+R", "DVD+R DL", "BD-R")
    },
    "good CD-R that just holds it": Case("CD-R", "written", blocks=BLOCKS + RESERVE, touched=True),
    "good CD-R from a slow drive": Case("CD-R", "written", faults={"kb_per_s": 4000}, touched=True),
    # --- refused before the laser is on
    "no medium": Case("", Wanted.BLANK_DISC, "medium.wanted"),
    "tray open": Case("CD-R", Wanted.BLANK_DISC, "medium.wanted", is_open=True),
    "closed CD-R": used("CD-R", "closed"),
    "appendable CD-R": used("CD-R", "appendable"),
    "closed DVD-R": used("DVD-R", "closed"),
    "appendable DVD-R": used("DVD-R", "appendable"),
    "closed DVD+R": used("DVD+R", "closed"),
    "appendable DVD+R": used("DVD+R", "appendable"),
    "closed BD-R": used("BD-R", "closed"),
    "pressed CD": used("CD-ROM", "pressed"),
    "pressed DVD": used("DVD-ROM", "pressed"),
    "pressed BD": used("BD-ROM", "pressed"),
    "CD-RW": rewritable("CD-RW"),
    "DVD-RW": rewritable("DVD-RW"),
    "DVD-RAM": rewritable("DVD-RAM"),
    "DVD+RW": rewritable("DVD+RW"),
    "BD-RE": rewritable("BD-RE"),
    "CD-R too small by a block": small("CD-R"),
    "DVD+R too small by a block": small("DVD+R"),
    "BD-R too small by a block": small("BD-R"),
    # --- while writing: the medium
    "CD-R write error at a sector": spoiled("CD-R", "3/0C/00", fail_write=[900, MEDIUM_ERROR]),
    "DVD-R write error at a sector": spoiled("DVD-R", "3/0C/00", fail_write=[900, MEDIUM_ERROR]),
    "DVD+R write error at a sector": spoiled("DVD+R", "3/0C/00", fail_write=[900, MEDIUM_ERROR]),
    "BD-R write error at a sector": spoiled("BD-R", "3/0C/00", fail_write=[900, MEDIUM_ERROR]),
    "CD-R write error at the first": spoiled("CD-R", "3/0C/00", fail_write=[0, MEDIUM_ERROR]),
    "CD-R write error in the padding": spoiled("CD-R", "3/0C/00", fail_write=[2100, MEDIUM_ERROR]),
    "CD-R recovery needed": spoiled("CD-R", "3/0C/07", fail_write=[900, WRITE_ERROR]),
    "CD-R power calibration": spoiled("CD-R", "3/73/03", fail_write=[0, POWER_CALIBRATION]),
    "DVD+R power calibration": spoiled("DVD+R", "3/73/03", fail_write=[0, POWER_CALIBRATION]),
    "DVD+R session not fixed": spoiled("DVD+R", "3/72/00", fail_close=FIXATION),
    "CD-R removed while writing": spoiled("CD-R", "2/3A/00", remove_at=700),
    "DVD+R removed while writing": spoiled("DVD+R", "2/3A/00", remove_at=700),
    # --- while writing: the drive, and us
    "CD-R hardware fault": drive_fault("CD-R", "4/44/00", fail_write=[900, HARDWARE]),
    "DVD+R hardware fault": drive_fault("DVD+R", "4/44/00", fail_write=[900, HARDWARE]),
    "CD-R hardware fault at the first": drive_fault("CD-R", "4/44/00", fail_write=[0, HARDWARE]),
    "CD-R hardware fault in the padding": drive_fault(
        "CD-R", "4/44/00", fail_write=[2149, HARDWARE]
    ),
    "DVD+R hardware fault in the padding": drive_fault(
        "DVD+R", "4/44/00", fail_write=[2149, HARDWARE]
    ),
    "DVD+R hardware fault while closing": drive_fault("DVD+R", "4/44/00", fail_close=HARDWARE),
    "CD-R tracking servo": drive_fault("CD-R", "4/09/01", fail_write=[900, SERVO]),
    "CD-R bus error": drive_fault("CD-R", "B/4B/00", fail_write=[900, ABORTED]),
    "CD-R drive unplugged while writing": drive_fault("CD-R", "", unplug_at=700),
    "CD-R illegal request": Case(
        "CD-R", "medium.failed", "5/24/00", faults={"fail_write": [900, ILLEGAL]}, touched=True
    ),
    # --- stopped
    "CD-R cancelled before": Case("CD-R", "job.cancelled", cancel_behind=-1),
    "CD-R cancelled at a slow drive": Case(
        "CD-R", "job.cancelled", faults={"kb_per_s": 1000}, touched=True, cancel_behind=300
    ),
    "DVD+R cancelled at a slow drive": Case(
        "DVD+R", "job.cancelled", faults={"kb_per_s": 1000}, touched=True, cancel_behind=300
    ),
    # --- reading back
    "CD-R sectors unreadable": bad_read(
        "CD-R", "unreadable at block 900", "11 of 1100 blocks cannot be read", fail_read=[900, 910]
    ),
    "DVD+R sectors unreadable": bad_read(
        "DVD+R", "unreadable at block 900", "900-", fail_read=[900, 910]
    ),
    "CD-R first sector unreadable": bad_read("CD-R", "", "0-0 unreadable", fail_read=[0, 0]),
    "CD-R last sector unreadable": bad_read(
        "CD-R", "unreadable at block 1999", "1 of 1 blocks cannot be read", fail_read=[1999, 1999]
    ),
    "CD-R drive that lies": bad_read(
        "CD-R", "not what was written", "reports no error", lies_at=1_234_567
    ),
    "BD-R drive that lies": bad_read(
        "BD-R", "not what was written", "reports no error", lies_at=1_234_567
    ),
    "CD-R tray that must be pushed": Case(
        "CD-R", Wanted.CLOSE_TRAY, "medium.wanted", faults={"loads_itself": False}, touched=True
    ),
}


def test_there_are_enough() -> None:
    assert len(CASES) >= 25


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = open_test_journal(sqlite_url(tmp_path))
    journal.orders.add(an_order(1), actor="test")
    journal.stock.count("d1", STOCK, actor="test")
    yield journal
    journal.close()


@pytest.fixture
def double(tmp_path: Path) -> Iterator[MmcDouble]:
    with MmcDouble(tmp_path) as double:
        yield double


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> ImageFacts:
    return make_image(tmp_path_factory.mktemp("image") / "image.iso", "SH_TEST", blocks=BLOCKS)


def attempt(
    double: MmcDouble,
    journal: Journal,
    image: ImageFacts,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Outcome | KioskError:
    job_id = an_order(1).order_id
    try:
        return write_once(
            DiscWriter(double.drive(), name="d1"),
            journal.ledger,
            job_id,
            image,
            journal.ledger.begun(job_id) + 1,
            on_progress=lambda at: None,
            is_cancelled=is_cancelled,
        )
    except KioskError as error:
        return error


@pytest.mark.parametrize("name", CASES)
def test_case(
    double: MmcDouble,
    journal: Journal,
    image: ImageFacts,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    name: str,
) -> None:
    caplog.set_level(logging.INFO)
    case = CASES[name]
    put_in(double, case, tmp_path)
    outcome = attempt(double, journal, image, cancelling(double, case))
    assert isinstance(outcome, Written) == (case.ends == "written"), outcome
    require_end(case, outcome)
    require_account(double, journal, case)
    if case.ends == "written":
        require_whole(double, image)
    survey = [it.getMessage() for it in caplog.records if "survey of the disc" in it.getMessage()]
    assert len(survey) == bool(case.survey), survey
    assert case.survey in "".join(survey)
    require_door(double, case)


def require_door(double: MmcDouble, case: Case) -> None:
    """Shut on a disc on which writing began, whoever presses; nothing else is kept."""
    if "unplug_at" in case.faults:
        return
    before = double.order("look")
    is_kept = case.touched and not before["is_open"]
    assert before["is_locked"] == is_kept
    after = double.order("press")
    assert after["is_open"] != is_kept
    assert after["is_eject_asked"] == is_kept


def put_in(double: MmcDouble, case: Case, folder: Path) -> None:
    if case.kind:
        data: dict[str, Any] = {}
        if case.state != "blank":
            data = {"data": str(make_image(folder / "old.iso", "OLD", blocks=400, seed=9).path)}
        blocks = case.blocks or BLANKS.get(case.kind, 400)
        double.order("insert", kind=case.kind, blocks=blocks, state=case.state, **data)
    if case.is_open:
        double.order("set", is_open=True)
    double.order("set", **case.faults)


def cancelling(double: MmcDouble, case: Case) -> Callable[[], bool]:
    behind = case.cancel_behind
    if behind is None:
        return lambda: False
    return lambda: bool(double.order("look")["written"] > behind)


def require_end(case: Case, outcome: Outcome | KioskError) -> None:
    """The right classification, and the right words to staff and to the person at the kiosk."""
    match outcome:
        case NeedsMedium():
            assert outcome.wanted is case.ends, outcome
            assert outcome.unfit is case.unfit
            # what could not be proven yet is not lost
            assert outcome.is_disc_spent == (case.touched and case.ends is not Wanted.CLOSE_TRAY)
            assert case.says in reason_of(outcome)
            if case.unfit:
                assert case.unfit.value in reason_of(outcome)
            assert ask_words(outcome.wanted).text
        case Written():
            assert not outcome.is_recovered
        case KioskError():
            assert outcome.code == case.ends, outcome
            assert case.says in str(outcome)
            assert failure_words(outcome.code).text
        case _:
            raise AssertionError(outcome)


def require_account(double: MmcDouble, journal: Journal, case: Case) -> None:
    """What became of the blank: in the drive's counts, in the job's history, in the ledger."""
    (counts,) = journal.stock.counts()
    assert (counts.begun, counts.in_stock) == (int(case.touched), STOCK - case.touched)
    history = [it.outcome for it in journal.ledger.history(an_order(1).order_id)]
    owner = journal.ledger.owner("d1")
    seen = double.order("look")
    if not case.touched:
        assert seen["blocks_taken"] == 0
        assert history in ([], ["unused"])
        assert owner is None
        assert counts.spoiled == 0
        return
    if case.ends == "written":
        expected, is_open = LedgerPhase.VERIFIED, False  # the hand-over opens it
    elif case.ends is Wanted.CLOSE_TRAY:
        expected, is_open = LedgerPhase.CLOSED, True
    elif isinstance(case.ends, Wanted) or case.ends == "job.cancelled":
        expected, is_open = LedgerPhase.SCRAP, True
    else:
        expected, is_open = LedgerPhase.SCRAP, False  # until the drive is well again
    assert history == [expected]
    assert counts.spoiled == (expected == LedgerPhase.SCRAP)
    assert owner is not None
    assert owner.phase == expected
    assert seen["is_open"] == is_open


def require_whole(double: MmcDouble, image: ImageFacts) -> None:
    """Image, then zeros, in a closed session; by the double's own sectors."""
    content = double.disc_path.read_bytes()
    assert content[: image.size_bytes] == image.path.read_bytes()
    assert len(content) >= image.size_bytes + 150 * 2048
    assert not any(content[image.size_bytes :])
    assert double.order("look")["state"] == "closed"


@pytest.mark.parametrize(
    "name",
    [
        "CD-R hardware fault",
        "CD-R hardware fault in the padding",
        "DVD+R hardware fault while closing",
        "CD-R drive unplugged while writing",
    ],
)
def test_a_disc_in_a_drive_that_is_well_again_is_scrap_and_the_next_is_good(
    double: MmcDouble, journal: Journal, image: ImageFacts, tmp_path: Path, name: str
) -> None:
    put_in(double, CASES[name], tmp_path)
    assert isinstance(attempt(double, journal, image), KioskError)
    well = {
        "fail_write": None,
        "fail_close": None,
        "unplug_at": None,
        "is_unplugged": False,
        "is_changed": True,
    }
    double.order("set", **well)
    torso = attempt(double, journal, image)
    assert isinstance(torso, NeedsMedium)
    assert torso.wanted is Wanted.OTHER_DISC
    assert [it.spoiled for it in journal.stock.counts()] == [1]
    double.order("insert", kind="CD-R", blocks=BLANKS["CD-R"])
    assert isinstance(attempt(double, journal, image), Written)
    (counts,) = journal.stock.counts()
    assert (counts.begun, counts.spoiled, counts.in_stock) == (2, 1, STOCK - 2)


def test_a_tray_that_was_pushed_gives_the_disc_that_was_written(
    double: MmcDouble, journal: Journal, image: ImageFacts, tmp_path: Path
) -> None:
    put_in(double, CASES["CD-R tray that must be pushed"], tmp_path)
    assert isinstance(attempt(double, journal, image), NeedsMedium)
    double.order("set", loads_itself=True)
    outcome = attempt(double, journal, image)
    assert isinstance(outcome, Written)
    assert outcome.is_recovered
    (counts,) = journal.stock.counts()
    assert (counts.begun, counts.spoiled) == (1, 0)
