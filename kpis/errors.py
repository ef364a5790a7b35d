"""The errors Pendopo raises on purpose.

PendopoError
├── ConfigError          config.toml cannot be used; names the key
├── StoreError           the store refused
│   ├── StoreUnavailable   it cannot be reached now; trying again may do
│   └── SchemaError        its tables are not the ones this release knows
├── SourceError          a source cannot be read
├── ScreenError          a screen cannot be enrolled or revoked as asked
└── CatalogueError       two KPIs claim one key

A record that cannot be used is not an error: it is a reject (`ingest.pipeline`).
"""

from __future__ import annotations


class PendopoError(Exception):
    """Base of every error that is raised on purpose; its text is one line for a person."""


class ConfigError(PendopoError):
    """`key` in config.toml holds `value`, which does not do; `would_do` says what would."""

    def __init__(self, key: str, problem: str, would_do: str = "") -> None:
        self.key = key
        self.problem = problem
        self.would_do = would_do
        super().__init__(f"{key}: {problem}" + (f"; {would_do}" if would_do else ""))


class StoreError(PendopoError):
    """The store refused what was asked of it."""


class StoreUnavailable(StoreError):
    """The store cannot be reached now; nothing was written."""


class SchemaError(StoreError):
    """The store's tables are not the ones this release knows."""


class SourceError(PendopoError):
    """A source cannot be read; the text names the source and what would do."""


class CatalogueError(PendopoError):
    """Two KPIs claim the same key."""


class ScreenError(PendopoError):
    """A screen cannot be enrolled or revoked as asked; the text says what would do."""
