"""ViewerMaker: the viewer for all media of one job, from the first object to the last data file.

It lives as long as the job's building: objects are encoded once, whichever medium they go onto.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from dicomdir.instance import Instance
from dicomdir.pdi import HASHES, VIEWER_FOLDER, Entry, FileSource
from dicomdir.readme import Site, ViewerFacts
from dicomdir.room import iso_blocks
from dicomdir.viewer import assets
from dicomdir.viewer.folder import Sizes, ViewerFolder
from dicomdir.viewer.glimpse import glimpse
from dicomdir.viewer.glossary import glossary_entry
from dicomdir.viewer.hash_list import hash_list, most_hash_bytes
from dicomdir.viewer.manifest import MANIFEST, most_manifest_bytes
from dicomdir.viewer.model import MadeViewer, Medium, Original
from dicomdir.viewer.pack import Pack
from dicomdir.viewer.seal import ViewerKey

LAUNCH_PATH: Final = f"{VIEWER_FOLDER}/{assets.START}"
_INDEX_NOTE_BYTES: Final = 1024  # what INDEX.HTM says if copies are left out
_MORE_FILES: Final = 3  # on a protected medium: README, INDEX and its list, in clear or by itself
_PIECE_BYTES: Final = 1 << 20


class ViewerMaker:
    """A context manager that ends its processes.

    Args:
        folder: A new one for its files, on a disk with room for a third of the objects.
        created: Day on which the media are made, YYYY-MM-DD.
        version: Of this program.
        capacity: What a medium takes, in blocks, as far as is known when it is asked; 0: no limit.
        password: Of protected media: the data files are sealed with it.
        languages: Of the site, the first one first.
        on_alive: Called now and then while work goes on.
        workers: Processes; 0 for one a processor.
        glossary: Of the site, as `read_glossary` gives it; "" for ours.
        program_folder: Of the built program.
    Raises:
        ViewerProgramError: The program is not the one that was built.
    """

    def __init__(
        self,
        folder: Path,
        *,
        created: str,
        version: str,
        capacity: Callable[[], int] = lambda: 0,
        password: str = "",
        languages: Sequence[str] = ("en",),
        on_alive: Callable[[], None] = lambda: None,
        workers: int = 0,
        glossary: str = "",
        program_folder: Path = assets.FOLDER,
    ) -> None:
        self.program = assets.program(program_folder)
        if glossary:
            own = glossary_entry(glossary)
            self.program = [own if it.path == own.path else it for it in self.program]
        is_clear = not password  # the key of a protected medium is known when it is made
        self._pack = Pack(
            folder, workers=workers, on_alive=on_alive, has_hashes=is_clear, is_early=is_clear
        )
        self._created, self._version = created, version
        self._capacity = capacity
        self._password = password
        self._languages = languages

    def __enter__(self) -> ViewerMaker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its processes."""
        self._pack.pool.close()

    @property
    def unpackable(self) -> Mapping[str, str]:
        """Why the pixels of a series are not carried, by Series Instance UID."""
        return self._pack.unpackable

    def facts_for(self, site: Site) -> Site:
        """The site, with what its pages and README.TXT say of this viewer (PDI-05, PDI-08)."""
        return replace(site, viewer=viewer_facts(site))

    def add(
        self,
        instance: Instance,
        source: FileSource,
        *,
        original: Original | None = None,
        head: bytes = b"",
    ) -> None:
        """Take in an object as it will stand on the medium; known ones are passed over.

        Args:
            head: What will stand before `source`.
        """
        self._pack.add(instance, source, original, head=head)

    @staticmethod
    def least_bytes(series: int, files: int) -> list[int]:
        """Sizes of what a medium carries even without any copy, at most."""
        return [most_manifest_bytes(series), most_hash_bytes(2 * (files + 100))]

    def settle(self) -> None:
        """Wait until all that was added is encoded. Raises OSError for a full disk."""
        self._pack.settle()

    def make(
        self,
        medium: Medium,
        others: Sequence[Entry],
        objects: Sequence[Entry],
        uids: Sequence[str],
        *,
        thumbnails: Mapping[str, bytes],
        pages: Mapping[str, str],
        remake: Callable[[int], Sequence[Entry]],
    ) -> MadeViewer:
        """VIEWER/ of a medium.

        Args:
            others: Everything but the viewer and the objects; the DICOMDIR among it.
            objects: In DICOMDIR order; `uids` are their SOP Instance UIDs.
            thumbnails: JPEG files by SOP Instance UID of the image they show.
            pages: Paths of pages that show a report, by SOP Instance UID.
            remake: Called with the number of series without a copy, if there are any: gives
                `others` anew, which may have grown by one sentence.
        Raises:
            OSError: The disk is full, or a file is gone.
        """
        pack = self._pack
        pack.settle()
        key = ViewerKey.derive(self._password, medium.disc) if self._password else None
        placed = [(entry.path, uid) for entry, uid in zip(objects, uids, strict=True)]
        folder = ViewerFolder(pack, placed, key=key)
        fixed = [(it.path, it.size_bytes) for it in (*others, *self.program, *objects)]
        sealed_for = medium.site if key is not None else None
        folder.fit(lambda sizes: self._fits(fixed, sizes, sealed_for))
        if folder.without_copy:
            others = remake(len(folder.without_copy))
        made = folder.make(
            replace(medium, created=self._created, languages=self._languages),
            thumbnails={pack.series_of[uid]: jpeg for uid, jpeg in thumbnails.items()},
            pages=pages,
            files=len(fixed) + 1 + (_MORE_FILES if key else 0),
            program=self._version,
            glimpse=lambda uid, frame: glimpse(objects[uids.index(uid)], frame),
            has_hashes=True,
        )
        # MANIFEST before what it names, the program before both
        entries = [*self.program, made[0]]
        if key is None:
            entries.append(self._hashes([*others, *self.program, *made[1:], *objects], uids))
        return MadeViewer([*entries, *made[1:]], tuple(folder.without_copy))

    def _fits(self, fixed: Sizes, sizes: Sizes, sealed_for: Site | None) -> bool:
        capacity = self._capacity()
        if not capacity:
            return True
        if sealed_for is None:
            hashes = most_hash_bytes(len(fixed) + len(sizes))
            return iso_blocks([*fixed, *sizes, (HASHES, hashes + _INDEX_NOTE_BYTES)]) <= capacity
        from dicomdir.encrypt.volume import protected_sizes

        sealed = [it for it in fixed if not it[0].startswith(f"{VIEWER_FOLDER}/")]
        clear = [*((it.path, it.size_bytes) for it in self.program), *sizes]
        return iso_blocks(protected_sizes(sealed, sealed_for, clear)) <= capacity

    def _hashes(self, entries: Sequence[Entry], uids: Sequence[str]) -> Entry:
        """HASHES: of every file but MANIFEST and itself."""
        known = dict(
            zip((it.path for it in entries[len(entries) - len(uids) :]), uids, strict=True)
        )
        rows = []
        for entry in entries:
            digest = self._pack.hashes.get(known.get(entry.path, ""), b"")
            if not digest and isinstance(entry.source, FileSource):
                digest = self._pack.made_hashes.get(entry.path, b"")
            rows.append((entry.path, entry.size_bytes, digest or _sha256(entry)))
        return hash_list(rows)


