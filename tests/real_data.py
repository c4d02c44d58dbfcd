"""Every DICOM file that pydicom and pydicom-data bring along, and what becomes of each.

    python -m tests.real_data [--each | --write docs/real-data.md]

The files are sorted into studies by patient and Study Instance UID; variants of one object (the
same SOP Instance UID) go into studies of their own. Each study is built into an image as
`sendhome build` would. pydicom-data is a package of its own and may be missing: nothing is ever
downloaded.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import shutil
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pydicom import dcmread
from pydicom.data import DATA_ROOT
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomdir.errors import DicomdirError
from dicomdir.iso_reader import open_image
from kiosk.errors import KioskError
from kiosk.services.build_folder import FolderImage, build_folder
from tests.jobs import CREATED, SITE

_NOT_DICOM = {".dump", ".icc", ".json", ".md", ".py", ".pyc", ".txt", ".xml", ".zip", ".gz", ".csv"}
_OWN = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")


class RealFile(NamedTuple):
    """One file; `name` is the package and the path in it."""

    name: str
    path: Path


@dataclass(frozen=True)
class RealStudy:
    """Files that belong on one medium.

    Attributes:
        key: Name of its first file: stable as long as the packages are.
    """

    key: str
    files: tuple[RealFile, ...]


@dataclass(frozen=True)
class Fate:
    """What became of a file.

    Attributes:
        reason: "" if it is on a medium; else a code, or the refusal of its study.
    """

    file: RealFile
    reason: str


def roots() -> dict[str, Path]:
    """Folders of test data by package; only what is installed."""
    found = {"pydicom": Path(DATA_ROOT)}
    spec = importlib.util.find_spec("data_store")
    if spec is not None and spec.origin is not None:
        found["pydicom-data"] = Path(spec.origin).parent / "data"
    return found


def header(path: Path) -> Dataset | None:
    """What pydicom makes of a file, with all its forbearance; None if nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ds = dcmread(path, force=True, stop_before_pixels=True)
            _ = [ds.get(keyword) for keyword in (*_OWN, "PatientName", "PatientID")]
        except Exception:  # pydicom raises whatever comes out of a damaged file
            return None
    return ds if len(ds) or len(ds.file_meta) else None


def real_files() -> list[RealFile]:
    """Every file in which pydicom finds DICOM elements, DICOMDIRs included."""
    found = []
    for package, root in roots().items():
        for path in sorted(root.rglob("*")):
            if not path.is_file() or path.suffix in _NOT_DICOM or path.name == "README":
                continue
            if header(path) is not None:
                found.append(RealFile(f"{package}/{path.relative_to(root).as_posix()}", path))
    return found


def real_studies(files: Sequence[RealFile]) -> list[RealStudy]:
    """By patient and Study; each layer holds a SOP Instance UID once."""
    layers: dict[tuple[object, ...], list[RealFile]] = {}
    seen: Counter[tuple[str, ...]] = Counter()
    for file in files:
        ds = header(file.path)
        assert ds is not None
        study, instance = str(ds.get("StudyInstanceUID") or ""), str(ds.get("SOPInstanceUID") or "")
        who: tuple[str, ...] = (file.name,)  # alone, if it does not say where it belongs
        if study and instance:
            values = (ds.get(it) for it in ("PatientID", "PatientName", "PatientBirthDate"))
            who = (*(str(value or "") for value in values), study)
        layer = seen[(*who, instance)]
        seen[(*who, instance)] += 1
        layers.setdefault((*who, layer), []).append(file)
    return [RealStudy(members[0].name, tuple(members)) for members in layers.values()]


def build_study(study: RealStudy, work: Path) -> tuple[FolderImage | None, list[Fate]]:
    """Build one study's image `work`/out.iso; None if all of it was refused."""
    folder = work / "in"
    folder.mkdir()
    names = {}
    for number, file in enumerate(study.files):
        copy = folder / f"{number:04d}"
        shutil.copyfile(file.path, copy)
        names[copy.name] = file
    try:
        made = build_folder(
            folder, work / "out.iso", SITE, volume_id="PDI_REAL", created_at=CREATED
        )
    except KioskError as error:
        return None, [Fate(file, _reason_of(error)) for file in study.files]
    left = {it.path: it.reason for it in made.left_out}
    fates = [Fate(file, left.get(name, "")) for name, file in names.items()]
    assert made.instances + len(made.ignored) + len(left) == len(study.files)
    return made, fates


def extract(image: Path, folder: Path) -> None:
    """All files of an image, by our own reader."""
    with open_image(image) as reader:
        for record in reader.files():
            out = folder / record.path
            out.parent.mkdir(parents=True, exist_ok=True)
            out.write_bytes(reader.read(record, 0, record.size_bytes))


def _reason_of(error: KioskError) -> str:
    """A code for the refusal of a whole study."""
    _, named, files = str(error).partition("are not: ")
    if named:  # each file with its reason
        return ", ".join(sorted(set(re.findall(r"\(([a-z_.]+)(?: [^)]*)?\)", files))))
    if isinstance(error.__cause__, DicomdirError):
        return error.__cause__.code
    return "no_object" if "holds no DICOM object" in str(error) else error.code


def all_fates() -> Iterator[Fate]:
    for study in real_studies(real_files()):
        with tempfile.TemporaryDirectory() as work:
            yield from build_study(study, Path(work))[1]


def syntax_name(file: RealFile) -> str:
    ds = header(file.path)
    uid = ds.file_meta.get("TransferSyntaxUID") if ds is not None else None
    return UID(uid).name if uid else "none stated"


