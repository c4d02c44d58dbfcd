"""Plans of media: they fit when they are made, nothing is lost, and the fewest are taken."""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burner.stick_files import StickFile
from burner.stick_volume import StickState, StickVolume, require_room
from dicomdir.disc_set import (
    Choice,
    Kind,
    Offer,
    choose,
    contents_of,
    set_volume_id,
)
from dicomdir.encrypt.keys import Derivation
from dicomdir.encrypt.pages import protected_index, protected_readme
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.errors import ImageTooLargeError, InstanceTooLargeError
from dicomdir.file_id import FILES_PER_FOLDER
from dicomdir.iso import author
from dicomdir.loads import Load, Overhead, SeriesLoad, StudyLoad
from dicomdir.pdi import Entry, FileSource, PdiVolume, lay_out
from dicomdir.readme import Site
from dicomdir.room import Disc, Stick, fat_bytes, iso_blocks
from dicomdir.span import MediumPlan, span
from dicomdir.web import LinkCase

CREATED = datetime(2026, 3, 4, tzinfo=UTC)
SITE = Site("Example Hospital", ("1 Example Street",), version="1.0")
README = b"read me" * 300
COMMON = Overhead((("README.TXT", len(README)),), (3000, 5000))
VIEWER = Overhead(
    (("README.TXT", len(README)), ("VIEWER/VIEW.EXE", 30_000), ("VIEWER/DATA/A.BIN", 4097)),
    (3000, 5000),
)


def study(
    number: int, *series: Sequence[int], pages: int = 0, follows: dict[int, int] | None = None
) -> StudyLoad:
    """Of Series of these object sizes; `pages` bytes of a JPEG for each object."""
    made = []
    for at, sizes in enumerate(series):
        leader = (follows or {}).get(at)
        made.append(
            SeriesLoad(
                f"1.{number}.{at}",
                tuple(
                    Load(f"1.{number}.{at}.{i}", size, 700, (pages,) if pages else ())
                    for i, size in enumerate(sizes)
                ),
                500,
                (1000,) if pages else (),
                follows="" if leader is None else f"1.{number}.{leader}",
            )
        )
    return StudyLoad(f"1.{number}", tuple(made), 600, f"20{99 - number:02d}0101", "Study")


def volume_of(plan: MediumPlan, overhead: Overhead, source: Path) -> PdiVolume:
    """The largest volume that the plan speaks of: pages and DICOMDIR as long as they may be."""
    objects: list[Entry] = []
    pages = [Entry(f"IHE_PDI/P{i:07d}.HTM", bytes(it)) for i, it in enumerate(overhead.page_files)]
    index = pages.pop(0)
    records = 0
    series_at: dict[str, list[str]] = {}
    for part in plan.parts:
        listed = series_at.setdefault(part.study.study_instance_uid, [])
        if not listed:
            records += part.study.record_bytes
        listed.append(part.series.series_instance_uid)
        records += part.series.record_bytes
        folder = f"DICOM/P0000001/ST{len(series_at):06d}/SE{len(listed):06d}"
        web = f"IHE_PDI/W{len(series_at):03d}{len(listed):04d}"
        for number, size in enumerate(part.series.page_files):
            pages.append(Entry(f"{web}/S{number:07d}.HTM", bytes(size)))
        for number, load in enumerate(part.instances):
            deeper = ""
            if len(part.instances) > FILES_PER_FOLDER:
                deeper = f"/D{number // FILES_PER_FOLDER + 1:07d}"
            objects.append(
                Entry(
                    f"{folder}{deeper}/I{number + 1:07d}", FileSource(str(source), load.size_bytes)
                )
            )
            records += load.record_bytes
            for size in load.page_files:
                pages.append(Entry(f"{web}/J{number:07d}.JPG", bytes(size)))
    return lay_out(
        volume_id=set_volume_id("PDI_TESTING", plan.number, plan.of),
        dicomdir=bytes(overhead.directory_bytes + records),
        readme=README,
        index=index.source if isinstance(index.source, bytes) else b"",
        pages=pages,
        viewer=[
            Entry(path, bytes(size)) for path, size in overhead.files if path.startswith("VIEWER/")
        ],
        objects=objects,
    )


