"""What can be configured: a frozen dataclass a section, a default and a description a field.

`config_file.py` reads the one TOML file into them; secrets are kept by
`adapters/secrets.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from kiosk.config_label import LabelConfig
from kiosk.config_option import absolute as _absolute
from kiosk.config_option import ae_title as _ae_title
from kiosk.config_option import ascii_only as _ascii
from kiosk.config_option import between as _between
from kiosk.config_option import database as _database
from kiosk.config_option import filled as _filled
from kiosk.config_option import name as _name
from kiosk.config_option import one_of as _one_of
from kiosk.config_option import option
from kiosk.config_option import paragraph as _paragraph
from kiosk.config_option import plain as _plain
from kiosk.config_paper import FeeConfig, FormsConfig, ReceiptConfig
from kiosk.config_robot import ROBOTS, SIMULATED_ROBOTS, RobotConfig
from kiosk.domain.check_digit import SCHEMES
from kiosk.errors import ConfigError

LANGUAGES: Final = ("en", "es", "fr", "de", "ar", "zh")
"""Of the kiosk; a test compares them with its catalogues."""


def _languages(value: tuple[str, ...]) -> str | None:
    if value and len(set(value)) == len(value) and set(value) <= set(LANGUAGES):
        return None
    return f"must be some of {', '.join(LANGUAGES)}, each once"


def _region(value: str) -> str | None:
    is_code = len(value) == 2 and value.isascii() and value.isupper() and value.isalpha()
    return None if is_code else "must be two letters, such as US"


@dataclass(frozen=True, slots=True)
class SiteConfig:
    """Who makes the media; stands in README.TXT, INDEX.HTM and on the screens."""

    institution: str = option("Demo Imaging Center", "name of the institution", _plain)
    address: tuple[str, ...] = option(
        ["1 Example Street", "Exampletown"], "postal address, a line each", _plain
    )
    phone: str = option("555-0100", "whom to call when something does not work", _plain)
    email: str = option("", "address for questions, empty for none", _plain)
    plain_name: str = option(
        "", "the institution's name in plain letters, for README.TXT, if it has others", _ascii
    )
    help_line: str = option(
        "", "whom to ask when a medium does not work; empty: the contact above", _paragraph
    )
    notice: str = option("", "privacy notice for the media, empty for ours alone", _paragraph)
    notes: str = option("", "what README.TXT says besides, empty for nothing", _paragraph)
    vendor: str = option("The sendhome project", "who stands behind the software", _plain)
    vendor_contact: tuple[str, ...] = option(
        ["Please ask the institution named above."], "how to reach them, a line each", _filled
    )
    paper: str = option("a4", "paper that reports are laid out for", _one_of("a4", "letter"))
    viewer: bool = option(True, "put the viewer onto the media, with its copy of the pixels")
    glossary: str = option(
        "", "file with the words that the viewer explains in reports, empty for ours", _plain
    )


@dataclass(frozen=True, slots=True)
class ArchiveConfig:
    """The PACS that studies are fetched from."""

    host: str = option("127.0.0.1", "host name or address", _plain)
    port: int = option(4242, "DICOM port", _between(1, 65535))
    ae_title: str = option("ORTHANC", "its AE title", _ae_title)
    addresses: tuple[str, ...] = option(
        [], "addresses it may send from; empty: what `host` resolves to", _plain
    )
    quiet_s: float = option(
        60.0, "seconds without a new object after which a C-MOVE counts as stuck", _between(5, 3600)
    )


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """Our own Storage SCP, to which the archive sends."""

    ae_title: str = option("SENDHOME", "our AE title, the move destination", _ae_title)
    host: str = option("127.0.0.1", "address to listen on", _plain)
    port: int = option(11112, "port to listen on; 0: chosen by the system", _between(0, 65535))


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """Where things are kept."""

    state_dir: Path = option(
        Path("/var/lib/sendhome"), "journal, keys and locks; mode 0700", _absolute
    )
    spool_dir: Path = option(
        Path("/var/spool/sendhome"), "images on their way to a medium", _absolute
    )
    database_url: str = option("", "SQLAlchemy URL; empty: SQLite in the state folder", _database)
    reserve_mb: int = option(
        512, "MB of free space below which nothing more is accepted", _between(0, 1_000_000)
    )
    snapshots: int = option(
        8, "hourly copies of the SQLite journal that are kept; 0: none", _between(0, 1000)
    )
    keep_done_days: int = option(
        30, "days after which ended jobs and answered calls are purged", _between(1, 3650)
    )


NOMINAL_BLOCKS: Final = {"cd": 333_000, "dvd": 2_295_104, "bd": 11_826_176}
"""Of 2048 bytes, on the smallest medium of its kind."""

RESERVE_BLOCKS: Final = 182
"""What writing adds to an image: padding and rounding. As `burner.drive` has it."""


def _capacity(value: int | str) -> str | None:
    if value in NOMINAL_BLOCKS or (isinstance(value, int) and 1000 <= value <= 1 << 29):
        return None
    return f"must be one of {', '.join(NOMINAL_BLOCKS)}, or a number of blocks from 1000 on"


@dataclass(frozen=True, slots=True)
class DriveConfig:
    """One drive or port."""

    name: str = option("disc1", "short name, used in the journal", _name)
    kind: str = option(
        "optical",
        "optical, stick, primera or epson (disc robots), simulated (a drive made of files),"
        " simulated-stick (a file), simulated-primera or simulated-epson",
        _one_of("optical", "stick", "simulated", "simulated-stick", *ROBOTS, *SIMULATED_ROBOTS),
    )
    device: str = option(
        "/dev/sr0", "device node, folder of a simulated drive, or a robot's job folder", _plain
    )
    capacity: int | str = option(
        "dvd",
        "largest disc in stock for it: cd, dvd, bd, or blocks of 2048 bytes; larger studies become"
        " sets of discs. Sticks are asked themselves",
        _capacity,
    )
    speed: int = option(0, "writing speed factor; 0: the engine's choice", _between(0, 64))
    power_off: bool = option(
        False,
        "switch a finished stick off (udisks2): its light goes out, but then nobody can see whether"
        " it was taken",
    )
    sticks: str = option(
        "own",
        "whose sticks go into this port: own (the visitor's: what is on them stays) or house (new,"
        " sealed ones of the facility: made anew, and refused unless nothing is on them)",
        _one_of("own", "house"),
    )
    robot: RobotConfig = field(default_factory=RobotConfig)

    @property
    def is_port(self) -> bool:
        """For sticks."""
        return self.kind in ("stick", "simulated-stick")

    @property
    def is_robot(self) -> bool:
        return self.kind in (*ROBOTS, *SIMULATED_ROBOTS)

    @property
    def capacity_blocks(self) -> int:
        """What an image may take on the largest disc in stock."""
        nominal = self.capacity
        blocks = NOMINAL_BLOCKS[nominal] if isinstance(nominal, str) else nominal
        return blocks - RESERVE_BLOCKS


@dataclass(frozen=True, slots=True)
class KioskConfig:
    """The lobby."""

    name: str = option("lobby", "this kiosk's name in the journal", _name)
    idle_s: int = option(
        45, "seconds without touch or key until the visit is forgotten", _between(10, 600)
    )
    warning_s: int = option(20, "how many of these seconds a warning is shown", _between(5, 300))
    ticket_hours: int = option(24, "hours a claim ticket is good for", _between(1, 24 * 14))
    date_order: str = option("mdy", "order of typed dates", _one_of("mdy", "dmy", "ymd"))
    visit_s: int = option(
        600,
        "seconds after which a visit ends, however often the screen is touched; from the placed"
        " order on they begin anew, once; 0: no limit",
        _between(0, 7200),
    )
    languages: tuple[str, ...] = option(
        ["en", "es", "fr", "de", "ar", "zh"],
        "languages that are offered; a visit begins in the first",
        _languages,
    )
    region: str = option(
        "US", "the site's country, two letters: how dates and money are written", _region
    )
    speech: str = option(
        "auto",
        "spoken guidance: auto (if espeak-ng is installed) or off",
        _one_of("auto", "off"),
    )
    speech_device: str = option(
        "", "sound device of the headphones, as espeak-ng -d takes it; empty: the usual one", _plain
    )
    terminal_shapes: bool = option(
        False, "the terminal joins Arabic letters and writes them from right to left by itself"
    )
    zoom: str = option(
        "page",
        "how letters become larger: page (the served page), xterm (that terminal, and the page), or"
        " none",
        _one_of("page", "xterm", "none"),
    )
    protect: str = option(
        "optional",
        "media with a password: off (not offered), optional (visitors may choose it) or always"
        " (staff's media too)",
        _one_of("off", "optional", "always"),
    )


@dataclass(frozen=True, slots=True)
class LobbyConfig:
    """What opens an order at the kiosk besides a ticket, and which steps a visit has."""

    wristband: bool = option(
        False,
        "a scanned visit or accession number, birth date and second fact open today's exam that is"
        " marked send_home",
    )
    licence: bool = option(
        False, "so do a scanned driver's licence (AAMVA) and the second fact, if one exam is marked"
    )
    second_fact: str = option(
        "phone",
        "what is asked without a ticket: phone (its last four digits) or postcode",
        _one_of("phone", "postcode"),
    )
    visit_check_digit: str = option(
        "none",
        "check digit at the end of visit numbers (HL7 table 0061, ISO 7064); others are refused",
        _one_of(*SCHEMES),
    )
    accession_check_digit: str = option("none", "the same of accession numbers", _one_of(*SCHEMES))
    other_exams: bool = option(
        False, "a ticket also offers the patient's other released orders of the last 7 days"
    )
    report_days: int = option(
        0,
        "days after the exam by which a report usually is final; said with one that is not yet."
        " 0: not known, and that is said",
        _between(0, 365),
    )
    max_copies: int = option(
        1, "visitors are asked how many copies they want, up to this; 1: not asked", _between(1, 3)
    )
    for_whom: bool = option(
        True,
        "visitors are asked for whom the copy is: themselves, a doctor of forms.directory, or"
        " somebody whose address they type",
    )
    receipt: bool = option(
        True, "a receipt is shown in the end, and printed on request where there is a printer"
    )
    release_form: bool = option(
        True, "a release form is read and signed before anything is made, and kept"
    )


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """The durable engine of this station."""

    station: str = option("station1", "unique name of this station", _name)
    retry_s: tuple[float, ...] = option(
        [5.0, 15.0, 60.0, 300.0, 900.0],
        "waits between tries of a failing archive; the last repeats",
    )
    max_spoiled: int = option(
        3, "spoiled discs for one copy before staff are called", _between(1, 10)
    )
    collect_s: float = option(
        600.0,
        "seconds a finished medium waits in the shut drive for its owner before staff are told",
        _between(10, 86_400),
    )
    removal_s: float = option(
        60.0,
        "seconds a medium may lie in the open tray before that is noted and its job ends; a job"
        " that needs the drive calls staff after as many; from then on it is void if drawn in",
        _between(5, 3600),
    )
    forbid_spanning: bool = option(
        False, "refuse a study that one disc does not hold, instead of making a set of discs"
    )
    keep_passwords: bool = option(
        False,
        "keep passwords of protected media, sealed, until the job is purged, so that staff can look"
        " one up; otherwise they are destroyed when the medium is out and somebody was told",
    )
    poll_s: float = option(0.3, "seconds between looks at the queues", _between(0.05, 10))
    clock_wait_s: float = option(
        5.0,
        "seconds to wait after a boot until the time is set; only where a time service runs",
        _between(0, 600),
    )


@dataclass(frozen=True, slots=True)
class Config:
    """All of it."""

    site: SiteConfig = field(default_factory=SiteConfig)
    archive: ArchiveConfig = field(default_factory=ArchiveConfig)
    receiver: ReceiverConfig = field(default_factory=ReceiverConfig)
    store: StoreConfig = field(default_factory=StoreConfig)
    drives: tuple[DriveConfig, ...] = (DriveConfig(),)
    kiosk: KioskConfig = field(default_factory=KioskConfig)
    lobby: LobbyConfig = field(default_factory=LobbyConfig)
    engine: EngineConfig = field(default_factory=EngineConfig)
    fee: FeeConfig = field(default_factory=FeeConfig)
    forms: FormsConfig = field(default_factory=FormsConfig)
    receipt: ReceiptConfig = field(default_factory=ReceiptConfig)
    label: LabelConfig = field(default_factory=LabelConfig)

    @property
    def database_url(self) -> str:
        """The journal's URL, with the default filled in."""
        return self.store.database_url or f"sqlite:///{self.store.state_dir / 'journal.sqlite'}"

    def drive(self, name: str) -> DriveConfig:
        """Raises ConfigError if there is no such drive."""
        for drive in self.drives:
            if drive.name == name:
                return drive
        known = ", ".join(drive.name for drive in self.drives)
        raise ConfigError(f"no drive named {name!r} is configured; there are: {known}")
