"""`sendhome kiosk`: the lobby on this terminal, or as a page of a browser on this machine.

A parent owns the terminal or the page, the app is its child.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk import config_file
from kiosk.app_process import is_ours_or_serious, log_to_parent
from kiosk.errors import ConfigError, KioskError
from kiosk.lobby.wrapper import Wrapper, desk_page, is_on_a_terminal

if TYPE_CHECKING:
    from kiosk.config import Config
    from kiosk.lobby.app import LobbyApp
    from kiosk.lobby.parts import DemoPerson
    from kiosk.serve.server import AppServer

SERVE_PORT = 8060


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "kiosk",
        help="the lobby, on this terminal or as a page",
        description="Owns the terminal until it gets SIGTERM. No key leaves it. If the app "
        "crashes a fixed page sends people to the desk until it is back. With --serve it is a "
        "page for a browser on this machine, for touch; nobody else can reach it.",
    )
    parser.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="where the log goes (default: standard error, or the state folder if that is the "
        "terminal)",
    )
    parser.add_argument(
        "--plain",
        action="store_true",
        help="the same visit as numbered lines on standard input and output, for a screen reader "
        "or a Braille line; end of input ends it",
    )
    parser.add_argument(
        "--serve",
        type=port_number,
        nargs="?",
        const=SERVE_PORT,
        metavar="PORT",
        help=f"as a page at http://127.0.0.1:PORT/ (default {SERVE_PORT}, 0 for any that is free), "
        "in one browser at a time",
    )
    parser.add_argument(
        "--terminal-shapes",
        action="store_true",
        help="this terminal joins Arabic letters and turns lines round by itself (also: "
        "kiosk.terminal_shapes)",
    )
    parser.add_argument("--visitors", type=Path, help=argparse.SUPPRESS)  # the demo's
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises ConfigError: no terminal, or the log cannot be kept."""
    config = config_file.load(args.config)
    if args.terminal_shapes:
        config = dataclasses.replace(
            config, kiosk=dataclasses.replace(config.kiosk, terminal_shapes=True)
        )
    if args.child:
        return _child(config, args.visitors)
    if args.plain:
        return _plain(config, args.log, args.visitors)
    if args.serve is not None:
        file = config_file.find_file(args.config)
        return run_served(config, file, args.log, args.visitors, port=args.serve)
    if not is_on_a_terminal():
        raise ConfigError("the kiosk needs a terminal; for a look without one: sendhome demo")
    return run_wrapped(config, config_file.find_file(args.config), args.log, args.visitors)


def run_wrapped(
    config: Config,
    file: Path | None,
    log: Path | None,
    visitors: Path | None = None,
    *,
    on_start: Callable[[Wrapper], None] = lambda _wrapper: None,
) -> int:
    """Own the terminal until the lobby ends in order. Raises ConfigError: no log.

    Args:
        on_start: Given what can be stopped.
    """
    from kiosk.adapters.clock import SystemClock
    from kiosk.bootstrap import whom_to_call

    log_to(log, config)
    page = desk_page(config.site.institution, whom_to_call(config))
    wrapper = Wrapper(_command(config, file, visitors), page, SystemClock())
    on_start(wrapper)
    return wrapper.run()


def run_served(
    config: Config,
    file: Path | None,
    log: Path | None,
    visitors: Path | None = None,
    *,
    port: int,
    on_start: Callable[[AppServer], None] = lambda _server: None,
) -> int:
    """Serve the page until told to stop. Raises ConfigError: no log, or the port is taken.

    Args:
        on_start: Given what can be stopped, once it is ready.
    """
    import asyncio

    from kiosk.adapters.clock import SystemClock
    from kiosk.bootstrap import whom_to_call
    from kiosk.serve.server import AppServer
    from kiosk.systemd import tell_ready

    log_to(log, config)
    notice = desk_page(config.site.institution, whom_to_call(config))

    async def serve() -> None:
        command = _command(config, file, visitors)
        server = AppServer(command, notice, SystemClock(), port=port)

        def is_ready(address: str) -> None:
            print(f"The kiosk is at {address}", flush=True)
            tell_ready()
            on_start(server)

        await server.run(is_ready)

    asyncio.run(serve())
    return 0


def _command(config: Config, file: Path | None, visitors: Path | None) -> list[str]:
    command = [sys.executable, "-P", "-m", "kiosk.cli.main"]
    command += ["--config", str(file)] if file else []
    command += ["kiosk", "--child"]
    command += ["--terminal-shapes"] if config.kiosk.terminal_shapes else []
    command += ["--visitors", str(visitors)] if visitors else []
    return command


