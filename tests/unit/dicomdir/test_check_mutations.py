"""Media broken in exactly one way each: the rule that is broken is found, the sound one is clean.

    name, rule, mutation

Made once from a small sound volume; what is broken are bytes of files, of an ISO image or of a FAT
image in memory.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dicomdir.check.image import check_image
from dicomdir.check.medium import check_medium
from dicomdir.check.path import check_path
from dicomdir.check.stick import check_fat
from dicomdir.check.tree import Collector, Medium, Tree, TreeFile
from dicomdir.directory import DirectoryRecord, read_directory
from dicomdir.elements import element, item
from dicomdir.errors import ImageError
from dicomdir.findings import Finding
from dicomdir.iso import author
from dicomdir.iso_reader import BLOCK_BYTES, IsoReader
from tests.fat_image import FatImage, fat_image
from tests.unit.dicomdir.test_check_image import PLANTED as ISO_PLANTED
from tests.unit.dicomdir.test_check_volume import content, volume_of

LABEL = "PDI_CHECK"
IMAGE = "DICOM/P0000001/ST000001/SE000001/I0000001"
CREATED = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Disc:
    """A volume in memory."""

    files: dict[str, bytes]
    folders: list[str] = field(default_factory=list)
    medium: Medium = Medium.FOLDER

    def findings(self) -> list[Finding]:
        found = Collector()
        files = [TreeFile(path, len(data)) for path, data in self.files.items()]

        def read(path: str, offset: int, size: int) -> bytes:
            return self.files[path][offset : offset + size]

        folders = {
            "/".join(p.split("/")[:n]) for p in self.files for n in range(1, p.count("/") + 1)
        }
        tree = Tree(files, sorted(folders | set(self.folders)), read, self.medium)
        check_medium(tree, found, label=LABEL)
        return found.findings

    def rules(self) -> set[str]:
        return {finding.rule for finding in self.findings()}

    def swap(self, path: str, old: bytes, new: bytes, *, start: int = 0) -> None:
        data = self.files[path]
        at = data.index(old, start)
        self.files[path] = data[:at] + new + data[at + len(old) :]

    def record(self, kind: str, number: int = 0) -> DirectoryRecord:
        records = read_directory(self.files["DICOMDIR"]).records
        return [record for record in records if record.type == kind][number]

    def patch(self, at: int, new: bytes) -> None:
        data = self.files["DICOMDIR"]
        self.files["DICOMDIR"] = data[:at] + new + data[at + len(new) :]

    def path_of(self, kind: str) -> str:
        return self.record(kind).file_id


Mutation = Callable[[Disc], object]


def rename(old: str, new: str) -> Mutation:
    def change(disc: Disc) -> None:
        disc.files = {
            new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path: data
            for path, data in disc.files.items()
        }

    return change


def add(path: str, data: bytes = b"x") -> Mutation:
    return lambda disc: disc.files.update({path: data})


def remove(path: str) -> Mutation:
    return lambda disc: disc.files.pop(path)


def swap(path: str, old: bytes, new: bytes) -> Mutation:
    return lambda disc: disc.swap(path, old, new)


def text(old: str, new: str, path: str = "INDEX.HTM") -> Mutation:
    return swap(path, old.encode(), new.encode())


def readme(words: bytes) -> Mutation:
    return lambda disc: disc.files.update({"README.TXT": disc.files["README.TXT"] + words})


def in_record(kind: str, old: bytes, new: bytes, number: int = 0) -> Mutation:
    def change(disc: Disc) -> None:
        assert len(old) == len(new)
        record = disc.record(kind, number)
        at = disc.files["DICOMDIR"].index(old, record.offset)
        assert at < record.offset + 8 + len(record.content)
        disc.patch(at, new)

    return change


def lose(kind: str, tag: int) -> Mutation:
    """A key of a record becomes another attribute: it is missing then."""
    old, new = (element(it, "UL", b"")[:4] for it in (tag, tag & 0xFFFF0000 | 0xFFFE))
    return in_record(kind, old, new)


def offset(kind: str, at: int, value: Callable[[Disc], int]) -> Mutation:
    return lambda disc: disc.patch(disc.record(kind).offset + at, value(disc).to_bytes(4, "little"))


def header(tag: int, value: bytes) -> Mutation:
    def change(disc: Disc) -> None:
        at = disc.files["DICOMDIR"].index(element(tag, "UL", b"")[:4])
        disc.patch(at + 8, value)

    return change


def of(kind: str, old: bytes, new: bytes) -> Mutation:
    """In the file that the first record of this type refers to."""
    return lambda disc: disc.swap(disc.path_of(kind), old, new)


def cut(kind: str, size: int) -> Mutation:
    def change(disc: Disc) -> None:
        path = disc.path_of(kind)
        disc.files[path] = disc.files[path][:size]

    return change


def copy_object(disc: Disc) -> None:
    path = disc.path_of("IMAGE")
    disc.files[f"{path[:-1]}9"] = disc.files[path]


def group_length(disc: Disc) -> None:
    path = disc.path_of("IMAGE")
    data = disc.files[path]
    disc.files[path] = data[:140] + b"\7\0\0\0" + data[144:]


def twin(disc: Disc) -> None:
    one, two = (disc.record("IMAGE", number).file_id for number in (0, 1))
    disc.files[two] = disc.files[one]


def study_under_two_patients(disc: Disc) -> None:
    """A second PATIENT and STUDY record, the study's UID the same, and no series below."""
    directory = read_directory(disc.files["DICOMDIR"])
    patient, study = disc.record("PATIENT"), disc.record("STUDY")
    data = disc.files["DICOMDIR"]
    end = len(data)

    def again(record: DirectoryRecord, lower: int) -> bytearray:
        raw = bytearray(data[record.offset : record.offset + 8 + len(record.content)])
        raw[16:20] = bytes(4)
        raw[38:42] = lower.to_bytes(4, "little")
        return raw

    one = again(patient, end + 8 + len(patient.content))
    one[one.index(b"PID-0042") : one.index(b"PID-0042") + 8] = b"PID-0043"
    other = again(study, 0)
    disc.files["DICOMDIR"] = data + one + other
    disc.patch(patient.offset + 16, end.to_bytes(4, "little"))
    header(0x00041202, end.to_bytes(4, "little"))(disc)
    at = disc.files["DICOMDIR"].index(b"\x04\0\x20\x12SQ") + 8
    size = int.from_bytes(data[at : at + 4], "little")
    assert size in (0xFFFFFFFF, len(data) - at - 4)
    if size != 0xFFFFFFFF:
        disc.patch(at, (size + len(one) + len(other)).to_bytes(4, "little"))
    assert len(read_directory(disc.files["DICOMDIR"]).records) == len(directory.records) + 2


