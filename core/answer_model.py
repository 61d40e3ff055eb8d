"""The base of every answer's model. Each room's models are in its `views.py`."""

from pydantic import BaseModel, ConfigDict


class AnswerModel(BaseModel):
    """What a client is shown of something; never changed once it is made."""

    model_config = ConfigDict(frozen=True)
