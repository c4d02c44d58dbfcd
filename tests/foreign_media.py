"""What `sendhome check` says of media that others make, as a table (docs/foreign-media.md).

    python -m tests.foreign_media [--write]

The same small study, of every kind of object that the tests make, goes through DCMTK's dcmmkdir
with genisoimage and with mtools, Orthanc's /studies/{id}/media, and pydicom's FileSet.
"""

from __future__ import annotations

import argparse
import http.client
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from pydicom.fileset import FileSet

from dicomdir.check.path import Report, check_path
from dicomdir.findings import Severity
from tests.factories import KINDS, make_study
from tests.peers import DCMTK, HOST, orthanc

DOCUMENT = Path(__file__).parents[1] / "docs" / "foreign-media.md"
STUDY = (*KINDS, "CT", "CT")
_TABLE = "<!-- made by python -m tests.foreign_media --write -->"

# What a rule that is broken means for whoever imports the medium.
MEANINGS = {
    "PDI-03": "objects that an importer which reads the DICOMDIR will never see, or will miss",
    "PDI-04": "nobody is told whom to ask",
    "PDI-07": "only a DICOM program can open the medium: a patient sees nothing",
    "PDI-17": "a person finds no folder of the usual name; importers do not mind",
    "PDI-25": "strict importers refuse the File ID, or look for another file",
    "PDI-27": "names are shown otherwise elsewhere; a viewer's files may not find each other",
    "PDI-29": "strict readers do not find the file under its File ID",
    "PDI-30": "a jukebox or archive that goes by the volume's name takes it for another medium",
    "PDI-31": "nothing in practice",
    "PDI-35": "names may be shown in another form or case than the File IDs",
    "PDI-43": "a reader that keeps to the standard does not open it",
    "PDI-44": "File IDs may not be found on systems that tell case apart",
    "PDI-45": "nothing for DICOM readers; a preamble can hide a program",
    "PDI-46": "strict readers refuse the file",
    "PDI-56": "shown as an image that has no pixels, or not imported at all",
    "PDI-62": "two media cannot be told apart",
    "PDI-63": "strict importers refuse the DICOMDIR as a whole",
    "PDI-64": "an importer that follows the offsets misses records or ends in an error",
    "PDI-66": "the importer has to open every file to know what it is",
    "PDI-68": "names may be shown with wrong letters",
    "PDI-70": "lists show another value than the images",
    "PDI-72": "not shown, or shown as something else than it is",
    "PDI-74": "strict importers refuse the DICOMDIR, or show an unknown patient",
    "PDI-75": "strict importers refuse the DICOMDIR, or list the study without its date or number",
    "PDI-76": "strict importers refuse the DICOMDIR; series out of order",
    "PDI-77": "images out of order; a viewer has to open every file for sizes and positions",
    "PDI-78": "the object is not listed as what it is, or strict importers refuse the DICOMDIR",
    "PDI-79": "the text of the report stands in the directory",
    "PDI-85": "may end in a wrong patient's folder",
}  # fmt: skip
# And where a warning means less than the error.
_ADDITION = "legal on CD; DVD and USB ask for it: viewers open every object to sort and to show"
_MILDER = {
    "PDI-63": "nothing in practice; the medium has no name of its own",
    "PDI-68": "nothing: the set is named where plain ASCII needs none",
    "PDI-74": _ADDITION,
    "PDI-76": _ADDITION,
    "PDI-77": _ADDITION,
}


@dataclass(frozen=True)
class Made:
    """A medium and how it came to be."""

    title: str
    command: str
    make: Callable[[list[Path], Path], Path]


def _run(*command: object, cwd: Path | None = None) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}: {done.stderr[-500:]}")


def _dcmmkdir(files: list[Path], folder: Path, profile: str) -> Path:
    """A tree as DCMTK makes it, with legal names that we chose."""
    tree = folder / "tree"
    objects = tree / "DICOM"
    objects.mkdir(parents=True)
    for number, path in enumerate(files, 1):
        shutil.copyfile(path, objects / f"I{number:07d}")
    _run(DCMTK / "dcmmkdir", profile, "+r", "+id", tree, "+D", tree / "DICOMDIR", "+F", "PDI_PEER",
         cwd=tree)  # fmt: skip
    return tree


