"""An SR document or a Key Object Selection as a page (PS3.3 A.35, C.17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from dicomdir.report.markup import (
    PATIENT,
    clock,
    day,
    encoded,
    escaped,
    fact_rows,
    moment,
    page,
    paragraphs,
    person,
)
from dicomdir.report.patient import patient_facts
from dicomdir.report.reader import Content, Node
from dicomdir.report.sr_words import (
    CHARSET,
    CHILDREN,
    CONTINUITY,
    OBSERVED,
    REFERENCED,
    RELATIONS,
    RELATIONSHIP,
    SOP_CLASS,
    SOP_INSTANCE,
    Find,
    Speaker,
    by_reference,
    class_words,
    items,
    value_type,
)

MAX_PAGE_BYTES: Final = 1 << 20
MAX_CONTENT_DEPTH: Final = 24  # content items inside each other
_VERIFYING, _AUTHORS, _PREDECESSORS = 0x0040A073, 0x0040A078, 0x0040A360
_COMPLETION, _COMPLETION_WORDS = 0x0040A491, 0x0040A492
_VERIFICATION, _PRELIMINARY = 0x0040A493, 0x0040A496
_EQUIPMENT: Final = (0x00080070, 0x00081090, 0x00181000)  # maker, model, serial number
_LAST_HEADING: Final = 6
_COMPLETIONS: Final = {"COMPLETE": "complete", "PARTIAL": "partial: not all of it is written yet"}
_VERIFICATIONS: Final = {
    "VERIFIED": "verified",
    "UNVERIFIED": "not verified",
}
_Placed: TypeAlias = "list[tuple[tuple[int, ...], Node]]"
_ANNOTATING: Final = ("HAS CONCEPT MOD", "HAS OBS CONTEXT", "HAS ACQ CONTEXT")


class SrPage:
    """One document as a page.

    Attributes:
        title: Plain text, with "preliminary" in it if the document is flagged so.
        is_preliminary: By Preliminary Flag, or because it is not complete.
    """

    def __init__(self, content: Content, find: Find) -> None:
        root = content.root
        charset = root.get(CHARSET)
        self._root = root
        self._is_cut = content.is_cut
        self._speaker = Speaker(charset if isinstance(charset, bytes) else b"", find)
        self._lines: list[str] = []
        self._size = 0
        self._referred = set(_referred(root))
        speaker = self._speaker
        self.is_preliminary = (
            speaker.text(root, _PRELIMINARY) == "PRELIMINARY"
            or speaker.text(root, _COMPLETION) == "PARTIAL"
        )
        own = speaker.concept(root) or class_words(speaker.text(root, SOP_CLASS)).capitalize()
        self.title = f"Preliminary: {own}" if self.is_preliminary else own
        self.date = day(speaker.text(root, 0x00080023))

    def encode(self, source_uid: str, *, back: str) -> bytes:
        """The page.

        Args:
            back: Link to the start page, in the case of the medium.
        """
        self._put(f"<h1>{escaped(self.title)}</h1>")
        if self.is_preliminary:
            self._put(
                "<p><strong>This report is preliminary. A final report may say something else."
                "</strong></p>"
            )
        for line in fact_rows(self._facts(), "About this document", of_header=True):
            self._put(line)
        self._put("<hr />")
        self._annotations(self._root, (1,), 1)
        self._observed(self._root)
        self._children(self._root, (1,), 2, 1)
        notes = []
        if self._is_cut:
            notes.append(
                "This document is longer than what is shown here; all of it is in the DICOM object."
            )
        if self._speaker.has_unreadable:
            notes.append(
                "Some letters could not be read and are shown as &#65533;; the DICOM object holds"
                " them as they were written."
            )
        body = [
            *self._lines,
            "<hr />",
            *(f"<p><strong>{note}</strong></p>" for note in notes),
            f'<p><a href="{back}">Back to the start page</a></p>',
            f"<p>Made from the DICOM object {escaped(source_uid)}.</p>",
        ]
        return encoded(page(escaped(self.title), body, source_uid=escaped(source_uid)))

    # --- about the document -----------------------------------------------------------------------

    def _facts(self) -> Iterator[tuple[str, str]]:
        root, say = self._root, self._speaker.text
        yield PATIENT, patient_facts(root, self._speaker)
        exam = (say(root, 0x00081030), say(root, 0x00200010), day(say(root, 0x00080020)))
        yield "Exam", escaped(_joined(*exam))
        number = say(root, 0x00200011)
        yield "Series", escaped(_joined(say(root, 0x0008103E), f"number {number}" * bool(number)))
        yield "Accession number", escaped(say(root, 0x00080050))
        yield "Institution", escaped(say(root, 0x00080080))
        yield "Referring physician", escaped(person(say(root, 0x00080090)))
        yield "Written", escaped(f"{day(say(root, 0x00080023))} {clock(say(root, 0x00080033))}")
        yield "Author", "<br />".join(self._people(_AUTHORS, 0x0040A123, 0x00080080))
        completion = say(root, _COMPLETION)
        words = _joined(
            _COMPLETIONS.get(completion, completion.lower()), say(root, _COMPLETION_WORDS)
        )
        yield "Completion", escaped(words)
        verification = say(root, _VERIFICATION)
        yield "Verification", escaped(_VERIFICATIONS.get(verification, verification.lower()))
        yield "Verified by", "<br />".join(self._people(_VERIFYING, 0x0040A075, 0x0040A027))
        yield "Equipment", escaped(_joined(*(say(root, tag) for tag in _EQUIPMENT)))
        yield "Takes the place of", "<br />".join(self._predecessors())

    def _people(self, tag: int, name: int, organisation: int) -> Iterator[str]:
        say = self._speaker.text
        for node in items(self._root, tag)[:40]:
            who = _joined(person(say(node, name)), say(node, organisation))
            when = moment(say(node, 0x0040A030))
            yield escaped(f"{when} - {who}" if when else who)

    def _predecessors(self) -> Iterator[str]:
        for study in items(self._root, _PREDECESSORS)[:20]:
            for series in items(study, 0x00081115)[:20]:
                for item in items(series, REFERENCED)[:20]:
                    kind = class_words(self._speaker.text(item, SOP_CLASS))
                    yield escaped(f"{kind} {self._speaker.text(item, SOP_INSTANCE)}")

    # --- its content ------------------------------------------------------------------------------

    def _put(self, line: str) -> None:
        self._size += len(line) + 2
        self._lines.append(line)

    def _has_room(self, depth: int) -> bool:
        if self._size < MAX_PAGE_BYTES and depth < MAX_CONTENT_DEPTH:
            return True
        self._is_cut = True
        return False

    def _children(self, node: Node, path: tuple[int, ...], level: int, depth: int) -> None:
        """What a container contains, as headings and paragraphs."""
        is_running = self._speaker.text(node, CONTINUITY) == "CONTINUOUS"
        running: list[str] = []
        below: _Placed = []
        for number, child in enumerate(items(node, CHILDREN), 1):
            inner = (*path, number)
            if self._speaker.text(child, RELATIONSHIP) in _ANNOTATING:
                continue  # stands before its siblings: `_annotations`
            if not self._has_room(depth):
                break
            if is_running and value_type(child) in ("TEXT", "CODE", "NUM", "DATE", "TIME"):
                title = escaped(self._speaker.concept(child))
                titled = f' title="{title}"' if title else ""
                running.append(f"<span{self._id(inner)}{titled}>{self._shown(child)}</span>")
                below += [((*inner, n), it) for n, it in enumerate(items(child, CHILDREN), 1)]
                continue
            self._flush(running, below, depth)
            if value_type(child) == "CONTAINER":
                self._container(child, inner, level, depth)
            else:
                relation = self._relation(child)
                self._put(f"<p{self._id(inner)}>{relation}{self._said(child)}</p>")
                self._list(child, inner, depth + 1)
        self._flush(running, below, depth)

    def _flush(self, running: list[str], below: _Placed, depth: int) -> None:
        """End a running text; what belongs to its parts stands below it."""
        if running:
            self._put(f"<p>{' '.join(running)}</p>")
            self._ul(below, depth + 1)
            running.clear()
            below.clear()

    def _container(self, node: Node, path: tuple[int, ...], level: int, depth: int) -> None:
        title = escaped(self._speaker.concept(node))
        if title or self._id(path):
            rank = min(level, _LAST_HEADING)
            self._put(f"<h{rank}{self._id(path)}>{title}</h{rank}>")
        self._observed(node)
        self._annotations(node, path, depth + 1)
        self._children(node, path, level + 1, depth + 1)

    def _observed(self, node: Node) -> None:
        if observed := self._speaker.text(node, OBSERVED):
            self._put(f"<p><small>(observed {escaped(moment(observed))})</small></p>")

    def _annotations(self, node: Node, path: tuple[int, ...], depth: int) -> None:
        """Modifiers and contexts of a container, in small letters under its heading."""
        found = [
            (number, child)
            for number, child in enumerate(items(node, CHILDREN), 1)
            if self._speaker.text(child, RELATIONSHIP) in _ANNOTATING
        ]
        if found:
            self._ul([((*path, number), child) for number, child in found], depth)

    def _list(self, node: Node, path: tuple[int, ...], depth: int) -> None:
        """Everything below an item that is no heading, as a list in a list."""
        self._ul([((*path, n), child) for n, child in enumerate(items(node, CHILDREN), 1)], depth)

    def _ul(self, children: _Placed, depth: int) -> None:
        if not children or not self._has_room(depth):
            return
        self._put("<ul>")
        for number, (path, child) in enumerate(children):
            if number and not self._has_room(depth):
                break
            self._put(f"<li{self._id(path)}>{self._relation(child)}{self._said(child)}")
            self._list(child, path, depth + 1)
            self._put("</li>")
        self._put("</ul>")

    def _id(self, path: tuple[int, ...]) -> str:
        return f' id="{_anchor(path)}"' if path in self._referred else ""

    def _relation(self, node: Node) -> str:
        relation = self._speaker.text(node, RELATIONSHIP)
        words = RELATIONS.get(relation, relation.lower().capitalize())
        return f"<small>{escaped(words)}:</small> " if words else ""

    def _said(self, node: Node) -> str:
        """An item on its own: concept, value, when it was observed."""
        if target := by_reference(node):
            return self._cross_reference(target)
        concept, shown = escaped(self._speaker.concept(node)), self._shown(node)
        said = f"<strong>{concept}:</strong> {shown}" if concept else shown
        if value_type(node) == "CONTAINER":
            said = f"<strong>{concept}</strong>" if concept else "&#160;"
        if observed := self._speaker.text(node, OBSERVED):
            said += f" <small>(observed {escaped(moment(observed))})</small>"
        return said

    def _shown(self, node: Node) -> str:
        """The value of an item as markup; what is coded says its code when it is pointed at."""
        if value_type(node) in ("IMAGE", "COMPOSITE", "WAVEFORM"):
            return "<br />".join(self._references(node)) or "(refers to nothing)"
        shown = paragraphs(self._speaker.value(node))
        if code := self._speaker.code(node):
            return f'<span title="{escaped(code)}">{shown}</span>'
        return shown

    def _references(self, node: Node) -> Iterator[str]:
        for words, place in self._speaker.references(node):
            if place.href:
                yield f'see <a href="{place.href}">{escaped(place.words)}</a>'
            elif place.words:
                yield f"see {escaped(place.words)} <small>({escaped(words)})</small>"
            else:
                yield f"see {escaped(words)}"

    def _cross_reference(self, target: tuple[int, ...]) -> str:
        node = _at(self._root, target)
        if node is None:
            return "another part of this document"
        named = escaped(self._speaker.concept(node)) or "another part of this document"
        value = self._speaker.value(node).partition("\n")[0][:80]
        shown = f"{named}: {escaped(value)}" if value.strip() else named
        return f'see <a href="#{_anchor(target)}">{shown}</a>'


def _anchor(path: tuple[int, ...]) -> str:
    return "item-" + "-".join(map(str, path))


def _at(root: Node, path: tuple[int, ...]) -> Node | None:
    """The item that a path of ordinals names; the first of them is the root (PS3.3 C.17.3.2.5)."""
    if path[:1] != (1,):
        return None
    node = root
    for number in path[1:]:
        children = items(node, CHILDREN)
        if not 1 <= number <= len(children):
            return None
        node = children[number - 1]
    return node


def _referred(root: Node) -> Iterator[tuple[int, ...]]:
    """The paths that items refer to, as far as they lead to something."""
    pending = [root]
    while pending:
        node = pending.pop()
        target = by_reference(node)
        if target and _at(root, target) is not None:
            yield target
        pending += items(node, CHILDREN)


def _joined(*parts: str) -> str:
    return ", ".join(part.strip() for part in parts if part.strip())
