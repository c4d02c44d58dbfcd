"""The builder as a real child process: results, refusals, crashes, and what it leaves behind."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import subprocess
import sys
import textwrap
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from dicomdir.breaks import BREAK
from dicomdir.check.image import check_image
from dicomdir.instance import read_instance
from dicomdir.iso_reader import open_image
from kiosk.domain.contents import ObjectCounts
from kiosk.domain.left_out import LeftOutCounts
from kiosk.engine_parts import counted
from kiosk.errors import (
    CheckFailedError,
    ComposeError,
    SetOversizedError,
    SpoolFullError,
    SpoolLostError,
    StoppedError,
    WrongPatientError,
)
from kiosk.services import builders as builders_module
from kiosk.services import compose as compose_module
from kiosk.services.arrivals import arrivals_path, inventory_of, objects_folder
from kiosk.services.compose import (
    ComposedImage,
    ComposeRequest,
    ComposerPool,
    compose,
)
from kiosk.services.gates import gate_medium, identity_of
from tests.factories import Patient, make_study, rename
from tests.instants import SWITCH
from tests.jobs import fill_job, other_patient, request_for

pytestmark = pytest.mark.integration

MADE = {"image.iso", "image.json"}
KINDS = ("CT", "CT", "CT", "MR", "CR", "US", "SR", "KO", "PR", "PDF")


@pytest.fixture(scope="module")
def pool() -> Iterator[ComposerPool]:
    with ComposerPool() as opened:
        yield opened


@pytest.fixture
def run(pool: ComposerPool) -> Callable[[ComposeRequest], ComposedImage]:
    def composed(request: ComposeRequest) -> ComposedImage:
        return compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False, pool=pool)

    return composed


Run = Callable[[ComposeRequest], ComposedImage]


@pytest.fixture
def job(tmp_path: Path) -> tuple[Path, ComposeRequest]:
    """A folder with a study of many kinds, and the request for it."""
    files = make_study(tmp_path / "in", KINDS)
    folder = tmp_path / "job"
    fill_job(folder, files)
    return folder, request_for(folder, files)


def left_over(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {"objects", "arrivals"}


def test_an_image_is_made_checked_and_committed(
    job: tuple[Path, ComposeRequest], pool: ComposerPool
) -> None:
    folder, request = job
    seen: list[tuple[int, int]] = []
    image = compose(
        request,
        on_progress=lambda done, total: seen.append((done, total)),
        is_cancelled=lambda: False,
        pool=pool,
    )
    assert image.path == folder / "image.iso"
    assert image.size_bytes == image.path.stat().st_size == image.blocks * 2048
    assert image.sha256 == hashlib.sha256(image.path.read_bytes()).hexdigest()
    assert image.instances == len(KINDS)
    assert image.counts == ObjectCounts(images=6, reports=2, others=2)
    assert image.left_out == ()
    assert left_over(folder) == MADE
    assert check_image(image.path) == []
    with open_image(image.path) as reader:
        assert gate_medium(request.patient, request.study_instance_uids, reader) == len(KINDS)
        assert reader.volume_id.rstrip() == b"PDI_TEST1"
    assert seen[-1] == (1000, 1000)
    assert seen == sorted(seen)


def test_the_order_s_accession_number_is_compared(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    """Also after an image was made for the right one: it is another request."""
    folder, request = job
    assert run(replace(request, accession_number="A0000001")).instances == len(KINDS)
    with pytest.raises(WrongPatientError, match="accession_number"):
        run(replace(request, accession_number="A0000002"))
    assert left_over(folder) == set()


def test_the_same_request_gives_the_same_image(job: tuple[Path, ComposeRequest], run: Run) -> None:
    _, request = job
    first = run(request)
    stamp = first.path.stat().st_mtime_ns
    later = replace(request, created_at=request.created_at.replace(year=2030))
    assert run(later) == first
    assert run(replace(request, rehash=True)) == first
    assert first.path.stat().st_mtime_ns == stamp


def test_another_request_gives_another_image(job: tuple[Path, ComposeRequest], run: Run) -> None:
    _, request = job
    first = run(request)
    second = run(replace(request, volume_id="PDI_OTHER"))
    assert second.file_set_uid != first.file_set_uid
    with open_image(second.path) as reader:
        assert reader.volume_id.rstrip() == b"PDI_OTHER"


def test_a_damaged_image_is_built_again(job: tuple[Path, ComposeRequest], run: Run) -> None:
    _, request = job
    first = run(request)
    data = bytearray(first.path.read_bytes())
    data[-3000] ^= 1
    first.path.write_bytes(data)
    second = run(replace(request, rehash=True))
    assert second.file_set_uid != first.file_set_uid
    assert check_image(second.path) == []


def test_what_an_interrupted_build_left_is_no_hindrance(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    folder, request = job
    (folder / "image.iso.part").write_bytes(b"half")
    (folder / "image.json.part").write_text("{")
    (folder / "image.iso").write_bytes(b"not committed")
    (folder / "converted").mkdir()
    (folder / "converted" / "00000000").write_bytes(b"old")
    run(request)
    assert left_over(folder) == MADE


# --- what must not get onto a disc ----------------------------------------------------------------


def test_an_index_that_lost_its_end_is_not_a_study(tmp_path: Path, run: Run) -> None:
    """A power cut may take what was appended last: what is left reads like a whole index."""
    files = make_study(tmp_path / "in", ("CT",) * 9)
    folder = tmp_path / "job"
    fill_job(folder, files)
    whole = inventory_of(read_instance(path).sop_instance_uid for path in files)
    request = request_for(folder, files, inventory=whole)
    index = arrivals_path(folder)
    data = index.read_bytes()
    index.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(SpoolLostError, match="all of the study"):
        run(request)
    assert left_over(folder) == set()
    index.write_bytes(data)
    made = run(request)
    assert made.instances == 9
    index.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(SpoolLostError):  # nor does an image that was made before help
        run(request)


def test_one_foreign_object_refuses_all(tmp_path: Path, run: Run) -> None:
    mine = make_study(tmp_path / "mine", ("CT",) * 4)
    foreign = make_study(
        tmp_path / "foreign", ("CT",), seed=2, patient=Patient(patient_id="OTHER1")
    )
    folder = tmp_path / "job"
    fill_job(folder, [*mine, *foreign])
    request = request_for(folder, mine)
    both = request_for(folder, [*mine, *foreign]).study_instance_uids
    with pytest.raises(WrongPatientError) as caught:
        run(replace(request, study_instance_uids=both))
    assert "OTHER1" not in str(caught.value)
    assert left_over(folder) == set()


def test_a_study_that_nobody_asked_for_refuses_all(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    _, request = job
    with pytest.raises(WrongPatientError):
        run(replace(request, study_instance_uids=("1.2.3",)))


def test_the_wrong_person_refuses_all(job: tuple[Path, ComposeRequest], run: Run) -> None:
    folder, request = job
    with pytest.raises(WrongPatientError) as caught:
        run(replace(request, patient=other_patient(request.patient)))
    for secret in (request.patient.patient_id, request.patient.name, "Other", "19700101"):
        assert secret not in str(caught.value)
    assert left_over(folder) == set()


def test_an_object_that_changed_since_it_was_indexed(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    """The index still names the right patient; the file is another's: only a second look tells."""
    folder, request = job
    victim = objects_folder(folder) / "00000002"
    data = victim.read_bytes()
    name = request.patient.patient_id.encode()
    victim.write_bytes(data.replace(name, name[:-1] + b"~"))
    with pytest.raises(SpoolLostError):
        run(replace(request, rehash=True))
    with pytest.raises((WrongPatientError, CheckFailedError)):
        run(request)
    assert left_over(folder) == set()


