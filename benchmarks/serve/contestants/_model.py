"""What every peer does with the model: one session with one thread, and a feed of columns."""

from __future__ import annotations

import os

import numpy as np
import onnxruntime as ort


class Model:
    """The ONNX file that the environment names."""

    def __init__(self) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = ort.InferenceSession(os.environ["BENCH_MODEL"], options, providers=["CPUExecutionProvider"])
        self.texts = {each.name: each.type == "tensor(string)" for each in self.session.get_inputs()}

    def scores(self, rows: list[dict]) -> list[float]:
        """The probability of the second class, for rows of named fields."""
        return self.of_columns({name: [row[name] for row in rows] for name in self.texts})

    def of_columns(self, columns: dict) -> list[float]:
        """The same, for columns."""
        feeds = {
            name: np.array(columns[name], dtype=object if text else np.float64).reshape(-1, 1)
            for name, text in self.texts.items()
        }
        return self.session.run(["score"], feeds)[0][:, 1].tolist()
