"""A site's own words of radiology: read from its file, written as the page loads them.

The file may be JSON, or the script that the viewer ships as it stands, edited. Whatever it is, only
what is of the shape of docs/viewer-format.md gets onto a medium, as ASCII JSON in a call of ours:
no script of a site's file ever runs on a patient's computer.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from dicomdir.errors import GlossaryError
from dicomdir.pdi import VIEWER_FOLDER, Entry

PATH: Final = f"{VIEWER_FOLDER}/GLOSSARY.JS"
MAX_FILE_BYTES: Final = 4 << 20
MAX_TERMS: Final = 5_000
_MAX_WORDS: Final = 50  # forms of one term in one language
_MAX_WORD: Final = 100
_MAX_TEXT: Final = 1_000
_MAX_LANGUAGES: Final = 30
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")
_CALL: Final = "SENDHOME.glossary("


def read_glossary(data: bytes) -> str:
    """A site's file as the JSON text that goes onto media.

    Raises:
        GlossaryError: Not of the shape that the page reads; says which term.
    """
    if len(data) > MAX_FILE_BYTES:
        raise GlossaryError(f"larger than {MAX_FILE_BYTES >> 20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GlossaryError(f"not UTF-8 at byte {error.start}") from None
    before = text[: text.find(_CALL)].count("\n") if _CALL in text else 0
    if _CALL in text:
        text = text.partition(_CALL)[2].rstrip().removesuffix(";").rstrip().removesuffix(")")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise GlossaryError(f"line {before + error.lineno}: {error.msg}") from None
    except RecursionError:
        raise GlossaryError("nested too deeply") from None
    if not isinstance(found, dict) or found.get("version") != 1:
        raise GlossaryError('"version": 1 is missing')
    terms = found.get("terms")
    if not isinstance(terms, list) or not 1 <= len(terms) <= MAX_TERMS:
        raise GlossaryError(f'"terms" must be a list of 1 to {MAX_TERMS}')
    kept = [_term(number, term) for number, term in enumerate(terms, 1)]
    return json.dumps({"version": 1, "terms": kept}, separators=(",", ":"))


def glossary_entry(text: str) -> Entry:
    """The file on a medium, of what `read_glossary` gave."""
    return Entry(PATH, f"{_CALL}{text});\n".encode("ascii"))


def _term(number: int, term: Any) -> dict[str, Any]:
    if not isinstance(term, dict):
        raise GlossaryError(f"term {number} is no object")
    words, texts = (_by_language(number, term, name) for name in ("words", "text"))
    for forms in words.values():
        if not isinstance(forms, list) or not 1 <= len(forms) <= _MAX_WORDS:
            raise GlossaryError(f'term {number}: "words" must have lists of 1 to {_MAX_WORDS}')
        for form in forms:
            _require_text(number, form, _MAX_WORD)
    for text in texts.values():
        _require_text(number, text, _MAX_TEXT)
    return {"words": words, "text": texts}


def _by_language(number: int, term: dict[str, Any], name: str) -> dict[str, Any]:
    found = term.get(name)
    if not isinstance(found, dict) or not 1 <= len(found) <= _MAX_LANGUAGES:
        raise GlossaryError(f'term {number}: "{name}" is missing or has too many languages')
    for language in found:
        if _LANGUAGE.fullmatch(language) is None:
            raise GlossaryError(f'term {number}: "{name}" has a key that is no language code')
    return found


def _require_text(number: int, text: Any, longest: int) -> None:
    if not isinstance(text, str) or not text.strip() or len(text) > longest:
        raise GlossaryError(
            f"term {number}: a text is missing, empty or above {longest} characters"
        )
    if any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text):
        raise GlossaryError(f"term {number}: a text has control characters")
