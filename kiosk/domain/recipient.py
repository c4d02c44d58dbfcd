"""For whom the copy is: for me, for my doctor, for someone I name; and the site's directory.

A doctor of the directory is known; whatever was typed instead counts only once it was read back
and found right (`Recipient.confirmed`).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final

from kiosk.domain.fee import RequestKind
from kiosk.domain.typed import MAX_NAME, clean_address, clean_line, clean_name
from kiosk.errors import ConfigError, InvalidValueError

MAX_DIRECTORY_BYTES: Final = 1 << 20
MAX_ENTRIES: Final = 5000
_KEYS: Final = {"id", "name", "practice", "address", "phone"}


class RecipientKind(Enum):
    ME = "me"
    DOCTOR = "doctor"
    NAMED = "named"


@dataclass(frozen=True, slots=True)
class Doctor:
    """An entry of the site's directory.

    Attributes:
        entry_id: The site's, a-z 0-9 and -; stands in the journal.
        practice: "" if there is none.
        phone: "" if unknown.
    """

    entry_id: str
    name: str
    address: tuple[str, ...]
    practice: str = ""
    phone: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """As on an envelope."""
        return tuple(line for line in (self.name, self.practice, *self.address) if line)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets the copy; made by `for_me`, `from_directory` and `typed`.

    Attributes:
        name: "" for the patient.
        address: Where to send it, a line each; empty for the patient, or if not given yet.
        entry_id: Of the directory, "" if it was typed.
        is_confirmed: What was typed was read back and found right.
    """

    kind: RecipientKind
    name: str = field(default="", repr=False)
    address: tuple[str, ...] = field(default=(), repr=False)
    entry_id: str = ""
    is_confirmed: bool = True

    @property
    def request_kind(self) -> RequestKind:
        """Which fee rule counts: what goes to anybody else is a directive."""
        is_mine = self.kind is RecipientKind.ME
        return RequestKind.PATIENT if is_mine else RequestKind.THIRD_PARTY

    @property
    def is_third_party(self) -> bool:
        return self.kind is not RecipientKind.ME

    @property
    def lines(self) -> tuple[str, ...]:
        """What is read back: name and address; nothing for the patient."""
        return tuple(line for line in (self.name, *self.address) if line)

    def confirmed(self) -> Recipient:
        """After the patient said that what was read back is right."""
        return replace(self, is_confirmed=True)


def for_me() -> Recipient:
    return Recipient(RecipientKind.ME)


def from_directory(doctor: Doctor) -> Recipient:
    name = ", ".join(part for part in (doctor.name, doctor.practice) if part)
    return Recipient(RecipientKind.DOCTOR, name, doctor.address, doctor.entry_id)


def typed(kind: RecipientKind, name: str, address: str | tuple[str, ...]) -> Recipient:
    """A doctor who is not in the directory, or somebody else; to be read back.

    Raises:
        InvalidValueError: A name or an address that cannot be one; what, but not which.
    """
    if kind is RecipientKind.ME:
        raise InvalidValueError("the patient's own name is not typed")
    return Recipient(kind, clean_name(name), clean_address(address), is_confirmed=False)


# --- the directory


def parse_directory(data: bytes) -> tuple[Doctor, ...]:
    """The site's file: TOML with a `[[doctor]]` table an entry, in the order of the file.

    Keys: `id` (a-z, 0-9, -), `name`, `address` (a list of lines), and if wanted `practice` and
    `phone`.

    Raises:
        ConfigError: Names the entry by its number and the key, never what stands there.
    """
    if len(data) > MAX_DIRECTORY_BYTES:
        raise ConfigError(f"the directory is larger than {MAX_DIRECTORY_BYTES} bytes")
    try:
        document = tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise ConfigError("the directory is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"the directory is not TOML: {error}") from None
    tables = document.pop("doctor", [])
    if document or not isinstance(tables, list):
        raise ConfigError("the directory holds [[doctor]] tables and nothing else")
    if len(tables) > MAX_ENTRIES:
        raise ConfigError(f"the directory has more than {MAX_ENTRIES} entries")
    doctors = tuple(_entry(number, table) for number, table in enumerate(tables, 1))
    if len({doctor.entry_id for doctor in doctors}) != len(doctors):
        raise ConfigError("the directory has an id twice")
    return doctors


def _entry(number: int, table: object) -> Doctor:
    def complain(text: str) -> ConfigError:
        return ConfigError(f"doctor {number}: {text}")

    if not isinstance(table, dict):
        raise complain("a table is wanted")
    if unknown := set(table) - _KEYS:
        known = ", ".join(sorted(_KEYS))
        raise complain(f"{len(unknown)} unknown keys; known are {known}")
    values: dict[str, Any] = {"practice": "", "phone": ""} | table
    for key in ("id", "name", "practice", "phone"):
        if not isinstance(values.get(key), str):
            raise complain(f"{key}: a text is wanted")
    lines = values.get("address")
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise complain("address: a list of lines is wanted")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", values["id"]):
        raise complain("id: must be a-z, 0-9 and -")
    key = "name"
    try:
        name = clean_name(values["name"])
        key = "practice"
        practice = clean_line(values["practice"], limit=MAX_NAME)
        key = "phone"
        phone = clean_line(values["phone"])
        key = "address"
        address = clean_address(tuple(lines))
    except InvalidValueError as error:
        raise complain(f"{key}: {error}") from None
    return Doctor(values["id"], name, address, practice, phone)


def find_doctors(doctors: Sequence[Doctor], text: str, *, limit: int = 8) -> list[Doctor]:
    """Those whose name or practice has words that begin like the ones typed, in their order.

    Case and accents do not matter; nothing typed finds the first ones.
    """
    wanted = _words(text[:MAX_NAME])
    found = []
    for doctor in doctors:
        words = _words(f"{doctor.name} {doctor.practice}")
        if all(any(word.startswith(part) for word in words) for part in wanted):
            found.append(doctor)
            if len(found) == limit:
                break
    return found


def _words(text: str) -> list[str]:
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(c if c.isalnum() else " " for c in letters if not unicodedata.combining(c))
    return plain.split()
