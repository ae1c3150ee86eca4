"""The split is by time, and training gives a small model that every machine repeats."""

import os
import pickle
import subprocess
import sys

import pandas as pd
import yaml


def test_split_leaves_out_no_flight_and_shares_none(spring):
    train, test = spring.table("train"), spring.table("test")
    assert len(train) + len(test) == len(spring.table("flights"))
    assert not set(train["flight_id"]) & set(test["flight_id"])


def test_test_flights_are_all_later(spring):
    assert spring.table("train")["scheduled"].max() < pd.Timestamp("2013-02-01")
    assert spring.table("test")["scheduled"].min() >= pd.Timestamp("2013-02-01")


def test_train_uses_only_the_features_named_and_knows_something(spring):
    spring.run("models/train.py")
    model = pickle.loads((spring.root / "models" / "model.pkl").read_bytes())  # noqa: S301 (made a line above)
    params = yaml.safe_load((spring.root / "params.yaml").read_text())["train"]
    assert list(model.feature_names_in_) == params["categorical"] + params["numeric"]
    assert set(model.classes_) == {0, 1}


def test_model_is_the_same_file_whatever_the_number_of_threads(spring):
    models = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads}
        subprocess.run([sys.executable, "models/train.py"], cwd=spring.root, env=environment, check=True)
        models.add((spring.root / "models" / "model.pkl").read_bytes())
    assert len(models) == 1
