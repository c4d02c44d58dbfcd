"""What the lobby is given when it starts."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from textual.app import App

from kiosk.domain.fee import FeePolicy
from kiosk.domain.identity import DateOrder
from kiosk.domain.model import Medium, Wanted
from kiosk.domain.protection import Protect
from kiosk.domain.rates import Rates
from kiosk.domain.recipient import Doctor
from kiosk.ports import Clock, Jobs, Orders, Passwords, Presence, Speech, StaffCalls, Tickets
from kiosk.services.identify import Identify
from kiosk.services.pulse import Pulse
from kiosk.services.receipts import Receipts
from kiosk.services.release_forms import ReleaseForms
from kiosk.services.request import Request
from kiosk.widgets.words import LANGUAGES


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Whom a newcomer may be: shown on the welcome screen of the demo only."""

    name: str
    ticket_code: str
    birth_date: str


@dataclass(frozen=True, slots=True)
class LobbyParts:
    """Ports, services and words of one kiosk.

    Attributes:
        pulse: Of the engine; without one the kiosk is out of service.
        site_name: In the head line of every screen.
        phone: Whom to call, in the bar of every screen; "" for the desk alone.
        calls: Where "Call staff" goes.
        speech: Says what is shown, if wanted; None where the machine cannot speak.
        zoom: Asks terminal or browser for larger letters, or the usual ones.
        languages: Keys of `words.LANGUAGES`; a visit begins in the first.
        region: The site's country, two letters: how dates and money are written.
        visit_s: No visit lasts longer to its order, nor from there on: the ticket opens its
            progress again. 0 for no limit.
        media: What may be chosen, in this order; one alone is not asked for.
        find_empty: Those of them of which there is none left; asked in a worker.
        rates: What the engine measured; asked in a worker.
        passwords: Of protected media, to be shown to their owner.
        protect: Whether visitors may choose a password for their medium.
        max_copies: Above 1 the visitor is asked how many.
        fees: What copies cost; None where the lobby says nothing of it.
        forms: Release forms that are signed before anything is made; None where none is asked.
        receipts: What is handed out with the medium; None where nothing is.
        site_address: Where a request is taken back in writing.
        report_days: After an exam its report is usually final; 0 if that is not known.
        for_whom: It is asked for whom the copy is; otherwise it is for the patient.
        doctors: The site's directory.
        date_order: How a birth date is typed here.
        idle_s, warn_s: A visit without a touch ends after `idle_s`, announced `warn_s` before.
        progress_idle_s: The same while a medium is made: a claim opens those screens again.
        busy_s: Services and journal are not waited for any longer; the visit ends and staff are
            called.
        people: The demo's visitors.
        demo_hand: The demo's hand at the simulated drive: does what is wanted there.
    """

    orders: Orders
    tickets: Tickets
    jobs: Jobs
    identify: Identify
    request: Request
    presence: Presence
    passwords: Passwords
    pulse: Pulse
    clock: Clock
    calls: StaffCalls
    site_name: str
    kiosk_name: str
    rates: Callable[[], Rates] = Rates
    phone: str = ""
    speech: Speech | None = None
    zoom: Callable[[App[None], bool], None] | None = None
    languages: tuple[str, ...] = tuple(LANGUAGES)
    region: str = "GB"
    visit_s: float = 600.0
    media: tuple[Medium, ...] = (Medium.DISC, Medium.STICK)
    find_empty: Callable[[], Collection[Medium]] = frozenset
    max_copies: int = 1
    protect: Protect = Protect.OPTIONAL
    fees: FeePolicy | None = None
    forms: ReleaseForms | None = None
    receipts: Receipts | None = None
    site_address: str = ""
    report_days: int = 0
    for_whom: bool = False
    doctors: tuple[Doctor, ...] = ()
    date_order: DateOrder = "DMY"
    idle_s: float = 45.0
    warn_s: float = 20.0
    progress_idle_s: float = 60.0
    busy_s: float = 90.0
    people: tuple[DemoPerson, ...] = field(default=(), repr=False)
    demo_hand: Callable[[Wanted], None] | None = None
