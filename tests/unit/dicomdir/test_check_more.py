"""Rules that take more than a few changed bytes to break: encryption, UDF, JPEG streams, names."""

from __future__ import annotations

from pathlib import Path

import pytest
from asn1crypto import algos, cms, core

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.check.fileset import check_fileset
from dicomdir.check.jpeg import jpeg_oddity, lacks_tables
from dicomdir.check.medium import check_medium
from dicomdir.check.tree import Collector, Tree, TreeFile
from dicomdir.check.udf import check_udf, has_udf
from dicomdir.findings import Finding
from dicomdir.instance import read_instance
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader
from tests.factories import make_study
from tests.jobs import SITE
from tests.unit.dicomdir.test_check_mutations import Disc
from tests.unit.dicomdir.test_check_volume import content

_DIGESTED, _DATA = "digested_data", "data"


def envelope(
    kind: str = _DIGESTED, cipher: str = "aes256_cbc", recipient: str = "password"
) -> bytes:
    """A CMS EnvelopedData (RFC 5652), its content 500 zero bytes: nobody decrypts it here."""
    recipients = {
        "password": cms.RecipientInfo(
            "pwri",
            cms.PasswordRecipientInfo(
                {
                    "version": 0,
                    "key_derivation_algorithm": {
                        "algorithm": "pbkdf2",
                        "parameters": algos.Pbkdf2Params(
                            {"salt": {"specified": bytes(16)}, "iteration_count": 600_000}
                        ),
                    },
                    "key_encryption_algorithm": {"algorithm": "1.2.840.113549.1.9.16.3.9"},
                    "encrypted_key": bytes(40),
                }
            ),
        ),
        "secret": cms.RecipientInfo(
            "kekri",
            cms.KEKRecipientInfo(
                {
                    "version": 4,
                    "kekid": {"key_identifier": b"key"},
                    "key_encryption_algorithm": {"algorithm": "aes256_wrap"},
                    "encrypted_key": bytes(40),
                }
            ),
        ),
    }
    cipher_info: dict[str, object] = {"algorithm": cipher}
    if cipher != "1.2.3.4.5":
        cipher_info["parameters"] = core.OctetString(bytes(16))
    enveloped = cms.EnvelopedData(
        {
            "version": 3,
            "recipient_infos": [recipients[recipient]],
            "encrypted_content_info": {
                "content_type": kind,
                "content_encryption_algorithm": cipher_info,
                "encrypted_content": bytes(500),
            },
        }
    )
    made: bytes = cms.ContentInfo({"content_type": "enveloped_data", "content": enveloped}).dump()
    return made


def secure_disc(**changes: bytes) -> Disc:
    text = b"Institution, phone 555-0199-3\r\nDICOMDIR, sendhome 1.0\r\nEncrypted: password.\r\n"
    files = {"DICOMDIR": envelope(), "README.TXT": text, "DICOM/I1": envelope()}
    return Disc({**files, **{path.replace("__", "/"): data for path, data in changes.items()}})


def errors_of(disc: Disc) -> set[str]:
    return {finding.rule for finding in disc.findings()} - {"PDI-07"}


class TestEncryption:
    def test_a_sound_one(self) -> None:
        assert errors_of(secure_disc()) == set()

    @pytest.mark.parametrize(
        ("data", "rule"),
        [
            (bytes(128) + b"DICM" + bytes(100), "PDI-86"),
            (envelope(kind=_DATA), "PDI-87"),
            (envelope(cipher="1.2.3.4.5"), "PDI-88"),
            (envelope(recipient="secret"), "PDI-88"),
        ],
    )
    def test_an_object(self, data: bytes, rule: str) -> None:
        assert rule in errors_of(secure_disc(DICOM__I1=data))

    def test_a_report_in_clear(self) -> None:
        disc = secure_disc()
        disc.files["EXTRA/REPORT.PDF"] = b"%PDF-1.7"
        assert "PDI-92" in errors_of(disc)

    def test_pages_in_clear(self) -> None:
        disc = secure_disc()
        disc.files["IHE_PDI/INDEX.HTM"] = b"<html/>"
        assert "PDI-92" in errors_of(disc)

    def test_an_xdm_medium(self) -> None:
        disc = secure_disc()
        disc.folders.append("IHE_XDM")
        assert "PDI-94" in errors_of(disc)


