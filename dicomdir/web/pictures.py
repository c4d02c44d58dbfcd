"""Which images of a study become pictures: all of a small series, of a large one an even sample.

Objects come one at a time and nobody knows for sure how many will: when a series has more pictures
than it may, moving ones are thinned first, then every second image goes. An object that would be
thinned out is never looked at; what the archive said of a series' size saves looking in vain.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from dicomdir.elements import split
from dicomdir.errors import InstanceError, RenderError
from dicomdir.instance import Instance
from dicomdir.pdi import FileSource
from dicomdir.profile import needs_pixels
from dicomdir.summary import is_image, text_of
from dicomdir.web.text import kind

MAX_PER_SERIES: Final = 40  # images and frames
MAX_PICTURES: Final = 1000  # of a medium
MAX_BYTES: Final = 32 << 20  # of all pictures: a twentieth of a CD
MAX_ICONS: Final = 400  # 4 KB each, in a DICOMDIR that readers hold in memory
STRIP_FRAMES: Final = 20  # of one object
THUMBNAIL_PX: Final = 128
_FRAME_GREY: Final = 128
_MAX_NAMED: Final = 20  # objects without a picture, of one series

_INSTANCE_NUMBER: Final = 0x00200013
_TITLES: Final = (0x00420010, 0x00700081, 0x00700080)  # Document Title, Content Description, Label
_CONCEPT_NAME: Final = 0x0040A043
_CODE_MEANING: Final = 0x00080104


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture.

    Attributes:
        frame: From 0.
        file: A JPEG file in the work folder.
    """

    frame: int
    file: Path
    size_bytes: int
    width: int
    height: int


@dataclass(slots=True)
class PicturedImage:
    """An image with its picture, or with some of its frames.

    Attributes:
        index: Of the image in its series, as they came, from 0.
        number: Instance Number, raw; "" if there is none.
        frames: How many the object has.
    """

    sop_instance_uid: str
    index: int
    number: str
    frames: int
    shots: list[Shot]


@dataclass(frozen=True, slots=True)
class Named:
    """An object that is said by name: raw DICOM text.

    Attributes:
        words: What kind of thing it is, markup.
    """

    sop_instance_uid: str
    words: str
    title: str
    number: str