def viewer_for(
    folder: Path, site: Site, created_at: datetime, *, is_wanted: bool, **options: Any
) -> ViewerMaker | None:
    """The maker for a job; None if no viewer is wanted, or none was built into this program.

    Args:
        options: As ViewerMaker takes them.
    Raises:
        ViewerProgramError: The program is not the one that was built.
    """
    if not is_wanted or not assets.is_built():
        return None
    created = created_at.date().isoformat()
    return ViewerMaker(
        folder, created=created, version=site.version, glossary=site.glossary, **options
    )


def viewer_facts(site: Site) -> ViewerFacts:
    """What PDI-05 (d) wants said."""
    return ViewerFacts(
        product=f"{site.product} viewer",
        version=site.version,
        vendor_contact=site.vendor_contact,
        operating_systems="Windows, macOS, Linux and ChromeOS",
        intended_use="Looking at the images; it does not replace a diagnostic workstation.",
        requirements=(
            "A web browser: Edge, Chrome, Firefox or Safari, not older than three years."
            " Nothing is installed and nothing is sent over a network."
        ),
        launch_path=LAUNCH_PATH,
    )


def parted(entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Files of a medium without the viewer's, and the viewer's, if those are sealed by themselves.

    A viewer in clear beside sealed objects would show what they hide, so it is never parted.
    """
    own = [it for it in entries if it.path.startswith(f"{VIEWER_FOLDER}/")]
    manifest = next((it.source for it in own if it.path == MANIFEST), b"")
    lock = "SENDHOME.lock(".encode("utf-16-le")
    if not isinstance(manifest, bytes) or manifest[2 : 2 + len(lock)] != lock:
        return list(entries), []
    return [it for it in entries if it not in own], own


def _sha256(entry: Entry) -> bytes:
    digest = hashlib.sha256(entry.head)
    source = entry.source
    if isinstance(source, bytes):
        digest.update(source)
        return digest.digest()
    descriptor = os.open(source.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        at, end = source.offset_bytes, source.offset_bytes + source.size_bytes
        while at < end:
            data = os.pread(descriptor, min(_PIECE_BYTES, end - at), at)
            if not data:
                raise OSError("a file is shorter than it was")
            digest.update(data)
            at += len(data)
    finally:
        os.close(descriptor)
    return digest.digest()
