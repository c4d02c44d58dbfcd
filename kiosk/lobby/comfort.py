"""What a visitor has chosen on the help page. Thrown away with the visit: the next one begins in
the site's language, at its usual size, in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LOUDEST: Final = 5
USUAL_VOLUME: Final = 3


@dataclass(frozen=True, slots=True)
class Comfort:
    """How the kiosk talks to this person.

    Attributes:
        volume: 1 to LOUDEST.
        says_typed: Letters and digits are said aloud as they are typed; for headphones.
    """

    language: str
    is_large: bool = False
    has_contrast: bool = False
    is_spoken: bool = False
    volume: int = USUAL_VOLUME
    says_typed: bool = False
