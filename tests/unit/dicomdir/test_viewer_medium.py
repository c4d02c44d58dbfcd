"""The viewer on whole media: complete, checked, left out where there is no room, sealed."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydicom import dcmread
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage

from dicomdir.build import BuiltVolume, ObjectFile, Plan, build_volume
from dicomdir.check.volume import check_volume
from dicomdir.encrypt.volume import encrypt_volume, protected_sizes
from dicomdir.errors import ViewerProgramError
from dicomdir.instance import read_instance
from dicomdir.pdi import Entry, FileSource, PdiVolume
from dicomdir.render.picture import open_frames
from dicomdir.room import iso_blocks
from dicomdir.spanned import SetMedium, build_set, placed_objects
from dicomdir.summary import LeftOut
from dicomdir.viewer import assets
from dicomdir.viewer.maker import ViewerMaker, parted, viewer_for
from dicomdir.web import LinkCase
from tests.entries import content
from tests.factories import Patient, make_study
from tests.jobs import SITE
from tests.viewer_reader import FIRST, Viewer, inflate, read_calls, read_data_file

KINDS = ("CT",) * 5 + ("MR",) * 2 + ("US", "SR", "KO", "PR", "PDF")
NEEDED = ("START.HTM", "VIEWER.JS", "CODECS.JS", "VIEWER.CSS", "LANG.JS", "LICENSE.TXT")
PASSWORD = "H7KQ-3MXA-9PTD-VW4E"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of the viewer's form, so that what is tested here does not hang on the real one."""
    folder = tmp_path_factory.mktemp("program")
    sums = []
    for name in NEEDED:
        (folder / name).write_bytes(name.encode())
        sums.append(f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n")
    (folder / assets.SUMS).write_text("".join(sums))
    return folder


def build(
    files: list[Path],
    work: Path,
    program: Path,
    *,
    links: LinkCase = LinkCase.LOWER,
    capacity: Callable[[], int] = lambda: 0,
    password: str = "",
    left_out: tuple[LeftOut, ...] = (),
) -> BuiltVolume:
    work.mkdir()
    with ViewerMaker(
        work / "viewer",
        created="2026-11-22",
        version="1.2",
        capacity=capacity,
        password=password,
        workers=1,
        program_folder=program,
    ) as viewer:
        plan = Plan("PDI_VIEW", "2.25.77", SITE, work, links, viewer=viewer, left_out=left_out)
        return build_volume([ObjectFile(str(it), read_instance(it)) for it in files], plan)


def viewer_of(volume: PdiVolume) -> Viewer:
    files = {it.path: it for it in volume.entries}
    return Viewer(lambda path: content(files[f"VIEWER/{path}"]))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, program: Path) -> BuiltVolume:
    folder = tmp_path_factory.mktemp("built")
    return build(make_study(folder / "in", KINDS), folder / "work", program)


@pytest.mark.parametrize("links", list(LinkCase))
def test_our_check_has_nothing_to_say(links: LinkCase, tmp_path: Path, program: Path) -> None:
    made = build(make_study(tmp_path / "in", KINDS), tmp_path / "work", program, links=links)
    for entry in made.volume.entries:
        path = tmp_path / "root" / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))
    assert check_volume(tmp_path / "root") == []
    index = (tmp_path / "root/INDEX.HTM").read_text()
    wanted = "viewer/start.htm" if links is LinkCase.LOWER else "VIEWER/START.HTM"
    assert f'id="viewer" href="{wanted}"' in index


def test_everything_of_the_viewer_stands_before_the_objects(built: BuiltVolume) -> None:
    folders = [it.path.split("/")[0] for it in built.volume.entries if "/" in it.path]
    assert folders == sorted(folders, key=["IHE_PDI", "EXTRA", "VIEWER", "DICOM"].index)
    own = [it.path for it in built.volume.entries if it.path.startswith("VIEWER/")]
    assert own[:8] == [f"VIEWER/{it}" for it in (*NEEDED, "MANIFEST.JS", "HASHES.JS")]
    assert own[8:10] == ["VIEWER/D/S0000001/META.JS", "VIEWER/D/S0000001/C0000001.JS"]


