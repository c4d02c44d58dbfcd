"""`sendhome label`: what stands on the outside of a medium, as a file or printed, also again."""

from __future__ import annotations

import argparse
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from kiosk import config_file
from kiosk.cli.options import whole_number
from kiosk.cli.output import print_json, print_rows
from kiosk.cli.people import actor
from kiosk.config import Config
from kiosk.domain.model import Medium, OrderId
from kiosk.domain.paper import LANGUAGES
from kiosk.errors import InvalidValueError, LabelLostError

if TYPE_CHECKING:  # slow to import
    from kiosk.domain.label import MediumLabel
    from kiosk.services.label_maker import LabelMaker, LabelPaper, PictureForm
    from kiosk.services.label_prints import PrintRecord
    from kiosk.services.labels import Labels

_SHOWN: Final = ("medium", "paper", "disc", "state", "request", "error")
_KINDS: Final = (("CT", "SR"), ("MR",), ("CR",), ("US",), ("DX", "SR"), ("MG",), ("PT", "CT"))


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "label",
        help="labels, tags and cover sheets: look at one, write it out, print it again",
        description="Without a file and without --print: the media of the job and what was printed "
        "of each. What is written out holds the patient's name and is for its reader alone (mode "
        "0600); writing and printing are put on record.",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("job_id", nargs="?", metavar="JOB")
    what.add_argument("--sample", action="store_true", help="an invented patient's, for a look")
    what.add_argument("--image", type=Path, metavar="FILE", help="of an image of ours on the disk")
    parser.add_argument(
        "--medium", default="", metavar="NAME", help="volume identifier (default: the last one)"
    )
    parser.add_argument(
        "--paper",
        choices=("disc", "tag", "sheet", "fields"),
        help="disc label, tag of a stick, cover sheet, or merge fields (default: by the medium)",
    )
    parser.add_argument("--language", choices=LANGUAGES, help="(default: as configured)")
    parser.add_argument("--studies", type=whole_number(1, 100), default=3, metavar="N",
                        help="of the sample")  # fmt: skip
    parser.add_argument("--discs", type=whole_number(1, 99), default=1, metavar="N",
                        help="of the sample's set")  # fmt: skip
    parser.add_argument("--stick", action="store_true", help="the sample is a stick's")
    parser.add_argument("--encrypted", action="store_true", help="the sample is encrypted")
    for form in ("pdf", "png", "jpeg"):
        parser.add_argument(
            f"--{form}", type=Path, metavar="OUT", help=f"write it as {form.upper()}; a new file"
        )
    parser.add_argument("--dpi", type=whole_number(30, 1200), default=300, metavar="N")
    parser.add_argument("--print", action="store_true", dest="is_printed", help="print it now")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    config = config_file.load(args.config)
    if args.job_id is None:
        return _run_unplaced(args, config)
    from kiosk import bootstrap, bootstrap_paper

    job_id = OrderId(args.job_id)
    with bootstrap.existing_journal(config) as journal:
        prints = bootstrap_paper.label_prints(config, journal)
        labels = prints.labels
        if not (args.is_printed or _outputs(args) or args.paper == "fields"):
            rows = []
            for serial in labels.serials(job_id):
                known = prints.records(job_id, serial)
                rows += [_row(serial, it) for it in known] or [_row(serial, None)]
            print_rows(args.json, rows, _SHOWN)
            return 0
        serial = args.medium or _last(labels, job_id)
        label = labels.label_of(job_id, serial)
        journal.audit.append(
            "label.read", actor=actor(), subject=job_id, outcome=0, details={"medium": serial}
        )
        language = args.language or ""
        if not language and args.paper == "sheet":
            language = labels.language_of(job_id)
        _write_out(args, labels.maker, label, language)
        if args.is_printed:
            paper = _paper(args, label)
            done = prints.print_out(job_id, serial, paper, actor=actor())
            print(f"{paper.value} of {serial}: {done.value.replace('_', ' ')}")
    return 0


def _run_unplaced(args: argparse.Namespace, config: Config) -> int:
    """A label of no job: nothing is kept, nothing printed."""
    from kiosk import bootstrap_paper

    if args.is_printed:
        raise InvalidValueError("only a job's labels are printed; write this one to a file")
    if not (_outputs(args) or args.paper == "fields"):
        raise InvalidValueError("say where to: --pdf, --png or --jpeg, or --paper fields")
    maker = bootstrap_paper.label_maker(config)
    if args.sample:
        label = _sample(config, args)
    else:
        medium = Medium.STICK if args.stick else Medium.DISC
        label = maker.of_image(args.image, medium, datetime.now().astimezone().date())
    _write_out(args, maker, label, args.language or "")
    return 0


def _write_out(
    args: argparse.Namespace, maker: LabelMaker, label: MediumLabel, language: str
) -> None:
    if args.paper == "fields":
        print_json(maker.text_of(label, language).fields())
        return
    paper = _paper(args, label)
    for form, path in _outputs(args):
        _write(path, maker.drawn(label, form, paper=paper, dpi=args.dpi, language=language))


def _outputs(args: argparse.Namespace) -> list[tuple[PictureForm, Path]]:
    from kiosk.services.label_maker import PictureForm

    return [(form, path) for form in PictureForm if (path := getattr(args, form.value))]


def _paper(args: argparse.Namespace, label: MediumLabel) -> LabelPaper:
    from kiosk.services.label_maker import LabelPaper, paper_on

    known = {it.value: it for it in LabelPaper}
    return known.get(args.paper or "", paper_on(label.medium))


def _last(labels: Labels, job_id: OrderId) -> str:
    serials = labels.serials(job_id)
    if not serials:
        raise LabelLostError(f"job {job_id} has no medium yet")
    return serials[-1]


def _row(serial: str, record: PrintRecord | None) -> dict[str, object]:
    return {
        "medium": serial,
        "paper": record.paper if record else "",
        "disc": record.attempt if record and record.attempt else "",
        "state": record.state if record else "not printed",
        "request": record.request if record else "",
        "error": record.code if record else "",
    }


def _write(path: Path, data: bytes) -> None:
    """A new file for the user alone. Raises InvalidValueError: it is there, or cannot be made."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(number, "wb") as file:
            file.write(data)
    except OSError as error:
        raise InvalidValueError(f"{path}: {error.strerror}") from error


def _sample(config: Config, args: argparse.Namespace) -> MediumLabel:
    from kiosk.domain.label import LabelledStudy, MediumLabel
    from kiosk.services.label_facts import profile_name

    today = date(2026, 3, 4)
    medium = Medium.STICK if args.stick else Medium.DISC
    studies = tuple(
        LabelledStudy(today - timedelta(days=1 + 97 * number), _KINDS[number % len(_KINDS)])
        for number in range(args.studies)
    )
    return MediumLabel(
        institution=config.site.institution,
        phone=config.site.phone,
        patient_name="SAMPLE^MARIA ELENA",
        birth_date=date(1961, 7, 14),
        patient_id="SAMPLE-0042",
        studies=studies,
        medium=medium,
        made_on=today,
        serial="PDI_SAMPLE1",
        number=min(2, args.discs),
        count=args.discs,
        is_encrypted=args.encrypted,
        profile=profile_name(medium, 0, is_encrypted=args.encrypted),
    )
