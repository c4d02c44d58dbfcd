"""A finished volume sealed: the plain image was checked, this is the one that goes out."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dicomdir.check.image import check_image
from dicomdir.encrypt.restore import verify
from dicomdir.encrypt.volume import encrypt_volume, protected_sizes
from dicomdir.errors import ImageTooLargeError
from dicomdir.iso import author
from dicomdir.pdi import PdiVolume
from dicomdir.readme import Site
from dicomdir.room import iso_blocks
from dicomdir.viewer.maker import parted
from dicomdir.web import LinkCase
from kiosk.builder.commit import Flushing
from kiosk.builder.protocol import CONVERTED, ComposedImage, ComposeRequest
from kiosk.builder.refusals import require_no_errors

Progress = Callable[[int, int], None]


def check_room(volume: PdiVolume, site: Site, capacity_blocks: int) -> None:
    """Whether the volume fits once it is sealed; 0 is any size.

    Raises:
        ImageTooLargeError: With the numbers.
    """
    plain, viewer = (
        [(entry.path, entry.size_bytes) for entry in some] for some in parted(volume.entries)
    )
    blocks = iso_blocks(protected_sizes(plain, site, viewer))
    if capacity_blocks and blocks > capacity_blocks:
        raise ImageTooLargeError(f"{blocks} blocks do not fit into {capacity_blocks}")


def sealed_image(
    volume: PdiVolume,
    made: ComposedImage,
    part: Path,
    request: ComposeRequest,
    site: Site,
    links: LinkCase,
    progress: Progress,
) -> ComposedImage:
    """Put the sealed image into the place of the plain one, which was checked before.

    Nobody can look inside afterwards, so all of it is opened again with the password before it
    counts: what is inside is, byte for byte, the volume that passed check and identity gate.

    Args:
        part: Where the plain image is.
        site: What README.TXT says, with the viewer's words where it goes along.
        progress: Called with done and total, in one unit over all of it.
    Raises:
        CheckFailedError: Our check finds errors.
        DicomdirError: It does not open, or does not fit.
        OSError: The disk is full.
    """
    part.unlink()
    work = request.folder / CONVERTED / f"sealed{made.number}"
    work.mkdir(mode=0o700)
    plain, viewer = parted(volume.entries)  # the viewer's data are sealed by themselves
    sealed = encrypt_volume(
        PdiVolume(volume.volume_id, plain),
        request.password,
        work,
        site=site,
        links=links,
        clear=viewer,
        progress=_third(progress, 0),
    )
    image = author(
        sealed,
        part,
        created_at=request.created_at,
        capacity_blocks=request.capacity_blocks,
        sync=False,
        progress=_third(progress, 1),
    )
    shutil.rmtree(work)  # as large as the image, which has it all
    with Flushing(part) as flushing:
        require_no_errors(check_image(part))
        verify(part, request.password, progress=_third(progress, 2))
        flushing.wait()
    return replace(made, blocks=image.blocks, size_bytes=image.size_bytes, sha256=image.sha256)


def _third(progress: Progress, number: int) -> Progress:
    return lambda done, total: progress(number * 1000 + 1000 * done // max(1, total), 3000)
