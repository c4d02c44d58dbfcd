"""`sendhome jobs`: look at jobs, cancel them, answer what they wait for, check the audit trail."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import timedelta
from typing import Any

from kiosk import config_file
from kiosk.cli.options import whole_number
from kiosk.cli.output import print_json, print_rows, progress
from kiosk.cli.people import actor
from kiosk.domain.bill import Bill
from kiosk.domain.disc_set import DiscPlace
from kiosk.domain.model import ExecutionStatus, Job, OrderId, Question, Wanted
from kiosk.errors import InvalidValueError, JobFailedError, meaning
from kiosk.services.drawer import is_waiting_its_turn
from kiosk.services.pulse import Heartbeat

POLL_S = 0.5
MAX_DAYS = 36_500


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "jobs", help="jobs: list, show, watch, answer, cancel, purge, audit"
    )
    parts = parser.add_subparsers(dest="part", required=True, metavar="PART")
    listing = parts.add_parser("list", help="the newest jobs")
    listing.add_argument("--limit", type=whole_number(), default=50, metavar="N")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(run=run_list)
    show = parts.add_parser("show", help="one job with all it says")
    show.add_argument("job_id", metavar="JOB")
    show.add_argument("--json", action="store_true", help="as JSON")
    show.set_defaults(run=run_show)
    watch = parts.add_parser("watch", help="follow one job to its end; fails if it does")
    watch.add_argument("job_id", metavar="JOB")
    watch.set_defaults(run=run_watch)
    answer = parts.add_parser("answer", help="say that what question N asks for is done")
    answer.add_argument("job_id", metavar="JOB")
    answer.add_argument("number", type=whole_number(), metavar="N")
    answer.add_argument(
        "--simulated",
        action="store_true",
        help="first do it at the simulated drive: put a blank disc in, take one out",
    )
    answer.set_defaults(run=run_answer)
    cancel = parts.add_parser("cancel", help="end a job at the next moment where it can")
    cancel.add_argument("job_id", metavar="JOB")
    cancel.set_defaults(run=run_cancel)
    password = parts.add_parser(
        "password",
        help="show the password of a protected medium to staff: one that nobody was told yet, or"
        " any if engine.keep_passwords is set; audited",
    )
    password.add_argument("job_id", metavar="JOB")
    password.set_defaults(run=run_password)
    purge = parts.add_parser(
        "purge",
        help="drop the machinery of jobs that ended, and answered calls for staff; records stay",
    )
    purge.add_argument(
        "--days",
        type=whole_number(0, MAX_DAYS),
        metavar="N",
        help="older than N (default: configured)",
    )
    purge.set_defaults(run=run_purge)
    audit = parts.add_parser("audit", help="check that the audit trail is whole")
    audit.set_defaults(run=run_audit)


def row(job: Job) -> dict[str, object]:
    """A job as JSON and table show it."""
    return {
        "job_id": job.job_id,
        "status": job.status.value,
        "status_info": job.status_info,
        "error_code": job.error_code,
        "meaning": meaning(job.error_code),
        "medium": job.choice.medium.value,
        "copies": job.choice.copies,
        "protected": job.choice.is_protected,
        "priority": int(job.priority),
        "step": job.progress.step.value if job.progress else "",
        "done": job.progress.done if job.progress else 0,
        "total": job.progress.total if job.progress else 0,
        "note": job.progress.note if job.progress else "",
        "disc": job.disc.number,
        "discs": job.disc.of,
        "bill": job.bill.bill_id if job.bill else "",
        "bill_exams": job.bill.exams if job.bill else None,
        "fee": job.bill.fee.total.decimal_text if job.bill else None,
        "currency": job.bill.fee.currency if job.bill else "",
        "images": job.holds.images if job.holds else None,
        "reports": job.holds.reports if job.holds else None,
        "other_objects": job.holds.others if job.holds else None,
        "left_out": job.left_out.total,
        "left_out_videos": job.left_out.videos,
        "left_out_images": job.left_out.images,
        "left_out_others": job.left_out.others,
        "question": job.question.number if job.question else None,
        "wanted": job.question.wanted.value if job.question else "",
        "unfit": job.question.unfit.value if job.question and job.question.unfit else "",
        "wall_number": job.wall_number or None,
        "created_at": job.created_at.isoformat(timespec="seconds"),
        "ended_at": job.ended_at.isoformat(timespec="seconds") if job.ended_at else None,
    }


def bill_row(bill: Bill | None) -> dict[str, Any]:
    """All that was agreed to; amounts are those of the whole bill, which several jobs may share."""
    if bill is None:
        return {"fee_lines": []}
    fee = bill.fee
    return {
        "fee_lines": [
            {
                "item": line.item.value,
                "quantity": line.quantity,
                "amount": line.amount.decimal_text,
            }
            for line in fee.lines
        ],
        "fee_for": fee.kind.value,
        "fee_method": fee.method.value,
        "fee_waiver": fee.waiver.value if fee.waiver else "",
        "fee_ceiling_of": fee.state,
        "fee_agreed_at": bill.agreed_at.isoformat(timespec="seconds"),
    }


def shown_disc(job: Job) -> DiscPlace:
    """The one that is spoken of: while one is to be taken, the next one's turn has come already."""
    is_out = job.question is not None and job.question.wanted is Wanted.TAKE_MEDIUM
    return DiscPlace(job.disc.before, job.disc.of) if is_out else job.disc