def test_the_manifest_names_what_the_first_image_needs(built: BuiltVolume) -> None:
    data = next(it.source for it in built.volume.entries if it.path == "VIEWER/MANIFEST.JS")
    assert isinstance(data, bytes)
    hint = FIRST.match(data[2:].decode("utf-16-le"))
    assert hint is not None
    first = next(
        it
        for study in viewer_of(built.volume).manifest["patients"][0]["studies"]
        for it in study["series"]
        if it["kind"] == "image"
    )
    folder = f"S{first['n']:07d}"
    assert hint["names"] == f'["{folder}/META","{folder}/C{first["first"]:07d}"]'
    paths = {it.path for it in built.volume.entries}
    assert {f"VIEWER/D/{folder}/META.JS", f"VIEWER/D/{folder}/C{first['first']:07d}.JS"} <= paths


def test_the_manifest_brings_the_first_image_small(built: BuiltVolume) -> None:
    data = next(it.source for it in built.volume.entries if it.path == "VIEWER/MANIFEST.JS")
    assert isinstance(data, bytes)
    hint = FIRST.match(data[2:].decode("utf-16-le"))
    assert hint is not None
    small = imagecodecs.jpeg8_decode(base64.b64decode(hint["glimpse"], validate=True))
    viewer = viewer_of(built.volume)
    uid = viewer.meta(1)["instances"][0]["uid"]
    placed = next(it for it in built.volume.entries if instance_of(it) == uid)
    assert isinstance(placed.source, FileSource)
    path = Path(placed.source.path)
    with open_frames(read_instance(path), placed.source) as frames:
        assert np.abs(small.astype(int) - frames.picture(0).pixels).mean() < 3


def test_four_mammograms_have_no_first_one(tmp_path: Path, program: Path) -> None:
    made = build(make_study(tmp_path / "in", ("MG", "MG")), tmp_path / "work", program)
    data = next(it.source for it in made.volume.entries if it.path == "VIEWER/MANIFEST.JS")
    assert isinstance(data, bytes)
    assert data[2:].decode("utf-16-le").startswith('SENDHOME("MANIFEST",')


def instance_of(entry: Entry) -> str:
    """Of an object; "" of other files."""
    if not entry.path.startswith("DICOM/"):
        return ""
    return str(dcmread(BytesIO(content(entry)), stop_before_pixels=True).SOPInstanceUID)


def test_manifest_and_meta_say_what_is_there(built: BuiltVolume) -> None:
    viewer = viewer_of(built.volume)
    manifest = viewer.manifest
    assert (manifest["version"], manifest["disc"], manifest["program"]) == (1, "PDI_VIEW", "1.2")
    assert manifest["files"] == len(built.volume.entries)
    (patient,) = manifest["patients"]
    assert (patient["name"], patient["id"], patient["sex"]) == ("Doe^Jane", "PID-0042", "F")
    series = list(viewer.series())
    assert sum(it["instances"] for it in series) == built.instances
    kinds = {it["modality"]: it["kind"] for it in series}
    assert kinds == {
        "CT": "image", "MR": "image", "US": "image", "SR": "report", "KO": "key", "PR": "state",
        "DOC": "document",
    }  # fmt: skip
    placed = placed_objects(built.volume)
    paths = {it.path: it for it in built.volume.entries}
    for one in series:
        assert one["pack"] == "whole"
        assert (one["thumb"] is not None) == (one["kind"] == "image")
        own = f"VIEWER/D/S{one['n']:07d}/"
        sizes = [it.size_bytes for it in built.volume.entries if it.path.startswith(own)]
        assert one["text"] == sum(sizes)
        if one["page"]:
            assert one["page"] in paths
        for instance in viewer.meta(one["n"])["instances"]:
            entry = placed[instance["uid"]]
            assert instance["file"] == entry.path
            assert viewer.header(one["n"], instance) in content(entry)
    assert {it["kind"] for it in series if it["page"]} == {"report", "key", "document"}


