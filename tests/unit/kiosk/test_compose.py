"""What engine and builder say to each other; the processes are in tests/integration."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from dicomdir.readme import Site, ViewerFacts
from dicomdir.summary import LeftOut
from kiosk.builder.protocol import ERRORS, ComposedImage, ComposeRequest, clean
from kiosk.domain.model import Medium, OrderId, PatientIdentity
from kiosk.errors import InvalidValueError
from kiosk.services.compose import volume_id_of
from tests.jobs import CREATED

VIEWER = ViewerFacts("Looker", "1", ("x", "y"), "any", "none", "none", "VIEWER/START.HTM")
REQUEST = ComposeRequest(
    folder=Path("/spool/job-1"),
    patient=PatientIdentity("P1", "HOSP", "Müller^Jürgen=山田", "19610312"),
    study_instance_uids=("1.2.3", "1.2.4"),
    volume_id="PDI_1234567",
    site=Site("Klinik", ("Straße 1", "555"), "1.0", notice="n", viewer=VIEWER),
    created_at=CREATED,
    medium=Medium.STICK,
    capacity_blocks=5,
    rehash=True,
    refused=("1.2.9",),
    expected={"1.2.3": 4},
)
IMAGE = ComposedImage(
    path=Path("/spool/job-1/image.iso"),
    blocks=10,
    size_bytes=20480,
    sha256="ab" * 32,
    volume_id="PDI_1234567",
    file_set_uid="2.25.1",
    instances=3,
    images_on_it=1,
    reports_on_it=1,
    left_out=(LeftOut("1.2.5", "1.2.6", "profile.transfer_syntax"),),
    supplied=("(0020,0013) of 1.2.5: PDI-82: next free in the Series",),
)


def test_a_request_survives_the_pipe() -> None:
    text = REQUEST.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert ComposeRequest.from_json(text) == REQUEST
    plain = replace(REQUEST, site=replace(REQUEST.site, viewer=None))
    assert ComposeRequest.from_json(plain.to_json()) == plain


def digest(request: ComposeRequest, arrivals: bytes = b"index") -> str:
    return request.digest(io.BufferedReader(io.BytesIO(arrivals)))  # type: ignore[arg-type]  # BytesIO is raw enough


def test_what_makes_another_image_makes_another_digest() -> None:
    base = digest(REQUEST)
    assert digest(REQUEST) == base
    same = replace(
        REQUEST,
        created_at=CREATED.replace(year=2031),
        capacity_blocks=9,
        rehash=False,
        refused=(),
    )
    assert digest(same) == base
    others = [
        replace(REQUEST, patient=replace(REQUEST.patient, patient_id="P2")),
        replace(REQUEST, study_instance_uids=("1.2.3",)),
        replace(REQUEST, volume_id="PDI_7654321"),
        replace(REQUEST, site=replace(REQUEST.site, institution="Else")),
        replace(REQUEST, medium=Medium.DISC),
        replace(REQUEST, folder=Path("/spool/job-2")),
    ]
    assert len({base, digest(REQUEST, b"other"), *map(digest, others)}) == 2 + len(others)


def test_facts_survive_a_file() -> None:
    facts = json.loads(json.dumps(IMAGE.to_facts()))
    assert ComposedImage.from_facts(IMAGE.path.parent, facts) == IMAGE
    assert "path" not in facts


@pytest.mark.parametrize(
    "change",
    [
        {"blocks": -1},
        {"blocks": "10"},
        {"blocks": True},
        {"images_on_it": -1},
        {"reports_on_it": 3},
        {"sha256": "zz"},
        {"sha256": 7},
        {"left_out": [{"a": 1}]},
        {"left_out": None},
        {"unknown": 1},
    ],
)
def test_facts_that_are_not_ours_are_refused(change: dict[str, object]) -> None:
    facts = {**json.loads(json.dumps(IMAGE.to_facts())), **change}
    with pytest.raises(InvalidValueError):
        ComposedImage.from_facts(Path("/spool/job-1"), facts)


@pytest.mark.parametrize("missing", list(IMAGE.to_facts()))
def test_missing_facts_are_refused(missing: str) -> None:
    facts = json.loads(json.dumps(IMAGE.to_facts()))
    del facts[missing]
    with pytest.raises(InvalidValueError):
        ComposedImage.from_facts(Path("/spool/job-1"), facts)


def test_volume_identifiers_tell_nothing_and_differ() -> None:
    made = {volume_id_of(OrderId(f"order-{number}")) for number in range(3000)}
    assert len(made) == 3000
    assert all(re.fullmatch(r"PDI_[0-9A-Z]{7}", it) for it in made)  # PDI-99
    # A disc that an earlier version wrote is known by it after an update.
    assert volume_id_of(OrderId("order-1")) == "PDI_8PGKWIF"


def test_every_error_that_a_builder_may_name_takes_one_text() -> None:
    for error in ERRORS.values():
        assert str(error("text")) == "text"


def test_cleaning_leaves_what_was_retrieved(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir()
    (tmp_path / "objects" / "00000001").write_bytes(b"x")
    (tmp_path / "arrivals").write_bytes(b"x")
    for name in ("image.iso", "image.iso.part", "image.json", "image.json.part"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "converted").mkdir()
    (tmp_path / "converted" / "00000000").write_bytes(b"x")
    for _ in range(2):
        clean(tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == {"objects", "arrivals"}
