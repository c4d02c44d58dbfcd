"""Driver's licences as their barcodes read."""

from __future__ import annotations

from datetime import date

from kiosk.domain.licence import Licence

# The sample of the AAMVA standard of 2020, annex D.13, as its barcode reads.
SAMPLE = (
    "@\n\x1e\rANSI 636000100102DL00410278ZV03190008DLDAQT64235789\nDCSSAMPLE\nDDEN\nDACMICHAEL\n"
    "DDFN\nDADJOHN\nDDGN\nDCUJR\nDCAD\nDCBK\nDCDPH\nDBD06062019\nDBB06061986\nDBA12102024\nDBC1\n"
    "DAU068 in\nDAYBRO\nDAG2300 WEST BROAD STREET\nDAIRICHMOND\nDAJVA\nDAK232690000  \n"
    "DCF2424244747474786102204\nDCGUSA\nDCK123456789\nDDAF\nDDB06062018\nDDC06062020\nDDD1\r"
    "ZVZVA01\r"
)
MICHAEL = Licence("SAMPLE", "MICHAEL", date(1986, 6, 6), date(2024, 12, 10))
ELEMENTS = (
    ("DAQ", "T64235789"), ("DCS", "GARCIA"), ("DDE", "N"), ("DAC", "MARIA"), ("DDF", "N"),
    ("DAD", "LUISA"), ("DDG", "N"), ("DBD", "06062019"), ("DBB", "03031961"), ("DBA", "12102030"),
    ("DAG", "2300 WEST BROAD STREET"), ("DCG", "USA"),
)  # fmt: skip
MARIA = Licence("GARCIA", "MARIA", date(1961, 3, 3), date(2030, 12, 10))


def card(
    *changes: tuple[str, str | None],
    lf: str = "\n",
    rs: str = "\x1e",
    cr: str = "\r",
    version: str = "1001",
    kind: str = "DL",
) -> str:
    """A card of one subfile; an element of None is not on it."""
    elements = dict(ELEMENTS) | dict(changes)
    said = lf.join(f"{name}{value}" for name, value in elements.items() if value is not None)
    length = len(kind) + sum(4 + len(value) for value in elements.values() if value is not None)
    return f"@{lf}{rs}{cr}ANSI 636000{version}01{kind}0031{length:04}{kind}{said}{cr}"
