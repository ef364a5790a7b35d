"""Joins what is new of one application with the runs it touches; nothing of the store is needed here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(slots=True, frozen=True)
class Run:
    """One stretch of one application: microseconds, `last_at` included."""

    started_at: int
    last_at: int
    up: bool


class Fold:
    """One application: the runs that new checks touch, where they are cut, and what is new."""

    def __init__(self) -> None:
        self.old: dict[int, Run] = {}
        self.new: list[Run] = []
        self.cuts: dict[int, list[tuple[int, int | None, int | None]]] = {}

    def touch(self, *runs: Run | None) -> None:
        for run in runs:
            if run is not None:
                self.old[run.started_at] = run

    def cut(self, run: Run, at: int, before: int | None, after: int | None) -> None:
        """A check at `at` contradicts `run`; the application's checks beside it are `before` and `after`."""
        self.cuts.setdefault(run.started_at, []).append((at, before, after))
        self.new.append(Run(at, at, not run.up))

    def result(self, gap: int) -> tuple[list[int], list[Run]]:
        """The starts of runs that are no more, and the runs that are new or changed."""
        pieces = [piece for run in self.old.values() for piece in self._pieces(run)]
        items = sorted(
            [(r.started_at, 0, r) for r in pieces] + [(r.started_at, 1, r) for r in self.new],
            key=lambda item: item[:2],
        )
        found: list[Run] = []
        was_new = 0
        for _, is_new, run in items:
            last = found[-1] if found else None
            # Two that were apart stay apart: whatever stands between them is not among the touched.
            joins = last is not None and (is_new or was_new) and last.up == run.up
            if last is not None and joins and run.started_at - last.last_at <= gap:
                found[-1] = Run(last.started_at, max(last.last_at, run.last_at), run.up)
            else:
                found.append(run)
            was_new = is_new
        starts = {r.started_at for r in found}
        return [s for s in self.old if s not in starts], [r for r in found if self.old.get(r.started_at) != r]

    def _pieces(self, run: Run) -> Iterable[Run]:
        begin: int | None = run.started_at
        for at, before, after in sorted(self.cuts.get(run.started_at, ())):
            if before is None and begin is not None:
                # The checks before it are too old to be kept; the run held until this one.
                before = at - 1
            if begin is not None and before is not None and before >= begin:
                yield Run(begin, before, run.up)
            begin = after
        if begin is not None and begin <= run.last_at:
            yield Run(begin, run.last_at, run.up)
