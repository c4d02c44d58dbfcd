"""The one TOML file: read, checked key by key, printed with each value's origin.

Unknown keys, wrong types and values out of range are errors that name the key.
"""

from __future__ import annotations

import itertools
import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from kiosk.config import (
    ArchiveConfig,
    Config,
    DriveConfig,
    EngineConfig,
    KioskConfig,
    LobbyConfig,
    ReceiverConfig,
    SiteConfig,
    StoreConfig,
)
from kiosk.config_label import LabelConfig
from kiosk.config_paper import FeeConfig, FormsConfig, ReceiptConfig, fee_policy
from kiosk.config_robot import complain
from kiosk.errors import ConfigError

MAX_FILE_BYTES = 1 << 20
DEFAULT_FILE = Path("/etc/sendhome/sendhome.toml")


@dataclass(frozen=True, slots=True)
class Setting:
    """One value with its origin, for `config check`."""

    key: str
    value: object
    origin: str
    doc: str


def _convert(key: str, kind: object, value: object) -> object:
    """The TOML value as the field's type, or ConfigError."""
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind == int | str and isinstance(value, int | str) and not isinstance(value, bool):
        return value
    if (
        kind == tuple[str, ...]
        and isinstance(value, list)
        and all(isinstance(v, str) for v in value)
    ):
        return tuple(value)
    if kind == tuple[tuple[str, int], ...] and isinstance(value, dict):
        if any(not isinstance(v, int) or isinstance(v, bool) for v in value.values()):
            raise ConfigError(f"{key}: a table of whole numbers is wanted")
        return tuple(value.items())
    if kind == tuple[float, ...] and isinstance(value, list):
        if value and _are_waits(value):
            return tuple(float(v) for v in value)
        raise ConfigError(f"{key}: must be one or more numbers of seconds, none below 0")
    if kind == tuple[tuple[str, int], ...]:
        raise ConfigError(f"{key}: {type(value).__name__} found where table is wanted")
    wanted = "list" if str(kind).startswith("tuple") else getattr(kind, "__name__", str(kind))
    raise ConfigError(f"{key}: {type(value).__name__} found where {wanted} is wanted")


def _are_waits(values: list[object]) -> bool:
    return all(
        isinstance(v, int | float) and not isinstance(v, bool) and 0 <= v < math.inf for v in values
    )


def _section(key: str, cls: type[Any], table: object) -> Any:
    if not isinstance(table, Mapping):
        raise ConfigError(f"{key}: a table is wanted")
    hints = get_type_hints(cls)
    known: dict[str, Field[Any]] = {f.name: f for f in fields(cls)}
    values = {}
    for name, raw in table.items():
        if name not in known:
            raise ConfigError(f"{key}.{name}: unknown key; known are {', '.join(known)}")
        if is_dataclass(hints[name]):
            values[name] = _section(f"{key}.{name}", hints[name], raw)
            continue
        value = _convert(f"{key}.{name}", hints[name], raw)
        check = known[name].metadata.get("check")
        if check and (complaint := check(value)):
            raise ConfigError(f"{key}.{name}: {complaint}")
        values[name] = value
    return cls(**values)