def test_what_arrived_before_a_power_cut_is_read_again(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    """An index of another boot, however new its file looks: bytes may have been lost unnoticed."""
    folder, request = job
    index = arrivals_path(folder)
    data = bytearray(index.read_bytes())
    data[8:44] = b"00000000-0000-4000-8000-000000000000"
    data[44:48] = zlib.crc32(data[:44]).to_bytes(4, "little")
    index.write_bytes(data)
    assert run(request).instances == len(KINDS)
    victim = objects_folder(folder) / "00000002"
    lost = bytearray(victim.read_bytes())
    lost[-64:] = bytes(64)  # as a file system leaves a page that was never written
    victim.write_bytes(lost)
    with pytest.raises(SpoolLostError):
        run(replace(request, volume_id="PDI_AGAIN"))


@pytest.mark.parametrize("fault", ["gone", "short", "long", "link"])
def test_objects_that_are_not_as_they_arrived(
    job: tuple[Path, ComposeRequest], run: Run, fault: str
) -> None:
    folder, request = job
    victim = objects_folder(folder) / "00000003"
    if fault == "gone":
        victim.unlink()
    elif fault == "link":
        victim.unlink()
        victim.symlink_to(objects_folder(folder) / "00000002")
    else:
        os.truncate(victim, victim.stat().st_size + (1 if fault == "long" else -1))
    with pytest.raises(SpoolLostError):
        run(request)


def test_no_index_at_all(tmp_path: Path, run: Run) -> None:
    files = make_study(tmp_path / "in", ("CT",))
    folder = tmp_path / "job"
    folder.mkdir()
    with pytest.raises(SpoolLostError):
        run(request_for(folder, files))


def test_too_large_for_the_medium(job: tuple[Path, ComposeRequest], run: Run) -> None:
    folder, request = job
    with pytest.raises(SetOversizedError):
        run(replace(request, capacity_blocks=20))
    blocks = run(request).blocks
    with pytest.raises(SetOversizedError):
        run(replace(request, capacity_blocks=blocks - 1))
    assert run(replace(request, capacity_blocks=blocks)).blocks == blocks
    assert left_over(folder) == MADE


# --- what is left out, by name --------------------------------------------------------------------


def video(ds: Dataset) -> None:
    ds.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.4.102"


def test_what_cannot_be_converted_is_listed(tmp_path: Path, run: Run) -> None:
    good = make_study(tmp_path / "good", ("CT", "CT"))
    study_uid = dcmread(good[0]).StudyInstanceUID
    other = make_study(tmp_path / "other", ("US",), seed=9, transfer_syntax="jpeg")
    ds = dcmread(other[0])
    ds.StudyInstanceUID = study_uid
    video(ds)
    ds.save_as(tmp_path / "video", enforce_file_format=True)
    folder = tmp_path / "job"
    fill_job(folder, [*good, tmp_path / "video"])
    image = run(request_for(folder, good))
    assert image.instances == 2
    (left,) = image.left_out
    assert (left.sop_instance_uid, left.reason) == (ds.SOPInstanceUID, "profile.transfer_syntax")
    assert counted([left]) == LeftOutCounts(videos=1)
    with open_image(image.path) as reader:
        record = reader.find("INDEX.HTM")
        assert record is not None
        page = reader.read(record, 0, record.size_bytes).decode("ascii")
    assert str(ds.SOPInstanceUID) in page.replace(BREAK, "")
    assert run(request_for(folder, good)).left_out == image.left_out


def test_a_name_that_cannot_be_read_costs_its_object_alone(tmp_path: Path, run: Run) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "MR"))
    rename(files[1], b"M\xfcller^J", b"ISO_IR 192")
    fill_job(tmp_path / "job", files)
    image = run(request_for(tmp_path / "job", files))
    (left,) = image.left_out
    assert (image.instances, left.reason) == (2, "identity.unreadable")
    assert left.sop_instance_uid == read_instance(files[1]).sop_instance_uid
    with open_image(image.path) as reader:
        page = reader.find("INDEX.HTM")
        assert page is not None
        assert b"nobody can tell whose" in reader.read(page, 0, page.size_bytes)


