"""The `Pacs` port: one suite for the stand-in and for the real adapter with a real archive
process.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dicomdir.instance import Instance, read_instance
from kiosk.digest import Digest
from kiosk.domain.model import AccessionNumber, Uid
from kiosk.errors import StoppedError, StudyNotFoundError
from kiosk.ports import Pacs, StoredInstance
from tests.archive_kit import AE_TITLE, identity, pacs_for, running_receiver
from tests.factories import Study, make_study, stable_uid
from tests.fakes.pacs import FakePacs
from tests.peers import dcmqrscp

STUDY = Uid(stable_uid("study", 61))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("studies")
    mine = Study(accession_number="A-61")
    return [
        *make_study(folder / "mine", ("CT",) * 3 + ("MR",) * 2, seed=61, study=mine),
        *make_study(folder / "other", ("CT",) * 2, seed=62, study=Study(accession_number="A-62")),
    ]


@pytest.fixture(
    scope="module", params=["fake", pytest.param("dicom", marks=pytest.mark.integration)]
)
def pacs(
    request: pytest.FixtureRequest, files: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pacs]:
    if request.param == "fake":
        yield FakePacs(files)
        return
    with running_receiver() as receiver:
        folder = tmp_path_factory.mktemp("archive")
        with dcmqrscp(files, {AE_TITLE: receiver.port}, folder) as archive:
            yield pacs_for(archive, receiver)


def test_echo(pacs: Pacs) -> None:
    pacs.echo()


def test_find(pacs: Pacs) -> None:
    assert pacs.find_study_uids(AccessionNumber("A-61")) == [STUDY]
    assert pacs.find_study_uids(AccessionNumber("A-6")) == []


def test_list(pacs: Pacs, files: list[Path]) -> None:
    listed = pacs.list_study(STUDY)
    assert listed.study_instance_uid == STUDY
    assert listed.accession_number == "A-61"
    assert listed.study_date == read_instance(files[0]).text(0x00080020) != ""
    seen = listed.patient
    assert (seen.patient_id, seen.name, seen.birth_date) == (
        identity().patient_id,
        identity().name,
        identity().birth_date,
    )
    assert {
        (each.sop_instance_uid, each.series_instance_uid, each.modality)
        for each in listed.instances
    } == {
        (instance.sop_instance_uid, instance.series_instance_uid, instance.text(0x00080060))
        for instance in map(read_instance, files[:5])
    }


def test_list_what_is_not_there(pacs: Pacs) -> None:
    with pytest.raises(StudyNotFoundError):
        pacs.list_study(Uid("1.2.3.4"))


def test_move_the_whole(pacs: Pacs, files: list[Path], tmp_path: Path) -> None:
    stored: list[StoredInstance] = []
    pacs.move(
        STUDY,
        tmp_path,
        on_stored=stored.append,
        is_cancelled=lambda: False,
        is_complete=lambda: len(stored) == 5,
    )
    assert {each.sop_instance_uid for each in stored} == {
        read_instance(path).sop_instance_uid for path in files[:5]
    }
    for each in stored:
        data = (tmp_path / each.file_name).read_bytes()
        assert each.file_name.isdigit()
        assert (len(data), Digest(data).digest()) == (each.size_bytes, each.digest)
        assert Instance.from_bytes(each.header) == read_instance(tmp_path / each.file_name)


def test_move_some_into_a_folder_that_has_some(pacs: Pacs, tmp_path: Path) -> None:
    listed = pacs.list_study(STUDY)
    for chosen in (listed.instances[:2], listed.instances[2:]):
        stored: list[StoredInstance] = []
        pacs.move(
            STUDY,
            tmp_path,
            only=chosen,
            on_stored=stored.append,
            is_cancelled=lambda: False,
            is_complete=lambda: True,
        )
        assert {each.sop_instance_uid for each in stored} == {
            each.sop_instance_uid for each in chosen
        }
    assert len(list(tmp_path.iterdir())) == 5


def test_an_exception_of_the_receiver_of_objects_ends_it(pacs: Pacs, tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def refuse(_stored: StoredInstance) -> None:
        raise EnoughError

    with pytest.raises(EnoughError):
        pacs.move(STUDY, tmp_path, on_stored=refuse, is_cancelled=lambda: False)


def test_cancel(pacs: Pacs, tmp_path: Path) -> None:
    with pytest.raises(StoppedError):
        pacs.move(STUDY, tmp_path, on_stored=lambda _stored: None, is_cancelled=lambda: True)
