"""Personal numbers are masked wherever Indonesians write them, and other numbers are left alone."""

from __future__ import annotations

import json

import pytest

from ingest.masks import NIK, NIP, PHONE, looks_personal, mask, mask_json
from tests.pipeline.world import World, record

MASKED = {
    NIK: [
        "3573014101900001",  # a woman born on 1 January 1990: day 41
        "3573010101900001",
        "357301 010190 0001",
        "357301.010190.0001",
        "3573-0101-0190-0001",
        "3573 0101 0190 0001",
    ],
    NIP: ["198001012005011001", "19800101 200501 1 001", "19800101.200501.2.014", "19951231-202221-1-003"],
    PHONE: [
        "081234567890",
        "0812-3456-7890",
        "0812 3456 7890",
        "0812.3456.7890",
        "0812 345 678",
        "0812 - 3456 - 7890",
        "0812\u20133456\u20137890",
        "0812 34 56 78 90",
        "+6281234567890",
        "+62 812-3456-7890",
        "+62-812-3456-7890",
        "+62 (0) 812 3456 7890",
        "(+62) 812 3456 7890",
        "6281234567890",
        "62 812 3456 7890",
        "(0351) 462345",
        "0351-462345",
        "0351 462345",
        "(021) 555 0123",
        "021-5550123",
        "+62 21 555 0123",
        "+62 (21) 555 0123",
        "0271 - 712345",
        "08998765432",
    ],
}


@pytest.mark.parametrize(
    "frame", ["{}", "Hubungi {}.", "WA:{}, trims", "({})", "hp {}\nJl. Pahlawan 12", "{}/rumah"]
)
@pytest.mark.parametrize(("word", "number"), [(word, n) for word, all_ in MASKED.items() for n in all_])
def test_a_personal_number_is_masked_and_what_stands_around_it_stays(
    word: str, number: str, frame: str
) -> None:
    if frame == "{}/rumah" and not number.lstrip("(+62 -.").startswith(("8", "08", "0) 8")):
        frame = "{} / rumah"  # a landline before a slash reads like the number of a letter
    found = mask(frame.format(number))
    assert not any(c.isdigit() for c in found.replace("12", "")), found
    assert word in found
    assert mask(found) == found, "masking again changes nothing"


def test_a_link_to_a_telephone_is_masked() -> None:
    assert mask("https://wa.me/6281234567890") == f"https://wa.me/{PHONE}"
    assert mask("tel:+62-812-3456-7890") == f"tel:{PHONE}"


@pytest.mark.parametrize("told", ["NIK: {}", "no. KTP saya {}", "nik={}", "No KK {}"])
def test_a_number_told_by_name_is_masked_whatever_its_digits(told: str) -> None:
    assert mask(told.format("9999999999999999")) == told.format(NIK)


def test_two_numbers_in_one_text_are_both_masked() -> None:
    assert mask("081234567890/081298765432") == f"{PHONE}/{PHONE}"
    assert mask("081234567890 081298765432").count(PHONE) == 2
    assert mask("NIK 3573010101900001 NIP 198001012005011001") == f"NIK {NIK} NIP {NIP}"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Jalan rusak di RT 03 RW 05",
        "Rp 1.500.000.000",
        "Rp1.500.000.000,00",
        "Rp 62.812.345.678",
        "Rp. 2.081.234.567",
        "IDR 62812345678",
        "sebesar 1500000000 rupiah",
        "12.345.678.901.234",
        "tahun 2026, tanggal 17-08-2026 pukul 07.30",
        "2026-08-17T07:30:00+07:00",
        "2026-08-17 07:30:00.123456",
        "2026081707300012",
        "20260817",
        "1755572400000",
        "ADU-2026-08-000123",
        "No. 045.2/1234/2026",
        "045/2345/418.20/2026",
        "LAPOR 12345678",
        "tiket 5550123",
        "-7.0812345678",
        "112.0812345678, -7.6212345678",
        "7.25044512,112.7688451",
        "550e8400-e29b-41d4-a716-446655440000",
        "a1b2c3d4-0812-4123-8456-081234567890",
        "0a1b2c3d-1234-4123-8456-123456789012",
        "192.168.10.254:8080",
        "5.02.01.2.02.0001",
        "kode pos 63117",
        "versi 2.0.8123.4567",
        "KTP hilang 2 kali, 10 hari, 30 orang, 2024, 2025, 2026",
    ],
)
def test_other_numbers_stay(text: str) -> None:
    assert mask(text) == text


def test_masked_json_is_still_json() -> None:
    raw = {
        "hp": 6281234567890,
        "teks": ["HP 081234567890", {"nik": "3573010101900001"}],
        "lat": -7.0812345678,
        "n": 1,
    }
    left = json.loads(mask_json(json.dumps(raw)))
    assert left == {"hp": PHONE, "teks": [f"HP {PHONE}", {"nik": NIK}], "lat": -7.0812345678, "n": 1}


def test_json_that_holds_nothing_personal_stays_as_it_was_written() -> None:
    raw = '{ "a": 1.50,"b":"caf\\u00e9" }'
    assert mask_json(raw) == raw
    assert mask_json('{"hp": "081234567890') == f'{{"hp": "{PHONE}', "what is not JSON is masked as text"
    assert mask_json('["081234567890", "\\ud800"]') == f'["{PHONE}", "\\ud800"]'
    assert PHONE in mask_json('{"hp": "0812\\u20133456\\u20137890"}'), "escapes hide nothing"


@pytest.mark.parametrize(
    "code", ["p01", "PEG-000123", "a3f9c2", "19800101", "198001", "8f14e45fceea167a", "pegawai.12"]
)
def test_a_pseudonym_is_taken(code: str) -> None:
    assert not looks_personal(code)


@pytest.mark.parametrize(
    "code",
    [
        "3573010101900001",
        "3573 0101 0190 0001",
        "357301.010190.0001",
        "198001012005011001",
        "19800101 200501 1 001",
        "Budi Santoso",
        "dr. Siti Aminah, M.Kes",
        "I Made",
    ],
)
def test_a_person_is_not_taken_for_a_pseudonym(code: str) -> None:
    assert looks_personal(code)


def test_every_free_text_is_masked_when_it_comes_in(world: World) -> None:
    """UU 27/2022 knows no difference between the text of a complaint and the note beside it."""
    text = "hubungi 0812-3456-7890"
    world.take("service_request", record("service_request", text=text))
    world.take("message", record("message", text=text))
    world.take("attendance", record("attendance", reason=text))
    world.take("application", record("application", owner=text, note=text))
    world.take("sync_run", record("sync_run", error=text))
    world.take("uptime_check", record("uptime_check", error=text))
    kept = [
        world.facts("service_request")[0].text,
        world.facts("message")[0].text,
        world.facts("attendance")[0].reason,
        world.facts("application")[0].owner,
        world.facts("application")[0].note,
        world.facts("sync_run")[0].error,
        world.facts("uptime_check")[0].error,
    ]
    assert kept == [f"hubungi {PHONE}"] * 7
