"""`sendhome wall`: public numbers of visits on a screen in the waiting room, or once as lines."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import config_file
from kiosk.app_process import log_to_parent
from kiosk.cli.kiosk import log_to
from kiosk.cli.output import print_json
from kiosk.errors import ConfigError, KioskError
from kiosk.lobby.wrapper import Wrapper, desk_page, is_on_a_terminal
from kiosk.widgets.words import LANGUAGES

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.lobby.wall import WallParts


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "wall",
        help="public numbers of visits, for a screen in the waiting room",
        description="Owns the terminal until it gets SIGTERM; heeds no key. Shows numbers, what is "
        "done, minutes left, and who is to come to the kiosk or go to the desk; no names.",
    )
    once = parser.add_mutually_exclusive_group()
    once.add_argument("--plain", action="store_true", help="once, a line a number")
    once.add_argument("--json", action="store_true", help="once, as JSON")
    parser.add_argument(
        "--language", choices=tuple(LANGUAGES), help="of --plain (default: kiosk.languages' first)"
    )
    parser.add_argument(
        "--log", type=Path, metavar="FILE", help="where the log goes (as `sendhome kiosk` has it)"
    )
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError: no terminal, or the log cannot be kept."""
    config = config_file.load(args.config)
    if args.child:
        return _child(config)
    if args.plain or args.json:
        return _once(config, args.language or config.kiosk.languages[0], is_json=args.json)
    if not is_on_a_terminal():
        raise ConfigError("the wall needs a terminal; once as lines: sendhome wall --plain")
    from kiosk.adapters.clock import SystemClock
    from kiosk.bootstrap import whom_to_call

    log_to(args.log or config.store.state_dir / "wall.log", config)
    file = config_file.find_file(args.config)
    command = [sys.executable, "-P", "-m", "kiosk.cli.main"]
    command += ["--config", str(file)] if file else []
    page = desk_page(config.site.institution, whom_to_call(config))
    return Wrapper([*command, "wall", "--child"], page, SystemClock()).run()


@contextmanager
def _parts(config: Config) -> Iterator[WallParts]:
    from kiosk import bootstrap
    from kiosk.lobby.wall import WallParts

    with bootstrap.existing_journal(config) as journal:
        yield WallParts(
            jobs=journal.jobs.on_the_wall,
            rates=journal.step_times.rates,
            pulse=bootstrap.pulse(config, journal),
            clock=journal.clock,
            site_name=config.site.institution,
            languages=config.kiosk.languages,
        )


def _once(config: Config, language: str, *, is_json: bool) -> int:
    from kiosk.domain.wall import SHOWN_AFTER, wall_rows
    from kiosk.lobby.wall import wall_line
    from kiosk.widgets.words import use_language

    with _parts(config) as parts:
        now = parts.clock.now()
        rows = wall_rows(parts.jobs(now - SHOWN_AFTER), now, {})
    if is_json:
        print_json(
            [
                {
                    "number": row.number,
                    "call": row.call.value,
                    "step": row.step.value if row.step else "",
                }
                for row in rows
            ]
        )
        return 0
    use_language(language)
    for row in rows:
        print(wall_line(row, 200))
    return 0


def _child(config: Config) -> int:
    from kiosk.lobby.crash import install_quiet_hooks
    from kiosk.lobby.garbage import settle
    from kiosk.lobby.terminal import let_terminal_be_without_colour
    from kiosk.lobby.wall import WallApp
    from kiosk.widgets.script import let_terminal_shape

    log_to_parent()
    install_quiet_hooks()
    let_terminal_shape(config.kiosk.terminal_shapes)
    let_terminal_be_without_colour()
    settle()
    try:
        with _parts(config) as parts:
            app = WallApp(parts)
            app.run()
            return app.return_code or 0
    except KioskError as error:
        logging.getLogger(__name__).error("%s: %s", error.code, error)
        raise
