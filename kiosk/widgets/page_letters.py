"""What the app asks of the page that shows it: an address that the page keeps to itself."""

from __future__ import annotations

from typing import Final

PAGE_LARGE: Final = "sendhome:text=large"
PAGE_USUAL: Final = "sendhome:text=usual"
