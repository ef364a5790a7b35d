"""Every module that owns tables, imported so that `metadata` knows them all."""

from kpis import catalogue, readings, retention, sources
from kpis.screens import tables as screens

__all__ = ["catalogue", "readings", "retention", "screens", "sources"]
