"""Invent customers: write data/train.csv and data/test.csv. Settings: `data` in params.yaml.

Put your own data here. Whatever writes the two tables will do.
"""

import csv
import random
from pathlib import Path

import yaml

params = yaml.safe_load(Path("params.yaml").read_text())["data"]
rng = random.Random(params["seed"])


def write(path: str, first: int, rows: int) -> None:
    """Write customers number `first` and following."""
    with Path(path).open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["customer", "age", "income", "visits", "bought"])
        for number in range(first, first + rows):
            age, income, visits = rng.randint(18, 90), round(rng.gauss(50, 15), 1), rng.randint(0, 20)
            bought = age + income + 2 * visits + rng.gauss(0, 12) > 122
            table.writerow([f"c{number:05}", age, income, visits, int(bought)])


write("data/train.csv", 0, params["train_rows"])
write("data/test.csv", params["train_rows"], params["test_rows"])
