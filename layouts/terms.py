"""The field's stored codes in people's words: statuses, channels, states, steps, stages, reasons.

A code nobody foresaw is shown as it is stored, with its underscores as spaces: a source's own word
is better than none.
"""

from __future__ import annotations

from collections.abc import Mapping

from kpis.views import AppState, Step
from layouts.words import MISSING, Words, msg

STATUSES = {
    "received": msg("Received"),
    "verified": msg("Verified"),
    "assigned": msg("Assigned"),
    "in_progress": msg("In progress"),
    "answered": msg("Answered"),
    "closed": msg("Closed"),
    "rejected": msg("Rejected"),
    "archived": msg("Archived"),
    "withdrawn": msg("Withdrawn"),
}
CHANNELS = {
    "sms": msg("SMS"),
    "whatsapp": msg("WhatsApp"),
    "aplikasi": msg("Mobile app"),
    "app": msg("Mobile app"),
    "web": msg("Website"),
    "situs": msg("Website"),
    "tatap_muka": msg("Walk-in"),
    "walk_in": msg("Walk-in"),
    "telepon": msg("Telephone"),
    "phone": msg("Telephone"),
    "email": msg("E-mail"),
}
APP_STATES = {
    AppState.UP: msg("Up"),
    AppState.DOWN: msg("Down"),
    AppState.UNKNOWN: msg("Unknown"),
    AppState.MAINTENANCE: msg("Maintenance"),
    AppState.NEVER: msg("Never checked"),
}
STEPS = {
    Step.BELUM: msg("Not integrated"),
    Step.TERDAFTAR: msg("Registered"),
    Step.TERHUBUNG: msg("Connected"),
    Step.SEBAGIAN: msg("Partly integrated"),
    Step.TERINTEGRASI: msg("Integrated"),
}
STAGES = {
    "plan": msg("Plan"),
    "budget": msg("Budget"),
    "procurement": msg("Procurement"),
    "contract": msg("Contract"),
    "realisation": msg("Realisation"),
}
BREAK_REASONS = {
    "missing_before": msg("nothing in the stage before"),
    "differs": msg("differs from the stage before"),
    "exceeds": msg("exceeds the stage before"),
}
CHECK_ERRORS = {
    "timeout": msg("no answer in time"),
    "connect": msg("no connection"),
    "dns": msg("name not found"),
    "tls": msg("certificate refused"),
}


def term(words: Mapping[str, str], code: str | None, w: Words) -> str:
    """A code in words, or a dash where there is none."""
    if code is None:
        return MISSING
    known = words.get(code)
    return w.t(known) if known is not None else plain(code)


def plain(code: str) -> str:
    """A source's own word: underscores become spaces, the first letter large."""
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]
