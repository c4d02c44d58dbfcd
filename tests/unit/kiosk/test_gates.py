"""Identity gates over objects, answers and media; nothing of a patient in their errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.instance import Instance, read_instance
from dicomdir.iso import author
from dicomdir.iso_reader import IsoReader, open_image
from kiosk.domain.model import PatientIdentity
from kiosk.errors import CheckFailedError, WrongPatientError
from kiosk.services.gates import (
    StudyGate,
    gate_instance,
    gate_listed,
    gate_medium,
    identity_of,
)
from tests.factories import Patient, make_study, rename
from tests.jobs import CREATED, SITE, other_patient

PATIENT = Patient(name="Müller^Jürgen", patient_id="PAT-77", birth_date="19610312")


def one(tmp_path: Path, edit: Callable[[Dataset], object] | None = None, seed: int = 1) -> Instance:
    folder = tmp_path / f"study{seed}{id(edit)}"
    return read_instance(make_study(folder, ("CT",), patient=PATIENT, seed=seed, edit=edit)[0])


def test_an_object_says_who_it_is_of(tmp_path: Path) -> None:
    seen = identity_of(one(tmp_path))
    assert (seen.patient_id, seen.name, seen.birth_date) == (
        "PAT-77",
        "Müller^Jürgen",
        "19610312",
    )


def test_its_own_patient_and_study_pass(tmp_path: Path) -> None:
    instance = one(tmp_path)
    gate_instance(identity_of(instance), [instance.study_instance_uid], instance)
    spelled = PatientIdentity("PAT-77", "", "MUELLER^J", "19610312")
    gate_instance(spelled, [instance.study_instance_uid], instance)


def put(keyword: str, value: object) -> Callable[[Dataset], object]:
    return lambda ds: setattr(ds, keyword, value)


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (put("PatientID", "PAT-78"), "patient_id"),
        (put("PatientID", "pat-77"), "patient_id"),
        (put("PatientID", ""), "patient_id"),
        (put("PatientName", "Meyer^Jürgen"), "name.family"),
        (put("PatientName", "Müller^Otto"), "name.given"),
        (put("PatientBirthDate", "19610313"), "birth_date"),
        (put("PatientBirthDate", "19619999"), "birth_date"),
        (put("IssuerOfPatientID", "ELSEWHERE"), "issuer"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_another_identity_is_refused(
    tmp_path: Path, edit: Callable[[Dataset], object], code: str
) -> None:
    mine = one(tmp_path)
    verified = identity_of(mine)
    assert verified.issuer
    instance = one(tmp_path, edit)
    with pytest.raises(WrongPatientError) as caught:
        gate_instance(verified, [instance.study_instance_uid], instance)
    text = str(caught.value)
    assert code in text
    assert instance.sop_instance_uid in text
    for secret in ("PAT", "ller", "Meyer", "1961", "ELSEWHERE"):
        assert secret not in text


LATIN = "Müller^Jürgen".encode("latin-1")


def named(tmp_path: Path, name: bytes, charset: bytes = b"", **edits: str) -> Instance:
    """An object of PATIENT with this name, byte by byte."""

    def edit(ds: Dataset) -> None:
        for keyword, value in edits.items():
            setattr(ds, keyword, value)

    folder = tmp_path / f"named{len(list(tmp_path.iterdir()))}"
    (path,) = make_study(folder, ("CT",), patient=PATIENT, edit=edit)
    rename(path, name, charset)
    return read_instance(path)


def gate_for(instance: Instance, name: str = "Müller^Jürgen") -> StudyGate:
    verified = PatientIdentity("PAT-77", "", name, "19610312")
    return StudyGate(verified, [instance.study_instance_uid])


@pytest.mark.parametrize(
    ("name", "charset"),
    [(LATIN, b""), (LATIN, b"ISO_IR 192"), ("MÜLLER^Jürgen".encode(), b"ISO_IR 999")],
)
def test_a_forgotten_character_set_hides_nobody(
    name: bytes, charset: bytes, tmp_path: Path
) -> None:
    instance = named(tmp_path, name, charset)
    gate = gate_for(instance)
    for _ in range(2):
        assert gate.may_go_along(instance)
        gate.check(instance)


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        (b"M\xfcller^Otto", b""),
        (b"Mueller^J\xfcrgen", b""),  # as the order has it in other letters: a guess is no proof
        ("M\ufffdller^Jürgen".encode(), b"ISO_IR 192"),
        (b"\x1b$B^Jane", b""),
        (b"M\xfcller^J\x81rgen", b"ISO_IR 13"),
    ],
)
def test_a_name_that_nobody_can_read_costs_its_object_alone(
    name: bytes, charset: bytes, tmp_path: Path
) -> None:
    instance, mine = named(tmp_path, name, charset), named(tmp_path, LATIN, b"ISO_IR 100")
    gate = gate_for(instance)
    for _ in range(2):
        assert not gate.may_go_along(instance)
        assert gate.may_go_along(mine)
        with pytest.raises(WrongPatientError, match="encoding"):  # it stands on no medium
            gate.check(instance)


@pytest.mark.parametrize(
    ("keyword", "value", "code"),
    [
        ("PatientID", "PAT-78", "patient_id"),
        ("PatientID", "", "patient_id"),
        ("PatientBirthDate", "19610313", "birth_date"),
        ("PatientBirthDate", "1961", "birth_date"),
    ],
)
@pytest.mark.parametrize("name", [LATIN, b"Ot\xffo^O"])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_unreadable_name_does_not_hide_another_patient(
    name: bytes, keyword: str, value: str, code: str, tmp_path: Path
) -> None:
    instance = named(tmp_path, name, **{keyword: value})
    with pytest.raises(WrongPatientError, match=code):
        gate_for(instance).may_go_along(instance)


def test_nor_another_study_or_order(tmp_path: Path) -> None:
    instance = named(tmp_path, b"Ot\xffo^O")
    verified = PatientIdentity("PAT-77", "", "Müller^Jürgen", "19610312")
    with pytest.raises(WrongPatientError, match="not asked for"):
        StudyGate(verified, ["1.2.3"]).may_go_along(instance)
    gate = StudyGate(verified, [instance.study_instance_uid], "A0000002")
    with pytest.raises(WrongPatientError, match="accession_number"):
        gate.may_go_along(instance)


def test_a_study_that_was_not_asked_for(tmp_path: Path) -> None:
    instance = one(tmp_path)
    for asked in ([], ["1.2.3"], ["1.2.3", "1.2.4"]):
        with pytest.raises(WrongPatientError, match="not asked for"):
            gate_instance(identity_of(instance), asked, instance)


def test_what_the_archive_lists() -> None:
    mine = PatientIdentity("A1", "", "Doe^Jane", "19700102")
    gate_listed(mine, PatientIdentity("A1", "", "DOE^JANE", "19700102"))
    gate_listed(mine, PatientIdentity("A1", "", "Doe^Jane", ""))
    for seen in (
        PatientIdentity("A2", "", "Doe^Jane", "19700102"),
        PatientIdentity("", "", "Doe^Jane", "19700102"),
        PatientIdentity("A1", "", "", "19700102"),
        PatientIdentity("A1", "", "Doe^John", "19700102"),
        PatientIdentity("A1", "", "Doe^Jane", "19700201"),
    ):
        with pytest.raises(WrongPatientError):
            gate_listed(mine, seen)


def test_a_remembered_identity_is_no_pass_for_others(tmp_path: Path) -> None:
    mine, other = one(tmp_path), one(tmp_path, put("PatientID", "PAT-78"), seed=1)
    gate = StudyGate(identity_of(mine), [mine.study_instance_uid])
    for _ in range(2):
        gate.check(mine)
        with pytest.raises(WrongPatientError):
            gate.check(other)


def test_an_object_of_another_order(tmp_path: Path) -> None:
    mine, other = one(tmp_path), one(tmp_path, put("AccessionNumber", "A0000002"))
    gate = StudyGate(identity_of(mine), [mine.study_instance_uid], "A0000001")
    for _ in range(2):
        gate.check(mine)
        with pytest.raises(WrongPatientError, match="accession_number") as caught:
            gate.check(other)
        assert "A00000" not in str(caught.value)


@pytest.mark.parametrize("kept", [None, "", "A0000001", " A0000001 "])
def test_an_accession_number_that_lacks_or_is_the_same(tmp_path: Path, kept: str | None) -> None:
    def edit(ds: Dataset) -> None:
        del ds.AccessionNumber
        if kept is not None:
            ds.AccessionNumber = kept

    instance = one(tmp_path, edit)
    verified, studies = identity_of(instance), [instance.study_instance_uid]
    gate_instance(verified, studies, instance, "A0000001")
    gate_instance(verified, studies, instance)


# --- media ----------------------------------------------------------------------------------------


# No SR: its page in IHE_PDI names the patient too, and tests here count the places in DICOM files.
def image_of(tmp_path: Path, files: list[Path] | None = None) -> Path:
    files = files or make_study(tmp_path / "in", ("CT", "CT", "PR"), patient=PATIENT)
    (tmp_path / "work").mkdir()
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    plan = Plan("PDI_GATE", "1.2.3.4", SITE, tmp_path / "work")
    built = build_volume(objects, plan)
    return author(built.volume, tmp_path / "out.iso", created_at=CREATED).path


def study_of(tmp_path: Path) -> tuple[PatientIdentity, list[str]]:
    instance = read_instance(tmp_path / "in" / "I0000001")
    return identity_of(instance), [instance.study_instance_uid]


def test_a_medium_passes_with_every_object_counted(tmp_path: Path) -> None:
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    counts: list[int] = []
    with open_image(image) as reader:
        assert gate_medium(patient, studies, reader, on_object=counts.append) == 3
    assert counts == [1, 2, 3]


def test_a_medium_of_somebody_else_is_refused(tmp_path: Path) -> None:
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    with open_image(image) as reader:
        with pytest.raises(WrongPatientError):
            gate_medium(other_patient(patient), studies, reader)
        with pytest.raises(WrongPatientError):
            gate_medium(patient, ["1.2.3"], reader)


def changed(image: Path, old: bytes, new: bytes, which: int) -> IsoReader:
    """The image with occurrence `which` of `old` replaced."""
    data = bytearray(image.read_bytes())
    at = -1
    for _ in range(which + 1):
        at = data.index(old, at + 1)
    data[at : at + len(new)] = new
    frozen = bytes(data)
    return IsoReader(lambda offset, size: frozen[offset : offset + size])


@pytest.mark.parametrize("which", range(4))
def test_one_changed_place_is_enough(tmp_path: Path, which: int) -> None:
    """The Patient ID stands in the DICOMDIR and in each of three objects."""
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    with pytest.raises(WrongPatientError):
        gate_medium(patient, studies, changed(image, b"PAT-77", b"PAT-78", which))


def test_a_medium_whose_names_lack_their_character_set(tmp_path: Path) -> None:
    """The DICOMDIR has "?" where nobody can read: the patient is known there, others are not."""
    files = make_study(tmp_path / "in", ("CT", "CT", "PR"), patient=PATIENT)
    for path in files:
        rename(path, LATIN)
    image = image_of(tmp_path, files=files)
    studies = [read_instance(files[0]).study_instance_uid]
    patient = PatientIdentity("PAT-77", "", "Müller^Jürgen", "19610312")
    with open_image(image) as reader:
        assert gate_medium(patient, studies, reader) == 3
        for name in ("Möller^Jürgen", "Miller^Jargen", "Müller^Jörgen"):
            with pytest.raises(WrongPatientError):
                gate_medium(replace(patient, name=name), studies, reader)
    marked = b"M?ller^J?rgen"
    for other in (b"M?llen^J?rgen", b"M??ler^J?rgen"):
        with pytest.raises(WrongPatientError):
            gate_medium(patient, studies, changed(image, marked, other, 0))


def test_an_object_that_the_dicomdir_does_not_name_is_seen(tmp_path: Path) -> None:
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    # The records lose their file; the objects are still there, one of them somebody else's.
    data = image.read_bytes().replace(b"PAT-77", b"PAT-78", 2).replace(b"PAT-78", b"PAT-77", 1)
    reader = IsoReader(lambda offset, size: data[offset : offset + size])
    with pytest.raises(WrongPatientError):
        gate_medium(patient, studies, reader)


def test_a_medium_without_objects_or_directory_is_no_medium(tmp_path: Path) -> None:
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    with pytest.raises(CheckFailedError):
        gate_medium(patient, studies, changed(image, b"DICOMDIR.;1", b"DICOMDIX.;1", 0))
    blank = image.read_bytes().replace(b"DICM", b"XXXX")
    with pytest.raises(CheckFailedError):
        gate_medium(patient, studies, IsoReader(lambda offset, size: blank[offset : offset + size]))


@pytest.mark.parametrize("which", [0, 1])
def test_a_medium_of_another_order(tmp_path: Path, which: int) -> None:
    """In the DICOMDIR's STUDY record alone, and in an object alone."""
    image = image_of(tmp_path)
    patient, studies = study_of(tmp_path)
    with open_image(image) as reader:
        gate_medium(patient, studies, reader, accession_number="A0000001")
        with pytest.raises(WrongPatientError, match="accession_number"):
            gate_medium(patient, studies, reader, accession_number="A0000002")
    reader = changed(image, b"A0000001", b"A0000002", which)
    with pytest.raises(WrongPatientError, match="accession_number"):
        gate_medium(patient, studies, reader, accession_number="A0000001")
