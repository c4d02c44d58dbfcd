"""PDFs that act are made still or refused; PDFs that are attacks end within the limits."""

from __future__ import annotations

import io
import resource
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from dicomdir.report import worker
from dicomdir.report.errors import PdfRefusedError
from dicomdir.report.pdf_check import clean_pdf

# Names that no PDF may hold when it has been cleaned; searched for in its bytes, which is another
# way than the walk that took them out.
FORBIDDEN = [
    b"/JavaScript", b"/JS", b"/Launch", b"/SubmitForm", b"/GoToR", b"/GoToE", b"/ImportData",
    b"/EmbeddedFile", b"/EmbeddedFiles", b"/RichMedia", b"/XFA", b"/AA", b"/URI", b"/3D", b"/U3D",
    b"/FileAttachment", b"/Filespec", b"/Movie", b"/Sound", b"/Screen", b"/Rendition", b"/OPI",
    b"/Collection", b"/EF", b"/AF", b"/ByteRange", b"/RichMediaExecute", b"/ResetForm", b"/Thread",
]  # fmt: skip
SECRET = b"app.alert(1)"


def plain(pages: int = 1) -> Pdf:
    pdf = Pdf.new()
    font = pdf.make_indirect(
        Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
    )
    for number in range(pages):
        page = pdf.add_blank_page(page_size=(300, 300))
        page.Resources = Dictionary(Font=Dictionary(F1=font))
        page.Contents = Stream(pdf, b"BT /F1 20 Tf 40 150 Td (Page %d shown) Tj ET" % (number + 1))
    return pdf


def script() -> Dictionary:
    return Dictionary(S=Name.JavaScript, JS=String("app.alert(1)"))


def annotation(pdf: Pdf, subtype: str, **more: Any) -> None:
    made = Dictionary(
        Type=Name.Annot, Subtype=Name(f"/{subtype}"), Rect=Array([0, 0, 9, 9]), **more
    )
    pdf.pages[0].Annots = Array([pdf.make_indirect(made)])


def action(kind: str, **more: Any) -> Callable[[Pdf], None]:
    def make(pdf: Pdf) -> None:
        annotation(pdf, "Link", A=Dictionary(S=Name(f"/{kind}"), **more))

    return make


def file_spec(pdf: Pdf) -> Dictionary:
    data = Stream(pdf, b"MZ program", Type=Name.EmbeddedFile)
    return Dictionary(Type=Name.Filespec, F=String("x.exe"), EF=Dictionary(F=data))


def open_action(pdf: Pdf) -> None:
    pdf.Root.OpenAction = pdf.make_indirect(script())


def catalog_aa(pdf: Pdf) -> None:
    pdf.Root.AA = Dictionary(WC=script())


def page_aa(pdf: Pdf) -> None:
    pdf.pages[0].obj.AA = Dictionary(O=script())


def script_in_names(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(
        JavaScript=Dictionary(Names=Array([String("a"), pdf.make_indirect(script())]))
    )


def attachment(pdf: Pdf) -> None:
    pdf.Root.Names = Dictionary(
        EmbeddedFiles=Dictionary(Names=Array([String("x"), pdf.make_indirect(file_spec(pdf))]))
    )


def portfolio(pdf: Pdf) -> None:
    attachment(pdf)
    pdf.Root.Collection = Dictionary(View=Name.D)


def associated(pdf: Pdf) -> None:
    pdf.pages[0].obj.AF = Array([pdf.make_indirect(file_spec(pdf))])


def attached_note(pdf: Pdf) -> None:
    annotation(pdf, "FileAttachment", FS=file_spec(pdf))


def rich_media(pdf: Pdf) -> None:
    assets = Dictionary(Names=Array([String("m.swf"), file_spec(pdf)]))
    annotation(pdf, "RichMedia", RichMediaContent=Dictionary(Assets=assets))


def three_d(pdf: Pdf) -> None:
    model = Stream(pdf, b"U3D", Type=Name("/3D"), Subtype=Name.U3D, OnInstantiate=Stream(pdf, b"x"))
    annotation(pdf, "3D", **{"3DD": pdf.make_indirect(model)})


def xfa(pdf: Pdf) -> None:
    pdf.Root.AcroForm = Dictionary(Fields=Array([]), XFA=Stream(pdf, b"<xdp/>"))


def field_script(pdf: Pdf) -> None:
    annotation(pdf, "Widget", FT=Name.Tx, T=String("f"), AA=Dictionary(K=script()))
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.pages[0].Annots[0]]), CO=Array([]))


