"""Percentiles as SQL's percentile_cont gives them (linear interpolation between closest ranks)."""

from __future__ import annotations

from collections.abc import Sequence


def percentile(ordered: Sequence[float], fraction: float) -> float | None:
    """The `fraction` (0..1) percentile of values sorted ascending; None of none."""
    if not ordered:
        return None
    place = fraction * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def share(part: float, whole: float) -> float | None:
    """part ÷ whole, or None when there is no whole."""
    return part / whole if whole else None
