"""What a PDF may do is taken out of it, or the PDF is refused (security T9).

Allowed is what shows pages: what is not known as harmless goes. The file is written anew by qpdf,
so that nothing stays that no page refers to. Runs in `worker`, under its limits: qpdf unpacks
what it reads.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Object, Pdf, Stream

from dicomdir.report.errors import PdfRefusedError
from dicomdir.report.pdf_limits import (
    MAX_DIRECT_DEPTH,
    MAX_FILE_BYTES,
    MAX_FILTERS,
    MAX_OBJECTS,
    MAX_PAGES,
    MAX_STREAM_BYTES,
    MAX_UNPACKED_BYTES,
    MAX_VALUES,
)

# Pages without resources show what needs none; qpdf gives them empty ones and says this, to the
# letter: with a later qpdf that says it otherwise they are refused again, and a test fails.
_NO_RESOURCES: Final = "Resources is missing or invalid; repairing"
_PIECE_BYTES: Final = 256 << 10
_MAX_UNMEASURED_BYTES: Final = 1 << 20  # of a stream in a packing that is not measured here

# What stays in the catalogue (ISO 32000-1 table 28).
_CATALOG: Final = frozenset((
    "/Type", "/Version", "/Pages", "/PageLabels", "/Names", "/Dests", "/ViewerPreferences",
    "/PageLayout", "/PageMode", "/Outlines", "/Metadata", "/StructTreeRoot", "/MarkInfo", "/Lang",
    "/OutputIntents", "/OCProperties", "/AcroForm", "/OpenAction",
))  # fmt: skip
_ACTIONS: Final = frozenset(("/GoTo", "/Named"))
_NAMED: Final = frozenset(("/NextPage", "/PrevPage", "/FirstPage", "/LastPage"))
_BAD_ACTIONS: Final = frozenset((
    "/JavaScript", "/Launch", "/GoToR", "/GoToE", "/URI", "/SubmitForm", "/ResetForm",
    "/ImportData", "/Hide", "/Movie", "/Sound", "/Rendition", "/SetOCGState", "/Trans",
    "/GoTo3DView", "/RichMediaExecute", "/Thread", "/GoToDp", "/Rendering",
))  # fmt: skip
_ANNOTATIONS: Final = frozenset((
    "/Text", "/Link", "/FreeText", "/Line", "/Square", "/Circle", "/Polygon", "/PolyLine",
    "/Highlight", "/Underline", "/Squiggly", "/StrikeOut", "/Stamp", "/Caret", "/Ink", "/Popup",
    "/Widget", "/Watermark", "/PrinterMark", "/TrapNet", "/Redact",
))  # fmt: skip
_BAD_SUBTYPES: Final = {
    "/FileAttachment": "embedded file", "/RichMedia": "rich media", "/3D": "3D content",
    "/Movie": "rich media", "/Sound": "rich media", "/Screen": "rich media", "/U3D": "3D content",
    "/PRC": "3D content", "/PS": "PostScript",
}  # fmt: skip
# Keys that go wherever they stand, and what a person calls what was there.
_BAD_KEYS: Final = {
    "/AA": "automatic action", "/JS": "JavaScript", "/JavaScript": "JavaScript", "/XFA": "XFA form",
    "/EmbeddedFiles": "embedded file", "/EF": "embedded file", "/RF": "embedded file",
    "/AF": "embedded file", "/Collection": "portfolio", "/RichMediaContent": "rich media",
    "/RichMediaSettings": "rich media", "/Renditions": "rich media", "/3DD": "3D content",
    "/3DV": "3D content", "/OPI": "external content", "/PieceInfo": "private application data",
    "/FFilter": "external content", "/FDecodeParms": "external content",
    "/Requirements": "requirement",
    "/AlternatePresentations": "rich media", "/MovieActions": "rich media",
}  # fmt: skip
_BAD_TYPES: Final = {
    "/EmbeddedFile": "embedded file", "/Filespec": "link to a file", "/F": "link to a file",
    "/Rendition": "rich media", "/Sig": "digital signature",
}  # fmt: skip
_LOSSY: Final = frozenset((
    "/DCTDecode", "/DCT", "/JPXDecode", "/CCITTFaxDecode", "/CCF", "/JBIG2Decode",
))  # fmt: skip
_FLATE: Final = frozenset(("/FlateDecode", "/Fl"))
_SMALL: Final = frozenset(("/ASCIIHexDecode", "/AHx", "/ASCII85Decode", "/A85"))


def clean_pdf(source: Path, out: Path) -> tuple[int, list[str]]:
    """Write a PDF anew without anything that acts.

    Args:
        out: A new file.
    Returns:
        Number of pages, and what was taken out, in a person's words with numbers.
    Raises:
        PdfRefusedError: It cannot be made safe.
    """
    if source.stat().st_size > MAX_FILE_BYTES:
        raise PdfRefusedError(f"it is larger than {MAX_FILE_BYTES >> 20} MB")
    with source.open("rb") as file:
        if b"%PDF-" not in file.read(1024):
            raise PdfRefusedError("it is no PDF")
    _limit_qpdf()
    try:
        with Pdf.open(source, attempt_recovery=False, suppress_warnings=True) as pdf:
            pages = _checked(pdf)
            found: Counter[str] = Counter()
            _strip(pdf, found)
            pdf.remove_unreferenced_resources()
            pdf.save(out, object_stream_mode=pikepdf.ObjectStreamMode.disable, static_id=True)
            if not all(str(it).endswith(_NO_RESOURCES) for it in pdf.get_warnings()):
                raise PdfRefusedError("it is damaged")
        with Pdf.open(out, attempt_recovery=False, suppress_warnings=True) as pdf:
            left: Counter[str] = Counter()
            _strip(pdf, left)
            if left or len(pdf.pages) != pages:
                raise PdfRefusedError("what it can do cannot be taken out safely")
    except PdfRefusedError:
        out.unlink(missing_ok=True)
        raise
    except pikepdf.PasswordError as error:
        raise PdfRefusedError("it is encrypted") from error
    except MemoryError as error:
        raise PdfRefusedError("it unpacks to too much") from error
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, RuntimeError) as error:
        out.unlink(missing_ok=True)
        raise PdfRefusedError("it is damaged") from error
    return pages, [f"{what} ({count})" if count > 1 else what for what, count in found.items()]


def _limit_qpdf() -> None:
    pikepdf.settings.set_qpdf_limits(
        doc_max_warnings=200,
        parser_max_nesting=MAX_DIRECT_DEPTH,
        parser_max_container_size=MAX_VALUES,
        max_stream_filters=MAX_FILTERS,
        flate_max_memory=MAX_STREAM_BYTES,
        png_max_memory=MAX_STREAM_BYTES,
        run_length_max_memory=MAX_STREAM_BYTES,
        tiff_max_memory=MAX_STREAM_BYTES,
        dct_max_memory=MAX_STREAM_BYTES,
    )


def _checked(pdf: Pdf) -> int:
    """Pages of a PDF that is whole and not too much."""
    if pdf.is_encrypted:
        raise PdfRefusedError("it is encrypted")
    if len(pdf.objects) > MAX_OBJECTS:
        raise PdfRefusedError(f"it has more than {MAX_OBJECTS} parts")
    if Name.Pages not in pdf.Root:
        raise PdfRefusedError("it is damaged")
    pages = len(pdf.pages)
    if not 0 < pages <= MAX_PAGES:
        raise PdfRefusedError(f"it has {'no' if not pages else f'more than {MAX_PAGES}'} pages")
    total = 0
    for value in pdf.objects:
        if isinstance(value, Stream):
            total += _unpacked_bytes(value)
            if total > MAX_UNPACKED_BYTES:
                raise PdfRefusedError("it unpacks to too much")
    return pages


# --- sizes ----------------------------------------------------------------------------------------


def _unpacked_bytes(stream: Stream) -> int:
    """How much a stream unpacks to, without ever holding it."""
    filters = stream.get("/Filter")
    names = [str(it) for it in filters] if isinstance(filters, Array) else []
    if isinstance(filters, Name):
        names = [str(filters)]
    if len(names) > MAX_FILTERS:
        raise PdfRefusedError("it packs its content too many times")
    raw = stream.read_raw_bytes()
    if not _FLATE.issuperset(names):
        measured = _LOSSY | _SMALL
        if measured.issuperset(names):
            return _picture_bytes(stream) or len(raw)
        if set(names) & (_FLATE | _SMALL) and set(names) & _LOSSY and _in_order(names):
            names = [it for it in names if it in _FLATE]
        elif len(raw) > _MAX_UNMEASURED_BYTES:
            raise PdfRefusedError("it holds packed content that cannot be measured")
        else:
            return len(stream.read_bytes())
    if _picture_bytes(stream) > MAX_STREAM_BYTES:
        raise PdfRefusedError("it holds a picture that is too large")
    pieces: Iterable[bytes] = (
        raw[at : at + _PIECE_BYTES] for at in range(0, len(raw), _PIECE_BYTES)
    )
    for _ in names:
        pieces = _inflated(pieces)
    total = 0
    for piece in pieces:
        total += len(piece)
        if total > MAX_STREAM_BYTES:
            raise PdfRefusedError("it unpacks to too much")
    return total


def _in_order(names: list[str]) -> bool:
    """Flate around a picture's own packing, as some writers do."""
    return names[0] in _FLATE and names[-1] in _LOSSY and len(names) == 2


