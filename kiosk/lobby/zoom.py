"""Larger letters from whoever draws them: the browser's page, or a terminal that can be asked.

An app can make its layout simpler, but not its letters larger. In the browser the page is asked,
by an address that it keeps to itself; xterm is asked by its own control sequence. Other terminals
(the Linux console, foot, those of VTE) cannot be asked: there the font's size is the machine's.
"""

from __future__ import annotations

from typing import Final

from textual.app import App

from kiosk.widgets.page_letters import PAGE_LARGE, PAGE_USUAL

_XTERM_STEPS: Final = 2  # of its font menu


def zoom_page(app: App[None], is_large: bool) -> None:
    """The served page catches the address; without a browser nothing happens."""
    if app.is_web:
        app.open_url(PAGE_LARGE if is_large else PAGE_USUAL, new_tab=False)


def zoom_xterm(app: App[None], is_large: bool) -> None:
    """Steps of the font menu (xterm's OSC 50), in the browser as `zoom_page`."""
    if app.is_web:
        zoom_page(app, is_large)
    elif app._driver is not None:  # noqa: SLF001  # Textual has no public way to its terminal
        app._driver.write(f"\x1b]50;#{'+' if is_large else '-'}{_XTERM_STEPS}\x1b\\")  # noqa: SLF001
