"""Which rows of a window are in which slice of the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mlci.edges.duck import session
from mlci.edges.slices import Cutter
from mlci.errors import MlciError
from mlci.nouns.policy import Slices
from mlci.nouns.table_schema import TableSchema

if TYPE_CHECKING:
    import numpy.typing as npt

    from mlci.nouns.policy import PolicyFile


def slice_rows(window: pa.Table, policy: PolicyFile) -> dict[str, npt.NDArray[np.bool_]]:
    """Which rows of a window are in which slice of the policy; slices that the inputs do not tell are left out."""
    gate = policy.policy.gate
    if gate is None or not window.num_rows:
        return {}
    inputs = window.combine_chunks().column("inputs")
    struct = pa.concat_arrays(inputs.chunks)
    names = [field.name for field in struct.type]
    flat = pa.Table.from_arrays([struct.field(place) for place in range(len(names))], names=names)
    found: dict[str, npt.NDArray[np.bool_]] = {}
    with session(policy.policy.engine) as connection:
        connection.register("inputs", flat.append_column("mlci row", pa.array(range(flat.num_rows))))
        described = connection.execute("DESCRIBE inputs").fetchall()
        schema = TableSchema(
            view="inputs", path="the log", format="parquet", columns={row[0]: row[1] for row in described}
        )
        cutter = Cutter(connection, schema, policy)
        wanted = [Slices(named={name: item}) for name, item in gate.slices.named.items()]
        wanted += [Slices(by=(columns,)) for columns in gate.slices.by]
        wanted += [Slices(bins={name: ends}) for name, ends in gate.slices.bins.items() if not isinstance(ends, int)]
        for one in wanted:
            try:
                cuts = cutter.cuts(one)
            except MlciError:  # a slice by a column that is no input can't be told here
                continue
            for cut in cuts:
                sql = f'SELECT {cut.sql} AS code FROM inputs AS rows {cut.join} ORDER BY rows."mlci row"'
                values = connection.execute(sql).fetchnumpy()["code"]
                for part in cut.found(np.ma.getdata(values)):
                    mask = np.zeros(flat.num_rows, dtype=bool)
                    mask[part.rows] = True
                    found[part.name or ""] = mask
            connection.execute("DROP TABLE IF EXISTS by0")
    return found
