"""Colours of both apps. Every pair that carries text has a contrast of 4.5:1 or better in the
usual theme, and of 7:1 or better in the one for weak eyes (WCAG 2.2, 1.4.3 and 1.4.6).
"""

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

# White on black with yellow for what is meant to be pressed: what people with weak eyes ask for.
CONTRAST_THEME: Final = Theme(
    name="kiosk-contrast",
    dark=True,
    background="#000000",
    surface="#000000",
    panel="#1C1C1C",
    foreground="#FFFFFF",
    primary="#FFE100",
    secondary="#FFFFFF",
    accent="#FFE100",
    success="#7CFC9A",
    warning="#FFE100",
    error="#FFB3B3",
    variables={
        "ink": "#FFFFFF",
        "ink-quiet": "#E6E6E6",
        "on-dark": "#000000",
        "line": "#FFFFFF",
    },
)
