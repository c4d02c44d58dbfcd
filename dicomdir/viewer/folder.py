"""VIEWER/ of one medium out of a pack: which series have a copy, all data files, the MANIFEST."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from dicomdir.pdi import INDEX, VIEWER_FOLDER, Entry, FileSource
from dicomdir.viewer.early import CHUNK_BYTES, FIRST_CHUNK_BYTES
from dicomdir.viewer.facts import clean
from dicomdir.viewer.hash_list import NAME as HASH_LIST
from dicomdir.viewer.manifest import (
    MANIFEST,
    MAX_THUMBNAIL_BYTES,
    MAX_THUMBNAILS,
    counted,
    early_calls,
    first_series,
    most_manifest_bytes,
)
from dicomdir.viewer.model import Medium
from dicomdir.viewer.pack import Pack
from dicomdir.viewer.pool import Answer
from dicomdir.viewer.seal import ViewerKey, seal
from dicomdir.viewer.series import Gathered, SeriesLayout, lay_out_series
from dicomdir.viewer.text import data_file, joined
from dicomdir.viewer.worker import deflated, made_path

DATA_FOLDER: Final = f"{VIEWER_FOLDER}/D"

Sizes = list[tuple[str, int]]
Fits = Callable[[Sizes], bool]
Glimpse = Callable[[str, int], bytes]
"""The JPEG of an object's frame, by SOP Instance UID; empty if none can be made."""


@dataclass(slots=True)
class _Series:
    uid: str
    number: int
    objects: list[tuple[str, str]]  # File ID, SOP Instance UID
    layout: SeriesLayout | None = None
    pack: str = "none"
    entries: list[Entry] = field(default_factory=list)
    with_meta: list[Entry] = field(default_factory=list)  # no files: parts of META's
    chunk_sizes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def text_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.entries)

    @property
    def first_chunk(self) -> int | None:
        """Where the first image lies, if it comes soon and no coarse picture goes before it."""
        if self.layout is None or not self.layout.places:
            return None
        first = self.layout.places[0][0]
        is_short = self.chunk_sizes[first - 1][0] <= FIRST_CHUNK_BYTES + CHUNK_BYTES
        return first if is_short and 0 not in self.layout.preview_places else None