class TestStreams:
    TABLES = b"\xff\xd8\xff\xdb\0\x03\0\xff\xc0\0\x0b\x08\0\x10\0\x10\1\1\x11\0\xff\xc4\0\x03\0"
    SCAN = b"\xff\xda\0\x03\0"

    def test_tables(self) -> None:
        whole = self.TABLES + self.SCAN
        assert lacks_tables(whole) == ""
        assert lacks_tables(whole.replace(b"\xff\xc4", b"\xff\xe4")) == "Huffman tables"
        assert lacks_tables(whole.replace(b"\xff\xdb", b"\xff\xe4")) == "quantization tables"
        assert lacks_tables(self.TABLES) == "a scan"
        assert lacks_tables(b"\0" + whole) == "its beginning"

    def test_frames(self) -> None:
        assert jpeg_oddity(self.TABLES) == ""
        assert jpeg_oddity(self.TABLES.replace(b"\x0b\x08", b"\x0b\x0c")) == "not of 8 bits"
        four = self.TABLES.replace(b"\x10\1\1\x11", b"\x10\4\1\x11")
        assert jpeg_oddity(four) == "neither grey nor of three colours"
        assert jpeg_oddity(b"\xff\xd8\xff\xe0") == "no frame header"

    def test_inside_an_object(self, tmp_path: Path) -> None:
        from tests.unit.dicomdir.test_check_fileset import Medium

        made = Medium.made(tmp_path, ("US",), transfer_syntax="jpeg")
        profile = "STD-GEN-USB-JPEG"
        assert made.findings(profile) == []
        path = min(made.files)
        data = made.files[path]
        at = data.index(b"\xff\xc4", data.index(b"\xff\xd8"))
        while at >= 0:
            data = data[:at] + b"\xff\xe4" + data[at + 2 :]
            at = data.find(b"\xff\xc4", at)
        made.files[path] = data
        found = check_fileset(made.dicomdir, made.tree(), profile=profile)
        assert {finding.rule for finding in found} == {"PDI-53"}


def udf(**changes: tuple[int, bytes]) -> bytes:
    """The descriptors of a UDF 1.02 bridge: what recipe R3 looks at."""
    blocks = {
        16: b"\1CD001\1" + bytes(2041),
        17: b"\xffCD001\1" + bytes(2041),
        18: b"\0BEA01\1".ljust(BLOCK_BYTES, b"\0"),
        19: b"\0NSR02\1".ljust(BLOCK_BYTES, b"\0"),
        256: descriptor(2, {16: (4 * BLOCK_BYTES).to_bytes(4, "little"), 20: b"\x20\0\0\0"}),
        32: descriptor(1, {56: b"\1\0\1\0", 60: b"\2\0\2\0"}),
        33: descriptor(6, {240: b"\x02\1"}),
        34: descriptor(5, {}),
        35: descriptor(8, {}),
    }
    for where, (at, value) in changes.items():
        number = int(where[1:])
        block = bytearray(blocks[number])
        block[at : at + len(value)] = value
        blocks[number] = bytes(block)
    data = bytearray(300 * BLOCK_BYTES)
    for number, block in blocks.items():
        data[number * BLOCK_BYTES : (number + 1) * BLOCK_BYTES] = block
    primary = 16 * BLOCK_BYTES
    data[primary + 128 : primary + 132] = b"\0\x08\x08\0"
    return bytes(data)


def descriptor(tag: int, fields: dict[int, bytes]) -> bytes:
    block = bytearray(BLOCK_BYTES)
    block[0] = tag
    block[4] = sum(block[:4]) & 0xFF
    for at, value in fields.items():
        block[at : at + len(value)] = value
    return bytes(block)


@pytest.mark.parametrize(
    ("changes", "rules"),
    [
        ({}, set()),
        ({"b32": (60, b"\3\0")}, {"PDI-40"}),
        ({"b32": (56, b"\2\0")}, {"PDI-39"}),
        ({"b33": (240, b"\x50\2")}, {"PDI-39"}),
        ({"b34": (0, b"\7")}, {"PDI-39"}),
        ({"b256": (0, b"\7")}, {"PDI-39"}),
    ],
)
def test_udf(changes: dict[str, tuple[int, bytes]], rules: set[str]) -> None:
    data = udf(**changes)
    reader = IsoReader(lambda at, size: data[at : at + size])
    assert has_udf(reader.block)
    found = Collector()
    check_udf(reader, found)
    assert {finding.rule for finding in found.findings} == rules


def of(folder: Path, kinds: tuple[str, ...], extra: dict[str, bytes], label: str) -> list[Finding]:
    files = make_study(folder / "in", kinds)
    objects = [ObjectFile(str(path), read_instance(path)) for path in files]
    (folder / "work").mkdir()
    plan = Plan("PDI_1", "2.25.77", SITE, folder / "work")
    volume = build_volume(objects, plan).volume
    data = {**{entry.path: content(entry) for entry in volume.entries}, **extra}
    found = Collector()
    tree = Tree([TreeFile(path, len(it)) for path, it in data.items()], [],
                lambda path, at, size: data[path][at : at + size])  # fmt: skip
    check_medium(tree, found, label=label)
    return found.findings


def test_a_report_that_cannot_be_imported(tmp_path: Path) -> None:
    extra = {"EXTRA/REPORT.PDF": b"%PDF-1.7"}
    with_report, without = tmp_path / "with", tmp_path / "without"
    for folder in (with_report, without):
        folder.mkdir()
    assert "PDI-20" not in {it.rule for it in of(with_report, ("CT", "SR"), extra, "PDI_1")}
    assert "PDI-20" in {it.rule for it in of(without, ("CT",), extra, "PDI_1")}


def test_a_volume_named_after_the_patient(tmp_path: Path) -> None:
    found = of(tmp_path, ("CT",), {}, "JANE_DOE")
    assert "PDI-99" in {finding.rule for finding in found}