def sizes_of(volume: PdiVolume) -> list[tuple[str, int]]:
    return [(entry.path, entry.size_bytes) for entry in volume.entries]


def placed(plans: Sequence[MediumPlan]) -> list[str]:
    return [uid for plan in plans for uid in plan.sop_instance_uids]


def all_uids(studies: Sequence[StudyLoad]) -> list[str]:
    return [i.sop_instance_uid for s in studies for e in s.series for i in e.instances]


STUDIES = st.lists(
    st.tuples(
        st.lists(st.lists(st.integers(1, 60_000), min_size=1, max_size=60), min_size=1, max_size=5),
        st.sampled_from([0, 0, 3000]),
        st.sampled_from([{}, {}, {1: 0}, {1: 0, 2: 0, 4: 3}]),
    ),
    min_size=1,
    max_size=5,
).map(
    lambda listed: [
        study(n, *series, pages=p, follows={a: b for a, b in follows.items() if a < len(series)})
        for n, (series, p, follows) in enumerate(listed)
    ]
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "zeros"
    with path.open("wb") as file:
        file.truncate(1 << 20)
    return path


def require_sound(studies: list[StudyLoad], plans: Sequence[MediumPlan]) -> None:
    """Nothing lost or doubled, in order, no Series split that fits alone."""
    order = {uid: at for at, uid in enumerate(all_uids(studies))}
    uids = placed(plans)
    assert sorted(uids) == sorted(order)
    for plan in plans:
        places = [order[uid] for uid in plan.sop_instance_uids]
        assert places == sorted(places)
        assert plan.of == len(plans)
        assert plan.units <= plan.limit
    firsts = [order[next(iter(plan.sop_instance_uids))] for plan in plans]
    assert firsts == sorted(firsts)
    assert firsts[0] == 0


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STUDIES, st.integers(120, 1500), st.sampled_from([COMMON, VIEWER]))
def test_a_planned_disc_always_fits(
    source: Path, studies: list[StudyLoad], blocks: int, overhead: Overhead
) -> None:
    disc = Disc(blocks)
    plans = span_or_more(studies, disc, overhead)
    require_sound(studies, plans)
    for plan in plans:
        volume = volume_of(plan, overhead, source)
        real = iso_blocks(sizes_of(volume))
        assert real <= plan.units <= blocks
        # As near as pages allow, whose folders are the web part's own.
        series = len(plan.parts)
        assert plan.units - real <= 12 + 3 * series
        for part in plan.parts:
            if not part.is_whole:
                alone = replace(part.study, series=(part.series,))
                assert len(span([alone], disc, overhead)) > 1


def span_or_more(
    studies: list[StudyLoad], disc: Disc | Stick, overhead: Overhead
) -> tuple[MediumPlan, ...]:
    """A plan; if it takes too many media, of what one medium of the first Study's would be."""
    try:
        return span(studies, disc, overhead)
    except InstanceTooLargeError:
        raise
    except ImageTooLargeError:  # too many media
        return span(studies, Disc(20_000), overhead)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(STUDIES, st.integers(120, 1500))
def test_an_authored_disc_fits_into_that_capacity(
    tmp_path: Path, source: Path, studies: list[StudyLoad], blocks: int
) -> None:
    for plan in span_or_more(studies, Disc(blocks), VIEWER):
        volume = volume_of(plan, VIEWER, source)
        out = tmp_path / "out.iso"
        image = author(volume, out, created_at=CREATED, capacity_blocks=plan.limit, sync=False)
        assert image.blocks == iso_blocks(sizes_of(volume))


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(STUDIES, st.integers(150, 1500))
def test_a_planned_protected_disc_fits_too(
    tmp_path: Path, source: Path, studies: list[StudyLoad], blocks: int
) -> None:
    clear = (
        ("README.TXT", len(protected_readme(SITE))),
        ("INDEX.HTM", len(protected_index(SITE, links=LinkCase.LOWER))),
    )
    # README.TXT of the plain volume is sealed too
    overhead = Overhead(clear, (3000, 5000, len(README)), is_protected=True)
    plain = Overhead((), (3000, 5000))
    derivation = Derivation(b"\1" * 16, 33_000)
    for plan in span_or_more(studies, Disc(blocks), overhead):
        volume = volume_of(plan, plain, source)
        work = Path(tempfile.mkdtemp(dir=tmp_path))
        protected = encrypt_volume(
            volume, "H7KQ-3MXA-9PTD-VW4E", work, site=SITE, derivation=derivation
        )
        real = iso_blocks(sizes_of(protected))
        assert real <= plan.units <= plan.limit


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STUDIES, st.sampled_from([512, 4096, 32_768]), st.integers(2, 40))
def test_a_planned_stick_always_fits(
    source: Path, studies: list[StudyLoad], cluster: int, megabytes: int
) -> None:
    stick = Stick(megabytes << 20, cluster)
    plans = span(studies, stick, VIEWER)
    require_sound(studies, plans)
    for plan in plans:
        files = sizes_of(volume_of(plan, VIEWER, source))
        assert fat_bytes(files, cluster) <= stick.free_bytes
        # the judge that looks at the stick itself
        listed = [StickFile(path, source, 0, size) for path, size in files]
        require_room(_EmptyStick(), StickState(stick.free_bytes, cluster, ""), None, listed)


