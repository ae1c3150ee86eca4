"""MLServer with a runtime of one's own, as its documentation says, in the server's process."""

from __future__ import annotations

import asyncio
import sys

from _model import Model
from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.types import InferenceResponse, ResponseOutput


class Flights(MLModel):
    async def load(self) -> bool:
        self.model = Model()
        return True

    async def predict(self, payload):  # noqa: ANN001, ANN201
        scores = self.model.of_columns({each.name: each.data.root for each in payload.inputs})
        output = ResponseOutput(name="score", shape=[len(scores), 1], datatype="FP64", data=scores)
        return InferenceResponse(model_name=self.name, outputs=[output])


async def main() -> None:
    port = int(sys.argv[1])
    settings = Settings(
        host="127.0.0.1",
        http_port=port,
        grpc_port=port + 1,
        metrics_endpoint=None,
        parallel_workers=0,
        debug=False,
        use_structured_logging=False,
    )
    server = MLServer(settings)
    await server.start([ModelSettings(name="flights", implementation=Flights)])


asyncio.run(main())
