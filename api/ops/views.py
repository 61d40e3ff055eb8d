"""What machines are answered."""

from typing import Literal

from core.answer_model import AnswerModel


class Alive(AnswerModel):
    status: Literal["alive"] = "alive"


class Ready(AnswerModel):
    status: Literal["ready"] = "ready"
    database: Literal["ok", "away"]
    """Away for all processes, as far as is known: what is answered is labelled stale."""
    redis: Literal["ok", "away"]
    """Away: answers are computed and kept in memory; nobody is refused for it."""
    push: bool
    """Whether changes are pushed; without it they are polled each second."""
