"""README.TXT and the pages: what they say, and what hostile text cannot make them say."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from dicomdir.check.pages import check_pages
from dicomdir.check.tree import Collector, Tree, TreeFile
from dicomdir.instance import read_instance
from dicomdir.readme import Site, ViewerFacts, readme
from dicomdir.summary import LeftOut, SeriesSummary, StudySummary, Summary
from dicomdir.web import CONTENTS_PAGE, LinkCase, contents, index, shown
from tests.factories import make_study

XHTML = "{http://www.w3.org/1999/xhtml}"
SITE = Site("Test Imaging Center", ("1 Test Street", "Telephone 555-0199"), "1.2.3")
VIEWER = ViewerFacts(
    product="Looker",
    version="4.5",
    vendor_contact=("Looker Ltd, 2 Side Street",),
    operating_systems="Windows 10 and newer",
    intended_use="Not for diagnosis.",
    requirements="A screen of 1024 x 768",
    launch_path="VIEWER/START.HTM",
)

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</td></tr></table><script src=//evil></script>",
    "<!--",
    "-->",
    "]]>",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "javascript:alert(1)",
    "<svg/onload=alert(1)>",
    "\x00\x1b]52;c;AAAA\x07",
    "\x9b31m",
    "a\u202egnp.exe",
    "\u2066\u2069\u200f",
    "X[/]Y",
    "A" + "\u0301" * 500,
    "A" * 100_000,
    "\ud800",
    "line\r\n\r\n<b>two</b>",
    "${7*7}{{7*7}}",
    "\\..\\..\\",
]


def summary_with(text: str) -> Summary:
    series = SeriesSummary("1.2.3.1", text, text, text, text, 3)
    study = StudySummary("1.2.3", text, text, {"1.2.3.1": series})
    return Summary(text, text, {"1.2.3": study}, [LeftOut(text, text, text)])


def parse(page: bytes) -> ElementTree.Element:
    assert page.isascii()
    return ElementTree.fromstring(page.decode("ascii"))


def by_id(root: ElementTree.Element, identifier: str) -> ElementTree.Element:
    (found,) = [it for it in root.iter() if it.get("id") == identifier]
    return found


# --- README.TXT -----------------------------------------------------------------------------------


def test_the_readme_says_all_that_it_must() -> None:
    text = readme(SITE).decode("ascii")
    for words in ("Test Imaging Center", "1 Test Street", "555-0199"):  # PDI-05 (a)
        assert words in text
    for words in ("sendhome 1.2.3", "The sendhome project"):  # (b)
        assert words in text
    for words in ("DICOMDIR", "IHE_PDI", "INDEX.HTM"):  # (c)
        assert words in text
    assert "Looker" not in text


def test_the_readme_describes_a_viewer() -> None:
    text = readme(replace(SITE, viewer=VIEWER)).decode("ascii")
    for words in ("Looker 4.5", "2 Side Street", "Windows 10", "Not for diagnosis", "1024 x 768"):
        assert words in text
    assert "VIEWER" in text


def test_the_readme_is_plain_text() -> None:
    site = replace(SITE, institution="Klinik Müller & Söhne ☤ " + "x" * 200, notice="n " * 300)
    data = readme(site)
    assert data.isascii()
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.splitlines())) <= 80
    assert b"Klinik Muller & Sohne" in data


def test_the_readme_is_the_same_on_every_disc_of_a_site() -> None:
    assert readme(SITE) == readme(replace(SITE))


# --- INDEX.HTM ------------------------------------------------------------------------------------


@pytest.fixture
def summary(tmp_path: Path) -> Summary:
    made = Summary()
    for path in make_study(tmp_path, ("CT", "CT", "CT", "SR", "KO")):
        made.add(read_instance(path))
    return made


def test_counts_are_those_of_the_objects(summary: Summary) -> None:
    root = parse(index(SITE, summary, links=LinkCase.LOWER))
    assert [by_id(root, name).text for name in ("studies", "series", "instances")] == [
        "1",
        "3",
        "5",
    ]


def test_the_start_page_has_all_its_parts(summary: Summary) -> None:
    site = replace(SITE, viewer=VIEWER, notice="Handle with care.")
    root = parse(index(site, summary, links=LinkCase.UPPER))
    assert by_id(root, "institution").text == "Test Imaging Center"
    assert "Handle with care." in (by_id(root, "notice").text or "")
    assert by_id(root, "contents").get("href") == "IHE_PDI/INDEX.HTM"
    assert by_id(root, "readme").get("href") == "README.TXT"
    assert by_id(root, "viewer").get("href") == "VIEWER/START.HTM"
    assert by_id(root, "importable") is not None
    assert by_id(root, "not-importable") is not None


def test_links_follow_the_case_of_the_medium(summary: Summary) -> None:
    for case, change in ((LinkCase.LOWER, str.lower), (LinkCase.UPPER, str.upper)):
        for page in (index(SITE, summary, links=case), contents(SITE, summary, links=case)):
            links = [it.get("href", "") for it in parse(page).iter(f"{XHTML}a") if it.get("href")]
            assert links
            assert links == [change(link) for link in links]


def test_what_is_left_out_is_named(summary: Summary) -> None:
    summary.left_out = [
        LeftOut("1.2.3.9", "1.2.840.10008.5.1.4.1.1.77.1.4.1", "profile.transfer_syntax"),
        LeftOut("1.2.3.8", "1.2.3", "profile.sop_class"),
    ]
    text = index(SITE, summary, links=LinkCase.LOWER).decode("ascii")
    assert 'id="left-out"' in text
    assert "1.2.3.9" in text
    assert "1.2.3.8" in text
    assert "video" in text


def test_what_is_left_out_is_said_in_a_persons_words(tmp_path: Path) -> None:
    """Series, day and the name of the class, not a UID alone; grouped."""
    files = make_study(tmp_path, ("MR", "MR", "CT"))
    mr, _, _ = instances = [read_instance(path) for path in files]
    made = Summary(left_out=[LeftOut.of(it, "profile.sop_class") for it in instances])
    made.add(mr)
    text = "".join(parse(index(SITE, made, links=LinkCase.LOWER)).itertext())
    assert "3: of a kind that has no place" in text
    assert "MR series 1 MR series, 11 March 2024, MR Image Storage (" in text
    assert "CT series 2 CT series, 11 March 2024, CT Image Storage (" in text
    assert text.count("11 March 2024, MR Image Storage") == 1


def test_moving_images_and_silent_objects_are_counted_for_what_they_are(tmp_path: Path) -> None:
    made = Summary()
    for path in make_study(tmp_path, ("US", "CT"), missing=("Modality",)):
        made.add(read_instance(path))
    text = "".join(parse(contents(SITE, made, links=LinkCase.LOWER)).itertext())
    assert "1 image with 4 frames" in text
    for word in ("ultrasound", "CT"):
        assert word in text
    assert "other" not in text


def test_series_beyond_the_thumbnails_are_counted(summary: Summary) -> None:
    page = index(SITE, summary, links=LinkCase.LOWER, thumbnails=["x"] * 12, further=24)
    root = parse(page)
    assert "24 more series are listed under" in "".join(root.itertext())
    (table,) = [it for it in root.iter(f"{XHTML}table") if "Pictures" in it.get("summary", "")]
    assert len(table.findall(f".//{XHTML}td")) == 12


def test_the_readme_of_a_protected_medium_promises_no_viewer() -> None:
    words = " ".join(readme(SITE, is_protected=True).decode("ascii").split())
    assert "once it is decrypted, any DICOM viewer can." in words
    assert "decrypted, any" not in readme(SITE).decode("ascii")


def test_the_contents_page_lists_every_series(summary: Summary) -> None:
    root = parse(contents(SITE, summary, links=LinkCase.LOWER))
    rows = root.findall(f".//{XHTML}tr")
    assert len(rows) == 1 + 3


def test_ten_thousand_series_make_no_giant_page() -> None:
    series = {f"1.{n}": SeriesSummary(f"1.{n}", str(n), "CT", "text", "", 1) for n in range(10_000)}
    made = Summary("A^B", "", {"1": StudySummary("1", "20260101", "Exam", series)})
    page = contents(SITE, made, links=LinkCase.LOWER)
    assert len(page) < 200_000
    assert b"9600 more series" in page


def test_a_medium_is_called_what_it_is(summary: Summary) -> None:
    page = index(SITE, summary, links=LinkCase.UPPER, medium="stick").decode("ascii")
    assert "This stick holds" in page
    assert "disc" not in page


# --- hostile text ---------------------------------------------------------------------------------


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(text: str) -> None:
    plain = {it.tag for it in parse(index(SITE, summary_with("x"), links=LinkCase.LOWER)).iter()}
    site = replace(SITE, institution=text or "x", contact=(text,), notice=text, product=text)
    for site_now, summary in ((SITE, summary_with(text)), (site, summary_with(text))):
        for page in (
            index(site_now, summary, links=LinkCase.LOWER),
            contents(site_now, summary, links=LinkCase.LOWER),
        ):
            root = parse(page)
            assert {it.tag for it in root.iter()} <= plain | {f"{XHTML}h2", f"{XHTML}td"}
            for element in root.iter():
                assert not any(name.lower().startswith("on") for name in element.attrib)
                assert element.tag != f"{XHTML}script"
            assert re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]", page) is None
            for forbidden in (0x202E, 0x1B, 0x9B, 0x2066):
                assert f"&#{forbidden};".encode() not in page
        assert readme(site_now).isascii()
        assert max(map(len, readme(site_now).splitlines())) <= 80


@pytest.mark.parametrize("text", HOSTILE)
def test_shown_text_is_bounded_and_reads_back_clean(text: str) -> None:
    markup = shown(text)
    assert markup.isascii()
    assert not set(markup) & set("<>\"'")
    back = ElementTree.fromstring(f"<p>{markup}</p>").text or ""
    assert len(back.replace("\u200b", "")) <= 200


def test_honest_names_survive() -> None:
    made = Summary("Müller^Jürgen^^Dr.=山田^太郎", "19610312")
    root = parse(index(SITE, made, links=LinkCase.LOWER))
    assert "".join(by_id(root, "patient").itertext()) == (
        "Dr. Jürgen Müller / 太郎 山田, born 12 March 1961"
    )


def test_our_own_check_finds_nothing(summary: Summary) -> None:
    pages = {
        "INDEX.HTM": index(SITE, summary, links=LinkCase.LOWER),
        CONTENTS_PAGE: contents(SITE, summary, links=LinkCase.LOWER),
        "README.TXT": readme(SITE),
    }
    found = Collector()
    tree = Tree(
        [TreeFile(path, len(data)) for path, data in pages.items()],
        ["IHE_PDI"],
        lambda path, offset, size: pages[path][offset : offset + size],
    )
    check_pages(tree, (1, 3, 5), found)
    assert found.findings == []
    check_pages(tree, (1, 3, 6), found)
    assert [it.rule for it in found.findings] == ["PDI-08"]
