"""Ten thousand real service requests, read from a department's MariaDB, against pandas.

The department keeps local times without a zone, as many do, so the configured zone has to put every
one of them back on its instant. Its view gives what the contract asks for and the data has not: an OPD
code made from the agency's name, and a due time of thirty days.
"""

from __future__ import annotations

import json
import math
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

from ingest.pipeline import Pipeline
from ingest.sources.database import DatabaseSource
from kpis import readings
from kpis.service_requests import service_request
from kpis.sources import source_position
from tests.keeper import Keeper, wait_until
from tests.real.world import ROOT, World, city, now, open_world, run
from tests.servers import MariaDb, free_port

ZONE = "Asia/Jakarta"
ROWS = 10_000
DUE = pd.Timedelta(days=30)
MOMENTS = (
    "2009-02-01T00:00:00Z",
    "2012-07-01T00:00:00+07:00",
    "2014-12-10T16:22:00Z",
    "2017-10-20T00:10:00Z",
    "2018-01-24T12:00:00Z",
    "2018-06-01T00:00:00Z",
)
VIEW = """
CREATE VIEW laporan AS SELECT nomor, dibuat, selesai, diubah, status, catatan, bidang, kanal, wilayah,
  lintang, bujur, dibuat + INTERVAL 30 DAY AS tenggat,
  TRIM(BOTH '-' FROM REGEXP_REPLACE(LOWER(dinas), '[^a-z0-9]+', '-')) AS kode_opd
FROM pengaduan
"""
SOURCE = """
[[source]]
name = "sf311"
type = "database"
feed = "service_request"
url = "{url}"
query = "SELECT * FROM laporan WHERE diubah >= :since ORDER BY diubah"
watermark = "diubah"
timezone = "Asia/Jakarta"
every = "1s"

[source.map]
id = "to_string(nomor)"
opd = "kode_opd"
opened_at = "dibuat"
updated_at = "diubah"
closed_at = "selesai"
due_at = "tenggat"
status = "(status == 'Closed' && 'closed') || (status == 'Open' && 'received') || status"
category = "bidang"
channel = "kanal"
kelurahan = "wilayah"
lat = "lintang != `0` && lintang || `null`"
lon = "bujur != `0` && bujur || `null`"
text = "catatan"
"""


def _slug(name: str) -> str:
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in name.lower()).split())


@pytest.fixture(scope="module")
def requests(shared: Path) -> pd.DataFrame:
    """The file as pandas reads it, with its times as instants."""
    frame = pd.read_csv(shared / "service_requests" / "sf311_sample_10k.csv.gz")
    for column in ("created_date", "closed_date", "resolution_action_updated_date"):
        frame[column] = pd.to_datetime(frame[column], format="ISO8601", utc=True)
    frame["opd"] = frame["agency_name"].map(_slug)
    assert len(frame) == ROWS
    return frame


def _filled(url: str, requests: pd.DataFrame) -> str:
    """Puts the requests in the department's database as local times; gives the URL back."""
    local = requests.rename(
        columns={
            "unique_key": "nomor", "created_date": "dibuat", "closed_date": "selesai",
            "resolution_action_updated_date": "diubah", "agency_name": "dinas", "status_notes": "catatan",
            "category": "bidang", "source": "kanal", "neighborhood": "wilayah", "latitude": "lintang",
            "longitude": "bujur",
        }
    )  # fmt: skip
    for column in ("dibuat", "selesai", "diubah"):
        local[column] = local[column].dt.tz_convert(ZONE).dt.tz_localize(None)
    names = [
        "nomor", "dibuat", "selesai", "diubah", "status", "dinas", "catatan", "bidang", "kanal", "wilayah",
        "lintang", "bujur",
    ]  # fmt: skip
    engine = sa.create_engine(url)
    with engine.begin() as conn:
        local[names].to_sql("pengaduan", conn, index=False, chunksize=1000, method="multi")
        conn.exec_driver_sql(VIEW)
    engine.dispose()
    return url


@pytest.fixture(scope="module")
def department(mariadb: MariaDb, requests: pd.DataFrame) -> Iterator[Callable[[], str]]:
    """The department's database as a reader who may only SELECT sees it."""
    url = _filled(mariadb.fresh(), requests)
    reader = mariadb.reader(url)
    yield lambda: reader
    mariadb.drop(url)


@pytest.fixture
def world(
    tmp_path: Path, store_url: str, department: Callable[[], str], requests: pd.DataFrame
) -> Iterator[World]:
    text = city(store_url, ZONE, sorted(set(requests["opd"]))) + SOURCE.format(url=department())
    opened = open_world(tmp_path, text)
    yield opened
    opened.store.close()


def _source(world: World) -> DatabaseSource:
    """The source as a new process would make it: it remembers nothing but what the store holds."""
    pipeline = Pipeline(world.store, world.settings, now)
    return DatabaseSource(world.settings.sources[0], pipeline, now, world.settings.path.parent)


def _expected(requests: pd.DataFrame, at: datetime) -> dict[str, float | None]:
    """contract.md computed by pandas over one scope's usable requests."""
    t = pd.Timestamp(at).tz_convert("UTC")
    due = requests["created_date"] + DUE
    closed_at = requests["closed_date"]
    is_open = (requests["created_date"] <= t) & ~(closed_at <= t)
    in_window = (closed_at > t - pd.Timedelta(days=30)) & (closed_at <= t)
    days = (closed_at - requests["created_date"])[in_window].dt.total_seconds() / 86_400
    waiting, late = int(is_open.sum()), int((is_open & (due < t)).sum())
    closed, on_time = int(in_window.sum()), int((in_window & (closed_at <= due)).sum())
    return {
        "requests_open": waiting,
        "requests_overdue_share": late / waiting if waiting else None,
        "requests_on_time_share_30d": on_time / closed if closed else None,
        "requests_close_days_p50_30d": float(days.quantile(0.5)) if closed else None,
        "requests_close_days_p90_30d": float(days.quantile(0.9)) if closed else None,
        "requests_first_response_hours_p50_30d": None,
        "requests_reopened_share_30d": 0.0 if closed else None,
        "requests_confirmed_share_30d": 0.0 if closed else None,
    }


