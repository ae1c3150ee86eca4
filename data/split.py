"""Split the flights by time: the last months are for testing, all before them for training.

A random split would train on the afternoon's storm and be tested on its morning. Reads data/flights.parquet and writes
data/train.parquet and data/test.parquet; `data.test_months` of params.yaml is the number of months to test on, and
`data.train_months` that of the months before them to train on: null for all.
"""

from pathlib import Path

import pandas as pd
import yaml


def main() -> None:
    data = yaml.safe_load(Path("params.yaml").read_text())["data"]

    flights = pd.read_parquet("data/flights.parquet")
    month = flights["scheduled"].dt.to_period("M")
    in_test = month > month.max() - data["test_months"]
    in_train = ~in_test
    if data["train_months"] is not None:
        in_train &= month > month.max() - data["test_months"] - data["train_months"]

    flights[in_train].to_parquet("data/train.parquet", index=False)
    flights[in_test].to_parquet("data/test.parquet", index=False)
    print(f"train {month[in_train].min()} to {month[in_train].max()}: {in_train.sum():,} flights")
    print(f"test  {month[in_test].min()} to {month[in_test].max()}: {in_test.sum():,} flights")


if __name__ == "__main__":
    main()
