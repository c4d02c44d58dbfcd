"""More media broken in one way each: pages, README, identity, pixels, what lies beside files.

    name, rule, severity, mutation

As `test_check_mutations`, and the severity counts: what a rule only advises, or what the maker may
have received so, is a warning.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomdir.check.image import check_iso
from dicomdir.check.tree import Collector
from dicomdir.elements import element
from dicomdir.encrypt.keys import Derivation
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.findings import Finding, Severity
from dicomdir.iso import author
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader
from tests.jobs import SITE
from tests.unit.dicomdir.test_check_mutations import (
    CREATED,
    DICOM,
    Disc,
    Mutation,
    add,
    in_record,
    iso_record,
    of,
    poke,
    readme,
    text,
)
from tests.unit.dicomdir.test_check_volume import content, volume_of
from tests.unit.dicomdir.test_icons import fragments, icon

ERROR, WARNING = Severity.ERROR, Severity.WARNING
DTD = Path("/usr/share/xml/w3c-sgml-lib/schema/dtd/REC-xhtml-basic-20101123/xhtml-basic11.dtd")


def body(markup: str) -> Mutation:
    return text("<h2>", f"{markup}<h2>")


def head(markup: str) -> Mutation:
    return text("</head>", f"{markup}</head>")


def both(*changes: Mutation) -> Mutation:
    def change(disc: Disc) -> None:
        for one in changes:
            one(disc)

    return change


def untitled(disc: Disc) -> None:
    page = disc.files["INDEX.HTM"]
    start, end = page.index(b"<title>"), page.index(b"</title>") + len(b"</title>")
    disc.files["INDEX.HTM"] = page[:start] + page[end:]


# Which of these a validator with the W3C's own DTD refuses too is held by a test below.
PAGES: list[tuple[str, str, Severity, Mutation]] = [
    ("an attribute of colours", "PDI-09", ERROR, body('<p bgcolor="red">x</p>')),
    ("a picture without words", "PDI-09", ERROR,
     body('<p><img src="ihe_pdi/s0000001/thumb.jpg" /></p>')),
    ("a paragraph in a paragraph", "PDI-09", ERROR, body("<p><p>x</p></p>")),
    ("an item outside a list", "PDI-09", ERROR, body("<li>x</li>")),
    ("a list of nothing", "PDI-09", ERROR, body("<ul></ul>")),
    ("a text outside a paragraph", "PDI-09", ERROR, body("x")),
    ("a table in a table", "PDI-09", ERROR,
     body("<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table>")),
    ("a link in a link", "PDI-09", ERROR,
     body('<p><a href="readme.txt"><a href="readme.txt">x</a></a></p>')),
    ("a page without a title", "PDI-09", ERROR, untitled),
    ("two titles", "PDI-09", ERROR, head("<title>x</title>")),
    ("another namespace", "PDI-09", ERROR, text("http://www.w3.org/1999/xhtml", "urn:x")),
    ("one id twice", "PDI-09", ERROR, body('<p id="readme">x</p>')),
    ("an element in upper case", "PDI-09", ERROR, body("<P>x</P>")),
    ("a script in upper case", "PDI-10", ERROR, body("<SCRIPT>x</SCRIPT>")),
]  # fmt: skip
LINKS: list[tuple[str, str, Severity, Mutation]] = [
    ("no namespace", "PDI-09", ERROR, text(' xmlns="http://www.w3.org/1999/xhtml"', "")),
    ("a lie about the character set", "PDI-09", ERROR, text("charset=US-ASCII", "charset=utf-16")),
    ("a character set of nobody", "PDI-09", ERROR, text("charset=US-ASCII", "charset=rot13")),
    ("a page that leads away", "PDI-10", WARNING,
     head('<meta http-equiv="refresh" content="0;url=readme.txt" />')),
    ("a page that leads to elsewhere", "PDI-19", ERROR,
     head('<meta http-equiv="Refresh" content="0; URL=\'http://example.org/\'" />')),
    ("a background from elsewhere", "PDI-19", ERROR,
     body('<table background="http://example.org/x.jpg"><tr><td>x</td></tr></table>')),
    ("a base inside", "PDI-19", ERROR, body('<p xml:base="http://example.org/">x</p>')),
    ("a base", "PDI-19", ERROR, head('<base href="ihe_pdi/" />')),
    ("a link to no place", "PDI-19", ERROR, body('<p><a href="#nowhere">x</a></p>')),
    ("a text shown as a picture", "PDI-11", ERROR,
     body('<p><img src="readme.txt" alt="x" /></p>')),
    ("a page shown as a picture", "PDI-11", ERROR,
     body('<p><img src="ihe_pdi/index.htm" alt="x" /></p>')),
]  # fmt: skip


def bits(stored: bytes, high: bytes) -> Mutation:
    return both(
        of("IMAGE", b"\x28\0\1\1US\2\0\x0c\0", b"\x28\0\1\1US\2\0" + stored),
        of("IMAGE", b"\x28\0\2\1US\2\0\x0b\0", b"\x28\0\2\1US\2\0" + high),
    )


FILES: list[tuple[str, str, Severity, Mutation]] = [
    ("an escape sequence in README", "PDI-04", ERROR, readme(b"\x1b[31m\r\n")),
    ("zeros in README", "PDI-04", ERROR, readme(b"\0\0\r\n")),
    *((f"the birth date in README: {words}", "PDI-06", ERROR, readme(f"{words}\r\n".encode()))
      for words in ("born 3 March 1961", "March 3rd, 1961", "3 de marzo de 1961", "3/3/1961",
                    "geb. 3. Maerz 1961")),
    ("a birth date of two digits in README", "PDI-06", WARNING, readme(b"03/03/61\r\n")),
    ("an initial and a name in README", "PDI-06", WARNING, readme(b"J. Doe\r\n")),
    ("another sex", "PDI-85", WARNING, of("IMAGE", b"\x10\0\x40\0CS\2\0F", b"\x10\0\x40\0CS\2\0M")),
    *((f"{what} of another on the start page", "PDI-85", ERROR, text(old, new))
      for what, old, new in (("the name", "Jane Doe", "Rita Roe"),
                             ("the birth date", "3 March 1961", "4 May 1970"))),
    ("nobody on the start page", "PDI-85", ERROR, text("Jane Doe, born 3 March 1961", "")),
    ("no place for the patient on the start page", "PDI-08", ERROR,
     text(' id="patient"', "")),
    *((f"{what} of another on {path}", "PDI-12", ERROR, text(old, new, f"IHE_PDI/{path}.HTM"))
      for what, old, new, *paths in (
          ("the name", "Jane Doe", "Rita Roe", "INDEX", "S0000001/INDEX", "REPORT01", "REPORT02"),
          ("the birth date", "1961", "1962", "INDEX", "S0000001/INDEX", "REPORT02"),
          ("the ID", "PID-0042", "PID-0043", "REPORT02"))
      for path in paths),
    ("another given name", "PDI-85", ERROR, of("IMAGE", b"Doe^Jane", b"Doe^Mary")),
    ("another sex, of which the record says nothing", "PDI-85", WARNING,
     both(in_record("PATIENT", b"\x10\0\x40\0CS", b"\x10\0\x42\0CS"),
          of("SR DOCUMENT", b"\x10\0\x40\0CS\2\0F", b"\x10\0\x40\0CS\2\0M"))),
    ("more bits stored than allocated", "PDI-60", WARNING, bits(b"\x14\0", b"\x13\0")),
    ("a high bit inside", "PDI-60", WARNING, bits(b"\x0c\0", b"\3\0")),
    ("bits at the upper end", "PDI-60", WARNING, bits(b"\x0c\0", b"\x0f\0")),
    ("no bits stored", "PDI-60", WARNING, of("IMAGE", b"\x28\0\1\1US", b"\x28\0\xff\0US")),
    ("numbers that are neither signed nor not", "PDI-60", WARNING,
     of("IMAGE", b"\x28\0\3\1US\2\0\0\0", b"\x28\0\3\1US\2\0\2\0")),
    ("colours of one value", "PDI-60", WARNING, of("IMAGE", b"MONOCHROME2 ", b"RGB         ")),
    *((f"a compressed icon of {'un' * (not defined)}defined length", "PDI-50", ERROR,
       of("IMAGE", b"\xe0\x7f\x10\0OW", icon(fragments(b"x"), defined=defined)
          + b"\xe0\x7f\x10\0OW")) for defined in (True, False)),
    ("a coder's colours", "PDI-50", WARNING, of("IMAGE", b"MONOCHROME2 ", b"YBR_RCT     ")),
    ("an object of a character set of nobody", "PDI-60", WARNING,
     of("IMAGE", b"ISO_IR 100", b"ISO_IR 999")),
    ("an escape sequence where there are no extensions", "PDI-68", ERROR,
     both(in_record("PATIENT", b"\x10\0\x10\0PN\x08\0Doe^Jane", b"\x08\0\x05\0CS\x08\0GB18030 "),
          in_record("PATIENT", b"PID-0042", b"PI\x1b[31m2"))),
    ("an escape sequence in a sequence", "PDI-68", ERROR,
     both(in_record("SR DOCUMENT", b"\x08\0\x23\0DA\x08\x0020240311",
                    b"\x08\0\x05\0CS\x08\0GB18030 "),
          in_record("SR DOCUMENT", b"\4\1LO\x1a\0Diagn", b"\4\1LO\x1a\0\x1b[31m"))),
]  # fmt: skip


def disc_date(value: bytes) -> Callable[[bytearray], None]:
    return poke(0x8000 + 813, value)


def root_record(number: int, at: int, value: bytes) -> Callable[[bytearray], None]:
    """Of the root's records of itself (0) and of the one above (1), which is itself."""

    def change(data: bytearray) -> None:
        block = int.from_bytes(data[0x8000 + 158 : 0x8000 + 162], "little")
        start = block * BLOCK_BYTES + 34 * number + at
        data[start : start + len(value)] = value

    return change