def _differing(
    found: dict[tuple[str, str | None], float | None], usable: pd.DataFrame, at: datetime
) -> list[str]:
    """Every KPI of the city and of each OPD that is not what pandas says."""
    seen = bool((usable["resolution_action_updated_date"] <= pd.Timestamp(at)).any())
    assert seen, "a moment before the first request would compare nothing"
    scopes: dict[str | None, pd.DataFrame] = {None: usable}
    scopes.update({str(opd): rows for opd, rows in usable.groupby("opd")})
    wrong = []
    for opd, rows in scopes.items():
        for kpi, value in _expected(rows, at).items():
            got = found[kpi, opd]
            same = got is value if None in (got, value) else math.isclose(got, value, rel_tol=1e-9)  # type: ignore[arg-type]
            if not same:
                wrong.append(f"{at} {opd} {kpi}: {got}, pandas says {value}")
    return wrong


def test_all_ten_thousand_are_counted_and_every_figure_agrees_with_pandas(
    world: World, requests: pd.DataFrame
) -> None:
    assert _source(world).poll() == ROWS
    accepted, known, rejected = world.counts("sf311")
    assert accepted + known + rejected == ROWS

    backwards = requests["closed_date"] < requests["created_date"]
    reasons = [reason for reason, _, _ in world.rejects()]
    assert reasons.count("closes_before_open") == int(backwards.sum()) > 0
    assert (known, rejected) == (0, int(backwards.sum())), reasons

    usable = requests[~backwards]
    wrong: list[str] = []
    for moment in MOMENTS:
        at = datetime.fromisoformat(moment)
        with world.store.read() as conn:
            found = {key: r.value for key, r in readings.as_of(conn, world.settings, at).items()}
        wrong += _differing(found, usable, at)
    assert wrong == []

    printed = json.loads(run(world, "kpis", "--json", "--at", MOMENTS[3]))
    spoken = {(r["kpi"], r["opd"]): r["value"] for r in printed}
    assert _differing(spoken, usable, datetime.fromisoformat(MOMENTS[3])) == []


def test_reading_on_reading_again_and_starting_anew_change_nothing(world: World) -> None:
    source = _source(world)
    source.poll()
    facts, rejects, counted = world.facts(), world.rejects(), world.counts("sf311")

    assert source.poll() == 0
    assert _source(world).poll() == 0
    assert (world.facts(), world.rejects(), world.counts("sf311")) == (facts, rejects, counted)

    # A position that was lost has the whole table sent a second time.
    with world.store.write() as conn:
        conn.execute(source_position.delete())
    assert _source(world).poll() == ROWS
    assert world.facts() == facts
    accepted, known, rejected = world.counts("sf311")
    assert (accepted, known, rejected) == (counted[0], counted[0], 2 * counted[2])
    assert [(reason, field, times) for reason, field, times in world.rejects()] == [
        (reason, field, 2 * times) for reason, field, times in rejects
    ]


def test_the_order_in_which_they_are_read_changes_nothing(
    tmp_path: Path, department: Callable[[], str], requests: pd.DataFrame
) -> None:
    by_change = SOURCE.format(url=department())
    by_number = by_change.replace("diubah >= :since ORDER BY diubah", "nomor >= :since ORDER BY nomor")
    by_number = by_number.replace('watermark = "diubah"', 'watermark = "nomor"')
    assert by_number.count("nomor") == by_change.count("nomor") + 3
    facts = []
    for name, source in (("change", by_change), ("number", by_number)):
        folder = tmp_path / name
        folder.mkdir()
        opds = sorted(set(requests["opd"]))
        world = open_world(folder, city(f"sqlite:///{folder / 'pendopo.db'}", ZONE, opds) + source)
        assert _source(world).poll() == ROWS
        facts.append(world.facts())
        world.store.close()
    assert facts[0] == facts[1]


def test_ingest_killed_while_it_reads_loses_nothing_and_takes_nothing_twice(
    tmp_path: Path,
    keeper: Keeper,
    postgres_url: Callable[[], str],
    department: Callable[[], str],
    requests: pd.DataFrame,
) -> None:
    """The real process, ended with SIGKILL in the middle of the table, twice, and started again."""
    opds = sorted(set(requests["opd"]))
    text = city(postgres_url(), ZONE, opds) + f'[broker]\nurl = "embedded://127.0.0.1:{free_port()}"\n'
    world = open_world(tmp_path, text + SOURCE.format(url=department()))
    argv: list[str | Path] = [sys.executable, "-m", "ingest", "--config", world.settings.path]
    log = tmp_path / "ingest.log"
    for some in (1, ROWS // 2, ROWS):
        process = keeper.start(argv, log=log, cwd=ROOT)
        wait_until(lambda some=some: sum(world.counts("sf311")) >= some, process, log)  # type: ignore[misc]
        keeper.end(process, signal.SIGKILL if some < ROWS else signal.SIGTERM)
    backwards = int((requests["closed_date"] < requests["created_date"]).sum())
    assert world.counts("sf311") == (ROWS - backwards, 0, backwards)
    with world.store.read() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(service_request)) == ROWS - backwards
    world.store.close()
