"""Record keys: what goes in, in what form, and what is supplied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from dicomdir.charset import encode
from dicomdir.elements import element, item, split
from dicomdir.errors import MissingKeyError, UnsupportedSopClassError
from dicomdir.file_id import FileID
from dicomdir.instance import Instance, read_instance
from dicomdir.records import RecordMaker, insert_file_id, insert_number
from dicomdir.values import conform, conform_sequence, has_foreign_text
from tests.factories import KINDS, Patient, make_study

FILE = FileID("DICOM/I1")


def leaf(
    tmp_path: Path, kind: str, *, edit: Callable[[Dataset], object] | None = None, **options: object
) -> tuple[dict[int, bytes], RecordMaker]:
    """Values of the record of one object of this kind, made after a CT."""
    path = make_study(tmp_path, ("CT", kind), edit=edit, **options)[1]  # type: ignore[arg-type]  # test only
    instance = read_instance(path)
    maker = RecordMaker()
    record, cut = maker.leaf(instance, instance.values(), instance.transfer_syntax_uid)
    assert cut == 0
    return split(insert_file_id(record, FILE)[8:]), maker


class TestLeaves:
    def test_each_kind_gets_its_type_and_reference(self, tmp_path: Path) -> None:
        types = {}
        for kind in KINDS:
            values, maker = leaf(tmp_path / kind, kind)
            types[kind] = values[0x00041430].strip()
            assert values[0x00041500] == b"DICOM\\I1"
            assert values[0x00041410] == b"\xff\xff"
            assert maker.supplied == []
        assert types["SR"] == b"SR DOCUMENT"
        assert types["KO"] == b"KEY OBJECT DOC"
        assert types["PR"] == b"PRESENTATION"
        assert types["PDF"] == b"ENCAP DOC"
        assert {types[kind] for kind in KINDS[:7]} == {b"IMAGE"}

    def test_image_keys_of_dvd_and_usb(self, tmp_path: Path) -> None:
        values, _ = leaf(tmp_path, "CT")
        assert {0x00200032, 0x00200037, 0x00200052, 0x00280010, 0x00280011, 0x00280030} <= set(
            values
        )
        assert 0x00080005 not in values  # no text in it

    def test_geometry_out_of_shared_functional_groups(self, tmp_path: Path) -> None:
        def enhance(ds: Dataset) -> None:
            group, position, referenced = Dataset(), Dataset(), Dataset()
            position.ImagePositionPatient = [1, 2, 3]
            referenced.ReferencedSOPClassUID = referenced.ReferencedSOPInstanceUID = "1.2.3"
            group.PlanePositionSequence = [position]
            group.ReferencedImageSequence = [referenced]
            ds.SharedFunctionalGroupsSequence = [group]
            if "ImagePositionPatient" in ds:
                del ds.ImagePositionPatient

        values, _ = leaf(tmp_path, "CT", edit=enhance)
        assert values[0x00200032].strip() == b"1.0\\2.0\\3.0"
        assert b"1.2.3\0" in values[0x00081140]

    def test_top_level_references_win(self, tmp_path: Path) -> None:
        def refer(ds: Dataset) -> None:
            for owner, uid in ((ds, "1.2.9"), (Dataset(), "1.2.8")):
                referenced = Dataset()
                referenced.ReferencedSOPClassUID = referenced.ReferencedSOPInstanceUID = uid
                owner.ReferencedImageSequence = [referenced]
                if owner is not ds:
                    ds.SharedFunctionalGroupsSequence = [owner]

        values, _ = leaf(tmp_path, "MR", edit=refer)
        assert b"1.2.9\0" in values[0x00081140]
        assert b"1.2.8\0" not in values[0x00081140]

    def test_of_a_report_only_concept_modifiers_and_the_last_verification(
        self, tmp_path: Path
    ) -> None:
        values, _ = leaf(tmp_path, "SR")
        assert values[0x0040A030].strip() == b"20240312091500"
        assert b"HAS CONCEPT MOD" in values[0x0040A730]
        assert b"SECRET" not in b"".join(values.values())
        assert b"Vera" not in b"".join(values.values())

    def test_an_unverified_report_has_no_verification_date(self, tmp_path: Path) -> None:
        values, _ = leaf(
            tmp_path, "SR", edit=lambda ds: setattr(ds, "VerificationFlag", "UNVERIFIED")
        )
        assert 0x0040A030 not in values

    def test_a_verified_report_without_observers(self, tmp_path: Path) -> None:
        values, maker = leaf(tmp_path, "SR", missing=("VerifyingObserverSequence",))
        assert values[0x0040A030] == b"20240311101701"
        assert [each.tag for each in maker.supplied] == [0x0040A030]

    def test_presentation_states_say_what_they_show(self, tmp_path: Path) -> None:
        values, _ = leaf(tmp_path, "PR")
        assert b"\x08\0\x40\x11SQ" in values[0x00081115]

    def test_related_general_classes_of_the_file(self, tmp_path: Path) -> None:
        values, _ = leaf(
            tmp_path, "CT", edit=lambda ds: setattr(ds, "RelatedGeneralSOPClassUID", ["1.2.3"])
        )
        assert values[0x0004151A] == b"1.2.3\0"

    def test_only_text_beyond_ascii_brings_its_character_set(self, tmp_path: Path) -> None:
        values, _ = leaf(tmp_path / "1", "PR")
        assert 0x00080005 not in values

        def describe(ds: Dataset) -> None:
            ds.ContentDescription = "Lungenödem"

        values, _ = leaf(tmp_path / "2", "PR", edit=describe)
        assert values[0x00080005] == b"ISO_IR 100"

    def test_text_inside_sequences_counts(self, tmp_path: Path) -> None:
        def rename(ds: Dataset) -> None:
            if "ConceptNameCodeSequence" in ds:
                ds.ConceptNameCodeSequence[0].CodeMeaning = "Röntgenbefund"

        values, _ = leaf(tmp_path, "KO", edit=rename)
        assert values[0x00080005] == b"ISO_IR 100"


class TestSupplied:
    @pytest.mark.parametrize(
        ("kind", "missing", "tag", "value"),
        [
            ("SR", ("ContentDate",), 0x00080023, b"20240311"),
            ("KO", ("ContentTime",), 0x00080033, b"102000"),
            ("KO", ("ContentTime", "InstanceCreationTime"), 0x00080033, b"101500"),
            ("PR", ("ContentLabel",), 0x00700080, b"UNLABELED "),
            ("PR", ("PresentationCreationDate",), 0x00700082, b"20240311"),
        ],
    )
    def test_by_rule(
        self, kind: str, missing: tuple[str, ...], tag: int, value: bytes, tmp_path: Path
    ) -> None:
        values, maker = leaf(tmp_path, kind, missing=missing)
        assert values[tag] == value
        assert [each.tag for each in maker.supplied] == [tag]
        assert maker.supplied[0].rule.startswith("PDI-82")
        assert value.decode().strip() not in str(maker.supplied[0]) or tag == 0x00700080

    @pytest.mark.parametrize(
        ("kind", "missing"),
        [
            ("SR", "CompletionFlag"),
            ("KO", "ConceptNameCodeSequence"),
            ("PDF", "MIMETypeOfEncapsulatedDocument"),
        ],
    )
    def test_without_rule_it_is_an_error(self, kind: str, missing: str, tmp_path: Path) -> None:
        with pytest.raises(MissingKeyError):
            leaf(tmp_path, kind, missing=(missing,))

    def test_type_2_keys_are_there_though_empty(self, tmp_path: Path) -> None:
        values, maker = leaf(tmp_path, "PDF", missing=("DocumentTitle", "ConceptNameCodeSequence"))
        assert values[0x00420010] == values[0x0040A043] == b""
        assert maker.supplied == []

    def test_an_open_instance_number(self, tmp_path: Path) -> None:
        path = make_study(tmp_path, ("CT",), missing=("InstanceNumber",))[0]
        instance = read_instance(path)
        record, cut = RecordMaker().leaf(instance, instance.values(), "1.2")
        whole = split(insert_file_id(insert_number(record, cut, 17), FILE)[8:])
        assert whole[0x00200013] == b"17"
        assert list(whole) == sorted(whole)
        assert whole[0x00041500] == b"DICOM\\I1"

    def test_no_record_for_an_unknown_class(self) -> None:
        instance = Instance("1.2.3", "1.2", "1.2", "1.2", "1.2", b"", 1, 1)
        with pytest.raises(UnsupportedSopClassError):
            RecordMaker().leaf(instance, {}, "1.2")

    def test_changed_forms_are_said_for_each_object(self, tmp_path: Path) -> None:
        maker = RecordMaker()
        for path in make_study(
            tmp_path,
            ("CT", "CT"),
            edit=lambda ds: ds.__setattr__("ImageType", ["ORIGINAL", "PRIMARY", "AXIAL_MPR "]),
        ):
            path.write_bytes(path.read_bytes().replace(b"AXIAL_MPR", b"Axial-MPR"))
            instance = read_instance(path)
            record, _ = maker.leaf(instance, instance.values(), "1.2")
            assert split(record[8:])[0x00080008].strip() == b"ORIGINAL\\PRIMARY\\AXIAL_MPR"
        assert [each.tag for each in maker.supplied] == [0x00080008] * 2
        assert all(each.rule.startswith("PDI-84") for each in maker.supplied)

    def test_lost_letters_are_said(self, tmp_path: Path) -> None:
        *_, path = make_study(tmp_path, ("CT", "PR"))
        data = path.read_bytes()
        path.write_bytes(data.replace(b"ISO_IR 100", b"ISO_IR 192"))
        instance = read_instance(path)
        values = {**instance.values(), 0x00700081: b"M\xfcller "}
        maker = RecordMaker()
        record, _ = maker.leaf(instance, values, "1.2")
        assert split(record[8:])[0x00700081].strip() == b"M?ller"
        (said,) = maker.supplied
        assert said.rule.startswith("PDI-68: letters")


class TestForms:
    @pytest.mark.parametrize(
        ("vr", "value", "formed"),
        [
            ("DA", b"20240311", b"20240311"),
            ("DA", b"2024.03.11", b"20240311"),
            ("DA", b"2024-03-11", b"20240311"),
            ("DA", b"11 March", b""),
            ("DA", b"20041399", b""),
            ("DA", b"20240229", b"20240229"),
            ("DA", b"20230229", b""),
            ("DA", b"1961.00.00", b""),
            ("DA", b"00000000", b""),
            ("TM", b"101530.123456 ", b"101530.123456"),
            ("TM", b"10:15:30", b"101530"),
            ("TM", b"10:15:30.12345678", b"101530.123456"),
            ("TM", b"10", b"10"),
            ("TM", b"25", b""),
            ("TM", b"240000", b""),
            ("TM", b"106000", b""),
            ("TM", b"235960", b"235960"),
            ("TM", b"101561", b""),
            ("DT", b"20240311101500.5+0100", b"20240311101500.5+0100"),
            ("DT", b"yesterday", b""),
            ("DT", b"2004", b"2004"),
            ("DT", b"200402-0500", b"200402-0500"),
            ("DT", b"20041399", b""),
            ("DT", b"20040101256000", b""),
            ("DT", b"20040101+9900", b""),
            ("CS", b"original\\primary", b"ORIGINAL\\PRIMARY"),
            ("CS", b"A-B", b"A_B"),
            ("CS", b"ABCDEFGHIJKLMNOPQRS", b"ABCDEFGHIJKLMNOP"),
            ("CS", b"ORIGINAL\\PRIMARY\\", b"ORIGINAL\\PRIMARY\\"),
            ("IS", b" 12 ", b"12"),
            ("IS", b"12.0", b""),
            ("IS", b"99999999999", b""),
            ("DS", b"0.70312500000000001\\1", b"0.703125\\1"),
            ("DS", b"-123456.789012345678\\1", b"-123456.78901235\\1"),
            ("DS", b"1e400000", b""),
            ("DS", b"a\\b", b""),
            ("DS", b"1000000000000000e999", b""),
            ("UI", b"1.2.3\0", b"1.2.3"),
            ("UI", b"1.2.x", b""),
            ("SH", b"12345678901234567890", b"1234567890123456"),
            ("LO", b"x" * 70, b"x" * 64),
            ("LO", b"a\0b\x07c", b"abc"),
            ("LO", b"a\r\nb\tc\r\n", b"a b c"),
            ("LO", b"a\\b", b"a/b"),
            ("PN", b"A\\B^C", b"A/B^C"),
            ("LT", b"a\r\nb\\c", b"a\r\nb\\c"),
            ("PN", b"A" * 80 + b"=" + b"B" * 10, b"A" * 64 + b"=" + b"B" * 10),
            ("US", b"\1", b""),
            ("US", b"\1\0", b"\1\0"),
            ("LO", b" \0", b""),
        ],
    )
    def test_conform(self, vr: str, value: bytes, formed: bytes) -> None:
        assert conform(vr, value, b"", many=vr == "CS") == formed
        assert conform(vr, formed, b"", many=vr == "CS") == formed

    def test_one_value_where_there_may_be_one_alone(self) -> None:
        assert conform("CS", b"CT\\MR", b"") == b"CT_MR"
        assert conform("PN", b"A^B\\C^D", b"", many=True) == b"A^B\\C^D"
        assert conform("LO", b"a\x9bb\xfc\\c", b"ISO_IR 100") == b"ab\xfc/c"

    def test_text_in_its_set(self) -> None:
        assert conform("LO", "ä".encode("latin_1") * 70, b"ISO_IR 100") == b"\xe4" * 64
        assert conform("SH", ("ä" * 20).encode(), b"ISO_IR 192") == ("ä" * 16).encode()
        assert conform("SH", b"\xe4bc", b"") == b"?bc"
        japanese = b"\x1b$B;3ED\x1b(B"
        assert conform("LO", japanese, b"\\ISO 2022 IR 87") == japanese

    def test_sequences(self) -> None:
        def coded(meaning: bytes) -> bytes:
            inner = element(0x00080104, "LO", meaning)
            return item(element(0x0040A043, "SQ", item(inner)))

        assert conform_sequence(coded(b"plain"), b"") == coded(b"plain")
        assert conform_sequence(coded(b"\xe4"), b"ISO_IR 100") == coded(b"\xe4")
        assert conform_sequence(coded(b"\xe4"), b"") == coded(b"?")
        assert has_foreign_text("SQ", coded(b"\xe4"))
        assert not has_foreign_text("SQ", item(element(0x0040A0B0, "US", b"\xff\xff")))

    def test_encoding_back(self) -> None:
        assert encode("ä", b"ISO_IR 100") == b"\xe4"
        assert encode("ä山", b"ISO_IR 192") == "ä山".encode()
        assert encode("ä", b"\\ISO 2022 IR 87") == b"?"


def test_patients_of_other_scripts(tmp_path: Path) -> None:
    """The set goes with the name, untouched."""
    patient = Patient(name="Wang^XiaoDong=王^小东", charset="GB18030")
    instance = read_instance(make_study(tmp_path, ("CT",), patient=patient)[0])
    assert instance.text(0x00100010) == patient.name
