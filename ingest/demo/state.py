"""What the demo remembers between two starts: when it began, and up to which moment it has spoken."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

NAME = "state.json"


@dataclass(slots=True)
class State:
    """Moments in seconds since 1970 on the city's clock; ports it used, to use them again.

    `shown` is what the clock last showed: a fast demo shows more than it has spoken of.
    """

    folder: Path
    began: float
    spoken: float
    broker_port: int
    site_port: int
    shown: float = 0.0

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Raises FileNotFoundError before the first start."""
        return cls(folder, **json.loads((folder / NAME).read_text(encoding="utf-8")))

    def save(self) -> None:
        """Whole or not at all: a half-written note would make the city forget."""
        values = {k: v for k, v in asdict(self).items() if k != "folder"}
        part = self.folder / f"{NAME}.part"
        part.write_text(json.dumps(values), encoding="utf-8")
        part.replace(self.folder / NAME)
