"""A whole volume sealed, authored, read back and restored; and opened by OpenSSL."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.volume import check_volume
from dicomdir.encrypt import restore as restore_module
from dicomdir.encrypt.keys import Derivation
from dicomdir.encrypt.manifest import MANIFEST
from dicomdir.encrypt.pages import protected_readme
from dicomdir.encrypt.restore import restore, verify
from dicomdir.encrypt.source import open_medium
from dicomdir.encrypt.volume import encrypt_volume, protected_sizes
from dicomdir.errors import (
    DamagedMediumError,
    EncryptionError,
    ImageError,
    NotProtectedError,
    UnsupportedEncryptionError,
    WrongPasswordError,
)
from dicomdir.findings import has_errors
from dicomdir.instance import read_instance
from dicomdir.iso import author
from dicomdir.iso_reader import open_image
from dicomdir.pdi import PdiVolume
from dicomdir.readme import Site
from tests.entries import content
from tests.factories import Patient, make_study

pytestmark = pytest.mark.integration

PASSWORD = "H7KQ-3MXA-9PTD-VW4E"
CREATED = datetime(2026, 3, 4, tzinfo=UTC)
SITE = Site("Example Hospital", ("1 Example Street", "Tel. 555"), version="1.0", notice="Private.")
PATIENT = Patient(name="Zyxwv^Quirina", patient_id="PAT-998877", birth_date="19430217")
SECRETS = ("Zyxwv", "Quirina", "PAT-998877", "19430217", "A0000001", "Thorax routine", PASSWORD)


def plain_volume(folder: Path, seed: int = 1) -> PdiVolume:
    files = make_study(folder, ("CT", "CT", "SR", "PDF"), seed=seed, patient=PATIENT)
    work = folder.with_name(f"{folder.name}-work")
    work.mkdir()
    plan = Plan("PDI_TEST1", "2.25.77", SITE, work)
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    return build_volume(objects, plan).volume


def protect(volume: PdiVolume, work: Path, derivation: Derivation | None = None) -> PdiVolume:
    work.mkdir()
    few = derivation or Derivation.fresh(33_000)
    return encrypt_volume(volume, PASSWORD, work, site=SITE, derivation=few)


def copy_out(volume: PdiVolume, folder: Path) -> Path:
    for entry in volume.entries:
        path = folder / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[PdiVolume, PdiVolume]:
    folder = tmp_path_factory.mktemp("made")
    volume = plain_volume(folder / "study")
    return volume, protect(volume, folder / "sealed", Derivation.fresh())


def require_equal(folder: Path, volume: PdiVolume) -> None:
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files == {entry.path: content(entry) for entry in volume.entries}


def test_an_image_comes_back_byte_for_byte(
    made: tuple[PdiVolume, PdiVolume], tmp_path: Path
) -> None:
    plain, protected = made
    image = author(protected, tmp_path / "out.iso", created_at=CREATED)
    seen: list[tuple[int, int]] = []
    result = restore(
        image.path,
        PASSWORD,
        tmp_path / "out",
        progress=lambda done, all_: seen.append((done, all_)),
    )
    require_equal(tmp_path / "out", plain)
    assert result.is_authenticated
    assert (result.files, result.ignored) == (len(plain.entries), 0)
    assert result.size_bytes == plain.content_bytes
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert not has_errors(check_volume(tmp_path / "out"))
    assert verify(image.path, PASSWORD) == result
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "out.iso"]


def test_the_check_has_nothing_to_say_of_it_until_a_file_is_gone(
    made: tuple[PdiVolume, PdiVolume], tmp_path: Path
) -> None:
    folder = copy_out(made[1], tmp_path / "medium")
    assert check_volume(folder) == []
    for count, name in enumerate(("F0000001.P7M", "F0000004.P7M"), 1):
        (folder / "EXTRA/PRIVATE/D000001" / name).unlink()
        (finding,) = check_volume(folder)
        assert (finding.rule, finding.path) == ("PDI-03", "EXTRA/PRIVATE/D000001")
        assert f"{count} of the numbers" in finding.reason


def test_nothing_of_the_patient_is_in_clear(
    made: tuple[PdiVolume, PdiVolume], tmp_path: Path
) -> None:
    """PDI-92: ASCII, UTF-8 and UTF-16 of either order, over the whole image."""
    plain, protected = made
    image = author(protected, tmp_path / "out.iso", created_at=CREATED).path.read_bytes()
    author(plain, tmp_path / "plain.iso", created_at=CREATED)
    clear = (tmp_path / "plain.iso").read_bytes()
    for secret in SECRETS:
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            assert secret.encode(encoding) not in image, secret
    assert sum(secret.encode() in clear for secret in SECRETS) >= 4, (
        "the search finds what is there"
    )
    for uid in (b"1.2.840.10008.5.1.4.1.1.2", bytes(100) + b"DICM", b"%PDF"):
        assert uid not in image
    index, readme = (
        content(next(entry for entry in protected.entries if entry.path == name))
        for name in ("INDEX.HTM", "README.TXT")
    )
    assert readme == protected_readme(SITE)
    assert max(map(len, readme.split(b"\r\n"))) <= 80
    for page in (index, readme):
        assert b"password" in page
        assert b"Example Hospital" in page


def test_every_dicom_file_is_a_secure_one_at_its_place(made: tuple[PdiVolume, PdiVolume]) -> None:
    """PDI-86, PDI-93; other names say nothing of what the files are."""
    plain, protected = made
    paths = [entry.path for entry in protected.entries]
    assert paths[0] == "DICOMDIR"
    objects = [path for path in paths if path.startswith("DICOM/")]
    assert objects == [e.path for e in plain.entries if e.path.startswith("DICOM/")]
    for entry in protected.entries:
        if entry.path not in ("README.TXT", "INDEX.HTM"):
            assert content(entry)[:1] == b"\x30"
            assert b"\x2a\x86\x48\x86\xf7\x0d\x01" in content(entry)[:32]
    assert not any(path.startswith(("IHE_PDI", "IHE_XDM")) for path in paths)
    planned = protected_sizes(((e.path, e.size_bytes) for e in plain.entries), SITE)
    real = {entry.path: entry.size_bytes for entry in protected.entries}
    assert real.keys() == dict(planned).keys()
    for path, size in planned:
        assert (size > real[path]) if path == MANIFEST else (size == real[path]), path


def test_openssl_opens_every_file(made: tuple[PdiVolume, PdiVolume], tmp_path: Path) -> None:
    """The outer layer by `cms -decrypt`, the inner one by `cms -digest_verify`."""
    plain, protected = made
    clear = {entry.path: content(entry) for entry in plain.entries}
    for entry in protected.entries:
        if not (entry.path == "DICOMDIR" or entry.path.startswith("DICOM/")):
            continue
        inner = openssl_decrypt(content(entry), PASSWORD, tmp_path)
        # `digest_verify` wants the type in front, which CMS leaves out inside an envelope.
        oid = bytes.fromhex("06092a864886f70d010705")
        body = b"\xa0\x83" + len(inner).to_bytes(3, "big") + inner
        (tmp_path / "inner").write_bytes(
            b"\x30\x83" + (len(oid) + len(body)).to_bytes(3, "big") + oid + body
        )
        run = openssl(
            "cms", "-digest_verify", "-binary", "-inform", "DER", "-in", tmp_path / "inner"
        )
        assert run.stdout == clear[entry.path], entry.path
    manifest = next(content(entry) for entry in protected.entries if entry.path == MANIFEST)
    listed = openssl_decrypt(manifest, PASSWORD, tmp_path)
    assert hashlib.sha256(clear["DICOMDIR"]).hexdigest().encode() in listed
    with pytest.raises(subprocess.CalledProcessError):
        openssl_decrypt(manifest, PASSWORD + "x", tmp_path)


def openssl_decrypt(data: bytes, password: str, folder: Path) -> bytes:
    (folder / "sealed").write_bytes(data)
    return openssl(
        *("cms", "-decrypt", "-binary", "-inform", "DER", "-in", folder / "sealed"),
        *("-pwri_password", password),
    ).stdout


def openssl(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *words], capture_output=True, check=True)


@pytest.mark.parametrize("stream", [False, True])
def test_a_medium_made_with_openssl_is_read(tmp_path: Path, stream: bool) -> None:
    """Without a manifest, with DER or BER in pieces, PBKDF2 with SHA-1, ContentInfo inside."""
    plain = plain_volume(tmp_path / "study")
    medium = tmp_path / "medium"
    for entry in plain.entries:
        path = medium / entry.path.lower()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))
        if entry.path == "DICOMDIR" or entry.path.startswith("DICOM/"):
            digested = tmp_path / "digested"
            openssl(
                *("cms", "-digest_create", "-binary", "-md", "sha256", "-nosmimecap"),
                *("-outform", "DER", "-in", path, "-out", digested),
            )
            openssl(
                *("cms", "-encrypt", "-binary", "-aes256", "-pwri_password", PASSWORD),
                *(("-stream",) if stream else ()),
                *("-outform", "DER", "-in", digested, "-out", path),
            )
    result = restore(medium, PASSWORD, tmp_path / "out")
    assert not result.is_authenticated
    assert result.files == 5
    for entry in plain.entries:
        if entry.path == "DICOMDIR" or entry.path.startswith("DICOM/"):
            assert (tmp_path / "out" / entry.path).read_bytes() == content(entry)
    swap(medium / "dicom/p0000001/st000001/se000001/i0000001",
         medium / "dicom/p0000001/st000001/se000001/i0000002")  # fmt: skip
    with pytest.raises(DamagedMediumError, match="not the object"):
        restore(medium, PASSWORD, tmp_path / "again")


def swap(one: Path, two: Path) -> None:
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)


FIRST = "DICOM/P0000001/ST000001/SE000001/I0000001"
SECOND = "DICOM/P0000001/ST000001/SE000001/I0000002"
PRIVATE = "EXTRA/PRIVATE/D000001/F0000001.P7M"


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x40
    path.write_bytes(data)


def cut(path: Path, size: int) -> None:
    os.truncate(path, size if size >= 0 else path.stat().st_size + size)


def of_another_medium(medium: Path) -> None:
    shutil.copy(medium.parent / "other" / FIRST, medium / FIRST)


def manifest_of_another(medium: Path) -> None:
    shutil.copy(medium.parent / "other" / MANIFEST, medium / MANIFEST)


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "bit in an object": (lambda m: flip(m / FIRST, -300), FIRST),
    "bit in the DICOMDIR": (lambda m: flip(m / "DICOMDIR", 900), "DICOMDIR"),
    "bit in a wrapped key": (lambda m: flip(m / FIRST, 150), FIRST),
    "bit in a page": (lambda m: flip(m / PRIVATE, -40), PRIVATE),
    "bit in the manifest": (lambda m: flip(m / MANIFEST, -3), MANIFEST),
    "bit in the manifest's key": (lambda m: flip(m / MANIFEST, 155), MANIFEST),
    "bit in README.TXT": (lambda m: flip(m / "README.TXT", 10), "README.TXT"),
    "object cut by a byte": (lambda m: cut(m / FIRST, -1), FIRST),
    "object cut to nothing": (lambda m: cut(m / FIRST, 0), FIRST),
    "DICOMDIR cut": (lambda m: cut(m / "DICOMDIR", 1000), "DICOMDIR"),
    "manifest cut": (lambda m: cut(m / MANIFEST, 500), MANIFEST),
    "object gone": (lambda m: (m / FIRST).unlink(), FIRST),
    "page gone": (lambda m: (m / PRIVATE).unlink(), PRIVATE),
    "objects swapped": (lambda m: swap(m / FIRST, m / SECOND), FIRST),
    "object and DICOMDIR swapped": (lambda m: swap(m / FIRST, m / "DICOMDIR"), "DICOMDIR"),
    "object of another medium": (of_another_medium, FIRST),
    "manifest of another medium": (manifest_of_another, "README|DICOMDIR|INDEX"),
    "object in clear": (lambda m: (m / FIRST).write_bytes(bytes(128) + b"DICM"), FIRST),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_named_and_nothing_is_left(name: str, tmp_path: Path) -> None:
    plain = plain_volume(tmp_path / "study")
    medium = copy_out(protect(plain, tmp_path / "a"), tmp_path / "medium")
    copy_out(protect(plain_volume(tmp_path / "study2", 2), tmp_path / "b"), tmp_path / "other")
    damage, where = DAMAGES[name]
    damage(medium)
    (tmp_path / "place").mkdir()
    with pytest.raises(DamagedMediumError, match=where):
        restore(medium, PASSWORD, tmp_path / "place" / "out")
    assert list((tmp_path / "place").iterdir()) == []
    with pytest.raises(DamagedMediumError, match=where):
        verify(medium, PASSWORD)


def test_random_damage_never_passes(tmp_path: Path) -> None:
    """Anywhere in any file but the version numbers that nobody reads."""
    plain = plain_volume(tmp_path / "study")
    volume = protect(plain, tmp_path / "a")
    medium = copy_out(volume, tmp_path / "medium")
    rng = random.Random(20260304)
    for _ in range(60):
        entry = rng.choice(volume.entries)
        path = medium / entry.path
        good = path.read_bytes()
        at = rng.randrange(80 if len(good) > 200 else 0, len(good))
        flip(path, at)
        with pytest.raises(EncryptionError):
            verify(medium, PASSWORD)
        path.write_bytes(good)
    verify(medium, PASSWORD)


def test_wrong_passwords_and_other_media_are_refused(
    made: tuple[PdiVolume, PdiVolume], tmp_path: Path
) -> None:
    plain, protected = made
    medium = copy_out(protected, tmp_path / "medium")
    (tmp_path / "place").mkdir()
    out = tmp_path / "place" / "out"
    with pytest.raises(WrongPasswordError):
        restore(medium, PASSWORD.lower(), out)
    with pytest.raises(NotProtectedError):
        restore(copy_out(plain, tmp_path / "plain"), PASSWORD, out)
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotProtectedError):
        restore(tmp_path / "empty", PASSWORD, out)
    (tmp_path / "text").write_bytes(b"no image" * 10_000)
    with pytest.raises(ImageError):
        restore(tmp_path / "text", PASSWORD, out)
    assert list((tmp_path / "place").iterdir()) == []
    out.mkdir()
    with pytest.raises(FileExistsError):
        restore(medium, PASSWORD, out)
    (medium / "dicomdir").write_bytes(b"")
    with pytest.raises(DamagedMediumError, match="two files"):
        verify(medium, PASSWORD)


def test_files_of_others_are_counted_and_left(tmp_path: Path) -> None:
    """A stick holds what its owner put there."""
    plain = plain_volume(tmp_path / "study")
    medium = copy_out(protect(plain, tmp_path / "a"), tmp_path / "medium")
    (medium / "holiday.jpg").write_bytes(b"x")
    (medium / "link").symlink_to("/etc/passwd")
    assert restore(medium, PASSWORD, tmp_path / "out").ignored == 1
    require_equal(tmp_path / "out", plain)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = plain_volume(tmp_path / "study")
    medium = copy_out(protect(plain, tmp_path / "a"), tmp_path / "medium")
    (tmp_path / "place").mkdir()

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(restore_module.os, "sync", full)
    with pytest.raises(OSError, match="No space"):
        restore(medium, PASSWORD, tmp_path / "place" / "out")
    assert list((tmp_path / "place").iterdir()) == []


def test_certificates_are_said_to_be_unsupported(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"content")
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=x", "-days", "1"),
        *("-keyout", tmp_path / "key", "-out", tmp_path / "certificate"),
    )
    (tmp_path / "medium").mkdir()
    openssl(
        *("cms", "-encrypt", "-binary", "-aes256", "-outform", "DER", "-in", tmp_path / "plain"),
        *("-out", tmp_path / "medium" / "DICOMDIR", tmp_path / "certificate"),
    )
    with pytest.raises(UnsupportedEncryptionError, match="certificates"):
        verify(tmp_path / "medium", PASSWORD)


def test_images_show_the_same_names_as_folders(
    made: tuple[PdiVolume, PdiVolume], tmp_path: Path
) -> None:
    _, protected = made
    image = author(protected, tmp_path / "out.iso", created_at=CREATED)
    folder = copy_out(protected, tmp_path / "medium")
    with open_medium(image.path) as one, open_medium(folder) as two, open_image(image.path) as raw:
        assert one.sizes == two.sizes
        assert len(list(raw.files())) == len(one.sizes)
