"""The pages are XHTML Basic 1.1 and nothing else: by our own list, and by the DTD where it is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dicomdir.instance import read_instance
from dicomdir.pdi import FileSource
from dicomdir.readme import Site, ViewerFacts
from dicomdir.summary import LeftOut, Summary
from dicomdir.web import LinkCase, MediumPart, PageLink, WebContent
from tests.factories import Patient, Study, make_study

XHTML = "{http://www.w3.org/1999/xhtml}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
DTD = Path("/usr/share/xml/w3c-sgml-lib/schema/dtd/REC-xhtml-basic-20101123/xhtml-basic11.dtd")

# XHTML Basic 1.1, second edition: each element with its attributes. Left out are forms, objects,
# scripts, events, style sheets and style attributes, targets and `base` (PDI-10, PDI-11, PDI-19).
COMMON = {"id", "class", "title", "lang", XML_LANG}
ALIGN = {"align", "valign"}
CELL = {"abbr", "axis", "headers", "scope", "rowspan", "colspan", *ALIGN}
PLAIN = [
    "abbr", "acronym", "address", "b", "big", "body", "caption", "cite", "code", "dd", "dfn",
    "div", "dl", "dt", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "ol", "p", "pre",
    "samp", "small", "span", "strong", "sub", "sup", "tt", "ul", "var",
]  # fmt: skip
XHTML_BASIC: dict[str, set[str]] = {
    "html": {"id", "lang", XML_LANG, "version"},
    "head": {"id", "lang", XML_LANG, "profile"},
    "title": {"lang", XML_LANG},
    "meta": {"http-equiv", "name", "content", "scheme", "lang", XML_LANG},
    "a": {"href", "charset", "type", "hreflang", "rel", "rev", "accesskey", "tabindex"} | COMMON,
    "img": {"src", "alt", "longdesc", "width", "height"} | COMMON,
    "table": {"summary", "width"} | COMMON,
    "tr": ALIGN | COMMON,
    "th": CELL | COMMON,
    "td": CELL | COMMON,
    "blockquote": {"cite"} | COMMON,
    "q": {"cite"} | COMMON,
    "li": {"value"} | COMMON,
    "br": {"id", "class", "title"},
    **dict.fromkeys(PLAIN, COMMON),
}
NEEDED = {"img": {"src", "alt"}, "html": {"lang", XML_LANG}, "table": {"summary"}, "th": {"scope"}}
BLOCKS = {
    "address", "blockquote", "div", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p",
    "pre", "table", "ul",
}  # fmt: skip

SITE = Site(
    "Test Imaging Center",
    ("1 Test Street", "Telephone 555-0199"),
    "1.2.3",
    notice="Handle with care.",
    viewer=ViewerFacts("Looker", "4.5", ("x",), "Any", "None.", "A screen", "VIEWER/START.HTM"),
)


def web_pages(tmp_path: Path, links: LinkCase = LinkCase.LOWER) -> dict[str, bytes]:
    """Pages and pictures of a medium that has everything, by their paths."""
    study = Study(patient=Patient(name="Müller^Jürgen"), description="Thorax & <b>Abdomen</b>")
    files = make_study(tmp_path / "in", ("CT",) * 9 + ("US", "SC", "SR", "KO", "PDF"), study=study)
    web, summary = WebContent(tmp_path / "web"), Summary()
    for path in files:
        instance = read_instance(path)
        web.add(instance, FileSource(str(path), instance.size_bytes))
        summary.add(instance)
    summary.left_out.append(LeftOut("1.2.3.9", "1.2.3", "profile.sop_class"))
    made = web.pages(
        SITE,
        summary,
        links=links,
        reports=[PageLink("Report & more", "IHE_PDI/R0000001.HTM", summary.studies and study.uid)],
        others=[PageLink("The report", "EXTRA/REPORT1.PDF")],
        part=MediumPart(1, 2, ["CT of 2020"]),
    )
    found = {"INDEX.HTM": made.index}
    for entry in made.entries:
        data = entry.source
        found[entry.path] = data if isinstance(data, bytes) else Path(data.path).read_bytes()
    return found


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return web_pages(tmp_path_factory.mktemp("pages"))


def parsed(pages: dict[str, bytes]) -> Iterator[tuple[str, ElementTree.Element]]:
    for path, data in pages.items():
        if path.endswith(".HTM"):
            assert data.isascii()
            yield path, ElementTree.fromstring(data.decode("ascii"))


def test_only_elements_and_attributes_of_xhtml_basic_are_used(pages: dict[str, bytes]) -> None:
    seen = set()
    for _, root in parsed(pages):
        for element in root.iter():
            assert element.tag.startswith(XHTML)
            name = element.tag.removeprefix(XHTML)
            seen.add(name)
            assert set(element.attrib) <= XHTML_BASIC[name]
            assert NEEDED.get(name, set()) <= set(element.attrib)
    assert {"img", "table", "h2", "ul"} <= seen


def test_text_stands_in_blocks_and_identifiers_are_unique(pages: dict[str, bytes]) -> None:
    for _, root in parsed(pages):
        body = root.find(f"{XHTML}body")
        assert body is not None
        assert {child.tag.removeprefix(XHTML) for child in body} <= BLOCKS
        assert not any((text or "").strip() for text in (body.text, *(it.tail for it in body)))
        assert all(len(each) for each in root.iter(f"{XHTML}ul"))
        identifiers = [it.get("id") for it in root.iter() if it.get("id")]
        assert len(identifiers) == len(set(identifiers))


def test_a_screen_reader_finds_its_way(pages: dict[str, bytes]) -> None:
    titles = set()
    for path, root in parsed(pages):
        assert root.get("lang") == root.get(XML_LANG) == "en"
        titles.add(root.findtext(f"{XHTML}head/{XHTML}title"))
        headings = [it.tag[-1] for it in root.iter() if it.tag.removeprefix(XHTML) in BLOCKS]
        levels = [int(level) for level in headings if level.isdigit()]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        for image in root.iter(f"{XHTML}img"):
            assert (image.get("alt") or "").strip(), path
        for anchor in root.iter(f"{XHTML}a"):
            words = "".join(anchor.itertext()) + "".join(it.get("alt", "") for it in anchor.iter())
            assert words.strip(), path
    assert len(titles) == sum(path.endswith(".HTM") for path in pages)


def test_every_link_leads_to_a_file_of_the_medium(tmp_path: Path) -> None:
    for links, change in ((LinkCase.LOWER, str.lower), (LinkCase.UPPER, str.upper)):
        pages = web_pages(tmp_path / links.value, links)
        paths = {change(path) for path in pages}
        paths |= {
            change(path)
            for path in (
                "README.TXT", "VIEWER/START.HTM", "IHE_PDI/R0000001.HTM", "EXTRA/REPORT1.PDF",
            )
        }  # fmt: skip
        followed = set()
        for path, root in parsed(pages):
            base = change(path).split("/")[:-1]
            for element in root.iter():
                for link in (element.get("href"), element.get("src")):
                    if link is None:
                        continue
                    parts = list(base)
                    for part in link.split("/"):
                        if part == "..":
                            parts.pop()
                        else:
                            parts.append(part)
                    assert "/".join(parts) in paths
                    followed.add("/".join(parts))
        assert followed == paths  # nothing is there that no page leads to


VALIDATE = """
import sys
from lxml import etree

