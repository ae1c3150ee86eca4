"""MLflow's scoring server on a pyfunc model: written to a folder, and served as `mlflow models serve` does."""

from __future__ import annotations

import os
import shutil
import sys

import mlflow.models
import mlflow.pyfunc
from _model import Model


class Flights(mlflow.pyfunc.PythonModel):
    def load_context(self, context):  # noqa: ANN001, ANN201, ARG002
        self.model = Model()

    def predict(self, context, model_input, params=None):  # noqa: ANN001, ANN201, ARG002
        return self.model.of_columns({name: model_input[name].to_numpy() for name in self.model.texts})


if __name__ == "__main__":
    port, folder = sys.argv[1:]
    shutil.rmtree(folder, ignore_errors=True)
    # The model is this file, not a pickle.
    mlflow.pyfunc.save_model(folder, python_model=__file__, pip_requirements=[])
    serve = ["models", "serve", "-m", folder, "-p", port, "-w", "1", "--env-manager", "local"]
    os.execv(sys.executable, [sys.executable, "-m", "mlflow", *serve])  # noqa: S606 - it is the server
mlflow.models.set_model(Flights())
