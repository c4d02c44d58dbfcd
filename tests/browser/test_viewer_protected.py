"""A protected medium as it is written, checked by its page before the password and after it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from dicomdir.build import ObjectFile, Plan, build_volume
from dicomdir.encrypt.volume import encrypt_volume
from dicomdir.instance import read_instance
from dicomdir.pdi import PdiVolume
from dicomdir.viewer.maker import ViewerMaker, parted
from tests.browsers import Browser
from tests.entries import content
from tests.factories import make_study
from tests.jobs import SITE

pytestmark = pytest.mark.integration

PASSWORD = "H7KQ-3MXA-9PTD-VW4E"
OBJECT = "DICOM/P0000001/ST000001/SE000001/I0000001"


@pytest.fixture(scope="module")
def medium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("protected")
    files = make_study(folder / "in", ("CT", "CT", "SR"))
    objects = [ObjectFile(str(it), read_instance(it)) for it in files]
    (folder / "work").mkdir()
    (folder / "sealed").mkdir()
    with ViewerMaker(
        folder / "work" / "v", created="2026-11-22", version="1", password=PASSWORD, workers=1
    ) as viewer:
        plan = Plan("PDI_SEAL", "2.25.77", SITE, folder / "work", viewer=viewer)
        volume, site = build_volume(objects, plan).volume, viewer.facts_for(SITE)
    plain, own = parted(volume.entries)
    volume = PdiVolume(volume.volume_id, plain)
    sealed = encrypt_volume(volume, PASSWORD, folder / "sealed", site=site, clear=own)
    for entry in sealed.entries:
        path = folder / "disc" / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(entry))
    return folder / "disc"


def harm(root: Path) -> None:
    """One file altered by a bit, one gone, one more, and the same of what the page itself reads."""
    data = bytearray((root / OBJECT).read_bytes())
    data[len(data) // 2] ^= 1
    (root / OBJECT).write_bytes(data)
    (root / "EXTRA" / "PRIVATE" / "D000001" / "F0000001.P7M").unlink()
    (root / "EXTRA" / "NEW.TXT").write_text("x")
    (root / "VIEWER" / "GLOSSARY.JS").unlink()


def verdict(web: Browser, place: str, root: Path) -> str:
    """Have the folder compared; what the page says, blanks made one."""
    web.ask("pick", selector=f"{place} button.main", paths=[str(root)])
    web.until(f"document.querySelector('{place} [role=alert]:is(.good, .warn)')")
    told: str = web.evaluate(f"document.querySelector('{place}').innerText")
    return re.sub(r"\s+", " ", told)


def open_lock(web: Browser) -> None:
    web.ask("type", selector="#password", text=PASSWORD)
    web.ask("key", key="Enter")
    web.until_shown()


def test_it_is_checked_before_the_password_and_after_it(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(medium, tmp_path / "disc"))
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.getElementById('password')")
    web.evaluate("document.querySelector('#lock-check summary').click()")
    web.until("document.querySelector('#lock-check button.main')")
    if web.kind != "chromium":  # automation can choose no folder there
        open_lock(web)
        web.evaluate("sendhome.commands.run('check', sendhome)")
        web.until("document.querySelector('#panel button.main')")
        assert web.complaints() == []
        return
    told = verdict(web, "#lock-check", root)
    assert "All files are intact" in told
    assert "Not compared 2 " in told
    assert not re.search("Altered|Missing|Not in the list", told)
    assert "Doe" not in web.evaluate("document.documentElement.textContent")
    web.ask("type", selector="#password", text="H7KQ-3MXA-9PTD-VW4F")
    web.ask("key", key="Enter")
    web.until("document.querySelector('.wrong')?.textContent")
    assert "All files are intact" in web.evaluate("document.body.innerText"), "it stays"
    open_lock(web)
    web.evaluate("sendhome.commands.run('check', sendhome)")
    assert "All files are intact" in verdict(web, "#panel", root)
    assert web.complaints() == []


def test_altered_missing_and_added_files_are_named(
    web: Browser, medium: Path, tmp_path: Path
) -> None:
    if web.kind != "chromium":
        pytest.skip("automation can choose no folder there")
    root = Path(shutil.copytree(medium, tmp_path / "disc"))
    harm(root)
    web.open(root / "VIEWER" / "START.HTM")
    web.until("document.getElementById('password')")
    web.evaluate("document.querySelector('#lock-check summary').click()")
    web.until("document.querySelector('#lock-check button.main')")
    before = verdict(web, "#lock-check", root)
    web.ask("screenshot", path=str(tmp_path / "before.png"))
    open_lock(web)
    web.evaluate("sendhome.commands.run('check', sendhome)")
    after = verdict(web, "#panel", root)
    for told in (before, after):
        assert "Some files are not what was written." in told
        assert f"{OBJECT} Altered" in told
        assert "EXTRA/PRIVATE/D000001/F0000001.P7M Missing" in told
        assert "VIEWER/GLOSSARY.JS Missing" in told
        assert "EXTRA/NEW.TXT Not in the list" in told
        assert re.search(r"Altered 1 Missing 2 Not compared 2 Not in the list 1 ", told)
