"""A site's words: what is read, what is refused and how it stands on a medium."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dicomdir.errors import GlossaryError
from dicomdir.viewer import assets
from dicomdir.viewer.glossary import MAX_TERMS, PATH, glossary_entry, read_glossary
from dicomdir.viewer.maker import ViewerMaker

TERM = {"words": {"en": ["quokka", "quokkas"]}, "text": {"en": "A small animal."}}


def as_json(*terms: object, version: object = 1) -> bytes:
    return json.dumps({"version": version, "terms": list(terms)}).encode()


def test_the_shipped_file_is_read_as_it_stands() -> None:
    data = (assets.FOLDER / "GLOSSARY.JS").read_bytes()
    found = json.loads(read_glossary(data))
    assert len(found["terms"]) > 50
    assert any("Erguss" in term["words"].get("de", ()) for term in found["terms"])


def test_json_is_read_and_written_as_a_call_in_ascii() -> None:
    term = {"words": {"de": ["Lymphdrüse"]}, "text": {"de": "</script>\u2028 & Ü"}}
    entry = glossary_entry(read_glossary(b"\xef\xbb\xbf" + as_json(TERM, term)))
    assert isinstance(entry.source, bytes)
    text = entry.source.decode("ascii")
    assert text.startswith("SENDHOME.glossary({")
    assert text.endswith("});\n")
    inner = text.removeprefix("SENDHOME.glossary(").removesuffix(");\n")
    assert json.loads(inner)["terms"] == [TERM, term]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"/* a\n b */\nSENDHOME.glossary({\n'terms': 1});alert(1)", "line 4"),
        (b"SENDHOME.glossary({}); alert(1)", "line 1"),
        (b"[" * 100_000, "nested"),
        (as_json(TERM, version=2), '"version": 1'),
        (as_json(), '"terms"'),
        (as_json(*[TERM] * (MAX_TERMS + 1)), '"terms"'),
        (as_json(TERM, 7), "term 2 is no object"),
        (as_json({"words": {"en": ["a"]}}), 'term 1: "text" is missing'),
        (as_json(TERM | {"words": {"__proto__": ["a"]}}), "no language code"),
        (as_json(TERM | {"words": {"en": []}}), '"words" must have lists'),
        (as_json(TERM | {"words": {"en": "quokka"}}), '"words" must have lists'),
        (as_json(TERM | {"words": {"en": ["x" * 101]}}), "above 100"),
        (as_json(TERM | {"text": {"en": " "}}), "missing, empty"),
        (as_json(TERM | {"text": {"en": "a\u001bb"}}), "control characters"),
    ],
)
def test_anything_else_is_refused_with_its_place(data: bytes, says: str) -> None:
    with pytest.raises(GlossaryError, match=says.replace("(", r"\(")):
        read_glossary(data)


def test_it_takes_the_place_of_ours_on_the_medium(tmp_path: Path) -> None:
    text = read_glossary(as_json(TERM))
    with ViewerMaker(tmp_path / "work", created="", version="1", glossary=text) as maker:
        found = [it for it in maker.program if it.path == PATH]
        assert found == [glossary_entry(text)]
        assert len(maker.program) == len(assets.program())