def _inflated(pieces: Iterable[bytes]) -> Iterator[bytes]:
    inflater = zlib.decompressobj()
    for piece in pieces:
        data = piece
        while data and not inflater.eof:
            try:
                yield inflater.decompress(data, _PIECE_BYTES)
            except zlib.error:
                return  # viewers show what came before; qpdf copies the stream as it is
            data = inflater.unconsumed_tail


def _picture_bytes(stream: Stream) -> int:
    """Width times height of an image, four bytes a pixel; 0 for what is none."""
    if _name(stream, "/Subtype") != "/Image":
        return 0
    width, height = stream.get("/Width", 0), stream.get("/Height", 0)
    return 4 * int(width) * int(height)


# --- taking out -----------------------------------------------------------------------------------


def _strip(pdf: Pdf, found: Counter[str]) -> None:
    """Take out of every object what is not allowed, and count it in a person's words."""
    root = pdf.Root
    _strip_catalog(root, found)
    for page in pdf.pages:
        _strip_annotations(page.obj, found)
    budget = MAX_VALUES
    for top in pdf.objects:
        pending: list[tuple[Any, int]] = [(top, 0)]
        while pending:
            value, depth = pending.pop()
            if not isinstance(value, Object) or not isinstance(value, (Dictionary, Array, Stream)):
                continue
            budget -= 1
            if budget < 0 or depth > MAX_DIRECT_DEPTH:
                raise PdfRefusedError("it is nested too deep or has too many parts")
            if isinstance(value, Array):
                pending += [(it, depth + 1) for it in value if not _is_indirect(it)]
                continue
            _strip_dictionary(value, found)
            pending += [(it, depth + 1) for _, it in value.items() if not _is_indirect(it)]


