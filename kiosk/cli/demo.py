"""`sendhome demo`: the whole visit on built-in defaults, with a person or by itself."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk.cli.kiosk import port_number

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.demo.stage import Stage


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="try it: a kiosk, an archive, invented patients, a simulated drive",
        description="Starts an archive with invented patients, the engine and a drive made of "
        "files, and shows the kiosk. Without a terminal the visit goes by itself and ends by "
        "printing where the image of the disc is.",
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from kiosk.demo.stage import default_folder, set_stage

    folder: Path = (args.folder or default_folder()).absolute()
    is_auto = args.auto or not (sys.stdin.isatty() and sys.stdout.isatty())
    print(f"Setting up the demo in {folder}:", flush=True)
    with set_stage(folder, say) as stage:
        if args.serve is not None:
            return _with_a_browser(stage, args.serve)
        if is_auto:
            return _alone(stage)
        return _with_a_person(stage)


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def _alone(stage: Stage) -> int:
    import asyncio

    from kiosk import bootstrap
    from kiosk.demo.visitor import await_end, visit
    from kiosk.lobby.app import LobbyApp

    person = stage.visitors[0]
    with bootstrap.journal(stage.config) as journal, bootstrap.jobs(journal) as jobs:
        parts = dataclasses.replace(
            bootstrap.lobby_parts(stage.config, journal, jobs),
            people=stage.visitors,
            demo_hand=bootstrap.demo_hand(stage.config),
        )
        app = LobbyApp(parts, demo=True)
        print(f"A visit by {person.name}:", flush=True)
        asyncio.run(visit(app, person, say, require_engine=stage.engine.require))
        await_end(jobs, stage.config.store.spool_dir)
    image = bootstrap.simulated(stage.config.drives[0]).take()
    print(f"Image of the disc: {image}", flush=True)
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
    from kiosk import bootstrap

    stage.engine.require()
    drive = bootstrap.simulated(stage.config.drives[0])
    if (image := drive.take()) is not None and image.exists():
        print(f"Image of the disc: {image}")
    print(f"Logs, discs and the stick are in {stage.config_file.parent}")
    return code
