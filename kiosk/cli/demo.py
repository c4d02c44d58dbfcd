"""`sendhome demo`: the whole visit on built-in defaults, with a person or by itself."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.kiosk import port_number
from kiosk.errors import InvalidValueError

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.demo.faults import DemoFaults
    from kiosk.demo.stage import Stage
    from kiosk.domain.model import Question


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="try it: a kiosk, an archive, invented patients, simulated devices",
        description="Starts an archive with invented patients, the engine, a drive or robot and "
        "printers made of files, and shows the kiosk. Without a terminal the visit goes by itself "
        "and ends by printing where disc, label and receipt are.",
    )
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where everything is kept")
    parser.add_argument("--auto", action="store_true", help="go by itself, terminal or not")
    parser.add_argument(
        "--serve",
        type=port_number,
        nargs="?",
        const=0,
        metavar="PORT",
        help="show the kiosk as a page for a browser on this machine, as a touch screen has it",
    )
    parser.add_argument(
        "--robot", choices=("primera", "epson"), default="", help="discs are made by a disc robot"
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="FAULT",
        help="what shall go wrong, such as drive.write_error_percent=40; several allowed, none: "
        "all is well",
    )
    parser.add_argument(
        "--now",
        action="store_true",
        help="with --fault: in the demo that plays already, instead of what was wrong before",
    )
    parser.add_argument(
        "--list-faults", action="store_true", help="print every fault that there is, and end"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk.demo.faults import described, parse
    from kiosk.demo.stage import default_folder, set_stage

    if args.list_faults:
        print("\n".join(described()))
        return 0
    folder: Path = (args.folder or default_folder()).absolute()
    faults = parse(args.fault)
    if args.now:
        return _now(folder, faults, is_given=bool(args.fault))
    is_auto = args.auto or not (sys.stdin.isatty() and sys.stdout.isatty())
    print(f"Setting up the demo in {folder}:", flush=True)
    with set_stage(folder, say, robot=args.robot, faults=faults) as stage:
        if args.serve is not None:
            return _with_a_browser(stage, args.serve)
        if is_auto:
            return _alone(stage)
        return _with_a_person(stage)


def _now(folder: Path, faults: DemoFaults, *, is_given: bool) -> int:
    """In a demo of another process. Raises InvalidValueError: none plays."""
    from kiosk.demo.devices import DemoDevices
    from kiosk.demo.stage import playing

    if not is_given:
        raise InvalidValueError("--now goes with --fault; --fault none mends everything")
    DemoDevices(playing(folder)).set_faults(faults)
    wrong = ", ".join(sorted(faults.devices))
    print(f"Something is wrong with: {wrong}" if wrong else "All is well")
    return 0


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def _alone(stage: Stage) -> int:
    import asyncio

    from kiosk import bootstrap
    from kiosk.cli.kiosk import log_to
    from kiosk.demo.visitor import await_end, visit
    from kiosk.lobby.app import LobbyApp

    log_to(stage.config_file.with_name("kiosk.log"), stage.config)
    person = stage.visitors[0]
    with bootstrap.journal(stage.config) as journal, bootstrap.jobs(journal) as jobs:

        def staff(question: Question) -> None:
            stage.devices.staff(question.wanted)
            journal.questions.answer(question.job_id, question.number)

        parts = dataclasses.replace(
            bootstrap.lobby_parts(stage.config, journal, jobs),
            people=stage.visitors,
            demo_hand=bootstrap.demo_hand(stage.config),
        )
        app = LobbyApp(parts, demo=True)
        print(f"A visit by {person.name}:", flush=True)
        asyncio.run(visit(app, person, say, staff=staff, require_engine=stage.engine.require))
        await_end(jobs, stage.config.store.spool_dir)
    _show_what_was_made(stage)
    return 0


def _with_a_person(stage: Stage) -> int:
    from kiosk.cli.kiosk import run_wrapped

    code = run_wrapped(
        *_kiosk_of(stage), on_start=lambda wrapper: stage.engine.when_gone(wrapper.stop)
    )
    return _after(stage, code)


def _with_a_browser(stage: Stage, port: int) -> int:
    from kiosk.cli.kiosk import run_served

    print("Open it in a browser on this machine; Ctrl+C here ends it.", flush=True)
    code = run_served(
        *_kiosk_of(stage),
        port=port,
        on_start=lambda server: stage.engine.when_gone(server.stop),
    )
    return _after(stage, code)


def _kiosk_of(stage: Stage) -> tuple[Config, Path, Path, Path]:
    """Configuration, its file, the log and the list of visitors."""
    from kiosk.cli.kiosk import write_visitors

    visitors = stage.config_file.with_name("visitors.json")
    write_visitors(visitors, stage.visitors)
    return stage.config, stage.config_file, stage.config_file.with_name("kiosk.log"), visitors


def _after(stage: Stage, code: int) -> int:
    stage.engine.require()
    _show_what_was_made(stage)
    print(f"Logs, discs, papers and the stick are in {stage.config_file.parent}")
    return code


def _show_what_was_made(stage: Stage) -> None:
    """Where the disc and its papers are, and which were not printed."""
    from kiosk import bootstrap
    from kiosk.errors import meaning

    if (image := stage.devices.last_disc()) is not None:
        print(f"Image of the disc: {image}")
    papers = stage.devices.papers()
    for what, found in (
        ("Label", papers.labels),
        ("Cover sheet", papers.sheets),
        ("Receipt", papers.receipts),
    ):
        for path in found:
            print(f"{what}: {path}")
    with bootstrap.existing_journal(stage.config) as journal:
        for event in ("label.not_printed", "receipt.not_printed"):
            for row in journal.audit.rows(event=event):
                what = str(row.details.get("paper", "receipt"))
                code = str(row.details.get("error", ""))
                print(f"Not printed: {what} ({code}: {meaning(code)})")