def behind_readme(words: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        at = data.index(b"\x0cREADME.TXT;1", 17 * BLOCK_BYTES) - 32
        block, size = (int.from_bytes(data[at + it : at + it + 4], "little") for it in (2, 10))
        start = block * BLOCK_BYTES + size
        data[start : start + len(words)] = words

    return change


def longer_readme(data: bytearray) -> None:
    at = data.index(b"\x0cREADME.TXT;1", 17 * BLOCK_BYTES) - 32
    size = int.from_bytes(data[at + 10 : at + 14], "little") + 5
    data[at + 10 : at + 18] = size.to_bytes(4, "little") + size.to_bytes(4, "big")


def appended(words: bytes) -> Callable[[bytearray], None]:
    return lambda data: data.extend(words.ljust(BLOCK_BYTES, b"\0"))


WHO = b"DOE^JANE PID-0042 19610303"
IMAGES: list[tuple[str, str, Severity, Callable[[bytearray], None]]] = [
    ("the patient as volume set", "PDI-99", ERROR, poke(0x8000 + 190, WHO)),
    ("the patient as publisher", "PDI-99", ERROR, poke(0x8000 + 318, WHO)),
    ("the patient as preparer", "PDI-99", ERROR, poke(0x8000 + 446, b"DOE^JANE")),
    ("the patient in the application's bytes", "PDI-99", ERROR, poke(0x8000 + 1000, WHO)),
    ("a part of the name as publisher", "PDI-99", WARNING, poke(0x8000 + 318, b"ST JANE S")),
    ("two volumes", "PDI-101", ERROR, poke(0x8000 + 120, b"\2\0\0\2")),
    ("a second volume", "PDI-101", ERROR, poke(0x8000 + 124, b"\2\0\0\2")),
    ("a file on another volume", "PDI-101", ERROR, iso_record(b"README.TXT;1", 28, b"\2\0\0\2")),
    ("an interleaved file", "PDI-29", ERROR, iso_record(b"README.TXT;1", 26, b"\1\1")),
    ("an associated file", "PDI-32", ERROR, iso_record(b"README.TXT;1", 25, b"\4")),
    ("a time zone that is none", "PDI-32", ERROR, iso_record(b"README.TXT;1", 24, b"\x63")),
    ("another version of the descriptor", "PDI-29", ERROR, poke(0x8000 + 6, b"\x09")),
    ("another version of the structure", "PDI-29", ERROR, poke(0x8000 + 881, b"\x09")),
    ("a date of the volume that is none", "PDI-29", ERROR, disc_date(b"X" * 16)),
    ("a date of the volume in no zone", "PDI-29", ERROR, disc_date(b"2026030405060700\x63")),
    ("another directory above", "PDI-29", ERROR, root_record(1, 2, b"\5\0\0\0\0\0\0\5")),
    ("another size of the root", "PDI-29", ERROR, root_record(0, 10, b"\0\x10\0\0\0\0\x10\0")),
    ("a README that is too long", "PDI-04", ERROR, longer_readme),
    ("the patient behind README", "PDI-99", ERROR, behind_readme(WHO)),
    ("something behind README", "PDI-29", WARNING, behind_readme(b"x")),
    ("the patient behind the volume", "PDI-99", ERROR, appended(WHO)),
    ("something behind the volume", "PDI-29", WARNING, appended(b"x")),
]  # fmt: skip


def first_secret(change: Callable[[bytes], bytes]) -> Mutation:
    def changed(disc: Disc) -> None:
        path = min(path for path in disc.files if path.startswith("DICOM/"))
        disc.files[path] = change(disc.files[path])

    return changed


def rounds(count: int) -> Mutation:
    old = b"\2\3" + (600_000).to_bytes(3, "big")
    new = b"\2\3" + count.to_bytes(3, "big")
    return first_secret(lambda data: data.replace(old, new, 1))


DATA_SET = b"\x08\0\x05\0CS\x0a\0ISO_IR 100\x08\0\x08\0CS\x02\0A "
IMPLICIT_SET = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100"
PROTECTED: list[tuple[str, str, Severity, Mutation]] = [
    ("a cut object", "PDI-87", ERROR, first_secret(lambda data: data[:-1000])),
    ("an object without its end", "PDI-87", ERROR, first_secret(
        lambda data: b"\x30\x80" + data[2 + (data[1] & 0x7F) :] + b"\1\1")),
    ("something behind an object", "PDI-87", WARNING, first_secret(lambda data: data + WHO)),
    ("few rounds", "PDI-89", WARNING, rounds(1)),
    ("rounds of another maker", "PDI-89", WARNING, rounds(2048)),
    *((f"in clear: {name}", "PDI-92", ERROR, add(f"EXTRA/{name}", b"Report of somebody"))
      for name in ("REPORT.TXT", "REPORT.HTM", "REPORT.ODT", "REPORT.XPS", "X.JPG", "X.TIF")),
    ("a letter by another name", "PDI-92", ERROR, add("EXTRA/X.BIN", b"%PDF-1.4\n")),
    ("a picture by another name", "PDI-92", ERROR, add("EXTRA/X.BIN", b"\xff\xd8\xff\xe0")),
    ("something in clear", "PDI-92", WARNING, add("EXTRA/X.BIN", b"\1\2\3")),
    ("a picture of the viewer's", "PDI-92", WARNING, add("VIEWER/X.BIN", b"\xff\xd8\xff\xe0")),
    ("a data set in clear", "PDI-86", ERROR, add("EXTRA/X.BIN", DATA_SET)),
    ("an implicit data set in clear", "PDI-86", ERROR, add("VIEWER/X.BIN", IMPLICIT_SET)),
    ("an object in clear", "PDI-86", ERROR, add("EXTRA/X.BIN", DICOM)),
]  # fmt: skip
ALL = (*PAGES, *LINKS, *FILES, *PROTECTED)


@pytest.fixture(scope="module")
def clear(tmp_path_factory: pytest.TempPathFactory) -> Disc:
    volume = volume_of(tmp_path_factory.mktemp("sound"))
    return Disc({it.path: content(it) for it in volume.entries})


@pytest.fixture(scope="module")
def protected(tmp_path_factory: pytest.TempPathFactory) -> Disc:
    folder = tmp_path_factory.mktemp("protected")
    (folder / "sealed").mkdir()
    volume = encrypt_volume(volume_of(folder), "correct horse battery", folder / "sealed",
                            site=SITE, derivation=Derivation.fresh())  # fmt: skip
    files = {}
    for entry in volume.entries:
        data = content(entry)
        if not isinstance(entry.source, bytes):
            data = data[entry.source.offset_bytes :][: entry.source.size_bytes]
        files[entry.path] = entry.head + data
    return Disc(files)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("image")
    return author(volume_of(folder), folder / "out.iso", created_at=CREATED).path.read_bytes()


def image_findings(data: bytes) -> list[Finding]:
    """Of an image whose length is known."""
    found = Collector()
    check_iso(IsoReader(lambda at, size: data[at : at + size]), len(data), found)
    return found.findings


def test_sound_ones_are_clean(clear: Disc, protected: Disc, finished: bytes) -> None:
    assert clear.findings() == []
    assert protected.findings() == []
    assert image_findings(finished) == []
    assert len(ALL) == len({name for name, *_ in ALL})


@pytest.mark.parametrize(
    ("rule", "severity", "change"),
    [it[1:] for it in (*PAGES, *LINKS, *FILES)],
    ids=[it[0] for it in (*PAGES, *LINKS, *FILES)],
)
def test_a_broken_medium(clear: Disc, rule: str, severity: Severity, change: Mutation) -> None:
    disc = Disc(dict(clear.files))
    change(disc)
    assert (rule, severity) in {(it.rule, it.severity) for it in disc.findings()}


@pytest.mark.parametrize(
    ("rule", "severity", "change"), [it[1:] for it in PROTECTED], ids=[it[0] for it in PROTECTED]
)
def test_a_broken_protected_medium(
    protected: Disc, rule: str, severity: Severity, change: Mutation
) -> None:
    disc = Disc(dict(protected.files))
    change(disc)
    assert (rule, severity) in {(it.rule, it.severity) for it in disc.findings()}


@pytest.mark.parametrize(
    ("rule", "severity", "change"), [it[1:] for it in IMAGES], ids=[it[0] for it in IMAGES]
)
def test_a_broken_image(
    finished: bytes, rule: str, severity: Severity, change: Callable[[bytearray], None]
) -> None:
    data = bytearray(finished)
    change(data)
    assert (rule, severity) in {(it.rule, it.severity) for it in image_findings(bytes(data))}


@pytest.mark.parametrize(
    "change",
    [
        readme(b"Fax 03.03.61.12, 1 March 1961, 4 March 1961\r\n"),
        readme(b"\x1a"),
        of("IMAGE", b"\x10\0\x40\0CS\2\0F", b"\x10\0\x40\0CS\2\0O"),
        of("IMAGE", b"Doe^Jane", b"DOE^J.  "),
        body('<p class="x" title="y" lang="en" dir="rtl">x</p><div>x<p>y</p></div>'),
        body('<p id="x"><a href="#x" accesskey="1" tabindex="2">x</a></p>'),
        body("<table><caption>x</caption><tr><th>x</th><td>y<ul><li>x</li></ul></td></tr></table>"),
    ],
)
def test_what_is_merely_unusual_is_no_error(clear: Disc, change: Mutation) -> None:
    disc = Disc(dict(clear.files))
    change(disc)
    assert {it.rule for it in disc.findings()} <= {"PDI-70"}
    assert not [it for it in disc.findings() if it.severity is ERROR]


@pytest.mark.parametrize(("tag", "vr"), [(0x7FE00008, "OF"), (0x7FE00009, "OD")])
def test_pixels_of_floating_point_have_no_bits_stored(clear: Disc, tag: int, vr: str) -> None:
    """PS3.3 C.7.6.24 and C.7.6.25; what is missing from integers stays a warning."""
    whole = Disc(dict(clear.files))
    path = whole.path_of("IMAGE")
    at = whole.files[path].index(b"\x28\0\1\1US")
    without = whole.files[path][:at] + whole.files[path][at + 30 :]
    assert without[at - 10 : at - 2] == b"\x28\0\0\1US\2\0"
    whole.files[path] = without
    assert {(it.rule, it.severity) for it in whole.findings()} == {("PDI-60", WARNING)}
    size = {"OF": 4, "OD": 8}[vr]
    pixels = without.index(element(0x7FE00010, "OW", b"")[:8])
    rows, columns = (
        int.from_bytes(without[n : n + 2], "little")
        for n in (without.index(element(it, "US", b"\0\0")[:8]) + 8 for it in (0x280010, 0x280011))
    )
    without = without[: at - 2] + (8 * size).to_bytes(2, "little") + without[at:pixels]
    whole.files[path] = without + element(tag, vr, bytes(rows * columns * size))
    assert whole.findings() == []


@pytest.mark.skipif(
    not (DTD.exists() and shutil.which("xmllint")), reason="needs w3c-sgml-lib and xmllint"
)
@pytest.mark.parametrize("change", [it[3] for it in PAGES], ids=[it[0] for it in PAGES])
def test_the_document_type_says_the_same(clear: Disc, change: Mutation, tmp_path: Path) -> None:
    disc = Disc(dict(clear.files))
    valid = [_is_valid(disc.files["INDEX.HTM"], tmp_path)]
    change(disc)
    assert [*valid, _is_valid(disc.files["INDEX.HTM"], tmp_path)] == [True, False]


def _is_valid(page: bytes, folder: Path) -> bool:
    (folder / "page.htm").write_bytes(page)
    command = ["xmllint", "--nonet", "--noout", "--dtdvalid", str(DTD), str(folder / "page.htm")]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
