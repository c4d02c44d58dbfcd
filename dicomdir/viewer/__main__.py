"""`python -m dicomdir.viewer FOLDER OUT`: write OUT/VIEWER/ of the DICOM objects below FOLDER.

For those who work on the page, and for trying it: a medium is made by `sendhome build`.
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dicomdir.errors import DicomdirError, RenderError
from dicomdir.file_id import allocate_file_ids
from dicomdir.instance import Instance, read_instance
from dicomdir.pdi import Entry, FileSource
from dicomdir.readme import Site
from dicomdir.render.picture import open_frames
from dicomdir.summary import is_image
from dicomdir.transcode import needs_transcoding, transcode
from dicomdir.viewer.assets import is_built, program
from dicomdir.viewer.folder import ViewerFolder
from dicomdir.viewer.glimpse import glimpse
from dicomdir.viewer.model import Medium, Original
from dicomdir.viewer.pack import Pack
from dicomdir.viewer.seal import ViewerKey

_THUMBNAIL_PX = 128


def main() -> int:
    """Exit code 0, or 1 if nothing could be read."""
    parser = argparse.ArgumentParser(prog="python -m dicomdir.viewer", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--disc", default="PDI_EXAMPLE", help="volume identifier")
    parser.add_argument("--dicom", action="store_true", help="write DICOM/ too")
    parser.add_argument("--password", default="", help="protect it; for trying only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        return _write(options, Path(work))


def _write(options: argparse.Namespace, work: Path) -> int:
    found: dict[str, tuple[Instance, FileSource, Instance]] = {}
    thumbnails: dict[str, bytes] = {}
    with Pack(work / "viewer") as pack:
        for path, received in _objects(options.folder):
            uid = received.sop_instance_uid
            if uid in found:
                continue
            try:
                instance, source = _placed(path, received, work / f"{len(found):08d}")
            except DicomdirError as error:
                sys.stderr.write(f"left out {path}: {error.code}\n")
                continue
            found[uid] = (instance, source, received)
            original = None
            if received.transfer_syntax_uid != instance.transfer_syntax_uid:
                original = Original(
                    os.fspath(path), received.data_offset, received.transfer_syntax_uid
                )
            pack.add(instance, source, original)
            if instance.series_instance_uid not in thumbnails and is_image(instance):
                _thumbnail(instance, source, thumbnails)
        if not found:
            sys.stderr.write("there is no object to show\n")
            return 1
        pack.settle()
        file_ids = allocate_file_ids(instance for instance, _, _ in found.values())
        ordered = sorted((file_id, uid) for uid, file_id in file_ids.items())
        key = ViewerKey.derive(options.password, options.disc) if options.password else None
        folder = ViewerFolder(pack, ordered, key=key)
        site = Site("Example Hospital", ("1 Example Street", "Exampletown"), "0")
        medium = Medium(
            options.disc, site, created=datetime.datetime.now(datetime.UTC).date().isoformat()
        )
        entries = folder.make(
            medium,
            thumbnails=thumbnails,
            pages={},
            files=len(found),
            program="0",
            glimpse=lambda uid, frame: glimpse(Entry("", found[uid][1]), frame),
        )
        entries += program() if is_built() else []
        if options.dicom:
            entries += [Entry(file_id, found[uid][1]) for file_id, uid in ordered]
        for entry in entries:
            _copy(entry, options.out)
        for series, reason in sorted(pack.unpackable.items()):
            sys.stderr.write(f"not carried: series {series}: {reason}\n")
    return 0


def _objects(folder: Path) -> Iterator[tuple[Path, Instance]]:
    paths = [folder] if folder.is_file() else sorted(it for it in folder.rglob("*") if it.is_file())
    for path in paths:
        try:
            instance = read_instance(path)
        except DicomdirError as error:
            sys.stderr.write(f"left out {path}: {error.code}\n")
            continue
        yield path, instance


def _placed(path: Path, instance: Instance, out: Path) -> tuple[Instance, FileSource]:
    if instance.fault and instance.fault != "meta.mismatch":
        raise RenderError(instance.fault)
    if not needs_transcoding(instance.transfer_syntax_uid):
        return instance, FileSource(os.fspath(path), instance.size_bytes)
    made = transcode(path, instance, out)
    return made, FileSource(os.fspath(out), made.size_bytes)


def _thumbnail(instance: Instance, source: FileSource, thumbnails: dict[str, bytes]) -> None:
    try:
        with open_frames(instance, source) as frames:
            picture = frames.picture(len(frames) // 2, _THUMBNAIL_PX * 4).fitted(_THUMBNAIL_PX)
    except RenderError:
        return
    thumbnails[instance.series_instance_uid] = picture.jpeg()


def _copy(entry: Entry, out: Path) -> None:
    path = out / entry.path
    path.parent.mkdir(parents=True, exist_ok=True)
    source = entry.source
    if isinstance(source, bytes):
        path.write_bytes(entry.head + source)
        return
    with open(source.path, "rb") as file:
        file.seek(source.offset_bytes)
        path.write_bytes(entry.head + file.read(source.size_bytes))


if __name__ == "__main__":
    sys.exit(main())