def test_hashes_are_those_of_all_files(built: BuiltVolume) -> None:
    files = {it.path: content(it) for it in built.volume.entries}
    name, payload = read_data_file(files["VIEWER/HASHES.JS"])
    assert name == "HASHES"
    listed = {path: (size, digest) for path, size, digest in json.loads(inflate(payload))["files"]}
    assert listed == {
        path: (len(data), hashlib.sha256(data).hexdigest())
        for path, data in files.items()
        if path not in ("VIEWER/MANIFEST.JS", "VIEWER/HASHES.JS")
    }


# --- room -----------------------------------------------------------------------------------------


def noisy(folder: Path) -> list[Path]:
    """Two series, one of them larger, and a small one."""
    return make_study(folder, ("CT",) * 6 + ("MR",) * 3 + ("SR",), rows=128, columns=128)


def blocks(volume: PdiVolume) -> int:
    return iso_blocks((it.path, it.size_bytes) for it in volume.entries)


def test_the_largest_copies_go_first(tmp_path: Path, program: Path) -> None:
    files = noisy(tmp_path / "in")
    whole = build(files, tmp_path / "whole", program)
    assert whole.without_copy == ()
    room = blocks(whole.volume)
    states = []
    for step in range(6):
        small = room - 45 * step
        made = build(files, tmp_path / f"w{step}", program, capacity=lambda small=small: small)
        packs = {it["modality"]: it["pack"] for it in viewer_of(made.volume).series()}
        states.append([packs[it] for it in ("CT", "MR", "SR")])
        gone = sum(state == "none" for state in packs.values())
        index = content(next(it for it in made.volume.entries if it.path == "INDEX.HTM"))
        assert (b'id="without-copy"' in index) == bool(gone) == bool(made.without_copy)
        assert len(made.without_copy) == gone
        assert len(made.notes) - len(made.supplied) == gone
        if states[-1] != ["none"] * 3:
            assert blocks(made.volume) <= small
    order = [["whole"] * 3, ["none", "whole", "whole"], ["none", "none", "whole"], ["none"] * 3]
    assert [it for n, it in enumerate(states) if not n or states[n - 1] != it] == [
        it for it in order if it in states
    ]
    assert ["none", "whole", "whole"] in states


def test_a_set_carries_on_each_medium_what_is_there(tmp_path: Path, program: Path) -> None:
    files = noisy(tmp_path / "in")
    whole = build(files, tmp_path / "whole", program)
    sizes = {uid: it.size_bytes for uid, it in placed_objects(whole.volume).items()}
    by_uid = {read_instance(it).sop_instance_uid: it for it in files}
    (tmp_path / "set").mkdir()
    capacity = 250
    with ViewerMaker(
        tmp_path / "set/viewer",
        created="",
        version="",
        capacity=lambda: capacity,
        workers=1,
        program_folder=program,
    ) as viewer:
        plan = Plan("PDI_VIEW", "2.25.77", SITE, tmp_path / "set", viewer=viewer)

        def find(uid: str) -> ObjectFile:
            return ObjectFile(str(by_uid[uid]), read_instance(by_uid[uid]))

        media: list[SetMedium] = build_set(sizes, find, plan, capacity)
    assert len(media) > 1
    seen: list[str] = []
    for number, medium in enumerate(media, 1):
        assert blocks(medium.built.volume) <= capacity
        shown = viewer_of(medium.built.volume)
        assert (shown.manifest["number"], shown.manifest["of"]) == (number, len(media))
        assert shown.manifest["disc"] == medium.contents.volume_id
        placed = placed_objects(medium.built.volume)
        for one in shown.series():
            if one["pack"] == "whole":
                uids = [it["uid"] for it in shown.meta(one["n"])["instances"]]
                assert set(uids) <= set(placed)
                assert sum(1 for _ in shown.frames(one["n"])) == one["frames"]
            seen += [one["uid"]] * one["instances"]
    assert len(seen) == len(files)