class _EmptyStick(StickVolume):
    def __init__(self) -> None:
        pass

    def list_root(self) -> list:  # type: ignore[type-arg]  # nothing is on it
        return []


def test_everything_on_one_medium_if_it_fits() -> None:
    studies = [study(0, [9000] * 20, [500]), study(1, [9000] * 5)]
    (plan,) = span(studies, Disc(10_000), COMMON)
    assert placed([plan]) == all_uids(studies)
    assert (plan.number, plan.of, plan.instances) == (1, 1, 26)
    assert len(span(studies, Disc(plan.units), COMMON)) == 1
    assert len(span(studies, Disc(plan.units - 1), COMMON)) == 2


def test_studies_stay_together_if_that_costs_no_medium() -> None:
    """Two of 60 % each: two media either way, so neither is torn."""
    one = [study(0, *[[20_480] * 10] * 3), study(1, *[[20_480] * 10] * 3)]
    plans = span(one, Disc(500), COMMON)
    assert [{p.study.study_instance_uid for p in plan.parts} for plan in plans] == [
        {"1.0"},
        {"1.1"},
    ]


def test_a_study_is_torn_at_series_if_that_saves_a_medium() -> None:
    """Three of 60 %: two media hold them only if one Study is on both."""
    studies = [study(n, *[[20_480] * 10] * 3) for n in range(3)]
    plans = span(studies, Disc(580), COMMON)
    assert len(plans) == 2
    assert all(part.is_whole for plan in plans for part in plan.parts)
    require_sound(studies, plans)


def test_the_largest_first_if_only_that_saves_a_medium() -> None:
    sizes = [40, 30, 60, 70]  # in order: 40+30, 60, 70; by size: 70+30, 60+40
    studies = [study(n, [size * 2048]) for n, size in enumerate(sizes)]
    plans = span(studies, Disc(100 + 45), COMMON)
    assert len(plans) == 2
    require_sound(studies, plans)


def test_a_series_is_split_only_if_it_alone_does_not_fit() -> None:
    studies = [study(0, [20_480] * 100, [2048] * 3)]
    plans = span(studies, Disc(500), COMMON)
    assert len(plans) == 3
    parts = [part for plan in plans for part in plan.parts]
    long = sorted((p.first, p.stop) for p in parts if p.series.series_instance_uid == "1.0.0")
    assert [first for first, _ in long] == [0, *(stop for _, stop in long[:-1])]
    assert long[-1][1] == 100
    assert [p.is_whole for p in parts if p.series.series_instance_uid == "1.0.1"] == [True]


def test_companions_go_with_the_series_they_speak_of() -> None:
    """PDI-103: the presentation state of the second Series is on its disc."""
    series = [[20_480] * 25, [20_480] * 25, [2048]]
    studies = [study(0, *series, follows={2: 1})]
    plans = span(studies, Disc(420), COMMON)
    at = {p.series.series_instance_uid: plan.number for plan in plans for p in plan.parts}
    assert at["1.0.2"] == at["1.0.1"] != at["1.0.0"]


