"""Every module that owns tables, imported so that `metadata` knows them all."""

from kpis import catalogue, history, readings, retention, sources
from kpis.screens import tables as screens

__all__ = ["catalogue", "history", "readings", "retention", "screens", "sources"]
