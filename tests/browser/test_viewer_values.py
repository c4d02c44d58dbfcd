"""Values of the modality in real browsers: SUVs, units, windows on them, and angiograms' masks.

Every number that the page says is held against pydicom's and numpy's of the same file.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_modality_lut, apply_windowing, set_pixel_data
from pydicom.uid import UID

from tests.browser.pages import CLOSE, STILL, VP, no_complaints, open_series, opened, pixels
from tests.browser.test_viewer_core import pack
from tests.browser.test_viewer_tools import WRITTEN
from tests.browsers import PROGRAMS, Browser
from tests.factories import make_datasets, stable_uid, write

pytestmark = pytest.mark.integration

ROWS, COLUMNS = 24, 32
_CLASS: Final = "1.2.840.10008.5.1.4.1.1."
HALF_LIFE: Final = 6586.2
DOSE: Final = 3.7e8
WEIGHT: Final = 72.5
FULL: Final = WEIGHT * 1000 / DOSE
PLAYS = "sendhome.commands.get('play').isOn(sendhome)"
# Every pixel of the frame shown: its value, the object's own, and the words about them.
PROBED = """(() => {
  const vp = sendhome.stage.active;
  const { rows, columns, info } = vp.picture;
  const all = Array.from({ length: rows * columns }, (_, i) =>
    vp.probe({ x: i % columns, y: Math.floor(i / columns) }));
  return { values: all.map((each) => each.value[0]), units: [...new Set(all.map((p) => p.unit))],
    own: all.map((each) => each.recorded?.value ?? null),
    ownUnits: [...new Set(all.map((each) => each.recorded?.unit ?? null))],
    why: info.noSuv, masks: info.mask?.frames ?? [], number: info.number };
})()"""
CORNER: Final = ".corner.bottom-right"
WINDOW = f"{VP}.voi.window"
POINT = "{ x: 16.5, y: 12.5 }"  # the middle of a pixel


def seconds(text: str) -> float:
    """Of a date and time, as DT has them."""
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()


def decayed(start: str, scan: str, half_life: float = HALF_LIFE) -> float:
    """The factor to SUVs, of a dose that decays from its start to the scan."""
    return FULL / 2 ** (-(seconds(scan) - seconds(start)) / half_life)


def private(ds: Dataset, group: int, creator: str, element: int, vr: str, value: Any) -> None:
    ds.private_block(group, creator, create=True).add_new(element, vr, value)


def drug(ds: Dataset) -> Dataset:
    found: Dataset = ds.RadiopharmaceuticalInformationSequence[0]
    return found


def edited(**values: Any) -> Callable[[Dataset], None]:
    """An edit of the object, or of its radiopharmaceutical where that has the attribute."""

    def edit(ds: Dataset) -> None:
        for keyword, value in values.items():
            target = drug(ds) if keyword.startswith("Radi") else ds
            if value is None:
                delattr(target, keyword)
            else:
                setattr(target, keyword, value)

    return edit


def _midnight(ds: Dataset) -> None:
    ds.SeriesDate = ds.AcquisitionDate = "20240312"
    ds.SeriesTime, ds.AcquisitionTime = "002000", "002500"
    del drug(ds).RadiopharmaceuticalStartDateTime
    drug(ds).RadiopharmaceuticalStartTime = "233000"


def _ge(ds: Dataset) -> None:
    ds.SeriesTime = "150000"
    private(ds, 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240311101200.00")


def _average(ds: Dataset) -> None:
    ds.SeriesTime = "150000"
    ds.FrameReferenceTime, ds.ActualFrameDuration = 250_000.0, 180_000


def _philips(*factors: tuple[int, float]) -> Callable[[Dataset], None]:
    def edit(ds: Dataset) -> None:
        ds.Units = "CNTS"
        for element, factor in factors:
            private(ds, 0x7053, "Philips PET Private Group", element, "DS", factor)

    return edit


def _two_drugs(ds: Dataset) -> None:
    ds.RadiopharmaceuticalInformationSequence.append(deepcopy(drug(ds)))


def _averaged() -> float:
    decay = math.log(2) / HALF_LIFE
    during = decay * 180
    late = math.log(during / (1 - math.exp(-during))) / decay
    elapsed = seconds("20240311101800") - 250 + late - seconds("20240311091200")
    return FULL / 2 ** (-elapsed / HALF_LIFE)


START, SCAN = "20240311091200", "20240311101600"
# What makes SUVs of values in the object's own unit.
SUVS: Final[dict[str, tuple[Callable[[Dataset], None], float, str]]] = {
    "start": (edited(), decayed(START, SCAN), "Bq/mL"),
    "start of the day": (edited(RadiopharmaceuticalStartDateTime=None), decayed(START, SCAN),
                         "Bq/mL"),
    "start without a time": (edited(RadiopharmaceuticalStartTime=None), decayed(START, SCAN),
                             "Bq/mL"),
    "midnight": (_midnight, decayed("20240311233000", "20240312002000"), "Bq/mL"),
    "zone": (edited(RadiopharmaceuticalStartDateTime="20240311081200+0000",
                    TimezoneOffsetFromUTC="+0100"), decayed(START, SCAN), "Bq/mL"),
    "admin": (edited(DecayCorrection="ADMIN"), FULL, "Bq/mL"),
    "ge": (_ge, decayed(START, "20240311101200"), "Bq/mL"),
    "average": (_average, _averaged(), "Bq/mL"),
    "philips": (_philips((0x00, 0.000_231), (0x09, 0)), 0.000_231, "counts"),
    "philips activity": (_philips((0x00, 0), (0x09, 1.75)), 1.75 * decayed(START, SCAN), "counts"),
}  # fmt: skip
LATE = "20240311101700"
# Why there are none.
NONE: Final[dict[str, tuple[str, Callable[[Dataset], None]]]] = {
    "no units": ("units", edited(Units=None)),
    "other units": ("units", edited(Units="PROPCPS")),
    "no slope": ("units", edited(RescaleSlope=None)),
    "counts alone": ("units", edited(Units="CNTS")),
    "not attenuation": ("corrections", edited(CorrectedImage=["DECY", "SCAT"])),
    "not decay": ("corrections", edited(CorrectedImage=["ATTN", "SCAT"])),
    "decay not said": ("corrections", edited(DecayCorrection="NONE")),
    "no drug": ("drug", edited(RadiopharmaceuticalInformationSequence=None)),
    "two drugs": ("drug", _two_drugs),
    "no dose": ("dose", edited(RadionuclideTotalDose=None)),
    "dose in MBq": ("dose", edited(RadionuclideTotalDose=370)),
    "no half-life": ("half-life", edited(RadionuclideHalfLife=None)),
    "half-life of none": ("half-life", edited(RadionuclideHalfLife=0)),
    "no weight": ("weight", edited(PatientWeight=None)),
    "weight in grams": ("weight", edited(PatientWeight=72_500)),
    "after the scan": ("time", edited(RadiopharmaceuticalStartDateTime=LATE,
                                      RadiopharmaceuticalStartTime="101700")),
    "after, of the day": ("time", edited(RadiopharmaceuticalStartDateTime=None,
                                         RadiopharmaceuticalStartTime="101700")),
    "two times": ("time", edited(RadiopharmaceuticalStartTime="081200")),
    "no start": ("time", edited(RadiopharmaceuticalStartDateTime=None,
                                RadiopharmaceuticalStartTime=None)),
    "slow, of the day": ("time", edited(RadiopharmaceuticalStartDateTime=None,
                                        RadionuclideHalfLife=282_000)),
    "made later": ("time", edited(SeriesTime="150000")),
    "no acquisition": ("time", edited(AcquisitionTime=None)),
}  # fmt: skip


def _pixels(seed: int, top: int, dtype: str = "<u2") -> np.ndarray[Any, Any]:
    """A ramp with noise; the highest value is there."""
    rng = np.random.default_rng(seed)
    made = np.add.outer(np.arange(ROWS) * top // (2 * ROWS), np.arange(COLUMNS) * top // 90)
    made = made + rng.integers(0, top // 10, (ROWS, COLUMNS))
    made[5, 7] = top
    return made.astype(dtype)


def _made(name: str, sop_class: str, modality: str) -> Dataset:
    (ds,) = make_datasets(("CT",), rows=ROWS, columns=COLUMNS)
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UID(_CLASS + sop_class)
    uid = UID(stable_uid("values", name))
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
    ds.SeriesInstanceUID = stable_uid("values", "series", name)
    ds.Modality, ds.SeriesDescription = modality, name
    del ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType, ds.WindowCenter, ds.WindowWidth
    return ds


def pet(name: str, edit: Callable[[Dataset], None]) -> Dataset:
    ds = _made(name, "128", "PT")
    set_pixel_data(ds, _pixels(len(name), 32_000), "MONOCHROME2", 16, generate_instance_uid=False)
    ds.Units, ds.DecayCorrection = "BQML", "START"
    ds.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY"]
    ds.RescaleSlope, ds.RescaleIntercept = "1.234567", "0"
    ds.WindowCenter, ds.WindowWidth = 15_000, 30_000
    ds.PatientWeight = WEIGHT
    ds.SeriesDate = ds.AcquisitionDate = "20240311"
    ds.SeriesTime, ds.AcquisitionTime = "101600", "101800"
    item = Dataset()
    item.RadionuclideTotalDose, item.RadionuclideHalfLife = DOSE, HALF_LIFE
    item.RadiopharmaceuticalStartTime = "091200"
    item.RadiopharmaceuticalStartDateTime = START
    ds.RadiopharmaceuticalInformationSequence = [item]
    edit_of_sequence(ds, edit)
    return ds


def edit_of_sequence(ds: Dataset, edit: Callable[[Dataset], None]) -> None:
    """`edited` cannot tell the sequence itself from what stands in it."""
    if edit is NONE["no drug"][1]:
        del ds.RadiopharmaceuticalInformationSequence
    else:
        edit(ds)


def dose(name: str, bits: int) -> Dataset:
    ds = _made(name, "481.2", "RTDOSE")
    top, kind = (900_000, "<u4") if bits == 32 else (60_000, "<u2")
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = bits, bits, bits - 1, 0
    ds.PixelData = _pixels(bits, top, kind).tobytes()
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    ds.DoseGridScaling = "7.77e-5" if bits == 32 else "0.00111"
    return ds


def diffusion() -> Dataset:
    """Some of its values are mapped onto a coefficient of diffusion; those above 2500 are not."""
    ds = _made("diffusion", "4", "MR")
    pixels = _pixels(3, 3000, "<i2") - 40
    set_pixel_data(ds, pixels, "MONOCHROME2", 16, generate_instance_uid=False)
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = 1000, 900, "SIGMOID"
    mapping, unit = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator = "mm2/s", "UCUM"
    unit.CodeMeaning = "mm2/s"
    mapping.MeasurementUnitsCodeSequence = [unit]
    mapping.LUTLabel, mapping.LUTExplanation = "ADC", "Apparent diffusion coefficient"
    mapping.RealWorldValueSlope, mapping.RealWorldValueIntercept = 1.5e-6, 2e-5
    mapping.add_new("RealWorldValueFirstValueMapped", "SS", 0)
    mapping.add_new("RealWorldValueLastValueMapped", "SS", 2500)
    ds.RealWorldValueMappingSequence = [mapping]
    return ds


def film(name: str, stored: int, mask: Dataset | None, frames: int = 6) -> Dataset:
    """A bone that stays and a vessel that fills, as X-ray angiography records them."""
    ds = _made(name, "12.1", "XA")
    rng = np.random.default_rng(stored)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    top = 2**stored - 1
    base = top * 3 // 4 - top // 3 * ((x > 6) & (x < 12)) - y * (top // 200)
    vessel = np.abs(y - 12 - 5 * np.sin(x / 5)) < 2
    made = [base - (n >= 2) * n * (top // 60) * (vessel & (x < 6 * n)) for n in range(frames)]
    noise = rng.integers(0, max(2, top // 300), (frames, ROWS, COLUMNS))
    pixels = (np.stack(made) + noise).astype("<u2")
    set_pixel_data(ds, pixels, "MONOCHROME2", stored, generate_instance_uid=False)
    ds.FrameTime, ds.FrameIncrementPointer = 250, 0x00181063
    ds.PixelIntensityRelationship = "LOG"
    ds.WindowCenter, ds.WindowWidth = top // 2, top
    if mask is not None:
        ds.MaskSubtractionSequence = [mask]
    return ds


def body(is_whole: bool) -> list[Dataset]:
    """Slices of PET, each with a slope of its own; else one of them without the weight."""
    name = "body" if is_whole else "partly"
    made = []
    for z in range(5):
        ds = pet(name, edited(**({} if is_whole or z else {"PatientWeight": None})))
        uid = UID(stable_uid("values", name, z))
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = uid
        ds.InstanceNumber, ds.ImagePositionPatient = z + 1, [-100, -100, 5 * z]
        ds.RescaleSlope, ds.AcquisitionTime = str(0.5 * (z + 1)), f"10{18 + z}00"
        made.append(ds)
    return made


def mask(*frames: int, **values: Any) -> Dataset:
    item = Dataset()
    item.MaskOperation = "AVG_SUB"
    if frames:
        item.MaskFrameNumbers = list(frames)
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


FILMS: Final = {
    "masks": film("masks", 12, mask(1, 2, ApplicableFrameRange=[3, 4, 6, 6])),
    "wide": film("wide", 16, mask(1, 2, 3)),
    "shifted": film("shifted", 12, mask(1, MaskSubPixelShift=[0.5, -1.25])),
    "shifted whole": film("shifted whole", 16, mask(1, 2, MaskSubPixelShift=[-2, 3])),
    "shifted wide": film("shifted wide", 16, mask(1, MaskSubPixelShift=[-0.25, 0.5])),
    "in time": film("in time", 12, mask(MaskOperation="TID", TIDOffset=1)),
    "ahead": film("ahead", 12, mask(MaskOperation="TID", TIDOffset=-2)),
    "averaged": film("averaged", 12, mask(1, 2, ContrastFrameAveraging=3)),
    "before the first": film(
        "before the first", 12, mask(MaskOperation="TID", TIDOffset=4, ApplicableFrameRange=[3, 6])
    ),
    "in turn": film(
        "in turn", 12, mask(MaskOperation="REV_TID", TIDOffset=1, ApplicableFrameRange=[2, 6])
    ),
    "plain": film("plain", 12, None),
}


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    made = {name: pet(name, edit) for name, (edit, *_) in SUVS.items()}
    made |= {name: pet(name, edit) for name, (_, edit) in NONE.items()}
    made["g/mL"] = pet("g/mL", edited(Units="GML", PatientWeight=None))
    made["lean"] = pet("lean", edited(Units="GML", SUVType="LBM"))
    made |= {"dose 32": dose("dose 32", 32), "dose 16": dose("dose 16", 16)}
    return made | {"diffusion": diffusion()} | FILMS


@pytest.fixture(scope="module")
def medium(objects: dict[str, Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("objects")
    for number, ds in enumerate([*objects.values(), *body(True), *body(False)]):
        write(ds, folder / f"I{number:07d}")
    return pack(folder, tmp_path_factory.mktemp("medium") / "m")


@pytest.fixture(scope="module", params=list(PROGRAMS))
def web(
    request: pytest.FixtureRequest, medium: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    profile = tmp_path_factory.mktemp("profile")
    with opened(request.param, medium, profile, width=1000, height=700) as made:
        made.evaluate(CLOSE)
        yield made


def show(web: Browser, name: str, index: int = 0) -> None:
    open_series(web, name)
    web.evaluate(f"{VP}.update({{ index: {index} }})")
    web.until_shown()


def own_values(ds: Dataset) -> np.ndarray[Any, Any]:
    return np.asarray(apply_modality_lut(ds.pixel_array, ds), float)


def near(made: list[float], expected: np.ndarray[Any, Any]) -> None:
    np.testing.assert_allclose(np.reshape(made, expected.shape), expected, rtol=1e-9, atol=1e-9)


def shades(web: Browser) -> np.ndarray[Any, Any]:
    return pixels(web, COLUMNS, ROWS)[..., 0].astype(float)


def picture(web: Browser, name: str) -> None:
    """Keep the page as it is now where a person wants to look at it."""
    folder = os.environ.get("SENDHOME_PICTURES")
    if folder is not None:
        web.evaluate(f"({VP}.redraw(), {VP}.drawNow())")  # reading what is written wrote nothing
        web.ask("screenshot", path=f"{folder}/{name}-{web.kind}.png")


def whole_region(web: Browser) -> list[str]:
    """What is written beside a rectangle about all of the picture."""
    web.evaluate("sendhome.chooseTool('rectangle')")
    box = web.evaluate(
        f"(() => {{ const r = {VP}.element.getBoundingClientRect();"
        f" const at = (x, y) => {{ const p = {VP}.toScreen({{ x, y }});"
        f" return [r.left + p.x, r.top + p.y]; }};"
        f" return [at(0.2, 0.2), at({COLUMNS - 0.2}, {ROWS - 0.2})]; }})()"
    )
    web.ask("drag", **{"from": box[0], "to": box[1]})
    lines: list[str] = web.evaluate(WRITTEN)
    web.evaluate("sendhome.commands.run('delete-all', sendhome)")
    web.evaluate("sendhome.chooseTool('scroll')")
    return lines


def write_value(web: Browser, point: str = POINT) -> None:
    """Have the value at a point written beside it."""
    web.evaluate("sendhome.chooseTool('value')")
    at = web.evaluate(
        f"(() => {{ const r = {VP}.element.getBoundingClientRect();"
        f" const m = {VP}.toScreen({point});"
        " return [r.left + m.x, r.top + m.y]; })()"
    )
    web.ask("drag", **{"from": at, "to": at})
    web.evaluate("sendhome.chooseTool('scroll')")


def four_digits(value: float) -> str:
    """As the page writes numbers that are not whole: four digits that say something, or more."""
    digits = max(1, min(9, 3 - math.floor(math.log10(abs(value)))))
    return f"{value:,.{digits}f}"


def number(text: str) -> float:
    return float(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("name", list(SUVS))
def test_pet_is_shown_in_suv(web: Browser, objects: dict[str, Dataset], name: str) -> None:
    _, factor, unit = SUVS[name]
    ds = objects[name]
    show(web, name)
    made = web.evaluate(PROBED)
    own = own_values(ds)
    near(made["values"], own * factor)
    near(made["own"], own)
    assert (made["units"], made["ownUnits"], made["why"]) == (["SUVbw"], [unit], None)
    # The window is the object's own, on other numbers: the picture is the one that it was.
    expected = np.clip((own - (15_000 - 0.5)) / (30_000 - 1) + 0.5, 0, 1) * 255
    assert expected.max() - expected.min() > 100
    assert np.abs(shades(web) - expected).max() <= 1
    assert "SUVbw" in web.evaluate(WRITTEN)


@pytest.mark.parametrize("name", list(NONE))
def test_what_is_missing_is_said_and_nothing_is_made_up(
    web: Browser, objects: dict[str, Dataset], name: str
) -> None:
    why, _ = NONE[name]
    ds = objects[name]
    show(web, name)
    made = web.evaluate(PROBED)
    near(made["values"], own_values(ds))
    written = {"BQML": "Bq/mL", "CNTS": "counts", "PROPCPS": "∝ counts/s", "": ""}
    assert made["units"] == [written[ds.get("Units", "")]]
    assert (made["own"], made["why"]) == ([None] * ROWS * COLUMNS, why)
    sentence = web.evaluate(
        f"{WRITTEN}.find((line) => line.startsWith('No SUV: ') && line.length > 15)"
    )
    assert sentence


@pytest.mark.parametrize(("name", "unit"), [("g/mL", "SUVbw"), ("lean", "SUVlbm")])
def test_values_in_grams_are_suvs_already(
    web: Browser, objects: dict[str, Dataset], name: str, unit: str
) -> None:
    show(web, name)
    made = web.evaluate(PROBED)
    near(made["values"], own_values(objects[name]))
    assert (made["units"], made["why"], made["own"][0]) == ([unit], None, None)


def test_statistics_and_windows_of_pet(web: Browser, objects: dict[str, Dataset]) -> None:
    show(web, "start")
    own = own_values(objects["start"])
    suv = own * SUVS["start"][1]
    lines = whole_region(web)
    (mean,) = [line for line in lines if line.startswith("Mean")]
    (ends,) = [line for line in lines if " to " in line]
    assert "SUVbw" in mean
    said = [number(word) for word in mean.replace("SUVbw", " ").split() if word[0].isdigit()]
    assert said == pytest.approx([suv.mean(), suv.std()], abs=0.006)
    assert ends == f"{suv.min():.2f} to {suv.max():.2f} SUVbw"
    (raw,) = [line for line in lines if line.startswith("Recorded: ")]
    assert raw.endswith(" Bq/mL")
    assert number(raw.split()[1]) == pytest.approx(own.mean(), abs=0.06)
    for key, most in ((2, 5), (3, 7), (4, 10), (5, 15), (6, 20)):
        web.evaluate(f"sendhome.commands.run('window-{key}', sendhome)")
        window = web.evaluate(WINDOW)
        assert (window["center"], window["width"]) == (most / 2, most)
        assert np.abs(shades(web) - np.clip(suv / most, 0, 1) * 255).max() <= 1
        web.evaluate(f"sendhome.commands.run('window-{key}', sendhome)")
    web.evaluate("sendhome.commands.run('window-2', sendhome)")
    write_value(web)
    at_point = web.evaluate(f"{VP}.probe({POINT})")
    lines = web.evaluate(WRITTEN)
    assert f"{four_digits(at_point['value'][0])} SUVbw" in lines
    assert f"Recorded: {four_digits(at_point['recorded']['value'])} Bq/mL" in lines
    picture(web, "suv")
    web.evaluate("sendhome.commands.run('delete-all', sendhome)")
    show(web, "no weight")
    write_value(web)
    assert "No SUV: weight missing or impossible" in web.evaluate(WRITTEN)
    web.evaluate("sendhome.commands.run('subtract', sendhome)")  # no film: nothing happens
    picture(web, "no-suv")
    web.evaluate("sendhome.commands.run('delete-all', sendhome)")
    web.evaluate("sendhome.chooseTool('scroll')")


def test_other_planes_of_pet_are_in_suv(web: Browser) -> None:
    show(web, "body")
    web.evaluate("sendhome.commands.run('view-coronal', sendhome)")
    web.until(f"{VP}.source.volume?.ready === 5")
    web.evaluate(f"{VP}.update({{ index: 10 }})")
    web.until_shown()
    made = web.evaluate(PROBED)
    # The head, which is where z is largest, is at the top.
    own = np.stack([own_values(ds)[10] for ds in body(True)][::-1])
    step = 2.5  # of the slice with the largest slope, in which all are kept
    factor = SUVS["start"][1]
    assert (made["units"], made["ownUnits"]) == (["SUVbw"], ["Bq/mL"])
    assert np.abs(np.reshape(made["own"], own.shape) - own).max() <= step / 2 + 1e-9
    assert np.abs(np.reshape(made["values"], own.shape) - own * factor).max() <= step * factor / 2


def test_slices_in_two_units_make_no_volume(web: Browser) -> None:
    show(web, "partly")
    web.evaluate("sendhome.commands.run('view-coronal', sendhome)")
    web.until("document.body.textContent.includes('cannot be made of these pixels')")
    assert web.evaluate(f"{VP}.source.volume") is None


def test_the_menu_of_windows_says_why_there_is_no_suv(web: Browser) -> None:
    show(web, "dose in MBq")
    web.evaluate("""document.querySelector('#tools [aria-label="Windows"]').click()""")
    web.until("document.querySelector('[role=menu]')")
    off: list[str] = web.evaluate(
        "[...document.querySelectorAll('[role=menu] button')].filter((each) => each.disabled ||"
        " each.getAttribute('aria-disabled') === 'true').map((each) => each.textContent)"
    )
    assert "No SUV: dose missing or impossible" in off
    web.ask("key", key="Escape")


@pytest.mark.parametrize("name", ["dose 32", "dose 16"])
def test_a_dose_is_in_gray(web: Browser, objects: dict[str, Dataset], name: str) -> None:
    ds = objects[name]
    show(web, name)
    made = web.evaluate(PROBED)
    near(made["values"], ds.pixel_array * float(ds.DoseGridScaling))
    assert made["units"] == ["Gy"]
    assert "Gy" in web.evaluate(WRITTEN)


def test_mapped_values_are_those_of_the_real_world(
    web: Browser, objects: dict[str, Dataset]
) -> None:
    ds = objects["diffusion"]
    stored = ds.pixel_array.astype(float)
    show(web, "diffusion")
    made = web.evaluate(PROBED)
    is_mapped = (stored >= 0) & (stored <= 2500)
    assert 0 < is_mapped.sum() < stored.size
    near(made["values"], np.where(is_mapped, stored * 1.5e-6 + 2e-5, stored))
    assert sorted(made["units"]) == ["", "mm2/s"]
    own = [value for value, here in zip(made["own"], is_mapped.ravel(), strict=True) if here]
    assert own == stored[is_mapped].tolist()
    # A region with one pixel that is not mapped is in what is stored.
    lines = whole_region(web)
    assert not any("mm2/s" in line for line in lines if line != "mm2/s")
    picture(web, "diffusion")


def test_windows_of_a_picture_s_own_values(web: Browser, objects: dict[str, Dataset]) -> None:
    ds = objects["diffusion"]
    stored = ds.pixel_array.astype(float)
    show(web, "diffusion")
    assert np.abs(shades(web) - apply_sigmoid(stored, 1000, 900)).max() <= 1
    for key, cut in ((2, 0), (3, 1), (4, 5)):
        web.evaluate(f"sendhome.commands.run('window-{key}', sendhome)")
        window = web.evaluate(WINDOW)
        low, high = np.percentile(stored, [cut, 100 - cut])
        assert window["center"] == pytest.approx((low + high) / 2)
        assert window["width"] == pytest.approx(high - low)
    show(web, "dose 32")
    web.evaluate("sendhome.commands.run('window-3', sendhome)")
    window = web.evaluate(WINDOW)
    values = objects["dose 32"].pixel_array * 7.77e-5
    low, high = np.percentile(values, [1, 99])
    assert window["center"] == pytest.approx((low + high) / 2)
    assert window["width"] == pytest.approx(high - low)


def apply_sigmoid(values: np.ndarray[Any, Any], center: float, width: float) -> Any:
    """PS3.3 C.11.2.1.3.1, as pydicom does it."""
    ds = Dataset()
    ds.PhotometricInterpretation, ds.BitsStored, ds.PixelRepresentation = "MONOCHROME2", 8, 0
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = center, width, "SIGMOID"
    return apply_windowing(values, ds)


def differences(ds: Dataset, frame: int, masks: list[int]) -> np.ndarray[Any, Any]:
    pixels = ds.pixel_array.astype(float)
    return np.asarray(pixels[frame - 1] - pixels[[each - 1 for each in masks]].mean(axis=0))


def is_offered(web: Browser) -> bool:
    web.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return bool(web.evaluate("!document.querySelector('[data-command=subtract]').hidden"))


@pytest.mark.parametrize(
    ("name", "masks", "subtracted"),
    [("masks", [1, 2], {3, 4, 6}), ("wide", [1, 2, 3], {1, 2, 3, 4, 5, 6})],
)
def test_masks_that_the_object_names_are_subtracted(
    web: Browser, objects: dict[str, Dataset], name: str, masks: list[int],
    subtracted: set[int],
) -> None:  # fmt: skip
    ds = objects[name]
    show(web, name)
    assert is_offered(web)
    web.evaluate(f"{VP}.element.focus()")
    web.ask("key", key="Shift+x")
    web.until(f"{VP}.source.key.endsWith('/difference')")
    for frame in range(1, 7):
        web.evaluate(f"{VP}.update({{ index: {frame - 1} }})")
        web.until_shown()
        made = web.evaluate(PROBED)
        assert made["number"] == frame
        if frame in subtracted:
            near(made["values"], differences(ds, frame, masks))
            assert made["masks"] == masks
            assert f"Difference: image {frame} − {', '.join(map(str, masks))}" in web.evaluate(
                WRITTEN
            )
        else:
            near(made["values"], ds.pixel_array[frame - 1].astype(float))
            assert made["masks"] == []
    # The window is one of differences, not the object's.
    web.evaluate(f"{VP}.update({{ index: 3 }})")
    web.until_shown()
    window = web.evaluate(WINDOW)
    made = differences(ds, 4, masks)
    assert made.min() - 1 <= window["center"] <= made.max() + 1
    assert window["width"] < 2**ds.BitsStored / 2
    expected = np.clip((made - window["center"]) / window["width"] + 0.5, 0, 1) * 255
    assert np.abs(shades(web) - expected).max() <= 1
    write_value(web)
    value = web.evaluate(f"{VP}.probe({POINT}).value[0]")
    lines = web.evaluate(WRITTEN)
    assert four_digits(value) in lines
    assert len([line for line in lines if line.startswith("Difference: image 4")]) == 2
    picture(web, f"subtracted-{name}")
    web.evaluate("sendhome.commands.run('delete-all', sendhome)")
    web.evaluate(f"{VP}.element.focus()")
    web.ask("key", key="Shift+x")
    web.until(f"!{VP}.source.key.endsWith('/difference')")
    web.until_shown()
    assert web.evaluate(f"{VP}.state.index") == 3
    near(web.evaluate(PROBED)["values"], ds.pixel_array[3].astype(float))


def moved(values: np.ndarray[Any, Any], down: float, left: float) -> np.ndarray[Any, Any]:
    """Rows downwards, columns to the left (PS3.3 C.7.6.10.1.2); NaN where nothing comes from."""

    def along(lines: np.ndarray[Any, Any], by: float) -> np.ndarray[Any, Any]:
        at = np.arange(lines.shape[1])
        return np.stack([np.interp(at - by, at, it, np.nan, np.nan) for it in lines])

    return along(along(values.T, down).T, -left)


def subtract(web: Browser) -> None:
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.until(f"{VP}.source.key.endsWith('/difference')")


@pytest.mark.parametrize(
    ("name", "masks", "shift", "said"),
    [
        ("shifted", [1], (0.5, -1.25), "0.5 ↓ 1.25 →"),
        ("shifted whole", [1, 2], (-2, 3), "2 ↑ 3 ←"),
        ("shifted wide", [1], (-0.25, 0.5), "0.25 ↑ 0.5 ←"),
    ],
)
def test_a_mask_is_moved_as_the_object_says(
    web: Browser, objects: dict[str, Dataset], name: str, masks: list[int],
    shift: tuple[float, float], said: str,
) -> None:  # fmt: skip
    ds = objects[name]
    show(web, name)
    assert is_offered(web)
    subtract(web)
    web.evaluate(f"{VP}.update({{ index: 4 }})")
    web.until_shown()
    frames = ds.pixel_array.astype(float)
    mean = frames[[it - 1 for it in masks]].mean(axis=0)
    expected = frames[4] - moved(mean, *shift)
    is_there = ~np.isnan(expected)
    assert 0.5 < is_there.mean() < 1
    made = np.reshape(web.evaluate(PROBED)["values"], (ROWS, COLUMNS))
    # Whole shifts are exact, others to an eighth of what the object stores.
    off = np.abs(made - expected)[is_there].max()
    assert off <= (1e-9 if name == "shifted whole" else 1 / 16)
    assert f"Mask moved, pixels: {said}" in web.evaluate(WRITTEN)
    window = web.evaluate(WINDOW)
    part = np.clip((made - window["center"]) / window["width"] + 0.5, 0, 1) * 255
    assert np.abs(shades(web) - np.where(is_there, part, 0)).max() <= 1
    lines = whole_region(web)  # without what is no difference
    (mean_line,) = [line for line in lines if line.startswith("Mean")]
    values = [number(it) for it in mean_line.split() if it[0].isdigit() or it[0] in "-−"]
    assert values[0] == pytest.approx(np.nanmean(expected), abs=0.06)
    beside, below = (np.argwhere(~is_there)[0] + 0.5).tolist()[::-1]
    write_value(web, f"{{ x: {beside}, y: {below} }}")
    assert "–" in web.evaluate(WRITTEN)  # no difference, and no number
    picture(web, name.replace(" ", "-"))
    web.evaluate("sendhome.commands.run('delete-all', sendhome)")
    web.evaluate("sendhome.commands.run('subtract', sendhome)")


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("in time", {n: ([n], [n - 1]) for n in range(2, 7)}),
        ("ahead", {n: ([n], [n + 2]) for n in range(1, 5)}),
        ("averaged", {n: ([n, n + 1, n + 2], [1, 2]) for n in range(1, 5)}),
        ("before the first", {n: ([n], [n - 4]) for n in (5, 6)}),
    ],
)
def test_masks_in_time_and_averaged_frames_are_subtracted(
    web: Browser, objects: dict[str, Dataset], name: str,
    pairs: dict[int, tuple[list[int], list[int]]],
) -> None:  # fmt: skip
    frames = objects[name].pixel_array.astype(float)
    show(web, name)
    assert is_offered(web)
    subtract(web)
    for frame in range(1, 7):
        web.evaluate(f"{VP}.update({{ index: {frame - 1} }})")
        web.until_shown()
        made = web.evaluate(PROBED)
        assert made["number"] == frame
        contrast, masks = pairs.get(frame, ([frame], []))
        expected = frames[[it - 1 for it in contrast]].mean(axis=0)
        if masks:
            expected = expected - frames[[it - 1 for it in masks]].mean(axis=0)
            said = f"{', '.join(map(str, contrast))} − {', '.join(map(str, masks))}"
            assert f"Difference: image {said}" in web.evaluate(WRITTEN)
        near(made["values"], expected)
        assert made["masks"] == masks
    picture(web, name.replace(" ", "-"))
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.until(f"!{VP}.source.key.endsWith('/difference')")


@pytest.mark.parametrize(
    ("name", "said", "is_done"),
    [("before the first", "TID Offset 4", True), ("in turn", "REV_TID", False)],
)
def test_masks_that_cannot_be_are_named(web: Browser, name: str, said: str, is_done: bool) -> None:
    show(web, name)
    assert is_offered(web)
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.until(f"document.querySelector('.toast')?.textContent.includes(': {said}.')")
    if is_done:
        web.until(f"{VP}.source.key.endsWith('/difference')")
        web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.evaluate("document.querySelector('.toast').click()")
    assert "difference" not in web.evaluate(f"{VP}.source.key")


@pytest.mark.parametrize(
    ("name", "unit"),
    [("start", "SUVbw"), ("no weight", "Bq/mL"), ("dose 32", "Gy"), ("diffusion", ""),
     ("other units", "∝ counts/s"), ("plain", "")],
)  # fmt: skip
def test_the_corner_names_the_unit_of_the_window(web: Browser, name: str, unit: str) -> None:
    show(web, name)
    window = web.evaluate(WINDOW)
    digits = 2 if window["width"] < 20 else 0
    numbers = [f"{window[it]:,.{digits}f}" for it in ("center", "width")]
    if digits:
        numbers = [it.rstrip("0").rstrip(".") for it in numbers]
    expected = f"C {numbers[0]} W {numbers[1]} {unit}".rstrip()
    lines = f"document.querySelector('{CORNER}').textContent.split('\\n')"
    web.until(f"{lines}.includes({expected!r})")
    assert web.evaluate(f"{lines}.filter((line) => line.startsWith('C ')).length") == 1


@pytest.mark.parametrize("name", ["plain", "start"])
def test_nothing_is_subtracted_that_the_object_does_not_say(web: Browser, name: str) -> None:
    show(web, name)
    assert not is_offered(web)
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    assert "difference" not in web.evaluate(f"{VP}.source.key")


def test_a_person_may_subtract_the_first_image(web: Browser, objects: dict[str, Dataset]) -> None:
    show(web, "plain", 4)
    web.evaluate("sendhome.commands.run('subtract-first', sendhome)")
    web.until(f"{VP}.source.key.endsWith('/difference')")
    web.until_shown()
    near(web.evaluate(PROBED)["values"], differences(objects["plain"], 5, [1]))
    assert "Difference: image 5 − 1" in web.evaluate(WRITTEN)
    web.evaluate("sendhome.commands.run('subtract-first', sendhome)")
    web.until(f"!{VP}.source.key.endsWith('/difference')")


def test_a_film_that_stands_still_does_so_when_subtracted(web: Browser) -> None:
    web.evaluate("MOVING()")
    show(web, "masks")
    web.until(PLAYS)
    web.evaluate("sendhome.commands.run('play', sendhome)")
    web.evaluate(f"{VP}.update({{ index: 3 }})")
    web.until_shown()
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.until(f"{VP}.source.key.endsWith('/difference')")
    web.until_shown()
    web.evaluate("new Promise((done) => setTimeout(done, 800))")  # three frames of the film
    assert web.evaluate(f"[{VP}.state.index, {PLAYS}]") == [3, False]
    web.evaluate("sendhome.commands.run('play', sendhome)")
    web.evaluate("sendhome.commands.run('subtract', sendhome)")
    web.until(f"!{VP}.source.key.endsWith('/difference')")
    web.until(PLAYS)
    web.evaluate("sendhome.commands.run('play', sendhome)")
    web.evaluate(STILL)


def test_nothing_was_complained_of(web: Browser) -> None:
    no_complaints(web)
