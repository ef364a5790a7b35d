"""Every module that owns tables, imported so that `metadata` knows them all."""

from kpis import catalogue, readings, sources

__all__ = ["catalogue", "readings", "sources"]