def chained(pdf: Pdf) -> None:
    page = pdf.pages[0].obj
    following = Dictionary(S=Name.GoTo, D=Array([page, Name.Fit]), Next=script())
    annotation(pdf, "Link", A=Dictionary(S=Name.GoTo, D=Array([page, Name.Fit]), Next=following))


def chained_array(pdf: Pdf) -> None:
    page = pdf.pages[0].obj
    following = Array([Dictionary(S=Name.Launch, F=String("cmd.exe"))])
    annotation(pdf, "Link", A=Dictionary(S=Name.GoTo, D=Array([page, Name.Fit]), Next=following))


def outline(pdf: Pdf) -> None:
    item = pdf.make_indirect(Dictionary(Title=String("x"), A=script()))
    pdf.Root.Outlines = pdf.make_indirect(Dictionary(First=item, Last=item, Count=1))
    item.Parent = pdf.Root.Outlines


def outline_uri_base(pdf: Pdf) -> None:
    pdf.Root.URI = Dictionary(Base=String("http://evil.example/"))


def movie(pdf: Pdf) -> None:
    annotation(pdf, "Movie", Movie=Dictionary(F=String("x.avi")))


def screen(pdf: Pdf) -> None:
    annotation(pdf, "Screen", A=Dictionary(S=Name.Rendition, JS=String("x"), OP=0))


def external_stream(pdf: Pdf) -> None:
    pdf.pages[0].Contents = Stream(pdf, b"", F=String("http://evil.example/x"))


def reference_object(pdf: Pdf) -> None:
    form = Stream(pdf, b"", Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 1, 1]),
                  Ref=Dictionary(F=file_spec(pdf), Page=0))  # fmt: skip
    pdf.pages[0].Resources.XObject = Dictionary(X=pdf.make_indirect(form))


def postscript(pdf: Pdf) -> None:
    form = Stream(pdf, b"(x) run", Type=Name.XObject, Subtype=Name.PS)
    pdf.pages[0].Resources.XObject = Dictionary(X=pdf.make_indirect(form))


def unknown_annotation(pdf: Pdf) -> None:
    annotation(pdf, "Hologram", JS=String("app.alert(1)"))


def fake_structure(pdf: Pdf) -> None:
    """A script in the clothes of a structure element."""
    pdf.Root.OpenAction = Dictionary(Type=Name.StructElem, P=pdf.Root.Pages, K=0, O=Name.Layout,
                                     S=Name.JavaScript, JS=String("app.alert(1)"))  # fmt: skip


def signature(pdf: Pdf) -> None:
    value = Dictionary(Type=Name.Sig, ByteRange=Array([0, 1, 2, 3]), Contents=String("x"))
    annotation(pdf, "Widget", FT=Name.Sig, T=String("s"), V=pdf.make_indirect(value))
    pdf.Root.AcroForm = Dictionary(Fields=Array([pdf.pages[0].Annots[0]]), SigFlags=3)


