"""README.TXT: everything of PDI-05, the same bytes for everybody (PDI-06), plain text (PDI-04)."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.iso_reader import IsoReader
from dicomdir.readme import Site, ViewerFacts, readme
from kiosk.config import SiteConfig
from kiosk.engine_parts import site_of
from kiosk.services.build_folder import build_folder
from tests.factories import Patient, make_study

SITE = Site(
    "Test Imaging Center",
    ("1 Test Street", "Telephone 555-0199"),
    "1.2.3",
    vendor="Vendor Ltd",
    vendor_contact=("vendor@example.com",),
    notice="Keep it dry.",
    help_line="Call 555-0142 on weekdays.",
    notes="We are closed on Sundays.",
)
VIEWER = ViewerFacts(
    product="Looker",
    version="4.5",
    vendor_contact=("Looker Ltd, 2 Side Street",),
    operating_systems="Windows 10 and newer",
    intended_use="Not for diagnosis.",
    requirements="A screen of 1024 x 768",
    launch_path="VIEWER/START.HTM",
    notes="Close it before you take the disc out.",
)


def said(site: Site, *, is_protected: bool = False) -> str:
    return " ".join(readme(site, is_protected=is_protected).decode("ascii").split())


@pytest.mark.parametrize(
    "words",
    [
        *("Test Imaging Center", "1 Test Street", "Telephone 555-0199"),  # PDI-05 (a)
        *("sendhome 1.2.3", "Vendor Ltd", "vendor@example.com"),  # (b)
        *("DICOMDIR", "DICOM ", "INDEX.HTM", "IHE_PDI", "EXTRA", "README.TXT"),  # (c)
        *("Keep it dry.", "Call 555-0142 on weekdays.", "We are closed on Sundays."),
    ],
)
def test_everything_is_said(words: str) -> None:
    assert words in said(SITE)


@pytest.mark.parametrize(
    "words",
    [
        *("Looker 4.5", "2 Side Street", "Runs on: Windows 10", "Intended use: Not for diagnosis"),
        *("Needs at least: A screen of 1024 x 768", "Close it before", "open VIEWER\\START.HTM"),
    ],
)
def test_a_viewer_is_described_only_where_there_is_one(words: str) -> None:
    assert words in said(replace(SITE, viewer=VIEWER))
    assert words not in said(SITE)
    assert "VIEWER" not in said(SITE)


def test_a_protected_medium_says_so_and_promises_no_pages() -> None:
    text = said(SITE, is_protected=True)
    for words in ("protected by a password", "PS3.15", "AES-256", "HOW TO OPEN IT", "is lost"):
        assert words in text
        assert words not in said(SITE)
    for words in ("IHE_PDI", "reports as PDF"):  # PDI-92
        assert words not in text


@pytest.mark.parametrize("is_protected", [False, True])
def test_it_is_plain_text(is_protected: bool) -> None:
    hostile = "Klinik Müller & Söhne ☤ \r\n\x1b[2J\x00 " + "x" * 300 + " Ω"
    site = Site(hostile, (hostile,) * 3, hostile, vendor=hostile, vendor_contact=(hostile,),
                notice=hostile * 5, viewer=replace(VIEWER, product=hostile), help_line=hostile,
                notes=hostile)  # fmt: skip
    data = readme(site, is_protected=is_protected)
    assert all(byte in b"\r\n" or 32 <= byte < 127 for byte in data)
    assert data.endswith(b"\r\n")
    assert b"\n" not in data.replace(b"\r\n", b"")
    assert max(map(len, data.split(b"\r\n"))) <= 80
    assert b"Klinik Muller & Sohne" in data


def test_a_name_in_other_letters_has_a_plain_one() -> None:
    site = replace(SITE, institution="Клиника", plain_name="Klinika No. 1")
    assert "Klinika No. 1" in said(site)
    assert "???" not in said(site)


def test_its_texts_come_from_the_configuration() -> None:
    config = SiteConfig(
        institution="Inst", address=("Addr 1",), phone="555-1", email="a@b", vendor="Vend",
        vendor_contact=("Vend line",), help_line="Help line", notice="Note ice", notes="Any more",
    )  # fmt: skip
    text = said(site_of(config))
    for words in ("Inst", "Addr 1", "555-1", "a@b", "Vend", "Vend line", "Help line", "Note ice"):
        assert words in text
    assert "Any more" in text


def test_two_patients_get_the_same_bytes(tmp_path: Path) -> None:
    """PDI-06, on finished images: nothing of a patient, a study or a disc."""
    patients = [
        Patient("PID-0042", "Doe^Jane", "19610303"),
        Patient("ANON-17", "Müller^Jürgen", "19850708", "M"),
    ]
    found = []
    for number, patient in enumerate(patients):
        make_study(tmp_path / f"in{number}", ("CT",) * (number + 1) + ("SR",), seed=number + 5,
                   patient=patient)  # fmt: skip
        out = tmp_path / f"out{number}.iso"
        build_folder(tmp_path / f"in{number}", out, SITE, volume_id=f"PDI_{number}",
                     created_at=datetime(2024, 3, number + 1, tzinfo=UTC))  # fmt: skip
        fd = os.open(out, os.O_RDONLY)
        try:
            reader = IsoReader(lambda at, count, fd=fd: os.pread(fd, count, at))
            (file,) = [it for it in reader.files() if it.path == "README.TXT"]
            found.append(os.pread(fd, file.size_bytes, file.offset_bytes))
        finally:
            os.close(fd)
    assert found[0] == found[1] == readme(SITE)
    for word in (b"Doe", b"Jane", b"PID-0042", b"1961", b"ANON", b"Jurgen", b"PDI_"):
        assert word not in found[0]