def _strip_catalog(root: Object, found: Counter[str]) -> None:
    for key in list(root.keys()):
        if key not in _CATALOG:
            del root[key]
            if what := _BAD_KEYS.get(key):
                found[what] += 1
            elif key == "/URI":
                found["link to the web"] += 1
            elif key in ("/Perms", "/DSS"):
                found["digital signature"] += 1
    opening = root.get("/OpenAction")
    if opening is not None and not isinstance(opening, Array) and not _is_harmless(opening):
        found[f"open action: {_action_words(opening)}"] += 1
        _forget(opening)
        del root["/OpenAction"]
    names = root.get("/Names")
    if isinstance(names, Dictionary):
        for key in list(names.keys()):
            if key != "/Dests":
                del names[key]
                found[_BAD_KEYS.get(key, "named content")] += 1


def _strip_annotations(page: Object, found: Counter[str]) -> None:
    annotations = page.get("/Annots")
    if annotations is None:
        return
    if not isinstance(annotations, Array):
        del page["/Annots"]
        return
    kept = []
    for annotation in annotations:
        kind = _name(annotation, "/Subtype") if isinstance(annotation, Dictionary) else ""
        if kind in _ANNOTATIONS:
            kept.append(annotation)
        else:
            found[_BAD_SUBTYPES.get(kind, "unknown annotation")] += 1
    if len(kept) != len(annotations):
        page["/Annots"] = Array(kept)