@pytest.mark.parametrize("wanted", [0, 17, 34, 59])
def test_companions_go_with_the_piece_of_a_series_that_they_speak_of(wanted: int) -> None:
    (one,) = [study(0, [20_480] * 60, [2048], [2048], follows={1: 0, 2: 0})]
    leader, ours, other = one.series
    ours = replace(ours, refers_to=f"1.0.0.{wanted}")
    plans = span([replace(one, series=(leader, ours, other))], Disc(300), COMMON)
    assert len(plans) > 2
    (home,) = [plan for plan in plans if "1.0.1.0" in list(plan.sop_instance_uids)]
    assert f"1.0.0.{wanted}" in list(home.sop_instance_uids)


def test_a_series_is_not_cut_to_make_room_for_its_companions() -> None:
    disc = Disc(300)
    fits = [n for n in range(1, 60) if len(span([study(0, [20_480] * n)], disc, COMMON)) == 1]
    plans = span([study(0, [20_480] * fits[-1], [60_000], follows={1: 0})], disc, COMMON)
    assert [[part.is_whole for part in plan.parts] for plan in plans] == [[True], [True]]


@pytest.mark.parametrize("forbid", [False, True])
def test_an_object_larger_than_the_medium_is_named(forbid: bool) -> None:
    studies = [study(0, [2048, 2048]), study(1, [2048, 900 * 2048, 2048])]
    with pytest.raises(
        InstanceTooLargeError, match=r"1\.1\.0\.1 of 1843200 bytes .* 500 units"
    ) as caught:
        span(studies, Disc(500), COMMON, forbid_spanning=forbid)
    assert caught.value.sop_instance_uid == "1.1.0.1"


def test_fat_takes_no_file_of_4_gib() -> None:
    assert len(span([study(0, [(1 << 32) - 1])], Stick(1 << 40, 32_768), COMMON)) == 1
    with pytest.raises(InstanceTooLargeError):
        span([study(0, [1 << 32])], Stick(1 << 40, 32_768), COMMON)
    with pytest.raises(InstanceTooLargeError):
        span([study(0, [(1 << 32) - 2047])], Disc(1 << 30), COMMON)


def test_forbidden_spanning_says_the_numbers() -> None:
    studies = [study(0, [20_480] * 100)]
    with pytest.raises(ImageTooLargeError, match=r"10\d\d units of 2048 bytes do not fit into 700"):
        span(studies, Disc(700), COMMON, forbid_spanning=True)
    assert len(span(studies, Disc(1200), COMMON, forbid_spanning=True)) == 1


def test_a_medium_that_not_even_holds_the_viewer() -> None:
    with pytest.raises(ImageTooLargeError, match="every medium carries"):
        span([study(0, [100])], Disc(30), VIEWER)
    with pytest.raises(ImageTooLargeError, match="nothing"):
        span([], Disc(3000), VIEWER)


def test_too_many_media_are_refused() -> None:
    with pytest.raises(ImageTooLargeError, match="35 is the most"):
        span([study(0, [20_480] * 1000)], Disc(150), COMMON)


def test_ten_thousand_objects_and_folders_of_a_thousand(source: Path) -> None:
    studies = [study(0, [2048] * 2500, [2048] * 1001, [2048] * 1000), study(1, *[[2048]] * 1500)]
    (plan,) = span(studies, Disc(100_000), COMMON)
    real = iso_blocks(sizes_of(volume_of(plan, COMMON, source)))
    assert real <= plan.units <= real + 12


def test_the_same_loads_give_the_same_plan() -> None:
    rng = random.Random(7)
    studies = [
        study(n, *([rng.randrange(1, 90_000) for _ in range(30)] for _ in range(6)))
        for n in range(5)
    ]
    assert span(studies, Disc(1500), COMMON) == span(studies, Disc(1500), COMMON)


def test_never_far_from_the_fewest() -> None:
    """By the sum of all units; first fit, largest first, is within 11/9 of the best, plus 1."""
    rng = random.Random(11)
    for _ in range(40):
        studies = [
            study(n, *([rng.randrange(1, 60_000) for _ in range(count)] for count in (3, 17, 30)))
            for n in range(6)
        ]
        plans = span(studies, Disc(1000), COMMON)
        least = math.ceil(sum(plan.units - 40 for plan in plans) / (1000 - 40))
        assert len(plans) <= math.ceil(11 / 9 * least) + 1


# --- the set --------------------------------------------------------------------------------------


