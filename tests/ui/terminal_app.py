"""The lobby as a program for a pty: run as `python -m tests.ui.terminal_app MODE`.

`lobby` is the kiosk as it is; `visit FILE` writes into it what a scanner
reads off a ticket. `tour SEED` shows every screen with hostile text and quits; between
screens it writes nothing of its own. `crash NAME` breaks while a name is on the screen.
"""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

from kiosk.lobby.garbage import settle
from kiosk.lobby.terminal import let_terminal_be_without_colour
from kiosk.lobby.wall import WallApp
from tests.fakes.hostile import HOSTILE
from tests.fakes.lobby import Hall
from tests.fakes.orders import an_order
from tests.ui.screens import every_screen
from tests.ui.test_wall import Room, a_full_room

SHOW_FOREIGN_TEXT = ("welcome_demo", "is_this_you", "exams")


def texts(seed: int) -> list[str]:
    """The hostile strings, and random ones of every plane with a taste for control characters."""
    draw = random.Random(seed)
    found = list(HOSTILE)
    for _ in range(20):
        characters = [
            chr(
                draw.choice(
                    (draw.randrange(0xA0), draw.randrange(0x3000), draw.randrange(0x110000))
                )
            )
            for _ in range(draw.randrange(1, 60))
        ]
        found.append("".join(characters))
    return found


def tour(seed: int) -> None:
    app = Hall().app()
    shown: set[str] = set()

    async def walk() -> None:
        for at, text in enumerate(texts(seed)):
            for name, make in every_screen(hostile=text).items():
                if name in SHOW_FOREIGN_TEXT or at in (0, 10):
                    screen = make()
                    app._show(screen)
                    painted = asyncio.Event()
                    screen.call_after_refresh(painted.set)
                    await painted.wait()
                    shown.add(name)
        app.exit(message=None)

    app.call_later(lambda: app.run_worker(walk()))
    app.run()
    sys.exit(app.return_code or shown != set(every_screen()))


def wall() -> None:
    room = Room()
    room.jobs = a_full_room()
    WallApp(room.parts).run()


def crash(name: str) -> None:
    hall = Hall(an_order(name=name))
    app = hall.app()

    def show() -> None:
        app._show(every_screen(an_order(name=name))["is_this_you"]())
        app.set_timer(1.0, lambda: app.query_one(f"#{name}"))

    app.call_later(show)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    let_terminal_be_without_colour()
    settle()
    mode, *rest = sys.argv[1:]
    if mode == "tour":
        tour(int(rest[0]))
    elif mode == "visit":
        hall = Hall()
        Path(rest[0]).write_text(hall.ticket.qr_text)
        hall.app().run()
    elif mode == "wall":
        wall()
    elif mode == "crash":
        crash(rest[0])
    else:
        Hall().app().run()
