"""Why a record could not be used, in a sentence a clerk understands, with what would do."""

from __future__ import annotations

from kpis.views import RejectRow
from layouts.words import Words, msg

SENTENCES = {
    "bad_json": msg("The message is not complete JSON. Ask the sending system to send it whole."),
    "not_utf8": msg("The message is not in UTF-8. Set the sending system to UTF-8."),
    "not_a_record": msg("There is no record in the message. Send one record, or a list of records."),
    "missing_field": msg("{field} is missing. Send it with every record."),
    "wrong_type": msg("{field} is of another kind than agreed. Look at the value: {detail}"),
    "naive_time": msg("{field} has no time zone. Add +07:00, or name the zone in the source's settings."),
    "bad_time": msg("{field} is not a time. Write it like 2026-08-17T09:00:00+07:00."),
    "too_old": msg("{field} lies before the year 2000. Check the clock of the sending machine."),
    "beyond_retention": msg("{field} lies before {detail}, from where on single records are kept."),
    "in_future": msg("{field} lies in the future. Check the clock of the sending machine."),
    "too_long": msg("{field} is too long: {detail}. Shorten it, or send the file another way."),
    "not_a_number": msg("{field} is not a number. Leave the field out where there is none."),
    "out_of_range": msg("{field} is outside what is possible: {detail}"),
    "bad_value": msg("{field} has a value that is not on the list: {detail}"),
    "control_character": msg(
        "{field} holds an invisible control character ({detail}). Clean it at the source."
    ),
    "unknown_feed": msg("The topic names no known feed. Use city/v1/<feed>/<source>."),
    "unknown_opd": msg("The OPD {detail} is not one of this city. Use its code from the settings."),
    "looks_personal": msg("{field} looks like a NIK, a NIP or a name. Send a pseudonym instead."),
    "closes_before_open": msg("It closes before it opens. Correct the times at the source."),
    "times_out_of_order": msg("{field} lies before the opening. Correct the times at the source."),
    "id_conflict": msg("The id {detail} came before with other content. Give each thing an id of its own."),
    "bad_mapping": msg("The source's mapping fails at {field}. Mend it, then replay."),
    "store_refused": msg("The database did not take it: {detail}"),
}
UNKNOWN = msg("It could not be used: {detail}")

SHORT = {
    "bad_json": msg("Broken JSON"),
    "not_utf8": msg("Not UTF-8"),
    "not_a_record": msg("Not a record"),
    "missing_field": msg("Field missing"),
    "wrong_type": msg("Wrong kind of value"),
    "naive_time": msg("Time without zone"),
    "bad_time": msg("Not a time"),
    "too_old": msg("Too old"),
    "beyond_retention": msg("Older than is kept"),
    "in_future": msg("In the future"),
    "too_long": msg("Too long"),
    "not_a_number": msg("Not a number"),
    "out_of_range": msg("Out of range"),
    "bad_value": msg("Unknown value"),
    "control_character": msg("Control character"),
    "unknown_feed": msg("Unknown feed"),
    "unknown_opd": msg("Unknown OPD"),
    "looks_personal": msg("Personal data"),
    "closes_before_open": msg("Closes before it opens"),
    "times_out_of_order": msg("Times out of order"),
    "id_conflict": msg("Same id, other content"),
    "bad_mapping": msg("Mapping fails"),
    "store_refused": msg("Refused by the database"),
}


def sentence(reject: RejectRow, w: Words) -> str:
    """The reason of one reject, in the viewer's language."""
    text = SENTENCES.get(reject.reason, UNKNOWN)
    return w.t(text, field=reject.field or "?", detail=reject.detail or "?")


def short(reason: str, w: Words) -> str:
    """A reason in a few words."""
    return w.t(SHORT[reason]) if reason in SHORT else reason
