"""A BentoML service with one worker; named fields of one row, as its documentation shows it."""

from __future__ import annotations

import bentoml
from _model import Model
from pydantic import BaseModel, create_model

MODEL_OF_ROW: type[BaseModel] = create_model(
    "Row", **{name: (str if text else float, ...) for name, text in Model().texts.items()}
)


@bentoml.service(workers=1, traffic={"timeout": 60}, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Flights:
    def __init__(self) -> None:
        self.model = Model()

    @bentoml.api(route="/predict", input_spec=MODEL_OF_ROW)
    async def predict(self, **row) -> dict:  # noqa: ANN003
        return {"score": self.model.scores([row])[0]}