# Why files are not on a medium: pattern of names, code, sentence. The first that fits counts.
WHY = (
    (r".*/DICOMDIR\S*", "no_object", "A directory, no object: we write our own."),
    (r".*/no_meta\.dcm", "no_object",
     "A stray byte before the first element: nothing stands where it should."),
    (r".*/palettes/winter\.dcm", "instance.unreadable",
     "SOP Instance UID stands in it twice; readers differ on which one counts."),
    (r".*/palettes/.*", "build.check_failed",
     "A palette belongs to no patient; a medium with nothing else is none (PDI-63)."),
    (r".*/charset_files/chrSQEncoding1?\.dcm", "instance.unreadable",
     "A fragment of a data set: no SOP Instance, Study or Series Instance UID."),
    (r".*/charset_files/.*Multi.*", "pixels.missing", "An image class without Pixel Data."),
    (r".*/TINY_ALPHA/.*", "pixels.missing", "CT images whose Pixel Data were taken out."),
    (r".*/SC_rgb_jpeg\.dcm", "instance.unreadable",
     ("States JPEG, which is explicit VR, but is written in implicit VR; DCMTK refuses it too, GDCM"
     " and pydicom guess.")),
    (r".*/bad_sequence\.dcm", "instance.unreadable", "Hashes with letters in place of UIDs."),
    (r".*/meta_missing_tsyntax\.dcm", "instance.unreadable",
     "No Transfer Syntax UID: its encoding could only be guessed."),
    (r".*/(JPEGLSNearLossless|SC_rgb_jls|UN_seq|empty_char|nested_priv|no_meta_gr|priv_SQ).*",
     "instance.unreadable", "A fragment: SOP Instance, Study or Series Instance UID is missing."),
    (r".*/(ExplVR_\w+NoMeta|rtstruct|OT-PAL-8-face)\.dcm", "instance.no_header",
     "A bare data set without Part 10 header: nothing says how it is encoded."),
    (r".*/JPEG2000-embedded.*", "transcode.failed",
     "The delimiter that was written into the codestream destroyed its size; no decoder reads it."),
    (r".*/rtdose_expb.*", "transcode.failed",
     ("32-bit cells in big endian words: pydicom swaps four bytes, DCMTK and GDCM two. A dose must"
     " not be guessed.")),
    (r".*/MR_small_padded\.dcm", "pixels.long",
     "As many bytes too many as a row has: Rows or Columns may be wrong."),
    (r".*/MR_truncated\.dcm", "pixels.short", "Its pixels end early."),
    (r".*/rtplan_truncated\.dcm", "dataset.truncated", "Its data set ends inside an element."),
    (r".*/emri_small_jpeg_2k_lossless_too_short\.dcm", "pixels.fragments",
     "Its encapsulated pixels end early."),
    (r".*/badVR\.dcm", "pixels.attributes", "Number of Frames is 1A."),
    (r".*/color-p[lx]\.dcm", "profile.sop_class",
     "Retired Ultrasound Image Storage (1.2.840.10008.5.1.4.1.1.6): no record type (PDI-57)."),
    (r".*", "fileset.missing_key",
     ("No Study Date and no Series, Acquisition or Content Date to supply it from (PDI-82); never"
     " today's.")),
)  # fmt: skip


def why(fate: Fate) -> str:
    """The sentence for a file that is on no medium.

    Raises:
        KeyError: There is none.
    """
    for pattern, code, sentence in WHY:
        if re.fullmatch(pattern, fate.file.name) and fate.reason == code:
            return sentence
    raise KeyError(f"{fate.file.name}: {fate.reason}")


def tables(fates: Sequence[Fate]) -> str:
    """What docs/real-data.md says of the files, in Markdown."""
    by_syntax: dict[str, Counter[str]] = {}
    refused: dict[tuple[str, str], list[str]] = {}
    for fate in fates:
        package = fate.file.name.partition("/")[0]
        if fate.reason:
            refused.setdefault((fate.reason, why(fate)), []).append(fate.file.name)
        else:
            by_syntax.setdefault(syntax_name(fate.file), Counter())[package] += 1
    lines = ["| Transfer syntax of the file | pydicom | pydicom-data |", "|---|---:|---:|"]
    for syntax, counts in sorted(by_syntax.items()):
        lines.append(f"| {syntax} | {counts['pydicom'] or ''} | {counts['pydicom-data'] or ''} |")
    total = Counter(fate.file.name.partition("/")[0] for fate in fates if not fate.reason)
    lines.append(f"| on a medium | {total['pydicom']} | {total['pydicom-data']} |")
    lines += ["", "| Not on a medium | Code | Why |", "|---|---|---|"]
    for (code, sentence), names in sorted(refused.items()):
        shown = names if len(names) <= 30 else [names[0], f"and {len(names) - 1} beside it"]
        lines.append(f"| {', '.join(shown)} | `{code}` | {sentence} |")
    return "\n".join(lines) + "\n"


BEGIN, END = "<!-- made by python -m tests.real_data -->\n", "<!-- end -->\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.real_data",
        description="What becomes of every DICOM file of pydicom and pydicom-data.",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="replace the tables in it")
    parser.add_argument("--each", action="store_true", help="a line for each file instead")
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fates = list(all_fates())
        if options.each:
            print("\n".join(f"{fate.file.name}: {fate.reason or 'on a medium'}" for fate in fates))
            return 0
        made = tables(fates)
    if options.write is None:
        print(made, end="")
        return 0
    before, _, rest = options.write.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    options.write.write_text(before + BEGIN + made + END + after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