ACTIVE: list[tuple[Callable[[Pdf], None], str]] = [
    (open_action, "open action: JavaScript"), (catalog_aa, "automatic action"),
    (page_aa, "automatic action"), (script_in_names, "JavaScript"), (attachment, "embedded file"),
    (portfolio, "portfolio"), (associated, "embedded file"), (attached_note, "embedded file"),
    (rich_media, "rich media"), (three_d, "3D content"), (xfa, "XFA form"),
    (field_script, "automatic action"), (chained, "JavaScript"), (chained_array, "action"),
    (outline, "JavaScript"), (outline_uri_base, "link to the web"), (movie, "rich media"),
    (screen, "rich media"), (external_stream, "external content"),
    (reference_object, "external content"), (postscript, "PostScript"),
    (unknown_annotation, "unknown annotation"), (fake_structure, "open action: JavaScript"),
    (signature, "digital signature"),
    (action("Launch", F=String("cmd.exe")), "start of a program"),
    (action("URI", URI=String("http://evil.example")), "link to the web"),
    (action("SubmitForm", F=String("http://evil.example")), "sending of a form"),
    (action("GoToR", F=String("x.pdf")), "link to a file"),
    (action("GoToE", F=String("x.pdf")), "embedded file"),
    (action("ImportData", F=String("x.fdf")), "reading of a file"),
    (action("RichMediaExecute"), "rich media"), (action("Hide", T=String("x")), "action"),
    (action("JavaScript", JS=String("app.alert(1)")), "JavaScript"),
    (action("Unheard"), "action"), (action("Named", N=Name.Print), "action"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "what"), ACTIVE, ids=[f"{n}" for n in range(len(ACTIVE))])
@pytest.mark.parametrize("packed", [False, True])
def test_what_acts_is_taken_out(
    tmp_path: Path, make: Callable[[Pdf], None], what: str, packed: bool
) -> None:
    source, out = tmp_path / "in.pdf", tmp_path / "out.pdf"
    pdf = plain(2)
    make(pdf)
    modes = pikepdf.ObjectStreamMode
    pdf.save(source, object_stream_mode=modes.generate if packed else modes.disable)
    pages, stripped = clean_pdf(source, out)
    assert pages == 2
    assert any(it.startswith(what) for it in stripped), stripped
    data = out.read_bytes()
    with Pdf.open(out) as cleaned:
        body = b"".join(it.read_bytes() for it in cleaned.objects if isinstance(it, Stream))
        everything = b"\n".join(it.unparse(resolved=False) for it in cleaned.objects)
    assert SECRET not in data + body
    for name in FORBIDDEN:
        assert not any(
            part[:1] in b"/ \n\r<[(>]" or not part for part in everything.split(name)[1:]
        ), name
    shown = subprocess.run(["pdftotext", out, "-"], capture_output=True, check=True).stdout
    assert b"Page 2 shown" in shown


def test_what_does_not_act_stays(tmp_path: Path) -> None:
    pdf = plain(2)
    page = pdf.pages[1].obj
    pdf.Root.OpenAction = Array([page, Name.Fit])
    pdf.Root.Lang = String("en")
    annotation(pdf, "Link", A=Dictionary(S=Name.GoTo, D=Array([page, Name.Fit])))
    pdf.save(tmp_path / "in.pdf")
    assert clean_pdf(tmp_path / "in.pdf", tmp_path / "out.pdf") == (2, [])
    with Pdf.open(tmp_path / "out.pdf") as cleaned:
        assert str(cleaned.pages[0].Annots[0].A.S) == "/GoTo"
        assert cleaned.Root.Lang == "en"
        assert isinstance(cleaned.Root.OpenAction, Array)


@pytest.mark.parametrize("where", ["none", "inherited"])
def test_a_page_needs_no_resources_of_its_own(tmp_path: Path, where: str) -> None:
    pdf = plain(2)
    resources = pdf.pages[1].obj.Resources
    for page in pdf.pages:
        del page.obj["/Resources"]
    if where == "inherited":
        pdf.Root.Pages.Resources = resources
    pdf.save(tmp_path / "in.pdf")
    assert clean_pdf(tmp_path / "in.pdf", tmp_path / "out.pdf") == (2, [])
    with Pdf.open(tmp_path / "out.pdf") as made:
        for page in made.pages:
            assert ("/Font" in page.resources) is (where == "inherited")


def test_it_is_the_same_each_time(tmp_path: Path) -> None:
    pdf = plain()
    open_action(pdf)
    pdf.save(tmp_path / "in.pdf")
    made = []
    for number in range(2):
        clean_pdf(tmp_path / "in.pdf", tmp_path / f"{number}.pdf")
        made.append((tmp_path / f"{number}.pdf").read_bytes())
    assert made[0] == made[1]


