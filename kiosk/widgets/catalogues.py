"""The catalogues' workshop: `python -m kiosk.widgets.catalogues update|build|check`.

`update` takes every string from the sources into each `sendhome.po` (pybabel extract and update),
`build` makes the `sendhome.mo` that the kiosk reads, `check` says what is missing or wrong. Both
files are kept in the repository: the kiosk runs from a clone without any build step, and `check`,
which the tests run, fails if the two do not agree.
"""

from __future__ import annotations

import io
import string
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kiosk.widgets.words import DOMAIN, LANGUAGES, LOCALE_DIR, SOURCE_LANGUAGE

_KIOSK: Final = Path(__file__).parents[1]
_PLACES: Final = [("widgets/**.py", "python"), ("lobby/**.py", "python")]
_KEYWORDS: Final = {"_": None, "ngettext": (1, 2)}
_COMMENT: Final = "Translators:"

TRANSLATED: Final = tuple(it for it in LANGUAGES if it != SOURCE_LANGUAGE)


def po_path(language: str) -> Path:
    return LOCALE_DIR / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def extracted() -> Catalog:
    """Every string that the lobby and the widgets show, with the files it stands in."""
    template = Catalog(domain=DOMAIN, project="sendhome")
    rows = extract_from_dir(
        _KIOSK, method_map=_PLACES, keywords=_KEYWORDS, comment_tags=(_COMMENT,)
    )
    for path, _line, text, comments, context in rows:
        # Files without line numbers: a moved line is no change for a translator.
        template.add(text, None, [(path, 0)], auto_comments=comments, context=context)
    return template


def read(language: str) -> Catalog:
    """Raises FileNotFoundError: there is no catalogue yet."""
    with po_path(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def compiled(catalogue: Catalog) -> bytes:
    """What gettext reads."""
    built = io.BytesIO()
    write_mo(built, catalogue)
    return built.getvalue()


def update(language: str) -> None:
    """Take new strings in, take strings that are gone out; nothing is guessed."""
    path, template = po_path(language), extracted()
    if path.exists():
        catalogue = read(language)
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        catalogue = Catalog(locale=language, domain=DOMAIN, project="sendhome")
        catalogue.update(template)
    save(catalogue, language)


def save(catalogue: Catalog, language: str) -> None:
    with po_path(language).open("wb") as file:
        write_po(file, catalogue, width=96, sort_output=True, include_lineno=False)


def build(language: str) -> None:
    po_path(language).with_suffix(".mo").write_bytes(compiled(read(language)))


def findings(language: str) -> list[str]:
    """What is missing or wrong in one catalogue, a line each; [] if it is complete."""
    path = po_path(language)
    if not path.exists():
        return [f"{language}: there is no catalogue"]
    catalogue, template = read(language), extracted()
    found: list[str] = []
    known = {_key(message): message for message in catalogue if message.id}
    wanted = {_key(message): message for message in template if message.id}
    found += [f"{language}: not in the catalogue: {key}" for key in wanted if key not in known]
    found += [f"{language}: no longer shown: {key}" for key in known if key not in wanted]
    for key in wanted.keys() & known.keys():
        found += [f"{language}: {what}: {key}" for what in _faults(known[key], catalogue)]
    built = path.with_suffix(".mo")
    if not built.exists() or built.read_bytes() != compiled(catalogue):
        found.append(f"{language}: {built.name} was not made of this {path.name}")
    return sorted(found)


def _key(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _faults(message: Message, catalogue: Catalog) -> Iterator[str]:
    if message.fuzzy:
        yield "fuzzy"
    sources = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    translated = message.string or ""
    texts = (translated,) if isinstance(translated, str) else tuple(translated)
    if not isinstance(message.id, str) and len(texts) != catalogue.num_plurals:
        yield f"{len(texts)} plural forms instead of {catalogue.num_plurals}"
    fields = set().union(*map(_fields, sources))
    for text in texts:
        if not text.strip():
            yield "not translated"
            continue
        # "one video" may be said without its number; nothing else may be left out or added.
        optional = {"number"} if len(sources) > 1 else set()
        if not fields - optional <= _fields(text) <= fields:
            yield f"its placeholders differ in {text!r}"
        if any(character.isspace() and character != " " for character in text):
            yield "a line break or another space in it"


def _fields(text: str) -> set[str]:
    try:
        return {name for _text, name, _spec, _conversion in string.Formatter().parse(text) if name}
    except ValueError:
        return {"?"}


def main(arguments: list[str]) -> int:
    """Do one of the three for every language; 1 if `check` finds anything."""
    what = arguments[0] if len(arguments) == 1 else ""
    if what in ("update", "build"):
        for language in TRANSLATED:
            (update if what == "update" else build)(language)
        return 0
    if what == "check":
        found = [line for language in TRANSLATED for line in findings(language)]
        sys.stdout.write("".join(f"{line}\n" for line in found))
        return 1 if found else 0
    sys.stderr.write("usage: python -m kiosk.widgets.catalogues update|build|check\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