def _strip_dictionary(value: Any, found: Counter[str]) -> None:
    """One dictionary or stream; what it refers to has its own turn."""
    keys = set(value.keys())
    for key in keys & _BAD_KEYS.keys():
        if key == "/AF" or value.get(key) is not None:
            found[_BAD_KEYS[key]] += 1
        del value[key]
    for key in keys & {"/A", "/PA", "/Next", "/OpenAction"}:
        target = value.get(key)
        if isinstance(target, Dictionary) and "/S" in target and not _is_harmless(target):
            if not _is_structure(value, target):
                found[_action_words(target)] += 1
                _forget(target)
                del value[key]
        elif key == "/Next" and isinstance(target, Array) and "/S" in keys:
            found["action"] += 1
            del value[key]
    kind, subtype = _name(value, "/Type"), _name(value, "/Subtype")
    if _name(value, "/S") in _BAD_ACTIONS and not _is_in_structure(value):
        _empty(value)
        return
    if "/ByteRange" in keys and "/Contents" in keys:
        kind = "/Sig"
    if kind in _BAD_TYPES and (kind != "/F" or "/F" in keys or "/UF" in keys):
        found[_BAD_TYPES[kind]] += 1
        _empty(value)
        return
    if isinstance(value, Stream):
        if "/F" in keys:
            found["external content"] += 1
            del value["/F"]
        if subtype == "/PS" or _name(value, "/Subtype2") == "/PS":
            found["PostScript"] += 1
            _empty(value)
        elif subtype in ("/U3D", "/PRC"):
            found["3D content"] += 1
            _empty(value)
        elif subtype == "/Form" and "/Ref" in keys:
            found["external content"] += 1
            del value["/Ref"]
    elif subtype in _BAD_SUBTYPES and "/Rect" in keys:
        found[_BAD_SUBTYPES[subtype]] += 1
        _empty(value)


def _name(value: Any, key: str) -> str:
    """A name; "" for anything else."""
    name = value.get(key)
    return str(name) if isinstance(name, Name) else ""


def _forget(action: Any) -> None:
    """What nothing leads to any more is not counted once more when its own turn comes."""
    if isinstance(action, Dictionary):
        _empty(action)


def _empty(value: Any) -> None:
    for key in list(value.keys()):
        if key != "/Length":
            del value[key]
    if isinstance(value, Stream):
        value.write(b"")


def _is_harmless(action: Any) -> bool:
    """Goes to a place in the same document."""
    if not isinstance(action, Dictionary):
        return False
    kind = _name(action, "/S")
    if kind == "/Named":
        return _name(action, "/N") in _NAMED
    return kind in _ACTIONS


def _is_structure(owner: Any, target: Any) -> bool:
    """/A of a structure element holds attributes with an owner (ISO 32000-1 14.7.5), no action."""
    return "/O" in target and "/P" in owner and _name(target, "/S") not in _BAD_ACTIONS


def _is_in_structure(value: Any) -> bool:
    """/S of a structure element is its role, and may be any word."""
    return _name(value, "/Type") == "/StructElem" or ("/P" in value and "/K" in value)


def _is_indirect(value: Any) -> bool:
    return isinstance(value, Object) and value.is_indirect


def _action_words(action: Any) -> str:
    kind = _name(action, "/S") if isinstance(action, Dictionary) else ""
    return {
        "/JavaScript": "JavaScript", "/Launch": "start of a program", "/URI": "link to the web",
        "/SubmitForm": "sending of a form", "/GoToR": "link to a file", "/GoToE": "embedded file",
        "/ImportData": "reading of a file", "/RichMediaExecute": "rich media",
        "/Rendition": "rich media", "/Movie": "rich media", "/Sound": "rich media",
        "/GoTo3DView": "3D content",
    }.get(kind, "action")  # fmt: skip
