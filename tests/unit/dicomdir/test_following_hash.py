"""The hash that follows a growing file."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from dicomdir.following_hash import FollowingHash
from dicomdir.growth import Growth
from dicomdir.iso import begin_author
from tests.unit.dicomdir.test_iso import CREATED, make_volume


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "grows"
    path.touch()
    return path


def test_it_is_of_what_was_written_last(file: Path) -> None:
    """Blocks are reserved as zeros first; what is hashed is what stands there when it is told."""
    rng = random.Random(20261122)
    content = rng.randbytes(3_000_001)
    descriptor = os.open(file, os.O_RDWR)
    os.posix_fallocate(descriptor, 0, len(content))
    growth = Growth()
    following = FollowingHash(descriptor, len(content), growth)
    at = 0
    while at < len(content):
        piece = content[at : at + rng.choice((1, 100, 4096, 70_000, 500_000))]
        at += os.pwrite(descriptor, piece, at)
        growth.reached(at)
    growth.end()
    os.close(descriptor)
    assert following.hexdigest() == hashlib.sha256(content).hexdigest()


def test_of_a_file_that_is_not_finished_there_is_no_hash(file: Path) -> None:
    file.write_bytes(bytes(10_000))
    before = threading.active_count()
    with file.open("rb") as opened:
        growth = Growth()
        following = FollowingHash(opened.fileno(), 10_000, growth)
    growth.reached(5_000)
    growth.end()
    following.join()
    assert threading.active_count() == before
    with pytest.raises(ValueError, match="not finished"):
        following.hexdigest()


def test_an_image_that_is_replaced_is_hashed_to_its_end(tmp_path: Path) -> None:
    """Cutting a mapped file would end the process."""
    first = begin_author(make_volume(tmp_path), tmp_path / "out.iso", created_at=CREATED)
    content = first.path.read_bytes()
    begin_author(make_volume(tmp_path), tmp_path / "out.iso", created_at=CREATED)
    assert first.hashed().sha256 == hashlib.sha256(content).hexdigest()


def test_a_file_larger_than_the_memory_that_is_allowed(file: Path) -> None:
    """A DVD's image in a builder, whose address space is limited."""
    code = """if True:
        import hashlib, os, resource, sys
        from dicomdir.following_hash import FollowingHash
        from dicomdir.growth import Growth
        size = 700 << 20
        descriptor = os.open(sys.argv[1], os.O_RDWR)
        os.ftruncate(descriptor, size)
        os.pwrite(descriptor, b"end", size - 3)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (300 << 20),) * 2)
        growth = Growth()
        following = FollowingHash(descriptor, size, growth)
        growth.reached((65 << 20) + 1)
        growth.reached(size)
        print(following.hexdigest())
    """
    told = subprocess.run(
        [sys.executable, "-c", code, file], capture_output=True, text=True, timeout=120, check=True
    )
    with file.open("rb") as whole:
        assert told.stdout.strip() == hashlib.file_digest(whole, "sha256").hexdigest()