def test_a_study_whose_names_lack_their_character_set(tmp_path: Path, run: Run) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "SR"))
    patient = replace(identity_of(read_instance(files[0])), name="Müller^Jörg")
    for path in files:
        rename(path, "Müller^Jörg".encode("latin-1"))
    fill_job(tmp_path / "job", files)
    image = run(request_for(tmp_path / "job", files, patient=patient))
    assert (image.instances, image.left_out) == (3, ())


def test_a_study_of_which_no_name_can_be_read_is_held_with_the_reason(
    tmp_path: Path, run: Run
) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT"))
    patient = identity_of(read_instance(files[0]))
    for path in files:
        rename(path, b"M\xfcller^J", b"ISO_IR 192")
    fill_job(tmp_path / "job", files)
    with pytest.raises(ComposeError, match=r"nothing_left.*identity\.unreadable"):
        run(request_for(tmp_path / "job", files, patient=patient))


@pytest.mark.parametrize("syntax", ["implicit", "big", "rle", "jpeg", "jpeg-lossless", "j2k"])
def test_foreign_encodings_are_converted(tmp_path: Path, run: Run, syntax: str) -> None:
    kinds = ("US", "SC") if syntax == "jpeg" else ("CT", "MR", "US", "SR", "PDF")
    files = make_study(tmp_path / "in", kinds, transfer_syntax=syntax)
    folder = tmp_path / "job"
    fill_job(folder, files)
    image = run(request_for(folder, files))
    assert image.instances == len(kinds)
    assert check_image(image.path) == []
    assert left_over(folder) == MADE