rules = etree.DTD(sys.argv[1])
parser = etree.XMLParser(load_dtd=False, no_network=True, resolve_entities=False)
for path in sys.argv[2:]:
    if not rules.validate(etree.parse(path, parser)):
        print(path, rules.error_log.last_error.message)
"""


@pytest.mark.skipif(not DTD.exists(), reason="the package w3c-sgml-lib is not installed")
def test_the_document_type_itself_agrees(pages: dict[str, bytes], tmp_path: Path) -> None:
    broken = pages["INDEX.HTM"].replace(b"<h1", b"<p><h1", 1).replace(b"</h1>", b"</h1></p>", 1)
    files = []
    for number, data in enumerate(
        [broken, *(data for path, data in pages.items() if path.endswith(".HTM"))]
    ):
        files.append(tmp_path / f"{number}.xml")
        files[-1].write_bytes(data)
    catalog = {"XML_CATALOG_FILES": "/etc/xml/w3c-sgml-lib.xml"}  # read when the library starts
    run = subprocess.run(
        [sys.executable, "-c", VALIDATE, str(DTD), *map(str, files)],
        env={**os.environ, **catalog}, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    (complaint,) = run.stdout.splitlines()
    assert complaint.startswith(str(files[0]))


def test_the_pages_say_what_they_must(pages: dict[str, bytes]) -> None:
    start = pages["INDEX.HTM"].decode("ascii")
    for words in (
        "disc 1 of 2", "CT of 2020", "ihe_pdi/r0000001.htm", "extra/report1.pdf",
        "Handle with care", "J&#252;rgen M&#252;ller", "viewer/start.htm",
        "Not on this disc: 1 of the objects",
    ):  # fmt: skip
        assert words in start
    table = pages["IHE_PDI/INDEX.HTM"].decode("ascii")
    for words in ("9 images", "1 image", "1 object", "Report &#38; more", "none"):
        assert words in table
    everything = b"".join(data for path, data in pages.items() if path.endswith(".HTM")).decode()
    for words in (
        "All 9 images are shown.", "Image 1: 4 of 4 frames", "Also in this series",
        "report or measurements", "document", "marked images",
    ):  # fmt: skip
        assert words in everything
    assert "<b>" not in everything
