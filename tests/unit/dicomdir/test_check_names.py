"""Names of one medium that do or do not contradict each other (PDI-85), and media of such names."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.image import check_image
from dicomdir.check.names import contradict
from dicomdir.check.volume import check_volume
from dicomdir.findings import Severity
from dicomdir.instance import read_instance
from dicomdir.iso import author
from dicomdir.iso_reader import open_image
from kiosk.domain.identity import match
from kiosk.domain.model import PatientIdentity
from kiosk.services.gates import gate_medium
from tests.factories import Patient, make_study, rename
from tests.jobs import CREATED, SITE
from tests.unit.dicomdir.test_check_volume import unpack

UTF8 = b"ISO_IR 192"
# Who an order is of, and how its objects may write that: each passes the gates.
SAME = [
    ("Müller^Jürgen", ["Müller^Jürgen", "MUELLER^JUERGEN", "Muller^J", "müller^jürgen^^^"]),
    ("Doe^Jane", ["DOE^Jane", "Doe", "Doe^Jane^^Dr", "doe^J.^", "Doe^Jane="]),
    ("Wang^XiaoDong=王^小东", ["Wang^XiaoDong", "=王^小东", "WANG=王", "Wang==ワン"]),
    ("O'Brien-Smith^Zoë", ["OBRIEN SMITH^Zoe", "O\u2019Brien-Smith^Z", "O`Brien\u2010Smith^Zoë"]),
    ("Bäer^Ø", ["Baeer^Ø", "Baer^O", "BÄER^Oe"]),
    ("Ångström^Æ", ["Aangstroem^Ae", "Angstrom^Æ", "ÅNGSTRÖM"]),
    ("Đặng^Łukasz", ["Dang^Lukasz", "ĐẶNG^Ł"]),
]  # fmt: skip


def gated(order: str, name: str) -> bool:
    verified = PatientIdentity("P", "", order, "19700102")
    return match(verified, PatientIdentity("P", "", name, "19700102")).accepted


@pytest.mark.parametrize(("order", "names"), SAME)
def test_what_the_gates_let_pass_side_by_side(order: str, names: list[str]) -> None:
    for name in names:
        assert gated(order, name)
    for one, other in permutations([order, *names], 2):
        assert not contradict(one.encode(), UTF8, other.encode(), UTF8), (one, other)


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ("Doe^Jane", "Dole^Jane"),
        ("Müller^Jürgen", "Möller^Jürgen"),
        ("Müller^Jürgen", "Miller^Jürgen"),
        ("Wang^X=王^小东", "Wang^X=黄^小东"),
        ("=王^小东", "Wang=黄"),
        ("Yamada==ハナダ", "Yamada==ハナタ"),
        ("M?ller^J", "Maler^J"),
        ("Doe-Smith", "Doe"),
        ("Doe^Jane", "Doe^Mary"),
        ("Doe^Jane", "Doe^K."),
        ("Doe^Jane Ann", "Doe^Mary Sue"),
        ("Wang^X=王^小东", "Wang^X=王^小明"),
    ],
)
def test_other_names(record: str, name: str) -> None:
    assert contradict(record.encode(), UTF8, name.encode(), UTF8)
    assert not gated(record, name)


@pytest.mark.parametrize(
    ("record", "charset", "value", "is_other"),
    [
        (b"M?ller^J?rg", b"", b"M\xfcller^J\xf6rg", False),
        ("MÜLLER".encode(), UTF8, b"M\xfcller^J\xf6rg", False),
        (b"MUELLER^JOERG", b"", b"M\xfcller^J\xf6rg", False),
        (b"M?ller^J", b"", b"MUELLER^J", False),
        (b"Miller^J", b"", b"M\xfcller^J", True),
        (b"Doe^J", b"", b"M\xfcller^J", True),
        (b"Roe\xff^J", UTF8, b"Doe^J", True),
    ],
)
def test_names_that_nobody_can_read(
    record: bytes, charset: bytes, value: bytes, is_other: bool
) -> None:
    assert contradict(record, charset, value, b"") is is_other


@pytest.mark.parametrize("first", [0, 1, 2, 3])
def test_a_medium_of_one_patient_written_in_four_ways(first: int, tmp_path: Path) -> None:
    """Whichever object gives the record its name; only one says a birth date."""
    files = make_study(tmp_path / "in", ("CT",) * 4, patient=Patient(birth_date=""))
    names = [b"MUELLER^J", "Müller^Jürgen^^Dr".encode(), b"Muller^JUERGEN^", b"M\xfcller^J\xfcrgen"]
    for path, name in zip(files, names, strict=True):
        rename(path, name, UTF8 if name == names[1] else b"")
    dated = files[3].read_bytes().replace(b"\x10\0\x30\0DA\0\0", b"\x10\0\x30\0DA\x08\00019610312")
    assert dated != files[3].read_bytes()
    files[3].write_bytes(dated)
    files = files[first:] + files[:first]
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    (tmp_path / "work").mkdir()
    built = build_volume(objects, Plan("PDI_NAMES", "1.2.3.4", SITE, tmp_path / "work"))
    image = author(built.volume, tmp_path / "out.iso", created_at=CREATED).path
    who = Patient()
    patient = PatientIdentity(who.patient_id, "", "Müller^Jürgen", "19610312")
    with open_image(image) as reader:
        assert gate_medium(patient, [objects[0].instance.study_instance_uid], reader) == 4
    assert [it for it in check_image(image) if it.severity is Severity.ERROR] == []


@pytest.mark.parametrize(
    ("name", "charset", "birth_date"),
    [
        (b"", b"", ""),
        (b"Doe^Jane", b"ISO_IR 100", ""),
        (b"<b>^&amp;\"'", b"", "19610303"),
        (
            "Yamada^Tarou=山田^太郎=やまだ^たろう".encode("iso2022_jp"),
            b"\\ISO 2022 IR 87",
            "19610303",
        ),
        ("قباني^لنزار".encode("iso8859_6"), b"ISO_IR 127", "19610303"),
        ("M\u200büller^J\u0308\u202e\uffff^\U0001f600".encode(), UTF8, "20240230"),
        (b"M\xfcller^J\x81\x1b[31m", b"", "19610301"),
        (b"Doe^" + b"Abcdefghijklmnopqrstuvwxyz" * 2, b"ISO_IR 100", "19610303"),
        (b"Mc Doe ^ Jane  ^^Dr^ MD", b"ISO_IR 100", "00010101"),
    ],
    ids=repr,
)
def test_pages_are_of_whom_the_objects_are(
    name: bytes, charset: bytes, birth_date: str, tmp_path: Path
) -> None:
    """However a name is written, our own pages write it as the check expects."""
    kinds = ("CT", "SR", "PDF", "KO")
    files = make_study(tmp_path / "in", kinds, patient=Patient(birth_date=birth_date))
    for path in files:
        rename(path, name, charset)
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    (tmp_path / "work").mkdir()
    volume = build_volume(objects, Plan("PDI_NAMES", "1.2.3.4", SITE, tmp_path / "work")).volume
    unpack(volume, tmp_path / "out")
    whose = "another patient than the objects"
    assert [it for it in check_volume(tmp_path / "out") if whose in it.reason] == []
    index = tmp_path / "out" / "INDEX.HTM"
    index.write_bytes(index.read_bytes().replace(b'"patient"><strong>', b'"patient"><strong>Rita '))
    assert whose in {it.reason.removeprefix("the page names ") for it in check_volume(index.parent)}