class ViewerFolder:
    """Plans VIEWER/ of one medium, then makes it.

    Args:
        pack: Settled.
        objects: File ID and SOP Instance UID of all on this medium, in DICOMDIR order.
        series_of: Series Instance UID of each.
        key: Of a protected medium.

    Attributes:
        without_copy: Series Instance UIDs whose pixels found no room.
    """

    def __init__(
        self,
        pack: Pack,
        objects: Sequence[tuple[str, str]],
        *,
        key: ViewerKey | None = None,
    ) -> None:
        self._pack = pack
        self._key = key
        self._series: dict[str, _Series] = {}
        for file_id, uid in objects:
            series = pack.series_of.get(uid)
            if series is None:
                continue
            known = self._series.get(series)
            if known is None:
                known = _Series(series, pack.series[series].folder, [])
                self._series[series] = known
            known.objects.append((file_id, uid))
        for each in self._series.values():
            if each.uid in pack.unpackable:
                each.pack = "unpackable"
                continue
            each.layout = lay_out_series(
                each.number,
                [(file_id, pack.objects[uid]) for file_id, uid in each.objects],
                pack.early(each.uid) if key is None else None,
            )
            each.pack = "whole"
        self.without_copy: list[str] = []
        self._has_hashes = self._keeps_hashes = False
        self._has_glimpse = key is None

    @property
    def layouts(self) -> list[SeriesLayout]:
        """Of the series that have a copy as planned now."""
        return [each.layout for each in self._series.values() if each.layout is not None]

    def most_sizes(self) -> Sizes:
        """Paths and sizes of all data files as planned now; none will be larger."""
        manifest = most_manifest_bytes(len(self._series), has_glimpse=self._has_glimpse)
        sizes: Sizes = [(MANIFEST, manifest)]
        for layout in self.layouts:
            sizes += [(f"{DATA_FOLDER}/{it}.JS", size) for it, size in layout.most_bytes.items()]
        return sizes

    def fit(self, fits: Fits) -> None:
        """Leave copies out, the largest first, until the rest fits.

        Args:
            fits: Whether data files of these paths and sizes have room on the medium.
        """
        if fits(self.most_sizes()):
            return
        self._has_glimpse = False  # before any copy
        if fits(self.most_sizes()):
            return
        kept = [it for it in self._series.values() if it.layout is not None]
        kept.sort(
            key=lambda it: (-sum(it.layout.most_bytes.values() if it.layout else ()), it.number)
        )
        layouts = [it.layout for it in kept]
        low, high = 0, len(kept)
        while low < high:  # the fewest that have to go
            middle = (low + high) // 2
            self._leave_out(kept, layouts, middle)
            if fits(self.most_sizes()):
                high = middle
            else:
                low = middle + 1
        self._leave_out(kept, layouts, low)

    def _leave_out(
        self, kept: Sequence[_Series], layouts: Sequence[SeriesLayout | None], count: int
    ) -> None:
        for at, each in enumerate(kept):
            each.layout = layouts[at] if at >= count else None
            each.pack = "whole" if at >= count else "none"
        self.without_copy = [it.uid for it in kept[:count]]

    def make(
        self,
        medium: Medium,
        *,
        thumbnails: Mapping[str, bytes],
        pages: Mapping[str, str],
        files: int,
        program: str,
        glimpse: Glimpse = lambda _uid, _frame: b"",
        has_hashes: bool = False,
    ) -> list[Entry]:
        """Make all data files; the first series first.

        Args:
            thumbnails: JPEG files by Series Instance UID.
            pages: Paths of pages that show a report, by SOP Instance UID.
            files: How many others the medium has.
            has_hashes: HASHES will stand beside it; of a protected medium, made when all is sealed.
            program: Version of the viewer.
            glimpse: Makes the picture that is seen before the program is there; not called for
                a protected medium.
        Raises:
            OSError: The disk is full, or a file is gone.
        """
        self._has_hashes = has_hashes
        self._keeps_hashes = has_hashes and self._key is None
        self._pack.made_hashes.clear()
        out = _Made(self._pack.new_path())
        for each in self._series.values():
            if each.layout is not None:
                self._gather(each, each.layout)
        self._pack.pool.drain()
        with out:
            for each in self._series.values():
                if each.layout is not None:
                    name = f"{each.layout.folder}/META"
                    payload = self._sealed(name, deflated(each.layout.meta(each.chunk_sizes)))
                    calls = [data_file(name, payload), *map(_content, each.with_meta)]
                    each.entries.insert(0, out.entry(name, joined(calls)))
        entries = [entry for each in self._series.values() for entry in each.entries]
        manifest = self._manifest(medium, thumbnails, pages, files + len(entries) + 1, program)
        return [Entry(MANIFEST, self._manifest_file(manifest, glimpse)), *entries]

    def _gather(self, series: _Series, layout: SeriesLayout) -> None:
        before = len(layout.files) - len(layout.chunks)  # headers and previews
        made = len(layout.made)
        series.with_meta = [Entry("", b"")] * len(layout.with_meta)
        series.entries = [Entry("", b"")] * (len(layout.files) + made)
        series.chunk_sizes = [(0, 0)] * (made + len(layout.chunks))
        for at, gathered in enumerate(layout.with_meta):
            self._submit(series, series.with_meta, at, gathered, -1)
        for at, gathered in enumerate(layout.files[:before]):
            self._submit(series, series.entries, at, gathered, -1)
        # one that is made on top of those that were there is what the first image waits for
        for at, gathered in enumerate(layout.chunks):
            self._submit(series, series.entries, before + at, gathered, made + at)
        for at, chunk in enumerate(layout.made):
            path = f"{DATA_FOLDER}/{chunk.name}.JS"
            file = os.fspath(made_path(self._pack.folder, chunk.worker))
            source = FileSource(file, chunk.size_bytes, chunk.offset)
            series.entries[before + len(layout.chunks) + at] = Entry(path, source)
            series.chunk_sizes[at] = (chunk.payload_bytes, chunk.size_bytes)
            if self._keeps_hashes:
                self._pack.made_hashes[path] = chunk.sha256

    def _submit(
        self, series: _Series, into: list[Entry], at: int, gathered: Gathered, chunk: int
    ) -> None:
        path = f"{DATA_FOLDER}/{gathered.name}.JS"
        has_hash = self._keeps_hashes and into is series.entries

        def done(answer: Answer) -> None:
            if "worker" not in answer:
                raise OSError(answer.get("failed", 0), "a data file of the viewer cannot be made")
            file = os.fspath(made_path(self._pack.folder, answer["worker"]))
            into[at] = Entry(path, FileSource(file, answer["size"], answer["at"]))
            if chunk >= 0:
                series.chunk_sizes[chunk] = (answer["payload"], answer["size"])
            if sha256 := answer.get("sha256"):
                self._pack.made_hashes[path] = bytes.fromhex(sha256)

        key = self._key
        request = {
            "task": "gather",
            "name": gathered.name,
            "pieces": gathered.pieces,
            "deflate": gathered.deflate,
            "key": key.key.hex() if key else "",
            "disc": key.disc if key else "",
            "hash": has_hash,
        }
        self._pack.pool.submit(request, done)

    def _sealed(self, name: str, payload: bytes) -> bytes:
        if self._key is None:
            return payload
        return seal(self._key.key, self._key.disc, name, payload)

    # --- MANIFEST ---------------------------------------------------------------------------------

    def _manifest_file(self, manifest: dict[str, Any], glimpse: Glimpse) -> bytes:
        data = json.dumps(manifest, separators=(",", ":")).encode("ascii")
        payload = self._sealed("MANIFEST", deflated(data))
        before = (
            self._key.lock(HASH_LIST if self._has_hashes else "")
            if self._key
            else self._early_calls(manifest, glimpse)
        )
        return data_file("MANIFEST", payload, before)

    def _early_calls(self, manifest: dict[str, Any], glimpse: Glimpse) -> str:
        first = first_series(manifest)
        layout = self._series[first["uid"]].layout if first is not None else None
        if first is None or layout is None or not layout.order:
            return ""
        instance, frame = layout.order[0]
        uid = layout.objects[instance][1].sop_instance_uid
        return early_calls(first, glimpse(uid, frame) if self._has_glimpse else b"")

    def _manifest(
        self,
        medium: Medium,
        thumbnails: Mapping[str, bytes],
        pages: Mapping[str, str],
        files: int,
        program: str,
    ) -> dict[str, Any]:
        pack, site = self._pack, medium.site
        studies: dict[str, dict[str, Any]] = {}
        shown = 0
        for each in self._series.values():
            facts = pack.series[each.uid]
            study = studies.setdefault(
                facts.study_instance_uid,
                {
                    "uid": facts.study_instance_uid,
                    **asdict(pack.studies[facts.study_instance_uid]),
                    "series": [],
                },
            )
            small = thumbnails.get(each.uid)
            if small is not None and len(small) <= MAX_THUMBNAIL_BYTES and shown < MAX_THUMBNAILS:
                shown += 1
            else:
                small = None
            study["series"].append(self._series_facts(each, small, pages))
        newest = sorted(
            studies.values(), key=lambda it: (it["date"], it["time"], it["uid"]), reverse=True
        )
        return {
            "version": 1,
            "program": program,
            "disc": medium.disc,
            "number": medium.number,
            "of": medium.of,
            "created": medium.created,
            "site": {
                "name": clean(site.institution),
                "address": [clean(line) for line in site.contact],
                "help": clean(site.help_line),
                "languages": list(medium.languages),
            },
            "index": INDEX,
            "files": files,
            "hashes": HASH_LIST if self._has_hashes else None,
            "left_out": counted(medium.left_out),
            "patients": [{**asdict(pack.patient), "studies": newest}],
        }

    def _page(self, each: _Series, pages: Mapping[str, str]) -> str | None:
        if self._key is not None:
            return None  # it is sealed with all but the viewer: a link would lead nowhere
        return next((pages[uid] for _, uid in each.objects if uid in pages), None)

    def _series_facts(
        self, each: _Series, thumbnail: bytes | None, pages: Mapping[str, str]
    ) -> dict[str, Any]:
        facts = self._pack.series[each.uid]
        objects = self._pack.objects
        packed = [objects[uid] for _, uid in each.objects if uid in objects]
        picture = thumbnail and "data:image/jpeg;base64," + base64.b64encode(thumbnail).decode()
        return {
            "n": each.number,
            "uid": each.uid,
            "modality": facts.modality,
            "number": facts.number,
            "description": facts.description,
            "body_part": facts.body_part,
            "laterality": facts.laterality,
            "date": facts.date,
            "kind": facts.kind,
            "instances": len(each.objects),
            "frames": sum(it.frame_count for it in packed),
            "pack": each.pack,
            "bytes": sum(it.raw_bytes for it in packed),
            "text": each.text_bytes,
            "thumb": picture,
            "page": self._page(each, pages),
            "first": each.first_chunk,
        }


def _content(entry: Entry) -> bytes:
    """Of a file that a worker has made."""
    source = entry.source
    if isinstance(source, bytes):
        return source
    with open(source.path, "rb", buffering=0) as file:
        file.seek(source.offset_bytes)
        data = file.read(source.size_bytes)
    if len(data) != source.size_bytes:
        raise OSError("a data file of the viewer is shorter than it was")
    return data


class _Made:
    """A file that holds the small data files one behind the other."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0

    def __enter__(self) -> _Made:
        self._file = self._path.open("xb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def entry(self, name: str, data: bytes) -> Entry:
        start = self._at
        self._file.write(data)
        self._at += len(data)
        source = FileSource(os.fspath(self._path), len(data), start)
        return Entry(f"{DATA_FOLDER}/{name}.JS", source)