def dcmmkdir_disc(files: list[Path], folder: Path) -> Path:
    tree = _dcmmkdir(files, folder, "-Pgp")
    _run("genisoimage", "-quiet", "-iso-level", "1", "-sysid", "", "-V", "PDI_PEER",
         "-o", folder / "out.iso", tree)  # fmt: skip
    return folder / "out.iso"


def dcmmkdir_defaults(files: list[Path], folder: Path) -> Path:
    """As people type it: the tools' own defaults."""
    tree = _dcmmkdir(files, folder, "-Pgp")
    _run("genisoimage", "-quiet", "-J", "-r", "-o", folder / "out.iso", tree)
    return folder / "out.iso"


def dcmmkdir_stick(files: list[Path], folder: Path) -> Path:
    tree = _dcmmkdir(files, folder, "-Pfl")
    image = folder / "stick.img"
    with image.open("wb") as file:
        file.truncate(20 << 20)
    _run("/usr/sbin/mkfs.vfat", "-F", "16", "-n", "PDI_PEER", image)
    _run("mcopy", "-s", "-i", image, tree / "DICOM", tree / "DICOMDIR", "::")
    return image


def orthanc_media(files: list[Path], folder: Path) -> Path:
    with orthanc(files, {}, folder) as archive:
        connection = http.client.HTTPConnection(HOST, archive.http_port, timeout=120)
        connection.request("GET", "/studies")
        (study,) = json.loads(connection.getresponse().read())
        connection.request("GET", f"/studies/{study}/media")
        answer = connection.getresponse()
        (folder / "media.zip").write_bytes(answer.read())
        connection.close()
    with zipfile.ZipFile(folder / "media.zip") as archived:
        archived.extractall(folder / "media")
    return folder / "media"


def pydicom_fileset(files: list[Path], folder: Path) -> Path:
    fileset = FileSet()
    fileset.ID = "PDI_PEER"
    for path in files:
        fileset.add(path)
    fileset.write(folder / "media")
    fileset._stage["t"].cleanup()  # else it warns of cleaning up by itself
    return folder / "media"


MEDIA = (
    Made("dcmmkdir and genisoimage, told to keep the rules",
         "dcmmkdir -Pgp, genisoimage -iso-level 1 -sysid '' -V", dcmmkdir_disc),
    Made("dcmmkdir and genisoimage by their defaults",
         "dcmmkdir -Pgp, genisoimage -J -r", dcmmkdir_defaults),
    Made("dcmmkdir and mtools, on FAT16 without a partition",
         "dcmmkdir -Pfl, mkfs.vfat -F 16, mcopy -s", dcmmkdir_stick),
    Made("Orthanc", "GET /studies/{id}/media, unpacked", orthanc_media),
    Made("pydicom's FileSet", "FileSet.add, FileSet.write", pydicom_fileset),
)  # fmt: skip


def report_of(made: Made, files: list[Path], folder: Path) -> Report:
    """Make the medium below `folder` and check it."""
    folder.mkdir()
    return check_path(made.make(files, folder))


def table(made: Made, report: Report) -> Iterable[str]:
    yield f"## {made.title}\n"
    yield f"`{made.command}`: {report.objects} objects in the DICOMDIR, {report.files} files.\n"
    if not report.totals:
        yield "Nothing found.\n"
        return
    yield "| Rule | Severity | Count | For example | For an importer |"
    yield "|---|---|---|---|---|"
    for (rule, severity), count in sorted(
        report.totals.items(), key=lambda it: (it[0][1] is Severity.WARNING, it[0][0])
    ):
        first = next(it for it in report.findings if (it.rule, it.severity) == (rule, severity))
        example = f"{first.path}: {first.reason}" if first.path else first.reason
        meaning = MEANINGS.get(rule, "")
        if severity is Severity.WARNING:
            meaning = _MILDER.get(rule, meaning)
        yield f"| {rule} | {severity.value} | {count} | {example} | {meaning} |"
    yield ""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.foreign_media")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    lines = []
    with tempfile.TemporaryDirectory() as work:
        files = make_study(Path(work) / "study", STUDY)
        for number, made in enumerate(MEDIA):
            lines += table(made, report_of(made, files, Path(work) / str(number)))
    text = "\n".join(lines)
    if not options.write:
        print(text)
        return 0
    head = DOCUMENT.read_text(encoding="utf-8").partition(_TABLE)[0]
    DOCUMENT.write_text(f"{head}{_TABLE}\n\n{text}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