# --- protected media ------------------------------------------------------------------------------


def test_sealed_data_open_with_the_password_alone(tmp_path: Path, program: Path) -> None:
    files = make_study(tmp_path / "in", ("CT", "CT", "SR"))
    gone = LeftOut("1.2.3", CTImageStorage, "pixels.short", "", "CT series 7 Neck", "20240311")
    made = build(files, tmp_path / "work", program, password=PASSWORD, left_out=(gone,))
    plain, own = parted(made.volume.entries)
    assert {it.path for it in own} >= {"VIEWER/START.HTM", "VIEWER/MANIFEST.JS"}
    assert not any(it.path.startswith("VIEWER/") for it in plain)
    assert not any(it.path.endswith("HASHES.JS") for it in own)  # of what is sealed later
    clear = b"".join(content(it) for it in own)
    for secret in ("Doe", "PID-0042", "Neck", read_instance(files[0]).sop_instance_uid):
        assert secret.encode() not in clear
        assert secret.encode("utf-16-le") not in clear
    assert "glimpse".encode("utf-16-le") not in data_of(own, "VIEWER/MANIFEST.JS")
    data = {it.path: content(it) for it in own}
    text = data["VIEWER/MANIFEST.JS"][2:].decode("utf-16-le")
    lock, _, _ = text.partition(";SENDHOME(")
    facts = json.loads(lock.removeprefix("SENDHOME.lock(").removesuffix(")"))
    assert (facts["version"], facts["disc"]) == (1, "PDI_VIEW")
    assert facts["rounds"] >= 600_000
    salt = bytes.fromhex(facts["salt"])
    key = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), salt, facts["rounds"], 32)

    def opened(name: str, sealed: bytes) -> bytes:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], f"PDI_VIEW/{name}".encode())

    assert opened("CHECK", bytes.fromhex(facts["check"])) == bytes(16)
    _, payload = read_data_file(data["VIEWER/MANIFEST.JS"], before=f"{lock};")
    manifest = json.loads(inflate(opened("MANIFEST", payload)))
    assert manifest["patients"][0]["name"] == "Doe^Jane"
    assert [it["series"] for it in manifest["left_out"]] == ["CT series 7 Neck"]
    assert (manifest["hashes"], facts["hashes"]) == ("HASHES", "HASHES")
    series = [it for study in manifest["patients"][0]["studies"] for it in study["series"]]
    assert [(it["kind"], it["page"]) for it in series] == [("image", None), ("report", None)]
    name, payload = read_data_file(data["VIEWER/D/S0000001/C0000001.JS"])
    calls = [
        (it, opened(it, sealed)) for it, sealed in read_calls(data["VIEWER/D/S0000001/META.JS"])
    ]
    assert [it for it, _ in calls] == ["S0000001/META", "S0000001/H0000001"]
    meta = json.loads(inflate(calls[0][1]))
    assert len(opened(name, payload)) == sum(row[2] for row in meta["frames"])
    assert meta["chunks"] == [[len(payload), len(data["VIEWER/D/S0000001/C0000001.JS"])]]