SHOWN = (
    "job_id", "status", "status_info", "error_code", "step", "done", "total", "left_out", "wanted",
    "question", "created_at",
)  # fmt: skip


def run_list(args: argparse.Namespace) -> int:
    """In JSON a bare array, so what is said of the engine stands on standard error alone."""
    from kiosk import bootstrap

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal:
        jobs = journal.jobs.newest(limit=args.limit)
        heard = bootstrap.pulse(config, journal).feel()
    rows = [row(job) for job in jobs]
    if not args.json:
        for shown, job in zip(rows, jobs, strict=True):
            if is_waiting_its_turn(job):
                shown["wanted"] = shown["note"]
            elif shown["unfit"]:
                shown["wanted"] = f"{shown['wanted']}: {shown['unfit']}"
    print_rows(args.json, rows, SHOWN)
    _warn(heard)
    return 0


def _warn(heard: Heartbeat) -> None:
    """A job that waits for its turn looks the same whether or not anybody works."""
    if not heard.is_running:
        print(heard.text(), file=sys.stderr)


def run_show(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal:
        job = journal.jobs.get(OrderId(args.job_id))
        shown = row(job) | bill_row(job.bill)
        if job.choice.is_protected:
            shown["password"] = journal.passwords.state(job.job_id)
        heard = bootstrap.pulse(config, journal).feel()
    shown["engine_running"] = heard.is_running
    shown["engine_seen_at"] = heard.seen_at and heard.seen_at.isoformat(timespec="seconds")
    if args.json:
        print_json(shown)
    else:
        if job.question and job.question.unfit:
            shown["unfit"] = f"{shown['unfit']}: {job.question.unfit.text}"
        shown["fee_lines"] = "; ".join(
            f"{line['item']} ({line['quantity']}) {line['amount']}"
            for line in bill_row(job.bill)["fee_lines"]
        )
        print_rows(False, [{"what": k, "value": v} for k, v in shown.items()], ("what", "value"))
    _warn(heard)
    return 0


def _waits_for(question: Question) -> str:
    why = f" ({question.unfit.text})" if question.unfit else ""
    return f"waits for: {question.wanted.value}{why}"


def run_watch(args: argparse.Namespace) -> int:
    """Until the job ends. Raises JobFailedError if it ends in FAILURE."""
    from kiosk import bootstrap

    with (
        bootstrap.existing_journal(config_file.load(args.config)) as journal,
        progress("waiting") as bar,
    ):
        said = ""
        while True:
            job = journal.jobs.get(OrderId(args.job_id))
            if job.progress:
                bar(job.progress.done, job.progress.total, job.progress.step.value)
            says = _waits_for(job.question) if job.question else job.status.value
            if job.error_code and not (job.question and job.question.unfit):
                says = f"{says} ({job.error_code}: {meaning(job.error_code)})"
            elif job.progress and job.progress.note and not job.question:
                says = f"{says} ({job.progress.note})"
            if job.disc.of > 1 and not job.has_ended:
                says = f"disc {shown_disc(job).number} of {job.disc.of}: {says}"
            if says != said:
                print(says, flush=True)
                said = says
            if job.status is ExecutionStatus.DONE:
                return 0
            if job.status is ExecutionStatus.FAILURE:
                raise JobFailedError(f"job {job.job_id}: {job.status_info} {job.error_code}")
            time.sleep(POLL_S)


def run_answer(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    job_id = OrderId(args.job_id)
    with bootstrap.existing_journal(config) as journal:
        asked = journal.jobs.get(job_id).question
        if asked is None or asked.number != args.number:
            raise InvalidValueError(f"job {job_id} does not ask question {args.number}")
        if args.simulated:
            bootstrap.demo_hand(config)(asked.wanted)
        if not journal.questions.answer(job_id, args.number):
            raise InvalidValueError(f"job {job_id} does not ask question {args.number} any more")
    return 0


def run_cancel(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    with bootstrap.existing_journal(config) as journal, bootstrap.jobs(journal) as jobs:
        jobs.cancel(OrderId(args.job_id), actor=actor())
    return 0


def run_password(args: argparse.Namespace) -> int:
    from kiosk import bootstrap
    from kiosk.cli.passwords import show_to_staff

    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        show_to_staff(journal, OrderId(args.job_id))
    return 0


def run_purge(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    config = config_file.load(args.config)
    days = config.store.keep_done_days if args.days is None else args.days
    with bootstrap.existing_journal(config) as journal, bootstrap.jobs(journal) as jobs:
        ended_before = journal.clock.now() - timedelta(days=days)
        print(jobs.purge(ended_before=ended_before))
        journal.calls.purge(answered_before=ended_before)
        bootstrap.reports(config, journal).sweep(ended_before)
    return 0


def run_audit(args: argparse.Namespace) -> int:
    from kiosk import bootstrap

    with bootstrap.existing_journal(config_file.load(args.config)) as journal:
        print(f"{journal.audit.verify()} rows, the chain is whole")
    return 0