def port_number(text: str) -> int:
    """For argparse. Raises ValueError."""
    number = int(text)
    if not 0 <= number < 1 << 16:
        raise ValueError(text)
    return number


def log_to(log: Path | None, config: Config) -> None:
    if log is None and sys.stderr.isatty():
        log = config.store.state_dir / f"kiosk-{config.kiosk.name}.log"
    form = "%(asctime)s %(levelname)s %(name)s %(message)s"
    try:
        if log is None:
            handler: logging.Handler = logging.StreamHandler(sys.stderr)
        else:
            log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handler = logging.FileHandler(log)
    except OSError as error:
        raise ConfigError(f"the log cannot be kept in {log}: {error.strerror}") from error
    handler.addFilter(is_ours_or_serious)
    logging.basicConfig(handlers=[handler], level=logging.INFO, format=form)


def _child(config: Config, visitors: Path | None) -> int:
    """The lobby; why it cannot start goes into the log, as the terminal is wiped at once."""
    from kiosk.lobby.crash import install_quiet_hooks

    log_to_parent()
    install_quiet_hooks()
    try:
        return _lobby(config, visitors)
    except KioskError as error:
        logging.getLogger(__name__).error("%s: %s", error.code, error)
        raise


def _plain(config: Config, log: Path | None, visitors: Path | None) -> int:
    """No terminal is owned and nothing is drawn; a crash leaves a sentence and exit code 1."""
    import asyncio

    from kiosk.bootstrap import whom_to_call
    from kiosk.lobby.crash import install_quiet_hooks
    from kiosk.lobby.lines import forget_lines, lines_of, written
    from kiosk.lobby.plain import PlainKiosk

    log_to(log or config.store.state_dir / f"kiosk-{config.kiosk.name}.log", config)
    install_quiet_hooks()
    shaped = dataclasses.replace(config.kiosk, terminal_shapes=True)  # a Braille line turns nothing

    async def visit(app: LobbyApp) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, app.exit)
        for number in (signal.SIGQUIT, signal.SIGTSTP):
            signal.signal(number, signal.SIG_IGN)
        # Who stands before the kiosk does not end it; the demo's owner may.
        loop.add_signal_handler(signal.SIGINT, app.exit if visitors else lambda: None)
        return await PlainKiosk(app, lines_of(sys.stdin), written, forget_lines).run()

    plain = dataclasses.replace(config, kiosk=shaped)
    code = _with_app(plain, visitors, lambda app: asyncio.run(visit(app)))
    if code:
        for line in desk_page(config.site.institution, whom_to_call(config)):
            written(line)
    return code


def _lobby(config: Config, visitors: Path | None) -> int:
    from kiosk.lobby.terminal import let_terminal_be_without_colour

    def run_app(app: LobbyApp) -> int:
        app.run()
        return app.return_code or 0

    if sys.stdin.isatty():  # not the page, which has colours
        let_terminal_be_without_colour()
    return _with_app(config, visitors, run_app)


def _with_app(config: Config, visitors: Path | None, run_app: Callable[[LobbyApp], int]) -> int:
    from kiosk import bootstrap
    from kiosk.lobby.app import LobbyApp
    from kiosk.lobby.garbage import settle
    from kiosk.widgets.script import let_terminal_shape

    let_terminal_shape(config.kiosk.terminal_shapes)
    settle()
    with bootstrap.existing_journal(config) as journal, bootstrap.jobs(journal) as jobs:
        parts = bootstrap.lobby_parts(config, journal, jobs)
        if visitors:
            people = read_visitors(visitors)
            parts = dataclasses.replace(parts, people=people, demo_hand=bootstrap.demo_hand(config))
        try:
            return run_app(LobbyApp(parts, demo=visitors is not None))
        finally:
            if parts.speech is not None:
                parts.speech.hush()  # its process would speak on without us


def read_visitors(path: Path) -> tuple[DemoPerson, ...]:
    """What `write_visitors` wrote."""
    from kiosk.lobby.parts import DemoPerson

    return tuple(DemoPerson(**row) for row in json.loads(path.read_text(encoding="utf-8")))


def write_visitors(path: Path, people: tuple[DemoPerson, ...]) -> None:
    rows = [dataclasses.asdict(person) for person in people]
    path.write_text(json.dumps(rows), encoding="utf-8")
