"""KServe's model server with a model class of one's own, as its documentation says."""

from __future__ import annotations

import logging
import sys

import kserve
from _model import Model
from kserve import InferOutput, InferResponse, ModelServer
from kserve.logging import KSERVE_LOG_CONFIG


class Flights(kserve.Model):
    def load(self) -> bool:
        self.model = Model()
        self.ready = True
        return True

    async def predict(self, payload, headers=None, response_headers=None):  # noqa: ANN001, ANN201, ARG002
        scores = self.model.of_columns({each.name: each.data for each in payload.inputs})
        output = InferOutput(name="score", shape=[len(scores), 1], datatype="FP64", data=scores)
        return InferResponse(response_id=payload.id or "1", model_name=self.name, infer_outputs=[output])


model = Flights("flights")
model.load()
KSERVE_LOG_CONFIG["loggers"]["kserve"]["level"] = "ERROR"
KSERVE_LOG_CONFIG["loggers"]["kserve.trace"] = {"level": "ERROR", "handlers": []}
logging.disable(logging.WARNING)
port = int(sys.argv[1])
ModelServer(http_port=port, enable_grpc=False, workers=1, access_log_format=None).start([model])
