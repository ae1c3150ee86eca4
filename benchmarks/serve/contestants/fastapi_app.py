"""What people write by hand: FastAPI, a pydantic model of the row, ONNX Runtime."""

from __future__ import annotations

import sys

import uvicorn
from _model import Model
from fastapi import FastAPI
from pydantic import create_model

MODEL = Model()
Row = create_model("Row", **{name: (str if text else float, ...) for name, text in MODEL.texts.items()})
app = FastAPI()


async def predict(row):  # noqa: ANN001, ANN201
    return {"score": MODEL.scores([row.model_dump()])[0]}


predict.__annotations__["row"] = Row
app.post("/predict")(predict)
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