def icon(samples: int) -> Mutation:
    def change(disc: Disc) -> None:
        sequence = element(0x00880200, "SQ", item(
            element(0x00280002, "US", samples.to_bytes(2, "little"))
            + element(0x00280004, "CS", b"MONOCHROME2")
            + element(0x00280010, "US", b"\2\0")
            + element(0x00280011, "US", b"\2\0")
            + element(0x00280100, "US", b"\x08\0")
            + element(0x7FE00010, "OB", bytes(4))
        ))  # fmt: skip
        last = read_directory(disc.files["DICOMDIR"]).records[-1]
        data = disc.files["DICOMDIR"] + sequence
        size = len(last.content) + len(sequence)
        data = data[: last.offset + 4] + size.to_bytes(4, "little") + data[last.offset + 8 :]
        at = data.index(b"\x04\0\x20\x12SQ") + 8
        disc.files["DICOMDIR"] = (
            data[:at] + (len(data) - at - 4).to_bytes(4, "little") + data[at + 4 :]
        )

    return change


DICOM = bytes(128) + b"DICM"
JPEG = b"\xff\xd8\xff\xe0\0\x04JF\xff\xc2\0\x0b\x08\0\x10\0\x10\1\1\x11\0"
ENVELOPE = bytes.fromhex("3080060b2a864886f70d010703") + bytes(300)
LETTER = b"%PDF-1.4\n"

