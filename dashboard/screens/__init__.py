"""Screens as devices: they are enrolled once, see only their pages, and tell how they are."""

from dashboard.screens.devices import Devices, ScreenStore
from dashboard.screens.door import Door

__all__ = ["Devices", "Door", "ScreenStore"]
