"""Colours of both apps. Every pair that carries text has a contrast of 4.5:1 or better."""

from __future__ import annotations

from typing import Final

from textual.theme import Theme

# Dark blue on a warm white: calm, and readable for old eyes. A test measures every screen.
KIOSK_THEME: Final = Theme(
    name="kiosk",
    dark=False,
    background="#FBFAF6",
    surface="#FFFFFF",
    panel="#E3E9F0",
    foreground="#14222F",
    primary="#0B4F87",
    secondary="#38506A",
    accent="#0B4F87",
    success="#12633B",
    warning="#7A4300",
    error="#9B1C1C",
    variables={
        "ink": "#14222F",
        "ink-quiet": "#44566A",
        "on-dark": "#FFFFFF",
        "line": "#5B7083",
    },
)