MEDIA: list[tuple[str, str, Mutation]] = [
    ("no DICOMDIR", "PDI-01", remove("DICOMDIR")),
    ("two DICOMDIRs", "PDI-01", add("EXTRA/DICOMDIR")),
    ("an object in the root", "PDI-02", add("STRAY", DICOM)),
    ("an object that no record names", "PDI-03", copy_object),
    ("an object of the viewer's", "PDI-03", add("VIEWER/SAMPLE", DICOM)),
    ("an object missing", "PDI-03", lambda disc: disc.files.pop(disc.path_of("IMAGE"))),
    ("no README", "PDI-04", remove("README.TXT")),
    ("an empty README", "PDI-04", add("README.TXT", b"\r\n")),
    ("a README of nothing", "PDI-05", add("README.TXT", b"Images of a patient.\r\n")),
    ("the patient's ID in README", "PDI-06", readme(b"PID-0042\r\n")),
    ("the patient's name in README", "PDI-06", readme(b"Jane Doe\r\n")),
    ("the birth date in README", "PDI-06", readme(b"3 of 03.03.1961\r\n")),
    ("no start page", "PDI-07", remove("INDEX.HTM")),
    ("wrong counts", "PDI-08", text(">7</span>", ">8</span>")),
    ("no link to README", "PDI-08", text('href="readme.txt"', 'href="index.htm"')),
    ("not well-formed", "PDI-09", text("</p>", "")),
    ("entities that multiply", "PDI-09",
     text('basic11.dtd">', 'basic11.dtd" [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>')),
    ("a script", "PDI-10", text("<h2>", "<script>1</script><h2>")),
    ("a GIF among the pages", "PDI-11", add("IHE_PDI/X.GIF", b"GIF89a")),
    ("a progressive JPEG", "PDI-11", add("IHE_PDI/X.JPG", JPEG)),
    ("a picture of nothing", "PDI-11", add("IHE_PDI/X.JPG", b"\xff\xd8\xff garbage")),
    ("a cut picture", "PDI-11", lambda disc: disc.files.update({
        "IHE_PDI/S0000001/THUMB.JPG": disc.files["IHE_PDI/S0000001/THUMB.JPG"][:-200]})),
    ("a page of another object", "PDI-12",
     text("</h1>", "</h1><p>1.2.826.0.1.3680043.8.498.1</p>", "IHE_PDI/INDEX.HTM")),
    ("an object among the pages", "PDI-13", add("IHE_PDI/X.HTM", DICOM)),
    ("a program among the pages", "PDI-13", add("IHE_PDI/X.HTM", b"MZ\x90")),
    ("a record of a page", "PDI-14", in_record("IMAGE", b"DICOM\\P0000001", b"IHE_PDI\\P00001")),
    ("another IHE folder", "PDI-15", add("IHE_MORE/X.TXT")),
    ("a manual among the objects", "PDI-16", add("DICOM/P0000001/MANUAL")),
    ("an odd name in the root", "PDI-17", add("SOFTWARE/X.TXT")),
    ("an autorun file", "PDI-18", add("AUTORUN.INF")),
    ("a link to nowhere", "PDI-19", text('href="readme.txt"', 'href="nowhere.txt"')),
    ("a link of mixed case", "PDI-19", text('href="readme.txt"', 'href="Readme.txt"')),
    ("an absolute link", "PDI-19", text('href="readme.txt"', 'href="/readme.txt"')),
    ("a program in a preamble", "PDI-24", of("IMAGE", bytes(128), b"MZ" + bytes(126))),
    ("an object with an extension", "PDI-25", add("DICOM/P0000001/I1.DCM", DICOM)),
    ("a File ID in lower case", "PDI-25", in_record("IMAGE", b"DICOM\\P0", b"dicom\\p0")),
    ("the accession number in a name", "PDI-26", add("EXTRA/A0000001/X.TXT")),
    ("the patient's name before an extension", "PDI-26", add("EXTRA/JANE.PDF", LETTER)),
    ("a long name", "PDI-27", add("EXTRA/NINELETTR.TXT")),
    ("a deep tree", "PDI-28", add("EXTRA/B/C/D/E/F/G/H/I.TXT")),
    ("a preamble", "PDI-45", of("IMAGE", bytes(128), b"II*\0" + bytes(124))),
    ("a group length", "PDI-46", group_length),
    ("no implementation class", "PDI-46", of("IMAGE", b"\2\0\x12\0UI", b"\2\0\x14\0UI")),
    ("one object twice", "PDI-47", twin),
    ("a cut object", "PDI-48", cut("IMAGE", -20)),
    ("two samples a pixel", "PDI-48", of("IMAGE", b"\x28\0\2\0US\2\0\1", b"\x28\0\2\0US\2\0\2")),
    ("no header", "PDI-48", cut("IMAGE", 300)),
    ("another transfer syntax", "PDI-49",
     of("SR DOCUMENT", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")),
    ("a private class", "PDI-55",
     lambda disc: disc.files.update({
         disc.path_of("IMAGE"): disc.files[disc.path_of("IMAGE")].replace(
             b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.841.10008.5.1.4.1.1.2\0")})),
    ("a report filed as an image", "PDI-56",
     in_record("SR DOCUMENT", b"SR DOCUMENT ", b"IMAGE       ")),
    ("a retired class", "PDI-57",
     lambda disc: disc.files.update({
         disc.path_of("IMAGE"): disc.files[disc.path_of("IMAGE")].replace(
             b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.1.8\0")})),
    ("a key object of another image", "PDI-58",
     of("KEY OBJECT DOC", b"\x55\x11UI\x2c\x002.25.", b"\x55\x11UI\x2c\x001.25.")),
    ("another SOP Class of a DICOMDIR", "PDI-61",
     swap("DICOMDIR", b"1.2.840.10008.1.3.10", b"1.2.840.10008.1.3.11")),
    ("a DICOMDIR of nothing", "PDI-61", add("DICOMDIR", b"x" * 5000)),
    ("no UID", "PDI-62", swap("DICOMDIR", b"2.25.77\0", b"2.25.07\0")),
    ("a consistency flag", "PDI-63", header(0x00041212, b"\xff\xff")),
    ("a File-set ID", "PDI-63", swap("DICOMDIR", b"PDI_CHECK ", b"PDI-CHECK ")),
    ("the last root record", "PDI-64",
     lambda disc: header(0x00041202, disc.record("IMAGE").offset.to_bytes(4, "little"))(disc)),
    ("an offset beside a record", "PDI-64",
     offset("STUDY", 38, lambda disc: disc.record("SERIES").offset + 2)),
    ("a circle", "PDI-64", offset("IMAGE", 16, lambda disc: disc.record("IMAGE").offset)),
    ("lost records", "PDI-64", offset("SERIES", 38, lambda _: 0)),
    ("a flag of a record", "PDI-65",
     lambda disc: disc.patch(disc.record("IMAGE").offset + 28, b"\0\0")),
    ("another object's UID", "PDI-66", in_record("IMAGE", b"\x11\x15UI\x2c\0" + b"2",
                                                 b"\x11\x15UI\x2c\0" + b"1")),
    ("another transfer syntax in a record", "PDI-66",
     in_record("IMAGE", b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")),
    ("one study of two patients", "PDI-67", study_under_two_patients),
    ("an idle character set", "PDI-68",
     in_record("PATIENT", b"\x10\0\x10\0PN\x08\0Doe^Jane", b"\x08\0\x05\0CS\x08\0ISO_IR 6")),
    ("a private element", "PDI-69",
     in_record("IMAGE", b"\x28\0\x11\0US", b"\x29\0\x11\0US")),
    ("another value", "PDI-70", in_record("IMAGE", b"ORIGINAL\\PRIMARY\\AXIAL",
                                          b"ORIGINAL\\PRIMARY\\CORON")),
    ("a series below a patient", "PDI-71",
     offset("PATIENT", 38, lambda disc: disc.record("SERIES").offset)),
    ("an image filed as a waveform", "PDI-72", in_record("IMAGE", b"IMAGE ", b"PLAN  ")),
    ("a retired record", "PDI-73", in_record("IMAGE", b"IMAGE ", b"CURVE ")),
    ("no Patient ID", "PDI-74", lose("PATIENT", 0x00100020)),
    ("no Study Date", "PDI-75", lose("STUDY", 0x00080020)),
    ("no Modality", "PDI-76", lose("SERIES", 0x00080060)),
    ("no Instance Number", "PDI-77", lose("IMAGE", 0x00200013)),
    ("no Image Type", "PDI-77", lose("IMAGE", 0x00080008)),
    ("no Completion Flag", "PDI-78", lose("SR DOCUMENT", 0x0040A491)),
    ("no MIME Type", "PDI-78", lose("ENCAP DOC", 0x00420012)),
    ("a report in the DICOMDIR", "PDI-79",
     in_record("SR DOCUMENT", b"HAS CONCEPT MOD ", b"CONTAINS        ")),
    ("a report below a modifier", "PDI-79",
     in_record("SR DOCUMENT", b"\x40\0\x68\xa1SQ", b"\x40\0\x30\xa7SQ")),
    ("a modifier of free text", "PDI-79", in_record("SR DOCUMENT", b"\4\0CODE", b"\4\0TEXT")),
    ("a text in a record", "PDI-79",
     in_record("SR DOCUMENT", b"\x40\0\x93\xa4CS", b"\x40\0\x60\xa1CS")),
    ("an icon of three samples", "PDI-80", icon(3)),
    ("an unknown class as an image", "PDI-81",
     lambda disc: disc.files.update({
         disc.path_of("IMAGE"): disc.files[disc.path_of("IMAGE")].replace(
             b"1.2.840.10008.5.1.4.1.1.2\0", b"1.2.840.10008.5.1.4.1.9.2\0")})),
    ("a date that is none", "PDI-84", in_record("STUDY", b"20240311", b"20241399")),
    ("two values of one", "PDI-84", in_record("STUDY", b"Thorax routine", b"Thorax\\routine")),
    ("two patients' IDs in one", "PDI-84", in_record("PATIENT", b"PID-0042", b"PID\\0042")),
    ("a line break in an ID", "PDI-84", in_record("PATIENT", b"PID-0042", b"PI\r\n0042")),
    ("an escape sequence", "PDI-68", in_record("STUDY", b"Thorax routine", b"Thorax\x1b[31mtin")),
    ("a tab in a name", "PDI-84", in_record("PATIENT", b"Doe^Jane", b"Doe\t^Jan")),
    ("a UID with a leading zero", "PDI-84",
     in_record("SERIES", b"\x0e\0UI\x2c\x002.25.", b"\x0e\0UI\x2c\x002.05.")),
    ("another patient's record", "PDI-85", in_record("PATIENT", b"PID-0042", b"PID-0043")),
    ("another patient's object", "PDI-85", of("IMAGE", b"19610303", b"19610304")),
    ("an encrypted object", "PDI-86",
     lambda disc: disc.files.update({disc.path_of("IMAGE"): ENVELOPE})),
    ("an encrypted DICOMDIR", "PDI-86", add("DICOMDIR", ENVELOPE)),
    ("a README that hides the encryption", "PDI-95", add("DICOMDIR", ENVELOPE)),
]  # fmt: skip


def poke(at: int, value: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        data[at : at + len(value)] = value

    return change


def iso_record(identifier: bytes, at: int, value: bytes) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        start = data.index(bytes([len(identifier)]) + identifier, 17 * BLOCK_BYTES) - 32 + at
        data[start : start + len(value)] = value

    return change


def path_table(order: str) -> Callable[[bytearray], None]:
    def change(data: bytearray) -> None:
        at, wanted = (140, "little") if order == "L" else (148, "big")
        block = int.from_bytes(data[0x8000 + at : 0x8000 + at + 4], wanted)
        at = block * BLOCK_BYTES + 10  # the second entry
        data[at + 2 : at + 6] = b"\xff\xff\0\0"

    return change


IMAGES: list[tuple[str, str, Callable[[bytearray], None]]] = [
    *((f"planted {number}", rule, change) for number, (rule, change) in enumerate(ISO_PLANTED)),
    ("another volume identifier", "PDI-30", poke(0x8028, b"OTHER_ID ")),
    ("a recording date that is none", "PDI-32", iso_record(b"README.TXT;1", 19, b"\x0d")),
    ("two byte orders", "PDI-29", iso_record(b"README.TXT;1", 6, b"\1\1\1\1")),
    ("an L path table", "PDI-29", path_table("L")),
    ("an M path table", "PDI-29", path_table("M")),
    ("volume sizes that differ", "PDI-29", poke(0x8000 + 84, b"\1\2\3\4")),
]


def entry(path: str, at: int, value: bytes) -> Callable[[FatImage], None]:
    def change(image: FatImage) -> None:
        start = image.entry_at[path] + at
        image.data[start : start + len(value)] = value

    return change


def with_long_name(image: FatImage) -> None:
    """In front of the second object's entry, in the place of the first's."""
    at = image.entry_at[IMAGE]
    first = bytearray(image.data[at : at + 32])
    first[0], first[11], first[12] = 0x41, 0x0F, 0
    image.data[at : at + 32] = first


def loop(path: str) -> Callable[[FatImage], None]:
    return lambda image: image.set_next(image.cluster_of[path], image.cluster_of[path])


def crossed(image: FatImage) -> None:
    entry("README.TXT", 26, image.cluster_of["INDEX.HTM"].to_bytes(2, "little"))(image)


STICKS: list[tuple[str, str, Callable[[FatImage], None]]] = [
    ("a partition of another type", "PDI-43", lambda image: poke(450, b"\x83")(image.data)),
    ("a bootable partition", "PDI-43", lambda image: poke(446, b"\x80")(image.data)),
    ("a second partition", "PDI-43", lambda image: poke(466, b"\x0c")(image.data)),
    ("tables that differ", "PDI-43",
     lambda image: poke(image.fat_at + image.fat_bytes + 40, b"\7")(image.data)),
    ("a file of which clusters are missing", "PDI-43",
     lambda image: image.set_next(image.cluster_of["INDEX.HTM"], 0xFFFF)),
    ("a chain in a circle", "PDI-43", loop("INDEX.HTM")),
    ("a folder in a circle", "PDI-43",
     lambda image: entry("DICOM/P0000001", 26,
                         image.cluster_of["DICOM"].to_bytes(2, "little"))(image)),
    ("two files on the same clusters", "PDI-43", crossed),
    ("a file outside of the volume", "PDI-43", entry("README.TXT", 26, b"\xf0\xff")),
    ("a cut medium", "PDI-43", lambda image: image.data.__delitem__(slice(-4096, None))),
    ("another label", "PDI-44", lambda image: poke(image.data.index(LABEL.encode().ljust(11)),
                                                   b"PDI_0000000")(image.data)),
    ("a name shown in lower case", "PDI-44", entry(IMAGE, 12, b"\x08")),
    ("a long name of an object", "PDI-44", with_long_name),
    ("a hidden object", "PDI-44", entry(IMAGE, 11, b"\x22")),
    ("a name in lower case", "PDI-25", entry(IMAGE, 0, b"i")),
    ("an object missing", "PDI-03", entry(IMAGE, 0, b"\xe5")),
]  # fmt: skip


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Disc:
    volume = volume_of(tmp_path_factory.mktemp("sound"))
    return Disc({it.path: content(it) for it in volume.entries})


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("image")
    return author(volume_of(folder), folder / "out.iso", created_at=CREATED).path.read_bytes()


@pytest.fixture(scope="module")
def stick(sound: Disc) -> FatImage:
    return fat_image(sound.files, label=LABEL)


def copied(image: FatImage) -> FatImage:
    return replace(image, data=bytearray(image.data))


def fat_findings(data: bytes | bytearray) -> list[Finding]:
    found = Collector()
    raw = bytes(data)
    try:
        check_fat(lambda at, size: raw[at : at + size], len(raw), found)
    except ImageError as error:
        found.error("PDI-43", "", str(error))
    return found.findings


def iso_findings(data: bytes) -> list[Finding]:
    try:
        reader = IsoReader(lambda at, size: data[at : at + size])
    except ImageError as error:
        return [Finding("PDI-29", "", str(error))]
    return check_image(reader)


def test_there_are_enough_of_them() -> None:
    assert len(MEDIA) + len(IMAGES) + len(STICKS) >= 60
    names = [name for name, _, _ in (*MEDIA, *IMAGES, *STICKS)]
    assert len(MEDIA) == len({name for name, _, _ in MEDIA}), names


@pytest.mark.parametrize("medium", list(Medium))
def test_the_sound_medium_is_clean(sound: Disc, medium: Medium) -> None:
    assert Disc(dict(sound.files), medium=medium).findings() == []


def test_the_sound_image_is_clean(image: bytes) -> None:
    assert iso_findings(image) == []


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("partitioned", [True, False])
def test_the_sound_stick_is_clean(sound: Disc, bits: int, partitioned: bool) -> None:
    made = fat_image(sound.files, label=LABEL, bits=bits, partitioned=partitioned)
    assert fat_findings(made.data) == []


@pytest.mark.parametrize(("rule", "change"), [it[1:] for it in MEDIA], ids=[it[0] for it in MEDIA])
def test_a_broken_medium(sound: Disc, rule: str, change: Mutation) -> None:
    disc = Disc(dict(sound.files))
    change(disc)
    assert rule in disc.rules()


@pytest.mark.parametrize(
    ("rule", "change"), [it[1:] for it in IMAGES], ids=[it[0] for it in IMAGES]
)
def test_a_broken_image(image: bytes, rule: str, change: Callable[[bytearray], None]) -> None:
    data = bytearray(image)
    change(data)
    assert rule in {finding.rule for finding in iso_findings(bytes(data))}


@pytest.mark.parametrize(
    ("rule", "change"), [it[1:] for it in STICKS], ids=[it[0] for it in STICKS]
)
def test_a_broken_stick(stick: FatImage, rule: str, change: Callable[[FatImage], object]) -> None:
    made = copied(stick)
    change(made)
    assert rule in {finding.rule for finding in fat_findings(made.data)}


class TestAnyBytes:
    """Nothing that is on a medium makes the check raise, and it always ends."""

    SEED = 20260305

    def chance(self, request: pytest.FixtureRequest) -> random.Random:
        print(f"seed {self.SEED} {request.node.name}")
        return random.Random(f"{self.SEED} {request.node.name}")

    def spoil(self, chance: random.Random, data: bytearray, low: int, high: int) -> None:
        for _ in range(chance.randint(1, 10)):
            at = chance.randrange(low, high)
            size = chance.choice((1, 1, 2, 4))
            data[at : at + size] = chance.choice(
                (bytes(size), b"\xff" * size, chance.randbytes(size))
            )
        if chance.random() < 0.1:
            del data[chance.randrange(low, len(data)) :]

    def test_images(self, image: bytes, request: pytest.FixtureRequest) -> None:
        chance, found = self.chance(request), 0
        for _ in range(150):
            data = bytearray(image)
            end = chance.choice((len(data), 40 * BLOCK_BYTES))
            self.spoil(chance, data, 16 * BLOCK_BYTES, end)
            found += bool(iso_findings(bytes(data)))
        assert found > 30

    def test_sticks(self, stick: FatImage, request: pytest.FixtureRequest) -> None:
        chance, found = self.chance(request), 0
        for _ in range(60):
            data = bytearray(stick.data)
            end = chance.choice((stick.data_at + 20_000, stick.fat_at + 400, stick.base + 512))
            self.spoil(chance, data, stick.base, end)
            found += bool(fat_findings(data))
        assert found > 20

    def test_files(self, sound: Disc, request: pytest.FixtureRequest) -> None:
        chance, found = self.chance(request), 0
        for _ in range(120):
            disc = Disc(dict(sound.files))
            for _ in range(chance.randint(1, 3)):
                path = chance.choice(["DICOMDIR", *sorted(disc.files)])
                data = bytearray(disc.files[path])
                self.spoil(chance, data, 0, len(data))
                disc.files[path] = bytes(data)
            found += bool(disc.findings())
        assert found > 60

    def test_names(self, sound: Disc, request: pytest.FixtureRequest) -> None:
        chance = self.chance(request)
        for _ in range(30):
            disc = Disc(dict(sound.files))
            for _ in range(20):
                name = "".join(chr(chance.randrange(1, 0x2FFF)) for _ in range(12))
                disc.files[name.replace("/", "x") + chance.choice(("", ".htm", "/A"))] = b"x"
            for finding in disc.findings():
                assert finding.path.isascii() and finding.path.isprintable()  # noqa: PT018
                assert finding.reason.isascii() and finding.reason.isprintable()  # noqa: PT018

    @pytest.mark.parametrize("size", [0, 1, 511, 40_000, 300_000])
    def test_any_file(self, tmp_path: Path, size: int, request: pytest.FixtureRequest) -> None:
        from dicomdir.check.path import NoMediumError

        (tmp_path / "any").write_bytes(self.chance(request).randbytes(size))
        with pytest.raises(NoMediumError):
            check_path(tmp_path / "any")