CRASHING = """
    import os, signal, sys
    import dicomdir.build as build
    genuine = build.transcode
    def transcode(path, instance, out, **listeners):
        if instance.sop_instance_uid == "{uid}":
            os.kill(os.getpid(), signal.SIGSEGV)
        return genuine(path, instance, out, **listeners)
    build.transcode = transcode
    sys.argv = ["builder", {parent!r}]
    from kiosk.builder.__main__ import main
    sys.exit(main())
"""


def test_an_object_that_crashes_the_conversion_costs_only_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_study(tmp_path / "in", ("CT",) * 4, transfer_syntax="jpeg-lossless")
    folder = tmp_path / "job"
    fill_job(folder, files)
    uid = dcmread(files[1]).SOPInstanceUID
    program = textwrap.dedent(CRASHING).format(uid=uid, parent=str(os.getpid()))
    replace_program(monkeypatch, ["-P", "-c", program])
    image = compose(
        request_for(folder, files), on_progress=lambda *_: None, is_cancelled=lambda: False
    )
    assert image.instances == 3
    assert [(it.sop_instance_uid, it.reason) for it in image.left_out] == [
        (uid, "transcode.failed")
    ]


def replace_program(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """Start another Python program as builder, with the builder's own environment."""
    genuine = subprocess.Popen

    def popen(argv: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return genuine([argv[0], *arguments], **options)

    monkeypatch.setattr(builders_module.subprocess, "Popen", popen)


# --- processes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(0)",
        "import os; os.abort()",
        "print('{}', flush=True)",
        "import sys; sys.stdin.readline(); print('[1]', flush=True)",
        "import sys; sys.stdin.readline(); print('no json', flush=True)",
        'import sys; sys.stdin.readline(); print(\'{"event": "done", "image": {}}\', flush=True)',
    ],
)
def test_a_builder_that_misbehaves_is_a_compose_error(
    job: tuple[Path, ComposeRequest], monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    replace_program(monkeypatch, ["-c", program])
    with pytest.raises(ComposeError):
        compose(job[1], on_progress=lambda *_: None, is_cancelled=lambda: False)


def test_cancelling_leaves_only_what_was_retrieved(tmp_path: Path, pool: ComposerPool) -> None:
    files = make_study(tmp_path / "in", ("CT",) * 60, transfer_syntax="j2k")
    folder = tmp_path / "job"
    fill_job(folder, files)
    began = threading.Event()
    with pytest.raises(StoppedError):
        compose(
            request_for(folder, files),
            on_progress=lambda done, _: began.set() if done else None,
            is_cancelled=began.is_set,
            pool=pool,
        )
    assert left_over(folder) == set()


def test_no_patient_data_in_arguments_or_environment(
    job: tuple[Path, ComposeRequest],
) -> None:
    _, request = job
    looked: list[bytes] = []

    def look(*_: int) -> None:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == os.getpid():
                    looked.append(
                        (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
                    )
            except (FileNotFoundError, ProcessLookupError):
                continue

    os.environ["SENDHOME_SECRET_FOR_TEST"] = "swordfish"
    try:
        compose(request, on_progress=look, is_cancelled=lambda: False)
    finally:
        del os.environ["SENDHOME_SECRET_FOR_TEST"]
    builders = [data for data in looked if b"kiosk.builder" in data]
    assert builders
    for data in builders:
        for secret in (request.patient.name, request.patient.patient_id, "swordfish"):
            assert secret.encode() not in data


def test_the_builder_dies_with_its_engine(tmp_path: Path) -> None:
    """kill -9 of a process that has a spare builder and one at work."""
    files = make_study(tmp_path / "in", ("CT",) * 80, transfer_syntax="j2k")
    fill_job(tmp_path / "job", files)
    program = f"""
        import os, sys, threading
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from pathlib import Path
        from tests.jobs import request_for
        from kiosk.services.compose import ComposerPool, compose
        pool = ComposerPool()
        files = sorted(Path({str(tmp_path / "in")!r}).iterdir())
        def progress(done, total):
            if done:
                pool.prepare()
                print("working", flush=True)
        def work():
            request = request_for(Path({str(tmp_path / "job")!r}), files)
            compose(request, on_progress=progress, is_cancelled=lambda: False, pool=pool)
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE
    ) as engine:
        assert engine.stdout is not None
        assert engine.stdout.readline() == b"working\n"
        children = Path(f"/proc/{engine.pid}/task")
        pids = {
            int(pid)
            for task in children.iterdir()
            for pid in (task / "children").read_text().split()
        }
        assert pids
        watched = [os.pidfd_open(pid) for pid in pids]
        engine.kill()
        engine.wait()
    for descriptor in watched:
        assert wait_for_end(descriptor), "a builder outlived its engine"
        os.close(descriptor)


def wait_for_end(descriptor: int) -> bool:
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(10_000))


DYING = """
    import os, signal, sys
    left = {after}
    def strike(*_):
        global left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def watch(event, arguments):
        if event == "open":
            flags = arguments[2]
            if isinstance(arguments[0], str) and {folder!r} in arguments[0] and flags & 3:
                strike()
        elif event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir"):
            strike()
    sys.addaudithook(watch)
    def before(function):
        def called(*arguments):
            strike()
            return function(*arguments)
        return called
    os.fsync = before(os.fsync)
    os.posix_fallocate = before(os.posix_fallocate)
    os.copy_file_range = before(os.copy_file_range)
    sys.argv = ["builder", {parent!r}]
    from kiosk.builder.__main__ import main
    sys.exit(main())
"""


def test_killed_at_every_step_the_next_build_is_whole(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL before calls that change the disk; sometimes twice before it may go on."""
    files = make_study(tmp_path / "in", ("CT", "US"), transfer_syntax="rle")
    folder = tmp_path / "job"
    fill_job(folder, files)
    request = request_for(folder, files)
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed={seed}")
    rng = random.Random(seed)
    stride = 4 if os.environ.get(SWITCH) else 12
    kills = after = 0
    said: set[str] = set()
    monkeypatch.setattr(compose_module, "_MAX_KILLED", 0)  # each death is looked at
    while after < 200:
        program = DYING.format(after=after, folder=str(folder), parent=str(os.getpid()))
        with monkeypatch.context() as patched:
            replace_program(patched, ["-P", "-c", textwrap.dedent(program)])
            try:
                compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False)
                break
            except ComposeError as error:
                said.add(str(error))
        kills += 1
        after += rng.randint(1, stride)
        if rng.random() < 0.4:
            image = run(request)
            assert check_image(image.path) == []
            assert left_over(folder) == MADE
            for name in MADE:
                (folder / name).unlink()
    assert kills > 3
    assert said == {"the builder was killed again and again"}
    assert left_over(folder) == MADE
    assert check_image(folder / "image.iso") == []


ONCE = """
    import os, pathlib, signal, sys
    mark = pathlib.Path({mark!r})
    if not mark.exists():
        mark.touch()
        sys.stdin.readline()
        os.kill(os.getpid(), signal.{signal})
    sys.argv = ["builder", {parent!r}]
    from kiosk.builder.__main__ import main
    sys.exit(main())
"""


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_killed_by_somebody_else_it_is_tried_again(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = make_study(tmp_path / "in", ("CT",))
    folder = tmp_path / "job"
    fill_job(folder, files)
    mark = tmp_path / "mark"
    program = ONCE.format(mark=str(mark), signal=name, parent=str(os.getpid()))
    replace_program(monkeypatch, ["-P", "-c", textwrap.dedent(program)])
    image = compose(
        request_for(folder, files), on_progress=lambda *_: None, is_cancelled=lambda: False
    )
    assert mark.exists()
    assert check_image(image.path) == []


FULL = """
    import errno, os, sys
    genuine = os.posix_fallocate
    def full(descriptor, offset, size):
        raise OSError({error}, "full")
    os.posix_fallocate = full
    sys.argv = ["builder", {parent!r}]
    from kiosk.builder.__main__ import main
    sys.exit(main())
"""


@pytest.mark.parametrize(
    ("error", "raised"),
    [(errno.ENOSPC, SpoolFullError), (errno.EDQUOT, SpoolFullError), (errno.EIO, ComposeError)],
)
def test_a_full_disk(
    job: tuple[Path, ComposeRequest],
    monkeypatch: pytest.MonkeyPatch,
    error: int,
    raised: type[Exception],
) -> None:
    folder, request = job
    program = textwrap.dedent(FULL).format(error=error, parent=str(os.getpid()))
    replace_program(monkeypatch, ["-P", "-c", program])
    with pytest.raises(raised):
        compose(request, on_progress=lambda *_: None, is_cancelled=lambda: False)
    assert left_over(folder) == set()


def test_the_committed_facts_hold_no_patient_data(
    job: tuple[Path, ComposeRequest], run: Run
) -> None:
    folder, request = job
    run(request)
    text = (folder / "image.json").read_text()
    assert set(json.loads(text)) == {"request", "image"}
    for secret in (request.patient.name, request.patient.patient_id, request.patient.birth_date):
        assert secret not in text