# --- attacks --------------------------------------------------------------------------------------


def raw_pdf(objects: list[bytes], *, root: int = 1) -> bytes:
    """A file with a sound cross-reference table, whatever its objects hold."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<</Size %d/Root %d 0 R>>\n" % (len(objects) + 1, root)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


CATALOG = b"<</Type/Catalog/Pages 2 0 R>>"
PAGES = b"<</Type/Pages/Count 1/Kids[3 0 R]>>"
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>"


def stream(data: bytes, more: bytes = b"") -> bytes:
    return b"<</Length %d%s>>stream\n%s\nendstream" % (len(data), more, data)


def squeezed(size: int) -> bytes:
    packer = zlib.compressobj(9)
    piece = bytes(1 << 20)
    return b"".join(packer.compress(piece) for _ in range(size >> 20)) + packer.flush()


def bomb() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(squeezed(400 << 20), b"/Filter/FlateDecode")])


def nested_bomb() -> bytes:
    data = zlib.compress(squeezed(1500 << 20), 9)
    return raw_pdf([CATALOG, PAGES, PAGE, stream(data, b"/Filter[/FlateDecode/FlateDecode]")])


def many_bombs() -> bytes:
    data = stream(squeezed(100 << 20), b"/Filter/FlateDecode")
    return raw_pdf([CATALOG, PAGES, PAGE, *[data] * 10])


def run_length_bomb() -> bytes:
    data = b"\x81\0" * (2 << 20) + b"\x80"
    return raw_pdf([CATALOG, PAGES, PAGE, stream(data, b"/Filter/RunLengthDecode")])


def object_stream_bomb() -> bytes:
    """Objects inside a packed stream that is mostly nothing."""
    packed = zlib.compress(b"5 0 <</A 1>>" + b" " * (900 << 20), 9)
    body = b"<</Type/ObjStm/N 1/First 4/Filter/FlateDecode/Length %d>>stream\n%s\nendstream"
    objects = [CATALOG, PAGES, PAGE, body % (len(packed), packed)]
    out, rows = bytearray(b"%PDF-1.7\n"), [b"\0\0\0\0\0\0"]
    for number, data in enumerate(objects, 1):
        rows.append(b"\x01" + len(out).to_bytes(4, "big") + b"\0")
        out += b"%d 0 obj\n%s\nendobj\n" % (number, data)
    rows.append(b"\x02" + (4).to_bytes(4, "big") + b"\0")
    start = len(out)
    rows.append(b"\x01" + start.to_bytes(4, "big") + b"\0")
    table = b"".join(rows)
    out += b"6 0 obj\n<</Type/XRef/Size 7/W[1 4 1]/Root 1 0 R/Length %d>>stream\n" % len(table)
    return bytes(out + table + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start)


def deep_arrays() -> bytes:
    deep = b"[" * 50_000 + b"]" * 50_000
    return raw_pdf([CATALOG[:-2] + b"/X 4 0 R>>", PAGES, PAGE, deep])


def deep_dictionaries() -> bytes:
    deep = b"<</A" * 20_000 + b" 1" + b">>" * 20_000
    return raw_pdf([CATALOG, PAGES, PAGE[:-2] + b"/PieceInfo 4 0 R>>", deep])


def page_loop() -> bytes:
    return raw_pdf([CATALOG, b"<</Type/Pages/Count 1/Kids[2 0 R]>>", PAGE, stream(b"")])


def parent_loop() -> bytes:
    return raw_pdf([CATALOG, b"<</Type/Pages/Count 2/Kids[3 0 R 5 0 R]>>", PAGE, stream(b""),
                    b"<</Type/Pages/Count 1/Parent 5 0 R/Kids[2 0 R]>>"])  # fmt: skip


def length_loop() -> bytes:
    body = b"<</Length 4 0 R>>stream\nx\nendstream"
    return raw_pdf([CATALOG, PAGES, PAGE, body])


def many_pages() -> bytes:
    out = io.BytesIO()
    plain(501).save(out)
    return out.getvalue()


def many_objects() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(b""), *[b"<<>>"] * 60_000])


def huge_array() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, b"[" + b"[]" * 1_200_000 + b"]"])


def huge_picture() -> bytes:
    picture = b"/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceGray"
    packed = zlib.compress(bytes(1000))
    return raw_pdf([CATALOG, PAGES, PAGE, stream(packed, picture + b"/Filter/FlateDecode")])


def many_filters() -> bytes:
    data = b"x"
    for _ in range(8):
        data = zlib.compress(data)
    return raw_pdf([CATALOG, PAGES, PAGE, stream(data, b"/Filter[%s]" % (b"/FlateDecode" * 8))])


def no_pages() -> bytes:
    return raw_pdf([CATALOG, b"<</Type/Pages/Count 0/Kids[]>>"])


def no_catalogue() -> bytes:
    return raw_pdf([b"<<>>"])


def cut_short() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(b"x")])[:-60]


def wrong_table() -> bytes:
    return raw_pdf([CATALOG, PAGES, PAGE, stream(b"x")]).replace(
        b"%PDF-1.7\n", b"%PDF-1.7\n%moved\n"
    )


def garbage() -> bytes:
    return b"%PDF-1.7\n" + bytes(range(256)) * 100


def no_pdf() -> bytes:
    return b"GIF89a" + bytes(2000)


def too_large() -> bytes:
    return b"%PDF-1.7\n" + bytes(33 << 20)


def encrypted() -> bytes:
    return _locked("owner", "user")


def encrypted_for_reading() -> bytes:
    return _locked("owner", "")


def _locked(owner: str, user: str) -> bytes:
    out = io.BytesIO()
    plain().save(out, encryption=pikepdf.Encryption(owner=owner, user=user))
    return out.getvalue()


HOSTILE: list[tuple[Callable[[], bytes], str]] = [
    (bomb, "unpacks|damaged"), (nested_bomb, "unpacks|damaged"), (many_bombs, "unpacks"),
    (run_length_bomb, "unpacks|measured|damaged"), (object_stream_bomb, "unpacks|memory|damaged"),
    (deep_arrays, "damaged|nested|memory"), (deep_dictionaries, "damaged|nested|memory"),
    (page_loop, "damaged|pages"), (parent_loop, "damaged|pages"), (length_loop, "damaged"),
    (many_pages, "pages"), (many_objects, "parts"), (huge_array, "damaged|parts|memory"),
    (huge_picture, "picture"), (many_filters, "times"), (no_pages, "damaged|pages"),
    (no_catalogue, "damaged"), (cut_short, "damaged"), (wrong_table, "damaged"),
    (garbage, "damaged"), (no_pdf, "no PDF"), (too_large, "larger"), (encrypted, "encrypted"),
    (encrypted_for_reading, "encrypted"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "reason"), HOSTILE, ids=[it[0].__name__ for it in HOSTILE])
def test_an_attack_is_refused_within_the_limits(
    tmp_path: Path, make: Callable[[], bytes], reason: str
) -> None:
    source, out = tmp_path / "in.pdf", tmp_path / "out.pdf"
    source.write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with pytest.raises(PdfRefusedError) as caught:
        worker.check_pdf(source, out)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert any(word in caught.value.reason for word in reason.split("|")), caught.value.reason
    assert not out.exists()
    assert after.ru_utime - before.ru_utime <= worker.CPU_S + 1
    assert caught.value.code == "report.pdf_refused"


def test_one_that_never_ends_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit itself: with no processor time to speak of even a good PDF is refused."""
    plain(400).save(tmp_path / "in.pdf")
    assert worker.check_pdf(tmp_path / "in.pdf", tmp_path / "out.pdf").pages == 400
    monkeypatch.setattr(worker, "WALL_S", 0.05)
    with pytest.raises(PdfRefusedError, match="too much time"):
        worker.check_pdf(tmp_path / "in.pdf", tmp_path / "out.pdf")
    assert not (tmp_path / "out.pdf").exists()
