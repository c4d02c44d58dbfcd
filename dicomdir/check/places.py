"""Names, places and first bytes of every file (PDI-01 to PDI-18, PDI-24 to PDI-28, PDI-45)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from dicomdir.check.jpeg import MAX_HEADER_BYTES, TAIL_BYTES, jpeg_fault, jpeg_oddity
from dicomdir.check.secure import is_report, is_secure
from dicomdir.check.tree import Collector, Medium, Tree, TreeFile, read_or_find
from dicomdir.pdi import (
    DICOMDIR,
    EXTRA_FOLDER,
    FILE_ID_COMPONENT,
    FILE_NAME,
    INDEX,
    MAX_LEVELS,
    OBJECTS_FOLDER,
    ROOT_NAMES,
    WEB_EXTENSIONS,
    WEB_FOLDER,
)

HEAD_BYTES: Final = 132  # preamble and prefix of a DICOM file (PS3.10 7.1)
_ZEROS: Final = bytes(128)
_SELF_STARTERS: Final = frozenset(("autorun", "autoplay", ".autorun", "autorun_"))
_LITTER: Final = frozenset((".ds_store", "desktop.ini", "thumbs.db"))
_SIGNATURES: Final = ((b"MZ", "a DOS program"), (b"\x7fELF", "a program"), (b"%PDF", "a PDF"))
_PROGRAMS: Final = (b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"PK\3\4")


class Places:
    """Where files stand and what they begin with.

    Args:
        folders: Top folders that the DICOMDIR's File IDs begin with; without the DICOMDIR, ours.
        is_encrypted: DICOM files are Secure DICOM files.
    """

    def __init__(
        self,
        tree: Tree,
        found: Collector,
        folders: Collection[str],
        *,
        is_encrypted: bool = False,
    ) -> None:
        self._is_encrypted = is_encrypted
        self._tree = tree
        self._found = found
        self._folders = frozenset(folders) or {OBJECTS_FOLDER}
        self.strays: list[str] = []
        self.documents: list[str] = []

    def check(self, known: Collection[str]) -> None:
        """All files.

        Args:
            known: Paths of those that were read already: DICOM files with a zero preamble.

        Afterwards `strays` are the other DICOM files, without the DICOMDIR, and `documents` what
        may be a report that is none of DICOM.
        """
        tree, found = self._tree, self._found
        self._check_root()
        for folder in tree.folders:
            self._check_name(f"{folder}/X", folder, "the folder's name or depth is not allowed")
        for file in tree.files:
            path = file.path
            self._check_name(path, path, "the file's name or depth is not allowed")
            if path == DICOMDIR:
                continue  # read by whoever checks what is in it
            if path in known:
                self._check_dicom_place(path)
                continue
            head = read_or_find(tree, found, "PDI-03", path, 0, HEAD_BYTES)
            if head[128:] == b"DICM":
                check_preamble(path, head, found)
                self.strays.append(path)
                self._check_dicom_place(path)
            elif self._is_encrypted and is_secure(head):
                if not path.startswith(f"{EXTRA_FOLDER}/"):  # there it may be anything
                    self._check_dicom_place(path)
            else:
                self._check_other_place(file, head)

    def _check_name(self, path: str, shown: str, reason: str) -> None:
        """PDI-25 for the DICOMDIR and what lies in folders of DICOM files, PDI-27 for the rest."""
        *folders, name = path.split("/")
        if len(folders) + 1 > MAX_LEVELS:
            self._found.error("PDI-28", shown, reason)
        is_dicom = path == DICOMDIR or bool(folders and folders[0] in self._folders)
        whole = FILE_ID_COMPONENT if is_dicom else FILE_NAME
        if whole.fullmatch(name) and all(map(FILE_ID_COMPONENT.fullmatch, folders)):
            return
        if is_dicom:
            self._found.error("PDI-25", shown, reason)
        elif self._tree.medium is Medium.STICK:  # PDI-27: SHALL on CD, SHOULD elsewhere
            self._found.warn("PDI-27", shown, reason)
        else:
            self._found.error("PDI-27", shown, reason)

    def _check_root(self) -> None:
        tree, found = self._tree, self._found
        directories = [file.path for file in tree.files if _name(file.path).upper() == DICOMDIR]
        if DICOMDIR not in directories:
            found.error("PDI-01", "", "there is no DICOMDIR in the root")
        for path in directories:
            if path != DICOMDIR:
                found.error("PDI-01", path, "a second DICOMDIR")
        files = {file.path for file in tree.files if "/" not in file.path}
        folders = {path.split("/")[0] for path in tree.folders}
        folders |= {file.path.split("/")[0] for file in tree.files if "/" in file.path}
        if INDEX not in files and WEB_FOLDER not in folders:
            found.warn("PDI-07", "", "there is no web content")
        elif self._is_encrypted and WEB_FOLDER not in folders:
            pass  # INDEX.HTM says that it is protected; web content is left out (PDI-92)
        elif INDEX not in files or WEB_FOLDER not in folders:
            found.error("PDI-07", "", "of INDEX.HTM and IHE_PDI one is missing")
        for name in sorted(files | folders):
            self._check_root_name(name)

    def _check_root_name(self, name: str) -> None:
        found, lower = self._found, name.lower()
        if lower.startswith("ihe") and name not in (WEB_FOLDER, "IHE_XDM"):
            found.error("PDI-15", name, "names in the root may not begin with IHE")
        if lower.split(".")[0] in _SELF_STARTERS or lower.startswith(".autorun"):
            found.error("PDI-18", name, "nothing on the medium may start by itself")
        elif lower in _LITTER:
            found.error("PDI-18", name, "left behind by an operating system")
        elif name not in ROOT_NAMES:
            found.warn("PDI-17", name, "not one of the usual names in the root")

    def _check_dicom_place(self, path: str) -> None:
        folder, _, name = path.partition("/")
        if not name:
            self._found.error("PDI-02", path, "a DICOM file in the root that is not the DICOMDIR")
        elif folder == WEB_FOLDER:
            self._found.error("PDI-13", path, "a DICOM file among the web pages")
        elif folder != OBJECTS_FOLDER:
            self._found.warn("PDI-17", path, "a DICOM file outside of the folder DICOM")

    def _check_other_place(self, file: TreeFile, head: bytes) -> None:
        path = file.path
        folder, _, name = path.partition("/")
        if folder == WEB_FOLDER and name:
            self._check_web_file(file, head)
        elif folder in self._folders and name:
            self._found.error("PDI-16", path, "something else among the DICOM files")
        elif name and folder != "VIEWER" and is_report(path):
            self.documents.append(path)

    def _check_web_file(self, file: TreeFile, head: bytes) -> None:
        found, path, extension = self._found, file.path, _extension(file.path)
        for signature, what in _SIGNATURES:
            if head.startswith(signature):
                found.error("PDI-13", path, f"{what} among the web pages")
        if extension not in WEB_EXTENSIONS:
            report = found.warn if extension == "CSS" else found.error
            report("PDI-11", path, "web content is XHTML and JPEG only")
        elif extension == "JPG":
            data = read_or_find(self._tree, found, "PDI-11", path, 0, MAX_HEADER_BYTES)
            at = max(0, file.size_bytes - TAIL_BYTES)
            tail = read_or_find(self._tree, found, "PDI-11", path, at, TAIL_BYTES)
            if fault := jpeg_fault(data, tail):
                found.error("PDI-11", path, fault)
            elif oddity := jpeg_oddity(data):
                found.warn("PDI-11", path, f"not every browser shows it: {oddity}")


def check_preamble(path: str, head: bytes, found: Collector) -> None:
    """PDI-45, and PDI-24 for what could be run."""
    if head[:128] == _ZEROS:
        return
    found.error("PDI-45", path, "the preamble is not all zero")
    if head.startswith(_PROGRAMS):
        found.error("PDI-24", path, "the preamble is the beginning of a program")


def check_listing(
    referenced: Iterable[str], paths: Collection[str], strays: Iterable[str], found: Collector
) -> None:
    """Every DICOM file has its record and every record its file (PDI-03)."""
    named = set(referenced)
    for path in sorted(named):
        if path not in paths:
            found.error("PDI-03", path, "the DICOMDIR refers to a file that is not there")
    for path in strays:
        if path != DICOMDIR and path not in named:
            found.error("PDI-03", path, "the DICOMDIR does not refer to this DICOM file")


def _extension(path: str) -> str:
    return _name(path).rpartition(".")[2].upper() if "." in path else ""


def _name(path: str) -> str:
    return path.rpartition("/")[2]
