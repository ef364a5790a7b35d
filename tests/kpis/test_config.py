"""config.toml: what is valid, and an error that names the key, the value and what would do."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from kpis import catalogue
from kpis.config import load, parse
from kpis.errors import ConfigError
from kpis.settings import Settings
from kpis.types import Target
from tests.conftest import ROOT
from tests.pipeline.world import configuration

BASE = configuration("sqlite:////tmp/x.db")


def read(toml: str, environ: dict[str, str] | None = None, folder: Path = Path("/kota")) -> Settings:
    """Kota Uji with some keys given as they stand in the file."""
    data = copy.deepcopy(BASE)
    for name, value in tomllib.loads(toml).items():
        both = isinstance(value, dict) and isinstance(data.get(name), dict)
        data[name] = {**data[name], **value} if both else value
    settings = parse(data, folder / "config.toml", environ or {})
    catalogue.check(settings)
    return settings


DATABASE = """\
[[source]]
name = 'd'
type = 'database'
feed = 'uptime_check'
url = 'sqlite:///d.db'
query = 'SELECT * FROM t WHERE w >= :since ORDER BY w'
watermark = 'w'
"""


def target_of(found: Settings) -> Any:
    return found.kpis["requests_open"]


VALID: list[tuple[str, Callable[[Settings], Any], Any]] = [
    ("", lambda s: s.city.zone, "WIB"),
    ("[city]\ntimezone = 'Asia/Makassar'", lambda s: s.city.zone, "WITA"),
    ("[city]\ntimezone = 'Asia/Jayapura'", lambda s: s.city.zone, "WIT"),
    ("[city]\ntimezone = 'Asia/Kolkata'", lambda s: s.city.zone, "UTC+5.5"),
    ("[city]\ntimezone = 'UTC'", lambda s: s.city.zone, "UTC+0"),
    ("[city]\nlanguage = 'en'", lambda s: s.language, "en"),
    (
        "[store]\nurl = 'sqlite:///var/p.db'",
        lambda s: (s.store.url, s.store.embedded),
        ("sqlite:////kota/var/p.db", True),
    ),
    (
        "[store]\nurl = 'postgres://u@h/d'",
        lambda s: (s.store.url, s.store.embedded),
        ("postgresql+psycopg2://u@h/d", False),
    ),
    ("[store]\nurl = 'postgresql://u@h/d'", lambda s: s.store.url, "postgresql+psycopg2://u@h/d"),
    (
        "[store]\nurl = 'postgresql+psycopg2://u@h:6000/d'",
        lambda s: s.store.url,
        "postgresql+psycopg2://u@h:6000/d",
    ),
    (
        "[store]\nurl = 'postgresql://u:${P}@h/d'",
        lambda s: s.store.url,
        "postgresql+psycopg2://u:rahasia@h/d",
    ),
    (
        "[broker]\nurl = 'mqtts://u%40x@h'",
        lambda s: (s.broker.port, s.broker.tls, s.broker.username),
        (8883, True, "u@x"),
    ),
    ("[broker]\nurl = 'mqtt://u@h:1999'", lambda s: (s.broker.port, s.broker.password), (1999, "dari-luar")),
    ("[broker]\nurl = 'embedded://127.0.0.1:0'", lambda s: s.broker.embedded, True),
    (
        "[app_uptime]\ninterval = '90s'\nobjective = 0.999",
        lambda s: (s.app_uptime.interval, s.app_uptime.objective),
        (timedelta(seconds=90), 0.999),
    ),
    ("[service_requests]\ninterval = '1.5h'", lambda s: s.service_requests.interval, timedelta(minutes=90)),
    ("[e_attendance]\nshift_start = 07:15:00", lambda s: s.e_attendance.shift_start, time(7, 15)),
    ("[e_attendance]\nshift_start = '07:15'", lambda s: s.e_attendance.shift_start, time(7, 15)),
    ("[e_attendance]\ngrace = '0s'", lambda s: s.e_attendance.grace, timedelta(0)),
    (
        "[e_attendance]\nday_off = [{ day = 2026-06-01, name = 'Hari jadi' }]",
        lambda s: s.e_attendance.days_off,
        {date(2026, 6, 1): "Hari jadi"},
    ),
    (
        "[e_attendance]\nday_on = [{ day = '2026-12-24' }]",
        lambda s: s.e_attendance.days_on,
        {date(2026, 12, 24)},
    ),
    (
        "[kpi.requests_open]\ntarget = 10\nact = 20",
        lambda s: (target_of(s).city, target_of(s).opd),
        (Target(target=10, act=20), Target(target=10, act=20)),
    ),
    (
        "[kpi.requests_open]\ntarget = 10\nact = 20\nopd_target = 1\nopd_act = 2",
        lambda s: target_of(s).opd,
        Target(target=1, act=2),
    ),
    (
        "[kpi.requests_open]\nopd_target = 1\nopd_act = 2",
        lambda s: (target_of(s).city, target_of(s).opd),
        (None, Target(target=1, act=2)),
    ),
    (
        "[kpi.requests_open]\nowner = 'dinkes'\ninterval = '1d'",
        lambda s: (target_of(s).owner, target_of(s).interval),
        ("dinkes", timedelta(days=1)),
    ),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'", lambda s: s.sources[0].topic, "city/v1/+/+"),
    (
        "[[source]]\nname = 'a'\ntype = 'file'\nfeed = 'ledger'\nfolder = 'masuk'",
        lambda s: s.sources[0].folder,
        Path("/kota/masuk"),
    ),
    (
        "[[maintenance]]\napp='a'\nstarts_at=2026-12-01T22:00:00+07:00\nends_at='2026-12-02T02:00:00+07:00'\nreason='x'",
        lambda s: s.maintenance[0].starts_at,
        datetime(2026, 12, 1, 15, tzinfo=UTC),
    ),
]


@pytest.mark.parametrize(("toml", "look", "wanted"), VALID, ids=[v[0].replace("\n", " ") for v in VALID])
def test_valid(toml: str, look: Callable[[Settings], Any], wanted: Any) -> None:
    assert look(read(toml, {"P": "rahasia", "PENDOPO_BROKER_PASSWORD": "dari-luar"})) == wanted


# what stands in the file, the key the error names, and words it must hold: the value and what would do
INVALID: list[tuple[str, str, tuple[str, ...]]] = [
    ("kota = 1", "kota", ("city",)),
    ("[city]\nnama = 'x'", "city.nama", ("name",)),
    ("[city]\nname = 5", "city.name", ("5", "text")),
    ("[city]\ntimezone = 'WIB'", "city.timezone", ("WIB", "Asia/Jakarta")),
    ("[city]\ntimezone = 'Asia'", "city.timezone", ("Asia", "Asia/Jakarta")),
    ("[city]\ntimezone = ''", "city.timezone", ("Asia/Jakarta",)),
    ("[city]\nlanguage = 'jv'", "city.language", ("jv", "id, en")),
    ("[city]\nopd = []", "city.opd", ("[[city.opd]]",)),
    ("[city]\nopd = [{ code = 'A B', name = 'x' }]", "city.opd[1].code", ("A B", "lower-case")),
    ("[city]\nopd = [{ code = 'a', name = 'x' }, { code = 'a', name = 'y' }]", "city.opd", ("'a'", "twice")),
    ("[city]\nopd = [{ code = 'a' }]", "city.opd[1].name", ("missing",)),
    (
        "[city]\nopd = [{ code = 'a', name = 'x', contact = 'javascript:alert(1)' }]",
        "city.opd[1].contact",
        ("javascript", "wa.me"),
    ),
    ("[city]\nopd = [{ code = 'a', name = 'x', contact = 'tel:0812 33' }]", "city.opd[1].contact", ("tel:",)),
    (
        "[city]\nopd = [{ code = 'a', name = 'x', employees = -1 }]",
        "city.opd[1].employees",
        ("-1", "0 to 1000000"),
    ),
    (
        "[city]\nopd = [{ code = 'a', name = 'x', employees = true }]",
        "city.opd[1].employees",
        ("True", "whole number"),
    ),
    ("[store]\nurl = 'mysql://x'", "store.url", ("mysql://x", "sqlite:///")),
    ("[store]\nurl = 'postgresql://u@h:salah/d'", "store.url", ("salah", "postgresql://")),
    ("[store]\nurl = 'sqlite:///'", "store.url", ("sqlite:///",)),
    ("[store]\nurl = 'postgresql://u:${TIDAK_ADA}@h/d'", "store.url", ("TIDAK_ADA", "set TIDAK_ADA")),
    ("[broker]\nurl = 'http://h'", "broker.url", ("http://h", "mqtt://")),
    ("[broker]\nurl = 'mqtt://'", "broker.url", ("mqtt://user@host:1883",)),
    ("[broker]\nurl = 'mqtt://h:99999'", "broker.url", ("65535",)),
    ("[broker]\nurl = 'mqtt://[::1'", "broker.url", ("mqtt://[::1",)),
    ("[broker]\nurl = 'mqtts://h'\nca_file = 'tidak-ada.pem'", "broker.ca_file", ("tidak-ada.pem", "PEM")),
    ("[web]\nport = 70000", "web.port", ("70000", "0 to 65535")),
    ("[web]\nport = '8050'", "web.port", ("'8050'", "whole number")),
    ("[wall]\ntiles = []", "wall.tiles", ("0", "one to eight")),
    ("[wall]\ntiles = ['requests_opn']", "wall.tiles", ("requests_opn", "run kpis --list")),
    ("[wall]\ntiles = [1]", "wall.tiles", ("1", "text")),
    ("[app_uptime]\ninterval = '5'", "app_uptime.interval", ("'5'", "5m")),
    ("[app_uptime]\ninterval = 5", "app_uptime.interval", ("5", "5m")),
    ("[app_uptime]\ninterval = '0s'", "app_uptime.interval", ("0s",)),
    ("[app_uptime]\ninterval = '99999999999d'", "app_uptime.interval", ("99999999999d",)),
    ("[app_uptime]\nobjective = 1.0", "app_uptime.objective", ("1.0", "0.999999")),
    ("[app_uptime]\nobjective = nan", "app_uptime.objective", ("nan",)),
    ("[opd_integration]\nmatched = 95", "opd_integration.matched", ("95", "0 to 1")),
    ("[e_attendance]\nshift_start = '7.30'", "e_attendance.shift_start", ("7.30", "07:30")),
    ("[e_attendance]\nshift_end = '06:00'", "e_attendance.shift_end", ("06:00", "shift_start")),
    ("[e_attendance]\ngrace = '-5m'", "e_attendance.grace", ("-5m",)),
    ("[e_attendance]\nworkdays = [0]", "e_attendance.workdays", ("0", "1 to 7")),
    ("[e_attendance]\nworkdays = [true]", "e_attendance.workdays", ("True", "1 to 7")),
    (
        "[e_attendance]\nramadan = [{ first = 2026-03-20, last = 2026-02-19 }]",
        "e_attendance.ramadan[1].last",
        ("2026-02-19", "first"),
    ),
    (
        "[e_attendance]\nday_off = [{ day = 2026-06-01T00:00:00, name = 'x' }]",
        "e_attendance.day_off[1].day",
        ("2026-06-01", "date alone"),
    ),
    (
        "[e_attendance]\nday_off = [{ day = '1 Juni', name = 'x' }]",
        "e_attendance.day_off[1].day",
        ("1 Juni",),
    ),
    ("[e_attendance]\nday_off = [{ day = 2026-06-01 }]", "e_attendance.day_off[1].name", ("missing",)),
    ("[kpi.requests_opn]\ntarget = 1\nact = 2", "kpi.requests_opn", ("not a KPI",)),
    ("[kpi.requests_open]\ntarget = 1", "kpi.requests_open.act", ("missing", "together")),
    ("[kpi.requests_open]\ntarget = 1\nact = inf", "kpi.requests_open.act", ("inf",)),
    ("[kpi.requests_open]\ntarget = 20\nact = 10", "kpi.requests_open.act", ("10", "20", "lower is better")),
    (
        "[kpi.requests_on_time_share_30d]\ntarget = 0.5\nact = 0.9",
        "kpi.requests_on_time_share_30d.act",
        ("0.9", "0.5", "higher is better"),
    ),
    (
        "[kpi.requests_open]\ntarget = 1\nact = 2\nopd_target = 9\nopd_act = 3",
        "kpi.requests_open.opd_act",
        ("3", "9"),
    ),
    ("[kpi.requests_open]\nowner = 'wali-kota'", "kpi.requests_open.owner", ("wali-kota", "OPD")),
    ("[kpi.requests_open]\ntargt = 1", "kpi.requests_open.targt", ("target",)),
    ("kpi = 3", "kpi", ("3", "table")),
    ("[[source]]\ntype = 'mqtt'", "source[1].name", ("missing",)),
    ("[[source]]\nname = 'a'\ntype = 'mqt'", "source[1].type", ("mqt", "'mqtt'")),
    ("[[source]]\nname = 'A a'\ntype = 'mqtt'", "source[1].name", ("A a",)),
    (
        "[[source]]\nname = 'a'\ntype = 'mqtt'\n[[source]]\nname = 'a'\ntype = 'mqtt'",
        "source",
        ("'a'", "twice"),
    ),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'\nfeed = 'uptime'", "source[1].feed", ("uptime", "uptime_check")),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'\nmap = { id = 'x' }", "source[1].feed", ("mapping",)),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'\nfeed = 'ledger'\nmap = { id = 5 }", "source[1].map.id", ("5",)),
    ("[retention]\nuptime_check = 24", "retention.uptime_check", ("24", '"24 months"')),
    ("[retention]\nuptime_check = '-4 months'", "retention.uptime_check", ("-4", "4 to 1200", '"24 months"')),
    ("[retention]\nuptime_check = '3 months'", "retention.uptime_check", ("3 months", "4 to 1200")),
    ("[retention]\nuptime_check = '1201 months'", "retention.uptime_check", ("1201", "4 to 1200")),
    ('[retention]\nuptime_check = "24 months\\n"', "retention.uptime_check", ('"24 months"',)),
    ("[retention]\nuptime_check = { months = 24 }", "retention.uptime_check", ('"24 months"',)),
    ("[retention]\nattendance_day = '24 months'", "retention.attendance_day", ("did you mean 'attendance'",)),
    ("[retention]\nledger = '24 months'", "retention.ledger", ("known here", "source_hour")),
    ("[broker]\nclient_id = ''", "broker.client_id", ("is empty", '"pendopo"')),
    (DATABASE + "overlap = '401d'", "source[1].overlap", ("401 days", '"400d" or less')),
    (DATABASE + "overlap = '-1m'", "source[1].overlap", ("-1m", '"5m"')),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'\nevery = '1s'", "source[1].every", ("not a key",)),
    (
        "[[source]]\nname = 'a'\ntype = 'database'\nfeed = 'ledger'\nurl = 'x'\nquery = 'y'",
        "source[1].watermark",
        ("missing",),
    ),
    ("[[source]]\nname = 'a'\ntype = 'file'\nfolder = 'x'", "source[1].feed", ("missing",)),
    ("[[source]]\nname = 'a'\ntype = 'probe'\nconcurrency = 0", "source[1].concurrency", ("0", "1 to 1000")),
    (
        "[[source]]\nname = 'a'\ntype = 'mqtt'\ntimezone = 'WIB'",
        "source[1].timezone",
        ("WIB", "Asia/Jakarta"),
    ),
    ("[[source]]\nname = 'a'\ntype = 'mqtt'\ntimezone = 'Asia'", "source[1].timezone", ("Asia",)),
    ("[source]\nname = 'a'", "source", ("[[source]]",)),
    ("[[application]]\napp = 'a'\nopd = 'x'", "application[1].opd", ("'x'", "[[city.opd]]")),
    ("[[interface]]\nopd = 'dinkes'\nsystem = 's'", "interface[1].interface", ("missing",)),
    (
        "[[maintenance]]\napp='a'\nstarts_at = 2026-12-01T22:00:00\nends_at=2026-12-02T00:00:00Z\nreason='x'",
        "maintenance[1].starts_at",
        ("without an offset", "+07:00"),
    ),
    (
        "[[maintenance]]\napp='a'\nstarts_at=2026-12-02T00:00:00Z\nends_at=2026-12-01T00:00:00Z\nreason='x'",
        "maintenance[1].ends_at",
        ("not after starts_at",),
    ),
    ("[demo]\nspeed = 0", "demo.speed", ("0", "0.1")),
]


@pytest.mark.parametrize(("toml", "key", "words"), INVALID, ids=[v[0].replace("\n", " ") for v in INVALID])
def test_invalid(toml: str, key: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        read(toml)
    assert caught.value.key == key
    for word in words:
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_map_that_is_not_jmespath_is_named() -> None:
    from ingest.mapping import field_maps

    found = read("[[source]]\nname = 'a'\ntype = 'mqtt'\nfeed = 'ledger'\nmap = { id = 'a[' }")
    with pytest.raises(ConfigError) as caught:
        field_maps(found)
    assert caught.value.key == "source.a.map.id"


# --- files ---------------------------------------------------------------------------------------------

MINIMAL = "[city]\nname = 'Kota Uji'\ntimezone = 'Asia/Jakarta'\nopd = [{ code = 'a', name = 'A' }]\n"


def test_the_projects_own_file_is_valid() -> None:
    settings = load(ROOT / "config.toml", {})
    catalogue.check(settings)
    assert set(settings.kpis) == set(catalogue.catalogue()), "every KPI has a target in the documented file"


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"[city\n", ("not valid TOML", "line 1")),
        (b"[city]\nname = '\xe9'\n", ("cannot be read",)),
        (None, ("no such file",)),
        (b"extends = 5\n", ("extends", "5")),
        (b"extends = 'tidak-ada.toml'\n", ("tidak-ada.toml", "no such file")),
        (b"extends = 'config.toml'\n", ("extends", "config.toml")),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, body: bytes | None, words: tuple[str, ...]) -> None:
    if body is not None:
        (tmp_path / "config.toml").write_bytes(body)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml", {})
    for word in words:
        assert word in str(caught.value)


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "lain.toml").write_text(MINIMAL)
    assert load(None, {"PENDOPO_CONFIG": str(tmp_path / "lain.toml")}).city.name == "Kota Uji"


def test_a_file_that_extends_another_replaces_only_the_keys_it_gives(tmp_path: Path) -> None:
    (tmp_path / "dasar.toml").write_text(
        MINIMAL
        + "[web]\nhost = '0.0.0.0'\nport = 1\n[kpi.requests_open]\ntarget = 10\nact = 20\nowner = 'a'\n"
    )
    (tmp_path / "kota.toml").write_text(
        "extends = 'dasar.toml'\n[web]\nport = 2\n[kpi.requests_open]\ntarget = 12\n[city]\nname='X'\n"
    )
    found = load(tmp_path / "kota.toml", {})
    assert (found.web.host, found.web.port) == ("0.0.0.0", 2)
    assert (found.city.name, found.city.timezone) == ("X", "Asia/Jakarta")
    assert found.kpis["requests_open"].city == Target(target=12, act=20)
    assert found.kpis["requests_open"].owner == "a"


def test_a_list_of_opd_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "opd.csv").write_text(
        '\ufeffcode,name,abbreviation,english,employees\na,"Dinas A, dan B",DA,A,12\nb,Dinas B,,,\n', "utf-8"
    )
    (tmp_path / "config.toml").write_text("[city]\nname='K'\ntimezone='Asia/Jakarta'\nopd_file='opd.csv'\n")
    first, second = load(tmp_path / "config.toml", {}).city.opds
    assert (first.name, first.employees) == ("Dinas A, dan B", 12)
    assert (second.abbreviation, second.employees) == ("Dinas B", None)


def test_a_file_of_opd_goes_before_the_list_of_the_extended_file(tmp_path: Path) -> None:
    (tmp_path / "opd.csv").write_text("code,name\nb,Dinas B\n")
    (tmp_path / "dasar.toml").write_text(MINIMAL)
    (tmp_path / "config.toml").write_text("extends = 'dasar.toml'\n[city]\nopd_file = 'opd.csv'\n")
    assert [opd.code for opd in load(tmp_path / "config.toml", {}).city.opds] == ["b"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (None, ("opd.csv", "readable CSV")),
        (b"", ("no OPD",)),
        (b"code,name\n", ("no OPD",)),
        (b"code,name\n,Dinas\n", ("line 2",)),
        (b"code,name,employees\na,A,dua belas\n", ("line 2", "dua belas")),
        ("code,name,employees\na,A,²\n".encode(), ("line 2", "²")),
        (b"code,name\na,\xe9\n", ("opd.csv", "UTF-8")),
        (b"code,name\na,A\na,B\n", ("twice",)),
        (b"code,name,kepala\na,A,Budi\n", ("line 2", "kepala")),
    ],
)
def test_a_list_of_opd_that_cannot_be_used(
    tmp_path: Path, body: bytes | None, words: tuple[str, ...]
) -> None:
    if body is not None:
        (tmp_path / "opd.csv").write_bytes(body)
    (tmp_path / "config.toml").write_text("[city]\nname='K'\ntimezone='Asia/Jakarta'\nopd_file='opd.csv'\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "config.toml", {})
    for word in words:
        assert word in str(caught.value)
