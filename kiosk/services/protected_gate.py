"""The identity gate on a protected medium: opened with its password as far as names stand.

That every byte is what was built is proven before, by SHA-256. Here the medium itself has to say
that it is the job's (its manifest opens with no other password) and whose objects are in it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from functools import partial
from typing import Final

from dicomdir.check.viewer import MAX_HASHES_BYTES, read_hash_list
from dicomdir.directory import MAX_DIRECTORY_BYTES, read_directory
from dicomdir.encrypt.manifest import MANIFEST, MAX_MANIFEST_BYTES, Manifest, ProtectedFile
from dicomdir.encrypt.passwords import encode
from dicomdir.encrypt.unseal import Unsealer
from dicomdir.errors import DicomdirError, InstanceError
from dicomdir.instance import Instance, read_instance_at
from dicomdir.iso_reader import IsoReader, IsoRecord
from dicomdir.pdi import DICOMDIR, HASHES, OBJECTS_FOLDER
from kiosk.domain.model import PatientIdentity
from kiosk.errors import CheckFailedError, WrongPatientError
from kiosk.services.gates import StudyGate

# Of an object, to see whose it is: as much as nearly all need, then as much as any may.
_HEADER_BYTES: Final = (64 << 10, 1 << 20)
_MAGIC_OFFSET: Final = 128  # PS3.10 7.1


class _EnoughError(Exception):
    """The head of an object is there."""


def gate_protected_medium(
    verified: PatientIdentity,
    study_instance_uids: Collection[str],
    reader: IsoReader,
    password: str,
    *,
    accession_number: str = "",
) -> int:
    """The DICOMDIR's own words and the header of every object, as they are inside.

    Args:
        accession_number: Of the order; "": not compared.
    Returns:
        Number of objects, at least 1.
    Raises:
        WrongPatientError: Anything on it is another person's, or it is another job's medium.
        CheckFailedError: It cannot be read, holds no object, or something lies there in clear.
    """
    gate = StudyGate(verified, study_instance_uids, accession_number)
    try:
        return _Medium(reader, password).gate(gate)
    except DicomdirError as error:
        raise CheckFailedError(f"the medium cannot be compared: {error.code}") from error


def _slice(head: bytes, at: int, size: int) -> bytes:
    return head[at : at + size]


class _Medium:
    def __init__(self, reader: IsoReader, password: str) -> None:
        self._reader = reader
        self._unsealer = Unsealer(encode(password))
        self._records = {record.path: record for record in reader.files()}

    def gate(self, gate: StudyGate) -> int:
        manifest = self._manifest()
        known = {MANIFEST, *(it.stored for it in (*manifest.files, *manifest.clear))}
        if HASHES in self._records:
            self._check_hash_list(self._records[HASHES])
            known.add(HASHES)
        if self._records.keys() != known:
            raise CheckFailedError("there are other files on the medium than its manifest names")
        for path, record in self._records.items():
            if self._reader.read(record, _MAGIC_OFFSET, 4) == b"DICM":
                raise CheckFailedError(f"{path} is not protected")
        count = 0
        for file in manifest.files:
            if file.path == DICOMDIR:
                gate.check_directory(read_directory(self._head(file, MAX_DIRECTORY_BYTES)))
            elif file.path.startswith(f"{OBJECTS_FOLDER}/"):
                gate.check(self._instance(file))
                count += 1
        if not count:
            raise CheckFailedError("the medium holds no DICOM object")
        return count

    def _check_hash_list(self, record: IsoRecord) -> None:
        """It stands in clear: nothing is in it but files that are here, as they lie here."""
        if record.size_bytes > MAX_HASHES_BYTES:
            raise CheckFailedError("the list of hashes is too large")
        data = self._reader.read(record, 0, record.size_bytes)
        try:
            rows = read_hash_list(data, MAX_HASHES_BYTES)
        except ValueError as error:
            raise CheckFailedError("the list of hashes cannot be read") from error
        here = {path: it.size_bytes for path, it in self._records.items()}
        if any(here.get(row.path) != row.size_bytes for row in rows):
            raise CheckFailedError("the list of hashes names files that are not on the medium")

    def _manifest(self) -> Manifest:
        record = self._records.get(MANIFEST)
        if record is None or record.size_bytes > MAX_MANIFEST_BYTES:
            raise CheckFailedError("the medium has no manifest that can be read")
        data = self._reader.read(record, 0, record.size_bytes)
        manifest = Manifest.decode(self._unsealer.unseal_authenticated(data))
        if manifest.volume_id != self._reader.volume_id.decode("ascii", "replace").rstrip():
            raise WrongPatientError("the manifest is of another medium")
        return manifest

    def _instance(self, file: ProtectedFile) -> Instance:
        for most in _HEADER_BYTES:
            head = self._head(file, most)
            try:
                return read_instance_at(partial(_slice, head), file.size_bytes)
            except InstanceError as error:
                trouble = error
        raise trouble

    def _head(self, file: ProtectedFile, most: int) -> bytes:
        """So many bytes of a plain file; its digest only where they are all of it."""
        record: IsoRecord = self._records[file.stored]
        head = bytearray()

        def take(piece: memoryview) -> None:
            head.extend(piece[: most - len(head)])
            if len(head) >= most:
                raise _EnoughError

        def read(offset: int, size: int) -> bytes:
            return self._reader.read(record, offset, size)

        with contextlib.suppress(_EnoughError):  # the rest was compared by its hash
            self._unsealer.unseal(read, record.size_bytes, take)
        return bytes(head)
