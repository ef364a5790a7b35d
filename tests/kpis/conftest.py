"""Kota Uji: the small city of the pipeline's tests, with the figures read from it."""

from tests.pipeline.conftest import embedded, world, worlds

__all__ = ["embedded", "world", "worlds"]