def test_volume_identifiers_count() -> None:
    assert set_volume_id("PDI_ABCDEFG", 1, 1) == "PDI_ABCDEFG"
    made = [set_volume_id("PDI_ABCDEFG", n, 35) for n in range(1, 36)]
    assert made[0] == "PDI_ABCDE1Z"
    assert made[-1] == "PDI_ABCDEZZ"
    assert len(set(made)) == 35
    for number, of in ((0, 3), (4, 3), (1, 36)):
        with pytest.raises(ImageTooLargeError):
            set_volume_id("PDI_ABCDEFG", number, of)


def test_contents_say_what_is_where() -> None:
    studies = [study(0, [20_480] * 60, [2048] * 3), study(1, [2048] * 2)]
    discs = contents_of(span(studies, Disc(450), COMMON), "PDI_ABCDEFG")
    assert [(disc.number, disc.of, disc.volume_id) for disc in discs] == [
        (1, 2, "PDI_ABCDE12"),
        (2, 2, "PDI_ABCDE22"),
    ]
    assert sum(disc.instances for disc in discs) == 65
    split = [s for d in discs for t in d.studies for s in t.series if not s.is_whole]
    assert [(s.first, s.instances, s.of) for s in split] == [
        (1, split[0].instances, 60),
        (split[0].instances + 1, 60 - split[0].instances, 60),
    ]


MB = 1 << 20
CD, LONG_CD, SHORT_CD = (Offer(Kind.CD, Disc(blocks)) for blocks in (330_000, 359_844, 300_000))
DVD, BD = Offer(Kind.DVD, Disc(2_295_104)), Offer(Kind.BD, Disc(11_826_176))
STICK, FULL_STICK = (Offer(Kind.STICK, Stick(it, 32_768)) for it in (4 << 30, 100 * MB))
SMALL_CD, SMALL_STICK = Offer(Kind.CD, Disc(20_000)), Offer(Kind.STICK, Stick(16 * MB, 512))
CHOICES: dict[str, tuple[list[int], list[Offer], str, int]] = {
    "small": ([MB] * 100, [CD, DVD], "cd", 1),
    "a dvd": ([MB] * 1000, [CD, DVD], "dvd", 1),
    "reported, not nominal": ([MB] * 640, [SHORT_CD, DVD], "dvd", 1),
    "the same with a long cd": ([MB] * 640, [LONG_CD, DVD], "cd", 1),
    "padding counts": ([1] * 20_000, [SMALL_CD, SMALL_STICK], "cd", 2),
    "smaller clusters, less padding": ([1] * 10_000, [SMALL_CD, SMALL_STICK], "cd", 1),
    "a bd": ([MB] * 9000, [DVD, BD], "bd", 1),
    "no bd: several dvds": ([MB] * 9000, [CD, DVD], "dvd", 3),
    "a stick before several cds": ([MB] * 1500, [CD, STICK], "stick", 1),
    "only cds": ([MB] * 1500, [CD], "cd", 3),
    "the stick is too full": ([MB] * 1500, [CD, FULL_STICK], "cd", 3),
    "nothing in the drive": ([MB], [Offer(Kind.CD, Disc(0)), STICK], "stick", 1),
    "the smaller of a kind": ([MB], [LONG_CD, CD], "cd", 1),
}


@pytest.mark.parametrize("name", CHOICES)
def test_the_medium_is_chosen_by_size(name: str) -> None:
    sizes, offers, kind, media = CHOICES[name]
    made: Choice = choose([study(0, sizes)], offers, COMMON)
    assert (made.offer.kind.value, len(made.media)) == (kind, media)
    if name == "the smaller of a kind":
        assert made.offer is CD


def test_no_offer_will_do() -> None:
    with pytest.raises(ImageTooLargeError, match="no medium"):
        choose([study(0, [1])], [], COMMON)
    with pytest.raises(InstanceTooLargeError):
        choose([study(0, [900 * MB])], [CD], COMMON)
    with pytest.raises(ImageTooLargeError, match=r"not fit into 2295104, .* not allowed"):
        choose([study(0, [900 * MB] * 9)], [CD, DVD], COMMON, forbid_spanning=True)


def test_what_a_drive_reports_is_not_all_for_the_image() -> None:
    assert Disc.reported(359_844, 182) == Disc(359_662)
    assert Disc.reported(100, 182) == Disc(0)
