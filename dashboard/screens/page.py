"""The page a screen shows while it is none yet: its code, and what to do with it.

It is plain HTML: nothing of the city is on it, and it works before anything else does. Every
language stands on it, the city's first, because nobody has chosen one.
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from dashboard.replies import page
from kpis.config import LANGUAGES
from layouts.words import msg, words_for

_HERE = Path(__file__).parent
_PAGE, _STYLE, _SCRIPT = (
    (_HERE / name).read_text(encoding="utf-8") for name in ("waiting.html", "waiting.css", "waiting.js")
)
_TITLE = msg("New screen")
_HEADING = msg("This screen is not enrolled yet")
_HOW = msg("On Pendopo's server, an operator types {command}")
_NAME = msg("NAME")
_COMMAND = " ".join(("./run", "screen", "enrol"))  # the same in every language
_NOTE = msg("The code is good once, for ten minutes; then another appears.")
_AWAY = msg("No connection. This page tries again by itself.")
_BARRED = msg("This screen shows its own page only.")
BUSY = page(
    429,
    msg("Too many screens are waiting. This page tries again by itself."),
    '<meta http-equiv="refresh" content="60">',
)


def waiting_page(code: str, city: str, build: str, nonce: str, language: str) -> str:
    """The page of one waiting screen; its script asks whether the code was assigned."""
    order = sorted(LANGUAGES, key=lambda one: one != language)

    def said(text: str) -> str:
        return "".join(f'<span lang="{one}">{_say(text, one)}</span>' for one in order)

    return _PAGE.format(
        language=language,
        title=_say(_TITLE, language),
        city=escape(city),
        heading=said(_HEADING),
        code=escape(code),
        how="".join(f'<p lang="{one}">{_how(code, one)}</p>' for one in order),
        note=said(_NOTE),
        away=said(_AWAY),
        build=build,
        nonce=nonce,
        style=_STYLE,
        script=_SCRIPT,
    )


def _say(text: str, language: str, **values: str) -> str:
    return escape(words_for(language, "UTC").t(text, **values))


def _how(code: str, language: str) -> str:
    typed = f'<span class="typed">{escape(code)}</span>'
    command = f"<kbd>{_COMMAND} {typed} {_say(_NAME, language)}</kbd>"
    # The sentence is made harmless before markup of ours goes in.
    return _say(_HOW, language, command="\0").replace("\0", command)


def not_yours(place: str) -> str:
    """What a screen sees where it may not look; it goes by itself where it belongs."""
    return page(403, _BARRED, f'<meta http-equiv="refresh" content="10;url={place}">', place)
