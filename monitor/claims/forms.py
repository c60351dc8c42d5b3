"""The forms that a pack is written in."""

from typing import Literal

Form = Literal["json", "csv", "html", "pdf", "text"]
