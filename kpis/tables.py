"""Every module that owns tables, imported so that `metadata` knows them all."""

from kpis import catalogue, readings, retention, sources

__all__ = ["catalogue", "readings", "retention", "sources"]
