"""Wrong data, as every real city has it: a record of another kind of wrong every few minutes."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ingest.demo.city import City
from ingest.demo.days import stamp
from ingest.demo.seeds import number

EVERY_S = 240.0


def _request(city: City, moment: float, **changes: object) -> bytes:
    record = {
        "id": f"keliru-{int(moment)}",
        "opd": city.codes[int(moment) % len(city.codes)],
        "opened_at": stamp(moment - 7200),
        "updated_at": stamp(moment),
        "status": "received",
        "text": "Lampu jalan padam, hubungi 0812-0000-4321.",
        **changes,
    }
    return json.dumps({k: v for k, v in record.items() if v is not None}).encode()


def records(city: City, start: float, end: float) -> Iterator[tuple[str, bytes]]:
    """`(topic, payload)` of what goes wrong in (start, end]."""
    lapor, presensi = "city/v1/service_request/lapor", "city/v1/attendance/presensi"
    for turn in range(int(start // EVERY_S) + 1, int(end // EVERY_S) + 1):
        moment = turn * EVERY_S
        clock = {"id": f"reset-{turn}", "opd": city.codes[0], "employee": "p-000000", "kind": "in"}
        kinds = (
            (lapor, b'{"id": "terpotong-%d", "opd": "dlh", "opened_at": "20' % turn),
            (lapor, _request(city, moment, opd="dinas-pasar")),
            (lapor, _request(city, moment, opened_at=stamp(moment - 7200).removesuffix("Z"))),
            (lapor, _request(city, moment, status=None)),
            (lapor, _request(city, moment, closed_at=stamp(moment - 9000), status="closed")),
            (lapor, _request(city, moment, lat="tujuh")),
            (presensi, json.dumps({**clock, "at": "1970-01-01T00:00:07Z"}).encode()),
            (presensi, json.dumps({**clock, "at": stamp(moment), "employee": "3573000101900001"}).encode()),
        )
        yield kinds[number(city.seed, "wrong", turn) % len(kinds)]
