"""Train a gradient boosting on data/train.parquet; write models/model.pkl. Settings: `train` in params.yaml."""

import pickle
from pathlib import Path

import pandas as pd
import yaml
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits


def features(flights: pd.DataFrame, categorical: list[str], numeric: list[str]) -> pd.DataFrame:
    """The model's inputs: categories (a missing one is ""), then floats (a missing one is NaN)."""
    return pd.concat(
        [flights[categorical].fillna("").astype("category"), flights[numeric].astype("float64")], axis="columns"
    )


def main() -> None:
    params = yaml.safe_load(Path("params.yaml").read_text())["train"]
    flights = pd.read_parquet("data/train.parquet")

    model = HistGradientBoostingClassifier(
        categorical_features="from_dtype",
        learning_rate=params["learning_rate"],
        max_iter=params["max_iter"],
        max_leaf_nodes=params["max_leaf_nodes"],
        min_samples_leaf=params["min_samples_leaf"],
        l2_regularization=params["l2_regularization"],
        max_features=params["max_features"],
        early_stopping=False,
        random_state=params["seed"],
    )
    inputs = features(flights, params["categorical"], params["numeric"])
    # The pickle records the number of threads: with one, it is the same file on every machine.
    with threadpool_limits(1):
        model.fit(inputs, flights["disrupted"])

    Path("models/model.pkl").write_bytes(pickle.dumps(model))
    print(f"trained on {len(inputs):,} flights, {inputs.shape[1]} features")


if __name__ == "__main__":
    main()
