"""The kiosk's languages: complete catalogues, plural forms, dates and money by locale."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from babel.messages.catalog import Catalog

from kiosk import config
from kiosk.widgets import catalogues, words
from kiosk.widgets.wording import left_words, price_words, refused_words

DAY = date(1961, 3, 3)


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_every_string_is_translated_and_the_built_file_agrees(language: str) -> None:
    assert catalogues.findings(language) == []


def test_the_sources_are_really_read() -> None:
    keys = {m.id if isinstance(m.id, str) else m.id[0] for m in catalogues.extracted() if m.id}
    assert len(keys) > 150
    assert {"When were you born?", "{number} copy", "Call staff", "CT scan"} <= keys


@pytest.mark.parametrize(
    ("one", "translated", "fault"),
    [
        ("Disc {number} of {of}", "CD {number}", "placeholders differ"),
        ("Disc {number} of {of}", "CD {number} von {off}", "placeholders differ"),
        ("Disc {number} of {of}", "CD {number} von {of", "placeholders differ"),
        ("Back", " ", "not translated"),
        ("Back", "Zu\nrück", "line break"),
        (("{number} copy", "{number} copies"), ("{number} Kopie",), "plural forms"),
        (("{number} copy", "{number} copies"), ("eine Kopie", "Kopien {n}"), "placeholders differ"),
    ],
)
def test_what_the_check_finds(one: object, translated: object, fault: str) -> None:
    catalogue = Catalog(locale="de")
    message = catalogue.add(one, translated)  # type: ignore[arg-type]  # text or a pair of texts
    assert any(fault in it for it in catalogues._faults(message, catalogue))


def test_a_plural_may_leave_out_its_number() -> None:
    catalogue = Catalog(locale="de")
    message = catalogue.add(("{number} copy", "{number} copies"), ("eine Kopie", "{number} Kopien"))
    assert list(catalogues._faults(message, catalogue)) == []


def test_the_configuration_offers_what_there_is() -> None:
    assert tuple(words.LANGUAGES) == config.LANGUAGES
    assert set(words.WELCOMES) == set(words.LANGUAGES)
    assert config.KioskConfig().languages == config.LANGUAGES


@pytest.mark.parametrize(
    ("language", "region", "shown", "price"),
    [
        ("en", "US", "March 3, 1961", "$6.50"),
        ("en", "GB", "3 March 1961", "US$6.50"),
        ("es", "US", "3 de marzo de 1961", "$6.50"),
        ("fr", "US", "3 mars 1961", "6,50 $US"),
        ("de", "CH", "3. März 1961", "$ 6.50"),
        ("ar", "US", "3 مارس 1961", "6.50 US$"),
        ("zh", "US", "1961年3月3日", "US$6.50"),
        ("en", "ZZ", "March 3, 1961", "$6.50"),
    ],
)
def test_dates_and_money(language: str, region: str, shown: str, price: str) -> None:
    words.use_region(region)
    words.use_language(language)
    assert words.date_words(DAY) == shown
    assert words.money_words(Decimal("6.5"), "USD").strip() == price
    assert price_words(Decimal(0), "USD").isascii() is (language in ("en", "es", "fr", "de"))
    assert "0" not in price_words(Decimal(0), "USD")


@pytest.mark.parametrize(
    ("minutes", "shown"),
    [
        (1, "بقي نحو دقيقة"),
        (2, "بقي نحو دقيقتين"),
        (3, "بقي نحو 3 دقائق"),
        (11, "بقي نحو 11 دقيقة"),
        (100, "بقي نحو 100 دقيقة"),
    ],
)
def test_arabic_counts_in_six_ways(minutes: int, shown: str) -> None:
    words.use_language("ar")
    assert left_words(minutes * 60) == shown


def test_an_unknown_language_is_english() -> None:
    words.use_language("../../etc")
    assert words.language() == "en"
    assert refused_words().title == "We could not match those details."


def test_percent_is_full_only_at_the_end() -> None:
    words.use_language("de")
    assert words.percent_words(0.999) == "99 %"
    assert words.percent_words(1.0) == "100 %"
    assert words.percent_words(-3) == "0 %"