def parse(text: str) -> Config:
    """A Config from TOML text. Raises ConfigError naming the key."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from None
    values: dict[str, Any] = {}
    sections = {
        "site": SiteConfig, "archive": ArchiveConfig, "receiver": ReceiverConfig,
        "store": StoreConfig, "kiosk": KioskConfig, "lobby": LobbyConfig,
        "engine": EngineConfig, "fee": FeeConfig, "forms": FormsConfig, "receipt": ReceiptConfig,
        "label": LabelConfig,
    }  # fmt: skip
    for key, table in data.items():
        if key == "drives":
            if not isinstance(table, list) or not table:
                raise ConfigError("drives: at least one [[drives]] table is wanted")
            drives = tuple(_section(f"drives[{i}]", DriveConfig, t) for i, t in enumerate(table))
            if len({drive.name for drive in drives}) != len(drives):
                raise ConfigError("drives: two drives have the same name")
            for i, drive in enumerate(drives):
                blocks = drive.capacity_blocks
                if drive.sticks != "own" and not drive.is_port:
                    raise ConfigError(f"drives[{i}].sticks: only of a port for sticks")
                if complaint := complain(drive.kind, drive.device, blocks, drive.robot):
                    raise ConfigError(f"drives[{i}].{complaint}")
            values["drives"] = drives
        elif key in sections:
            values[key] = _section(key, sections[key], table)
        else:
            raise ConfigError(f"{key}: unknown section; known are {', '.join(sections)}, drives")
    config = Config(**values)
    if config.kiosk.warning_s >= config.kiosk.idle_s:
        raise ConfigError("kiosk.warning_s: must be less than kiosk.idle_s")
    if not config.archive.host:
        raise ConfigError("archive.host: must not be empty")
    fee_policy(config.fee)
    _require_apart(config)
    return config


def _require_apart(config: Config) -> None:
    """Folders that are emptied, and drives, are nobody else's. Raises ConfigError."""
    places = {
        "store.state_dir": config.store.state_dir,
        "store.spool_dir": config.store.spool_dir,
    } | {
        f"drives[{number}].device": Path(drive.device) for number, drive in enumerate(config.drives)
    }
    for number, drive in enumerate(config.drives):
        own = Path(os.path.realpath(drive.device))
        if drive.robot.images and own not in Path(os.path.realpath(drive.robot.images)).parents:
            places[f"drives[{number}].robot.images"] = Path(drive.robot.images)
    for (one, first), (other, second) in itertools.combinations(places.items(), 2):
        here, there = Path(os.path.realpath(first)), Path(os.path.realpath(second))
        if here == there:
            raise ConfigError(f"{other}: is the same as {one}")
        if here in there.parents or there in here.parents:
            raise ConfigError(f"{other}: lies in {one}, or that in it")


def find_file(given: Path | None) -> Path | None:
    """The file to read: the one given, else $SENDHOME_CONFIG, else the system's if it exists."""
    if given:
        return given
    if named := os.environ.get("SENDHOME_CONFIG"):
        return Path(named)
    return DEFAULT_FILE if DEFAULT_FILE.exists() else None


def load(given: Path | None = None) -> Config:
    """Read the configuration; without a file the defaults. Raises ConfigError."""
    path = find_file(given)
    if path is None:
        return Config()
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if len(data) > MAX_FILE_BYTES:
            raise ConfigError(f"larger than {MAX_FILE_BYTES} bytes")
        return parse(data.decode())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start} is not UTF-8") from error
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def settings(config: Config, origin: str) -> Iterator[Setting]:
    """Every value with its origin: the file's name if it differs from the default."""
    default = Config()
    for section in fields(Config):
        table = getattr(config, section.name)
        if section.name == "drives":
            for i, drive in enumerate(table):
                yield from _rows(f"drives[{i}]", drive, DriveConfig(), origin)
        else:
            yield from _rows(section.name, table, getattr(default, section.name), origin)


def _rows(prefix: str, table: Any, default: Any, origin: str) -> Iterator[Setting]:
    for item in fields(table):
        value = getattr(table, item.name)
        if is_dataclass(value):
            yield from _rows(f"{prefix}.{item.name}", value, getattr(default, item.name), origin)
            continue
        source = "default" if value == getattr(default, item.name) else origin
        if item.name == "database_url":
            value = without_password(value)
        yield Setting(f"{prefix}.{item.name}", value, source, item.metadata["doc"])


def without_password(url: str) -> str:
    """A database URL as it may be shown."""
    shown = re.sub(r"(?<=://)([^/@]*?):[^/]*@", r"\1:***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", shown)


def to_toml(config: Config) -> str:
    """The configuration as a file that `parse` reads back equal."""

    def text(value: object, kind: object = None) -> str:
        if isinstance(value, tuple) and kind == tuple[tuple[str, int], ...]:
            return "{" + ", ".join(f"{text(k)} = {text(v)}" for k, v in value) + "}"
        if isinstance(value, tuple):
            return "[" + ", ".join(text(v) for v in value) + "]"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, int | float):
            return str(value)
        escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    lines: list[str] = []

    def add(head: str, name: str, table: Any) -> None:
        lines.append(head)
        hints = get_type_hints(type(table))
        inner = [f.name for f in fields(table) if is_dataclass(hints[f.name])]
        for f in fields(table):
            if f.name not in inner:
                lines.append(f"{f.name} = {text(getattr(table, f.name), hints[f.name])}")
        lines.append("")
        for part in inner:
            add(f"[{name}.{part}]", f"{name}.{part}", getattr(table, part))

    for section in fields(Config):
        tables = getattr(config, section.name)
        for table in tables if isinstance(tables, tuple) else (tables,):
            many = isinstance(tables, tuple)
            add(f"[[{section.name}]]" if many else f"[{section.name}]", section.name, table)
    return "\n".join(lines)
