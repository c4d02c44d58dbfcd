"""Header facts of objects in all encodings, and the gate that lets only whole ones through."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pydicom
import pytest

from dicomdir.charset import defined
from dicomdir.elements import EXPLICIT, MAX_STEPS, element
from dicomdir.errors import HeaderIncompleteError, InstanceError, TruncatedInstanceError
from dicomdir.instance import Instance, read_instance, read_instance_at, scan_data_set
from dicomdir.part10 import encode_meta
from tests.factories import KINDS, SOP_CLASSES, Patient, make_datasets, make_study, write

PIXEL_KINDS = ("CT", "MR", "CR", "DX", "MG", "US", "SC")
CT, UID = SOP_CLASSES["CT"], "2.25.1"
SEED = 20240311
# by path: pydicom's own look-up would fetch what is not there
_DATA = Path(pydicom.__file__).parent / "data"
TEST_FILES = sorted((_DATA / "test_files").glob("*.dcm"))
CHARSET_FILES = sorted((_DATA / "charset_files").glob("*.dcm"))


def memory(data: bytes) -> Instance:
    return read_instance_at(lambda at, count: data[at : at + count], len(data))


def _scan_head(head: bytes, whole: Instance) -> Instance:
    """As the receiver does, which wrote the meta information itself."""
    return scan_data_set(head, whole.size_bytes, whole.data_offset, whole.transfer_syntax_uid)


def _verdict(data: bytes) -> object:
    try:
        return memory(data)
    except InstanceError as error:
        return error.code, str(error)


def ct(
    *,
    rows: int = 4,
    columns: int = 4,
    samples: int = 1,
    allocated: int = 16,
    photometric: bytes = b"MONOCHROME2",
    frames: bytes = b"",
    extra: bytes = b"",
    pixels: bytes | None = None,
    behind: bytes = b"",
    syntax: str = "1.2.840.10008.1.2.1",
    sop_class: str = CT,
) -> bytes:
    """The least that is an object with pixels, as a file; `extra` comes before group 0028."""
    body = [
        element(0x00080016, "UI", sop_class.encode()),
        element(0x00080018, "UI", UID.encode()),
        element(0x0020000D, "UI", b"2.25.2"),
        element(0x0020000E, "UI", b"2.25.3"),
        extra,
        element(0x00280002, "US", struct.pack("<H", samples)),
        element(0x00280004, "CS", photometric),
        element(0x00280008, "IS", frames) if frames else b"",
        element(0x00280010, "US", struct.pack("<H", rows)),
        element(0x00280011, "US", struct.pack("<H", columns)),
        element(0x00280100, "US", struct.pack("<H", allocated)),
    ]
    if pixels is None:
        pixels = element(0x7FE00010, "OW", bytes(rows * columns * samples * allocated // 8))
    return encode_meta(sop_class, UID, syntax) + b"".join(body) + pixels + behind


def fragments(*sizes: int, end: bool = True) -> bytes:
    """Encapsulated pixels: an empty offset table and fragments of these sizes."""
    out = struct.pack("<HH2sHL", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF)
    for size in (0, *sizes):
        out += struct.pack("<HHL", 0xFFFE, 0xE000, size) + bytes(size)
    return out + (struct.pack("<HHL", 0xFFFE, 0xE0DD, 0) if end else b"")


class TestReading:
    @pytest.mark.parametrize("kind", KINDS)
    def test_all_native_syntaxes_give_the_same_keys(self, kind: str, tmp_path: Path) -> None:
        kinds = ("CT", "US", kind)
        found = [
            read_instance(make_study(tmp_path / syntax, kinds, transfer_syntax=syntax)[-1])
            for syntax in ("explicit", "implicit", "big")
        ]
        assert [each.fault for each in found] == ["", "", ""]
        assert found[0].keys == found[1].keys == found[2].keys
        assert len({each.transfer_syntax_uid for each in found}) == 3

    @pytest.mark.parametrize("syntax", ["rle", "jpeg", "jpeg-lossless", "j2k"])
    def test_encapsulated_objects_are_whole(self, syntax: str, tmp_path: Path) -> None:
        for path in make_study(tmp_path, ("US", "SC"), transfer_syntax=syntax):
            assert read_instance(path).fault == ""

    def test_values_are_those_of_the_object(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("MR",), patient=Patient(name="Müller^Änne"))[0]
        instance, ds = read_instance(path), pydicom.dcmread(path)
        assert instance.text(0x00100010) == "Müller^Änne"
        assert instance.value(0x00280010) == struct.pack("<H", ds.Rows)
        assert instance.text(0x00200037) == "\\".join(map(str, ds.ImageOrientationPatient))
        assert instance.value(0x00080070) is None  # Manufacturer is no key
        assert instance.text(0x00080023) == ds.ContentDate
        assert instance.sop_instance_uid == ds.SOPInstanceUID
        assert instance.size_bytes == path.stat().st_size
        with open(path, "rb") as f:
            f.seek(instance.data_offset)
            assert f.read(4) == b"\x08\0\5\0"

    def test_no_name_is_shown(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("CT",), patient=Patient(name="Canary^Carla"))[0]
        assert "Canary" not in repr(read_instance(path))

    def test_report_text_and_documents_stay_where_they_are(self, tmp_path: Path) -> None:
        for path in make_study(tmp_path, ("CT", "SR", "KO", "PDF")):
            keys = read_instance(path).keys
            assert b"SECRET" not in keys
            assert b"%PDF" not in keys
            assert b"Verify^Vera" not in keys

    def test_of_shared_functional_groups_the_geometry_is_kept(self, tmp_path: Path) -> None:
        ds = make_datasets(("CT",))[0]
        group, position = pydicom.Dataset(), pydicom.Dataset()
        position.ImagePositionPatient = [1, 2, 3]
        group.PlanePositionSequence = [position]
        group.PixelValueTransformationSequence = [pydicom.Dataset()]
        ds.SharedFunctionalGroupsSequence = [group]
        write(ds, tmp_path / "x")
        value = read_instance(tmp_path / "x").value(0x52009229)
        assert value is not None
        assert b"1.0\\2.0\\3.0" in value
        assert b"\x28\0\x45\x91" not in value

    def test_the_head_is_enough_or_said_not_to_be(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("CT",), rows=128, columns=128)[0]
        data = path.read_bytes()
        whole = read_instance(path)
        enough = 0
        for size in range(0, 4000, 7):
            try:
                assert _scan_head(data[:size], whole) == whole
                enough += 1
            except HeaderIncompleteError:
                assert size < len(data) - 128 * 128 * 2
        assert enough > 100

    def test_compressed_objects_need_the_file(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("US",), transfer_syntax="rle", rows=64, columns=64)[0]
        data = path.read_bytes()
        with pytest.raises(HeaderIncompleteError):
            _scan_head(data[:2000], read_instance(path))
        assert _scan_head(data, read_instance(path)) == read_instance(path)

    def test_never_reads_pixels(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("CT",), rows=1024, columns=1024)[0]
        data, read = path.read_bytes(), []

        def reader(at: int, count: int) -> bytes:
            read.append(count)
            return data[at : at + count]

        assert read_instance_at(reader, len(data)).fault == ""
        assert sum(read) < 16_000

    def test_a_large_value_before_the_keys_is_stepped_over(self) -> None:
        data = ct(extra=element(0x00250010, "OB", bytes(3_000_000)))
        read = []

        def reader(at: int, count: int) -> bytes:
            read.append(count)
            return data[at : at + count]

        assert read_instance_at(reader, len(data)).value(0x00280010) == b"\4\0"
        assert sum(read) < 30_000

    def test_import_is_lean(self) -> None:
        code = "import sys, dicomdir.instance; print(*sorted(sys.modules))"
        loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
        assert not {"pydicom", "numpy", "pathlib", "logging", "asyncio"} & set(loaded)


class TestForeignFiles:
    @pytest.mark.parametrize("path", TEST_FILES, ids=lambda path: path.name)
    def test_agrees_with_pydicom_or_refuses(self, path: Path) -> None:
        try:
            instance = read_instance(path)
        except InstanceError:
            return
        ds = pydicom.dcmread(path, force=True)
        assert instance.sop_instance_uid == ds.SOPInstanceUID
        assert instance.study_instance_uid == ds.StudyInstanceUID
        for tag, keyword in (
            (0x00100020, "PatientID"),
            (0x00100030, "PatientBirthDate"),
            (0x00080060, "Modality"),
            (0x00200013, "InstanceNumber"),
        ):
            assert instance.text(tag) == str(ds.get(keyword) or "").strip()

    def test_most_of_them_are_read(self) -> None:
        """Else the test above would pass by refusing everything."""
        whole = 0
        for path in TEST_FILES:
            try:
                whole += read_instance(path).fault == ""
            except InstanceError:
                continue
        assert whole > 50

    @pytest.mark.parametrize("path", CHARSET_FILES, ids=lambda path: path.name)
    def test_names_in_all_character_sets(self, path: Path) -> None:
        """These files lack UIDs: their data set is put into an object of ours."""
        ds = pydicom.dcmread(path)
        if "PatientName" not in ds:
            pytest.skip("no name in it")
        charset = ds["SpecificCharacterSet"].value
        terms = charset if isinstance(charset, str) else "\\".join(charset)
        raw = ds.PatientName.original_string
        extra = element(0x00080005, "CS", terms.encode()) + element(0x00100010, "PN", raw)
        data = encode_meta(CT, UID, "1.2.840.10008.1.2.1") + element(0x00080016, "UI", CT.encode())
        data += element(0x00080018, "UI", UID.encode()) + extra
        data += element(0x0020000D, "UI", b"2.25.2") + element(0x0020000E, "UI", b"2.25.3")
        assert memory(data).text(0x00100010) == str(ds.PatientName).strip()


class TestText:
    def name(self, charset: bytes, raw: bytes) -> str:
        extra = element(0x00080005, "CS", charset) if charset else b""
        keys = extra + element(0x00100010, "PN", raw)
        return Instance(CT, UID, "1.2", "2.25.2", "2.25.3", keys, 1, 1).text(0x00100010)

    def test_utf8_and_gb18030(self) -> None:
        assert self.name(b"ISO_IR 192", "Wáng^小东".encode()) == "Wáng^小东"
        assert self.name(b"GB18030", "Wang^小东".encode("gb18030")) == "Wang^小东"

    def test_katakana_and_kanji_in_one_value(self) -> None:
        raw = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J"
        assert self.name(b"ISO 2022 IR 13\\ISO 2022 IR 87", raw) == "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎"

    def test_a_delimiter_ends_the_extension(self) -> None:
        raw = b"\x1b-FDionus\xe9^\xe9"  # Greek first, then Latin 1 again
        assert self.name(b"ISO 2022 IR 100\\ISO 2022 IR 126", raw) == "Dionusι^é"

    @pytest.mark.parametrize(
        ("charset", "raw"),
        [
            (b"", b"M\xfcller"),
            (b"ISO_IR 192", b"M\xfcller"),
            (b"NO_SUCH_SET", b"M\xfcller"),
            (b"ISO_IR 100", b"\x1b-FDionus\xe9"),
            (b"\\ISO 2022 IR 87", b"\x1b$Zxx"),
            (b"\\ISO 2022 IR 87", b"\x1b$Bx\x1b(B"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, charset: bytes, raw: bytes) -> None:
        with pytest.raises(InstanceError) as caught:
            self.name(charset, raw)
        assert "ller" not in str(caught.value)

    @pytest.mark.parametrize(
        ("charset", "term", "codec"),
        [
            (b"ISO-IR 100", b"ISO_IR 100", "latin_1"),
            (b"iso_ir 100 ", b"ISO_IR 100", "latin_1"),
            (b"ISO_IR100", b"ISO_IR 100", "latin_1"),
            (b"ISO IR_100", b"ISO_IR 100", "latin_1"),
            (b"ISO-8859-1", b"ISO_IR 100", "latin_1"),
            (b"Latin1", b"ISO_IR 100", "latin_1"),
            (b"ISO8859-9", b"ISO_IR 148", "iso8859_9"),
            (b"ISO 8859-15", b"ISO_IR 203", "iso8859_15"),
            (b"UTF-8", b"ISO_IR 192", "utf_8"),
            (b"utf8", b"ISO_IR 192", "utf_8"),
            (b"ISO-IR-192", b"ISO_IR 192", "utf_8"),
            (b"gb18030", b"GB18030", "gb18030"),
            (b"ISO_2022_IR_100", b"ISO 2022 IR 100", "latin_1"),
            (b"\\ISO 2022-IR 100", b"\\ISO 2022 IR 100", ""),
            (b"ISO_IR 999", b"ISO_IR 999", ""),
            (b"ISO-IR 999", b"ISO-IR 999", ""),
            (b"WINDOWS-1252", b"WINDOWS-1252", ""),
        ],
    )
    def test_a_set_that_is_said_in_other_words(
        self, charset: bytes, term: bytes, codec: str
    ) -> None:
        assert defined(charset) == term
        if codec:
            assert self.name(charset, "Müller".encode(codec)) == "Müller"

    def test_binary_is_not_text(self) -> None:
        with pytest.raises(InstanceError):
            memory(ct()).text(0x00280010)


RLE, MPEG4, JPIP = (f"1.2.840.10008.1.2.{end}" for end in ("5", "4.102", "4.94"))


class TestWholeness:
    @pytest.mark.parametrize("syntax", ["explicit", "implicit", "big", "rle"])
    @pytest.mark.parametrize("kind", ["CT", "US"])
    def test_no_cut_anywhere_goes_unseen(self, kind: str, syntax: str, tmp_path: Path) -> None:
        data = make_study(tmp_path, (kind,), transfer_syntax=syntax, rows=8, columns=8)[
            0
        ].read_bytes()
        assert memory(data).fault == ""
        for size in range(len(data)):
            try:
                fault = memory(data[:size]).fault
            except InstanceError:
                continue
            assert fault, f"{size} of {len(data)} bytes passed"

    @pytest.mark.parametrize("kind", ["SR", "PDF", "PR"])
    def test_without_pixels_only_whole_elements_pass(self, kind: str, tmp_path: Path) -> None:
        data = make_study(tmp_path, ("CT", kind))[1].read_bytes()
        passed = 0
        for size in range(len(data)):
            try:
                passed += memory(data[:size]).fault == ""
            except InstanceError:
                continue
        assert passed < 40  # at most at the boundaries of top-level elements

    @pytest.mark.parametrize(
        ("data", "fault"),
        [
            (ct(), ""),
            (ct(pixels=element(0x7FE00010, "OW", bytes(30))), "pixels.short"),
            (ct(pixels=element(0x7FE00010, "OW", bytes(40))), "pixels.long"),
            (ct(pixels=b""), "pixels.missing"),
            (ct(rows=0, pixels=element(0x7FE00010, "OW", b"")), "pixels.attributes"),
            (ct(frames=b"1A"), "pixels.attributes"),
            (ct(frames=b"0"), "pixels.attributes"),
            (ct(frames=b"2", pixels=element(0x7FE00010, "OW", bytes(64))), ""),
            (ct(frames=b"2"), "pixels.short"),
            (ct(rows=3, columns=3, allocated=8, pixels=element(0x7FE00010, "OB", bytes(10))), ""),
            (ct(rows=3, columns=3, allocated=1, pixels=element(0x7FE00010, "OB", bytes(2))), ""),
            (
                ct(rows=3, columns=6, allocated=1, pixels=element(0x7FE00010, "OB", bytes(2))),
                "pixels.short",
            ),
            (ct(samples=3, allocated=8, photometric=b"RGB"), ""),
            (
                ct(
                    samples=3,
                    allocated=8,
                    photometric=b"YBR_FULL_422",
                    pixels=element(0x7FE00010, "OB", bytes(32)),
                ),
                "",
            ),
            (ct(allocated=32, pixels=element(0x7FE00008, "OF", bytes(64))), ""),
            (ct(allocated=64, pixels=element(0x7FE00009, "OD", bytes(120))), "pixels.short"),
            (ct(behind=element(0xFFFCFFFC, "OB", bytes(20))), ""),
            (ct(behind=element(0xFFFCFFFC, "OB", bytes(20))[:-2]), "dataset.truncated"),
            (ct(behind=b"\0" * 4), "dataset.truncated"),
            (ct(behind=b"\0" * 16), "dataset.trailing"),
            (ct(behind=element(0x00100020, "LO", b"ANOTHER1")), "dataset.trailing"),
            (ct(syntax=RLE, pixels=fragments(8)), ""),
            (ct(syntax=RLE, pixels=fragments()), "pixels.fragments"),
            (ct(syntax=RLE, pixels=fragments(0)), "pixels.fragments"),
            (ct(syntax=RLE, pixels=fragments(8, end=False)), "pixels.fragments"),
            (ct(syntax=RLE, pixels=fragments(8, 8), frames=b"3"), "pixels.fragments"),
            (ct(syntax=MPEG4, pixels=fragments(8), frames=b"300"), ""),
            (ct(syntax=JPIP, pixels=fragments(8)), "pixels.missing"),
            (ct(syntax=RLE), "pixels.encoding"),
            (ct(pixels=fragments(8)), "pixels.encoding"),
            (ct(syntax=RLE, pixels=fragments(8), behind=b"x" * 9), "dataset.trailing"),
        ],
    )  # fmt: skip
    def test_pixels(self, data: bytes, fault: str) -> None:
        assert memory(data).fault == fault

    @pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"])
    def test_a_little_padding_is_remarked_and_no_fault(self, syntax: str) -> None:
        for rows, columns, allocated, surplus in (
            (4, 4, 16, 2),
            (4, 4, 16, 6),
            (9, 5, 8, 2),  # 45 bytes are 46 with the pad byte that the standard asks for
            (512, 512, 16, 512),
            (64, 64, 1, 6),
        ):
            size = (rows * columns * allocated + 15) // 16 * 2 + surplus
            pixels = element(0x7FE00010, "OW", bytes(size))
            instance = memory(ct(rows=rows, columns=columns, allocated=allocated, pixels=pixels))
            assert (instance.fault, instance.remark) == ("", "pixels.padded"), (rows, surplus)
            assert Instance.from_bytes(instance.to_bytes()) == instance
        assert memory(ct()).remark == ""

    @pytest.mark.parametrize(
        "wrong",
        [
            {"rows": 63},
            {"columns": 127},
            {"allocated": 8},
            {"frames": b"1"},
            {"samples": 1},
        ],
    )
    def test_what_may_be_pixels_is_no_padding(self, wrong: dict[str, Any]) -> None:
        true: dict[str, Any] = {"rows": 64, "columns": 128, "samples": 3, "frames": b"2"}
        pixels = element(0x7FE00010, "OW", bytes(64 * 128 * 3 * 2 * 2))
        assert memory(ct(**true, pixels=pixels)).fault == ""
        assert memory(ct(**(true | wrong), pixels=pixels)).fault == "pixels.long"

    def test_padding_excuses_nothing_behind_it(self) -> None:
        padded = element(0x7FE00010, "OW", bytes(34))
        other = element(0x00100020, "LO", b"ANOTHER1")
        instance = memory(ct(pixels=padded, behind=other))
        assert (instance.fault, instance.remark) == ("dataset.trailing", "")
        assert memory(ct(pixels=padded[:-1])).fault == "pixels.short"

    def test_meta_information_must_name_the_object(self) -> None:
        data = ct().replace(b"UI\x06\x002.25.1", b"UI\x06\x002.25.9", 1)
        assert memory(data).fault == "meta.mismatch"

    def test_what_belongs_to_no_patient_needs_no_study(self) -> None:
        palette = "1.2.840.10008.5.1.4.39.1"
        data = encode_meta(palette, UID, "1.2.840.10008.1.2.1")
        data += element(0x00080016, "UI", palette.encode()) + element(
            0x00080018, "UI", UID.encode()
        )
        instance = memory(data)
        assert (instance.study_instance_uid, instance.fault) == ("", "")
        assert Instance.from_bytes(instance.to_bytes()) == instance

    def test_a_document_without_its_document(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("PDF",), missing=("EncapsulatedDocument",))[0]
        assert read_instance(path).fault == "body.missing"


class TestRefusals:
    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"DICM",
            bytes(132),
            bytes(128) + b"DICM",
            ct(syntax="1.2.840.10008.1.2.1.99"),  # deflated
            ct(syntax="../../x"),
            ct().replace(b"2.25.3", b"../../"),
            ct(extra=element(0x00200011, "IS", b"1") * 2),  # a key twice: whose is it?
            ct(extra=b"\x20\0\x11\0??\2\0001 "),  # no such VR
            ct(extra=element(0x00200011, "UT", b"1" * 70_000)),  # endless key
            ct(extra=struct.pack("<HH2sHL", 0x20, 0x11, b"UT", 0, 0xFFFFFFFF)),
        ],
    )
    def test_what_is_no_instance(self, data: bytes) -> None:
        with pytest.raises(InstanceError):
            memory(data)

    def test_a_lying_length_is_truncation(self) -> None:
        data = ct(extra=struct.pack("<HH2sHL", 0x25, 0x11, b"OB", 0, 0xFFFFFFF0))
        assert memory(data).fault == "dataset.truncated"
        with pytest.raises(TruncatedInstanceError):
            memory(ct()[:-201])

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            read_instance(tmp_path / "none")

    def test_mutants_never_crash(self, tmp_path: Path) -> None:
        """Whatever the bytes: an Instance or an InstanceError, and nothing else."""
        chance = random.Random(SEED)
        seeds = [
            path.read_bytes()
            for syntax in ("explicit", "implicit", "big", "rle")
            for path in make_study(
                tmp_path / syntax, KINDS, transfer_syntax=syntax, rows=4, columns=4
            )
        ]
        outcomes = {"read": 0, "refused": 0}
        for _ in range(4000):
            data = bytearray(chance.choice(seeds))
            for _ in range(chance.randint(1, 6)):
                at = chance.randrange(132, len(data))
                what = chance.random()
                if what < 0.5:
                    data[at] = chance.choice((0, 0xFF, 0xFE, chance.randrange(256)))
                elif what < 0.7:
                    data[at : at + 4] = b"\xff\xff\xff\xff"
                elif what < 0.85:
                    del data[at : at + chance.randint(1, 40)]
                else:
                    data[at:at] = data[at - 40 : at]
            try:
                instance = memory(bytes(data))
                outcomes["read"] += 1
            except InstanceError:
                outcomes["refused"] += 1
                continue
            assert Instance.from_bytes(instance.to_bytes()) == instance
        assert min(outcomes.values()) > 400, (SEED, outcomes)


class TestStoredForm:
    def test_comes_back_as_it_was(self, tmp_path: Path) -> None:
        for path in make_study(tmp_path, KINDS):
            instance = read_instance(path)
            assert Instance.from_bytes(instance.to_bytes()) == instance

    def test_is_compact(self, tmp_path: Path) -> None:
        assert len(read_instance(make_study(tmp_path, ("CT",))[0]).to_bytes()) < 1200

    def test_every_damage_to_its_length_is_seen(self, tmp_path: Path) -> None:
        data = read_instance(make_study(tmp_path, ("CT",))[0]).to_bytes()
        for size in range(len(data)):
            with pytest.raises(InstanceError):
                Instance.from_bytes(data[:size])
        with pytest.raises(InstanceError):
            Instance.from_bytes(data + b"\0")

    def test_mutants_are_instances_or_errors(self, tmp_path: Path) -> None:
        chance = random.Random(SEED)
        data = read_instance(make_study(tmp_path, ("CT",))[0]).to_bytes()
        refused = 0
        for _ in range(3000):
            mutant = bytearray(data)
            for _ in range(chance.randint(1, 4)):
                mutant[chance.randrange(len(mutant))] = chance.randrange(256)
            try:
                assert Instance.from_bytes(bytes(mutant)).values() is not None
            except InstanceError:
                refused += 1
        assert refused > 1000


class TestLearnedHeaders:
    """Element headers that were met before are known at once; that may change no verdict."""

    def test_what_one_object_taught_changes_no_other(self) -> None:
        strange = [(0x0021, "OB", 20), (0x1030, "LO", 8), (0x1031, "UT", 6), (0x1032, "DS", 16)]
        data = ct(
            extra=element(0x00200011, "IS", b"12")
            + b"".join(element(0x00210000 | it, vr, bytes(size)) for it, vr, size in strange)
        )
        header = memory(data).data_offset, data.index(b"\xe0\x7f\x10\0")
        rng = random.Random(SEED)
        kinds = set()
        for _ in range(400):
            damaged = bytearray(data)
            damaged[rng.randrange(*header)] ^= 1 << rng.randrange(8)
            EXPLICIT.steps.clear()
            cold = _verdict(bytes(damaged))
            _verdict(data)
            assert _verdict(bytes(damaged)) == cold
            kinds.add(type(cold))
        assert kinds == {Instance, tuple}

    def test_a_key_twice_is_refused_again(self) -> None:
        for _ in range(2):
            with pytest.raises(InstanceError, match="twice"):
                memory(ct(extra=element(0x00200011, "IS", b"1") * 2))

    def test_made_up_headers_fill_no_memory(self) -> None:
        strange = [struct.pack("<HH2sH", 0x21, n, b"LO", 0) for n in range(2 * MAX_STEPS)]
        instance = memory(ct(extra=b"".join(strange)))
        assert instance.fault == ""
        assert len(EXPLICIT.steps) <= MAX_STEPS
        assert memory(ct(extra=b"".join(strange))) == instance