@dataclass(slots=True)
class Gallery:
    """Pictures of one series.

    Attributes:
        seen: Images that came, shown or not.
        stride: Every so many of them is shown, counted from the first.
        strip: So many frames of one object are shown at most.
        unshown: Images of those chosen that cannot be shown, the first few of them by name.
        others: The first few objects that are no images.
    """

    seen: int = 0
    stride: int = 1
    strip: int = STRIP_FRAMES
    images: list[PicturedImage] = field(default_factory=list)
    unshown_count: int = 0
    unshown: list[Named] = field(default_factory=list)
    others: list[Named] = field(default_factory=list)

    def shots(self) -> Iterator[Shot]:
        for image in self.images:
            yield from image.shots

    def held(self, uids: Container[str], images: int) -> Gallery:
        """Of a series that goes on elsewhere, what is shown of these Instances.

        Args:
            images: How many of them are images.
        """
        if images == self.seen:
            return self
        unshown = [it for it in self.unshown if it.sop_instance_uid in uids]
        return Gallery(
            seen=images,
            images=[it for it in self.images if it.sop_instance_uid in uids],
            unshown_count=len(unshown),
            unshown=unshown,
            others=[it for it in self.others if it.sop_instance_uid in uids],
        )

    def thin(self) -> list[Shot]:
        """One step to fewer pictures; gives those that are no longer shown."""
        if self.strip > 1 and any(len(image.shots) > 1 for image in self.images):
            self.strip //= 2
            gone: list[Shot] = []
            for image in self.images:
                kept = [image.shots[n] for n in spread(len(image.shots), self.strip)]
                gone += [shot for shot in image.shots if shot not in kept]
                image.shots = kept
            return gone
        self.stride *= 2
        gone = [s for it in self.images if it.index % self.stride for s in it.shots]
        self.images = [image for image in self.images if image.index % self.stride == 0]
        return gone


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` indices, evenly, beginning with the first."""
    chosen = min(count, most)
    return [index * count // chosen for index in range(chosen)]


class Pictures:
    """Pictures of all series of a medium, made as objects come; at most MAX_PICTURES, MAX_BYTES."""

    def __init__(self, work: Path, expected: Mapping[str, int] | None = None) -> None:
        """`work`: a folder for JPEG files, made when the first one comes.

        `expected`: Objects by Series Instance UID, a hint.
        """
        self._work = work
        self._expected = expected or {}
        self._made = 0
        self._per_series = MAX_PER_SERIES
        self._is_full = False
        self.count = 0
        self.size_bytes = 0
        self.galleries: dict[str, Gallery] = {}

    def add(self, instance: Instance, source: FileSource) -> bytes:
        """Look at one object.

        Returns:
            The Icon Image Sequence if it is the first image of its series that can be shown, else
            nothing.
        Raises:
            OSError: A file cannot be read or written.
        """
        gallery = self._gallery(instance.series_instance_uid)
        if not is_image(instance):
            if len(gallery.others) < _MAX_NAMED:
                gallery.others.append(_named(instance))
            return b""
        index = gallery.seen
        gallery.seen += 1
        if index % gallery.stride or self._is_full:
            return b""
        return self._show(gallery, index, instance, source)

    def _gallery(self, series_instance_uid: str) -> Gallery:
        gallery = self.galleries.get(series_instance_uid)
        if gallery is None:
            gallery = self.galleries[series_instance_uid] = Gallery()
            while self._expected.get(series_instance_uid, 0) > gallery.stride * self._per_series:
                gallery.stride *= 2
        return gallery

    def _show(self, gallery: Gallery, index: int, instance: Instance, source: FileSource) -> bytes:
        from dicomdir.render.picture import open_frames  # with numpy, which pages alone do not need

        icon = b""
        shots: list[Shot] = []
        frame_count = 0
        try:
            with open_frames(instance, source) as frames:
                frame_count = len(frames)
                for frame in spread(frame_count, gallery.strip):
                    picture = frames.picture(frame)
                    if not gallery.images and not shots and len(self.galleries) <= MAX_ICONS:
                        icon = picture.icon()
                    shots.append(self._keep(frame, picture.jpeg(), picture.width, picture.height))
        except RenderError:
            gallery.unshown_count += not shots
            if not shots and len(gallery.unshown) < _MAX_NAMED:
                gallery.unshown.append(_named(instance))
        if shots:
            number = text_of(instance, _INSTANCE_NUMBER)
            uid = instance.sop_instance_uid
            gallery.images.append(PicturedImage(uid, index, number, frame_count, shots))
            self._bound(gallery)
        return icon

    def _keep(self, frame: int, jpeg: bytes, width: int, height: int) -> Shot:
        if self._made == 0:
            self._work.mkdir(parents=True, exist_ok=True)
        self._made += 1
        file = self._work / f"p{self._made:07d}.jpg"
        file.write_bytes(jpeg)
        self.count += 1
        self.size_bytes += len(jpeg)
        return Shot(frame, file, len(jpeg), width, height)

    def _bound(self, gallery: Gallery) -> None:
        self._thin(gallery)
        while self.count > MAX_PICTURES or self.size_bytes > MAX_BYTES:
            if self._per_series == 1:
                self._is_full = True
                return
            self._per_series //= 2
            for each in self.galleries.values():
                self._thin(each)

    def _thin(self, gallery: Gallery) -> None:
        while sum(len(image.shots) for image in gallery.images) > self._per_series:
            for shot in gallery.thin():
                shot.file.unlink()
                self.count -= 1
                self.size_bytes -= shot.size_bytes


def thumbnail(file: Path) -> tuple[bytes, int, int]:
    """A picture of ours made small: JPEG, width, height. Raises OSError if it is gone.

    It has a grey frame: white pictures have no edge on a white page.
    """
    import imagecodecs
    import numpy as np

    from dicomdir.render.picture import Picture

    pixels = imagecodecs.jpeg8_decode(file.read_bytes())
    small = Picture(pixels, "GRAY" if pixels.ndim == 2 else "RGB").fitted(THUMBNAIL_PX - 2)
    edges = ((1, 1), (1, 1), (0, 0))[: small.pixels.ndim]
    small = replace(small, pixels=np.pad(small.pixels, edges, constant_values=_FRAME_GREY))
    return small.jpeg(), small.width, small.height


# --------------------------------------------------------------------------------------------------


def _named(instance: Instance) -> Named:
    title = next((text for tag in _TITLES if (text := text_of(instance, tag))), "")
    return Named(
        instance.sop_instance_uid,
        "image" if needs_pixels(instance.sop_class_uid) else kind(instance.sop_class_uid),
        title or _concept(instance),
        text_of(instance, _INSTANCE_NUMBER),
    )


def _concept(instance: Instance) -> str:
    """What a structured document is called, such as "Chest CT Report"."""
    items = instance.value(_CONCEPT_NAME)
    if not items:
        return ""
    length = int.from_bytes(items[4:8], "little")
    try:
        meaning = split(items[8 : 8 + length]).get(_CODE_MEANING, b"")
    except InstanceError:
        return ""
    return text_of(instance, _CODE_MEANING, meaning)
