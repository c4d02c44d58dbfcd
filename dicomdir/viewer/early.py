"""Chunks that are made while objects still arrive, in the order in which they came.

A medium takes them as they are where all of a series goes onto it and the order of arrival is not
far from the order of display. Nothing of a protected medium is made before its key is known.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

CHUNK_BYTES: Final = 1 << 20
FIRST_CHUNK_BYTES: Final = 256 << 10  # what the first image waits for
_FIELDS: Final = 2  # of a frame: chunk, offset in it


@dataclass(frozen=True, slots=True)
class MadeChunk:
    """A data file that a worker has made.

    Attributes:
        worker: Whose file it lies in, `offset` and `size_bytes` there.
        payload_bytes: Of what it carries.
        sha256: Of the file; empty where no hashes are wanted.
    """

    name: str
    worker: int
    offset: int
    size_bytes: int
    payload_bytes: int
    sha256: bytes


def series_folder(series: int) -> str:
    """Of a series' data files, counted from 1."""
    return f"S{series:07d}"


def chunk_name(series: int, chunk: int) -> str:
    """Of a data file; both numbers count from 1."""
    return f"{series_folder(series)}/C{chunk:07d}"


def ends_before(filled_bytes: int, chunk: int, frame_bytes: int) -> bool:
    """Whether a chunk that holds so much takes no more, or not a frame so large."""
    most = CHUNK_BYTES if chunk > 1 else FIRST_CHUNK_BYTES
    return filled_bytes >= most or frame_bytes > CHUNK_BYTES


@dataclass(slots=True)
class EarlySeries:
    """Of one series.

    Attributes:
        number: Of the series, from 1.
        chunks: What was made, in order; complete once all tasks are answered.
        places: Chunk, from 1, and offset in it of each frame, by SOP Instance UID.
    """

    number: int
    chunks: list[MadeChunk | None] = field(default_factory=list)
    places: dict[str, array[int]] = field(default_factory=dict)
    _waiting: deque[str] = field(default_factory=deque)  # objects whose encoding is under way
    _encoded: dict[str, Sequence[tuple[int, int, int]]] = field(default_factory=dict)
    _pieces: list[tuple[int, int, int]] = field(default_factory=list)
    _filled: int = 0

    def expect(self, uid: str) -> None:
        """An object is being encoded; chunks follow the order of these calls."""
        self._waiting.append(uid)

    def take(self, uid: str, frames: Sequence[tuple[int, int, int]]) -> list[Task]:
        """It is encoded: worker, offset and length of each frame.

        Returns:
            What to have done now.
        """
        self._encoded[uid] = frames
        tasks: list[Task] = []
        while self._waiting and self._waiting[0] in self._encoded:
            first = self._waiting.popleft()
            self._place(first, self._encoded.pop(first), tasks)
        return tasks

    def finish(self) -> list[Task]:
        """End the chunk that is being filled."""
        return self._end() if self._pieces else []

    def frame_places(self, uid: str) -> list[tuple[int, int]]:
        """Chunk and offset of each frame of an object; none if it is unknown."""
        numbers = self.places.get(uid, ())
        return [(numbers[at], numbers[at + 1]) for at in range(0, len(numbers), _FIELDS)]

    def _place(self, uid: str, frames: Sequence[tuple[int, int, int]], tasks: list[Task]) -> None:
        places = array("Q")
        for piece in frames:
            if ends_before(self._filled, len(self.chunks) + 1, piece[2]):
                tasks += self.finish()
            places.extend((len(self.chunks) + 1, self._filled))
            self._pieces.append(piece)
            self._filled += piece[2]
        self.places[uid] = places

    def _end(self) -> list[Task]:
        self.chunks.append(None)
        task = Task(self, len(self.chunks), self._pieces)
        self._pieces, self._filled = [], 0
        return [task]


@dataclass(frozen=True, slots=True)
class Task:
    """A chunk to be made of pieces: worker, offset and length each."""

    series: EarlySeries
    chunk: int
    pieces: list[tuple[int, int, int]]

    @property
    def name(self) -> str:
        return chunk_name(self.series.number, self.chunk)

    def request(self, *, has_hash: bool) -> dict[str, Any]:
        """For the pool."""
        return {
            "task": "gather",
            "name": self.name,
            "pieces": self.pieces,
            "deflate": False,
            "key": "",
            "disc": "",
            "hash": has_hash,
        }

    def done(self, answer: dict[str, Any]) -> None:
        """Raises OSError if it could not be made."""
        if "worker" not in answer:
            raise OSError(answer.get("failed", 0), "a data file of the viewer cannot be made")
        self.series.chunks[self.chunk - 1] = MadeChunk(
            self.name,
            answer["worker"],
            answer["at"],
            answer["size"],
            answer["payload"],
            bytes.fromhex(answer.get("sha256", "")),
        )


Submit = Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], None]


class EarlyChunks:
    """Of all series of a pack.

    Args:
        submit: Hands a task to the pool. It is called from `hand_over` alone: an answer may not
            ask for more by itself while answers are being read.
        has_hash: The SHA-256 of each file is wanted.
    """

    def __init__(self, submit: Submit, *, has_hash: bool) -> None:
        self._submit = submit
        self._has_hash = has_hash
        self._series: dict[str, EarlySeries] = {}
        self._tasks: deque[Task] = deque()

    def of(self, series: str) -> EarlySeries | None:
        """What was made of a series."""
        return self._series.get(series)

    def expect(self, series: str, number: int, uid: str) -> None:
        """An object is being encoded; `number` is its series' on the media."""
        self._series.setdefault(series, EarlySeries(number)).expect(uid)

    def take(self, series: str, uid: str, frames: Sequence[tuple[int, int, int]]) -> None:
        """It is encoded."""
        self._tasks += self._series[series].take(uid, frames)

    def finish(self) -> None:
        """End all chunks that are being filled."""
        for series in self._series.values():
            self._tasks += series.finish()

    def drop(self, series: str) -> None:
        """Nothing of it is carried."""
        self._series.pop(series, None)

    def hand_over(self) -> None:
        """Have done what is waiting for it."""
        while self._tasks:
            task = self._tasks.popleft()
            self._submit(task.request(has_hash=self._has_hash), task.done)