def test_the_list_of_a_protected_medium_is_of_its_files_as_they_lie(
    tmp_path: Path, program: Path
) -> None:
    files = make_study(tmp_path / "in", ("CT", "SR", "PDF"))
    made = build(files, tmp_path / "work", program, password=PASSWORD)
    plain, own = parted(made.volume.entries)
    work = tmp_path / "sealed"
    work.mkdir()
    sealed = encrypt_volume(
        PdiVolume(made.volume.volume_id, plain), PASSWORD, work, site=SITE, clear=own
    )
    there = {it.path: content(it) for it in sealed.entries}
    name, payload = read_data_file(there["VIEWER/HASHES.JS"])
    rows = {path: (size, digest) for path, size, digest in json.loads(inflate(payload))["files"]}
    assert name == "HASHES"
    assert rows == {
        path: (len(data), hashlib.sha256(data).hexdigest())
        for path, data in there.items()
        if path not in ("VIEWER/HASHES.JS", "VIEWER/MANIFEST.JS")
    }
    assert not any("Doe" in path or "0042" in path for path in rows)
    planned = protected_sizes(
        ((it.path, it.size_bytes) for it in plain), SITE, ((it.path, it.size_bytes) for it in own)
    )
    assert {path for path, _ in planned} == there.keys()
    assert all(size >= len(there[path]) for path, size in planned)
    text = there["VIEWER/MANIFEST.JS"][2:].decode("utf-16-le")
    lock, _, _ = text.partition(";SENDHOME(")
    facts = json.loads(lock.removeprefix("SENDHOME.lock(").removesuffix(")"))
    key = hashlib.pbkdf2_hmac(
        "sha256", PASSWORD.encode(), bytes.fromhex(facts["salt"]), facts["rounds"], 32
    )
    _, payload = read_data_file(there["VIEWER/MANIFEST.JS"], before=f"{lock};")
    manifest = AESGCM(key).decrypt(payload[:12], payload[12:], b"PDI_VIEW/MANIFEST")
    assert json.loads(inflate(manifest))["files"] == len(there)


def data_of(entries: Sequence[Entry], path: str) -> bytes:
    return next(content(it) for it in entries if it.path == path)


def test_a_viewer_in_clear_is_sealed_like_the_rest(built: BuiltVolume, tmp_path: Path) -> None:
    plain, own = parted(built.volume.entries)
    assert own == []
    sealed = encrypt_volume(
        PdiVolume(built.volume.volume_id, plain), PASSWORD, tmp_path, site=SITE, clear=own
    )
    assert not any(it.path.startswith("VIEWER/") for it in sealed.entries)


# --- hostile objects, and the program -------------------------------------------------------------


def test_texts_are_cut_and_cleaned(tmp_path: Path, program: Path) -> None:
    def edit(ds: Dataset) -> None:
        ds.StudyDescription = "\x1b[31m</script>\u2028" + "x" * 40
        ds.SeriesDescription = "y" * 64

    patient = Patient(name="N" * 300 + "^\x07", charset="ISO_IR 192")
    with disable_value_validation():
        files = make_study(tmp_path / "in", ("CT",), patient=patient, edit=edit)
    manifest = viewer_of(build(files, tmp_path / "work", program).volume).manifest
    (one,) = manifest["patients"]
    assert one["name"] == "N" * 300
    (study,) = one["studies"]
    assert study["description"].startswith("[31m</script>")
    assert "\x1b" not in study["description"]


def test_an_altered_program_goes_onto_no_medium(tmp_path: Path, program: Path) -> None:
    folder = tmp_path / "program"
    folder.mkdir()
    for path in program.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    assert len(assets.program(folder)) == len(NEEDED)
    (folder / "VIEWER.JS").write_bytes(b"fetch('https://example.org')")
    with pytest.raises(ViewerProgramError):
        assets.program(folder)
    (folder / "VIEWER.JS").unlink()
    with pytest.raises(ViewerProgramError):
        assets.program(folder)


@pytest.mark.parametrize("name", ["../X.JS", "MANIFEST.JS", "toolongname.js"])
def test_a_recorded_name_has_a_place_on_a_medium(name: str, program: Path, tmp_path: Path) -> None:
    text = (program / assets.SUMS).read_text() + f"{'0' * 64}  {name}\n"
    (tmp_path / assets.SUMS).write_text(text)
    for path in NEEDED:
        (tmp_path / path).write_bytes((program / path).read_bytes())
    with pytest.raises(ViewerProgramError):
        assets.program(tmp_path)


def test_the_program_in_this_package_is_the_one_that_was_built(tmp_path: Path) -> None:
    assert {it.path for it in assets.program()} >= {f"VIEWER/{it}" for it in NEEDED}
    now = datetime.now(UTC)
    assert viewer_for(tmp_path / "no", SITE, now, is_wanted=False) is None
    made = viewer_for(tmp_path / "yes", SITE, now, is_wanted=True)
    assert made is not None
    made.close()
