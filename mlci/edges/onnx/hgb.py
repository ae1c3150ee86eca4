"""An exact exporter of HistGradientBoosting models, native categoricals included.

Converters in general use are silently wrong here. This one computes in double precision with the operators
LabelEncoder, Concat, TreeEnsemble (ai.onnx.ml version 5) and Add, and applies the link outside of the trees.
It reads private attributes of scikit-learn: the parity proof of each export is what makes that safe.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from mlci.edges.onnx.hgb_features import Feature, NotOursError, split_pipeline, tree_features

with warnings.catch_warnings():
    # onnx warns at import about what it will rename; nothing of it is used here.
    warnings.simplefilter("ignore", DeprecationWarning)
    from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_ML = "ai.onnx.ml"
_LEQ, _MEMBER = 0, 6
_BINARY = 2
_LINKS = {"IdentityLink": "Identity", "LogLink": "Exp"}


def convert_hgb(estimator: Any, columns: Sequence[str]) -> ModelProto:  # noqa: ANN401 - scikit-learn has no types
    """Return the ONNX model of a fitted HistGradientBoosting model or of a pipeline that ends with one.

    Args:
        estimator: The model, or `Pipeline([ColumnTransformer or OrdinalEncoder, model])`.
        columns: The columns of the training table, in its order.

    Returns:
        A model with one input of shape [rows, 1] per column that is used (string or double), and the outputs
        `score` [rows, classes] in double and `prediction` [rows].

    Raises:
        NotOursError: The estimator is of another form.
    """
    features = tree_features(estimator, columns)
    _, model = split_pipeline(estimator)
    nodes, inputs = _feature_nodes(features)
    nodes.append(
        helper.make_node("TreeEnsemble", ["mlci_features"], ["mlci_trees"], domain=_ML, **_trees(model, features))
    )
    nodes.append(helper.make_node("Add", ["mlci_trees", "mlci_baseline"], ["mlci_raw"]))
    baseline = np.asarray(model._baseline_prediction, dtype=np.float64).reshape(1, -1)  # noqa: SLF001 - has no public name
    constants = {"mlci_baseline": baseline}
    answer = _classes if hasattr(model, "classes_") else _value
    tail, outputs, more = answer(model)
    graph: GraphProto = helper.make_graph(
        nodes + tail,
        "model",
        inputs,
        outputs,
        initializer=[numpy_helper.from_array(each, name) for name, each in sorted((constants | more).items())],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid(_ML, 5)]
    made: ModelProto = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    return made


def _feature_nodes(features: Sequence[Feature]) -> tuple[list[NodeProto], list[ValueInfoProto]]:
    """Return the nodes that make the feature matrix, and the inputs of the graph."""
    nodes: list[NodeProto] = []
    names: list[str] = []
    kinds: dict[str, int] = {}
    for at, feature in enumerate(features):
        coding = feature.coding
        kind = TensorProto.STRING if coding is not None and coding.of_text else TensorProto.DOUBLE
        if kinds.setdefault(feature.column, kind) != kind:
            raise NotOursError(f"`{feature.column}` is used both as a category and as a number")
        names.append(feature.column if coding is None else f"mlci_feature_{at}")
        if coding is None:
            continue
        keys = (
            {"keys_strings": list(coding.keys)}
            if coding.of_text
            else {"keys_tensor": _doubles("keys", coding.keys or (0.0,))}
        )
        codes = coding.codes or (coding.otherwise,)
        nodes.append(
            helper.make_node(
                "LabelEncoder",
                [feature.column],
                [names[-1]],
                domain=_ML,
                values_tensor=_doubles("values", codes),
                default_tensor=_doubles("default", (coding.otherwise,)),
                **keys,
            )
        )
    nodes.append(helper.make_node("Concat", names, ["mlci_features"], axis=1))
    return nodes, [helper.make_tensor_value_info(name, kind, [None, 1]) for name, kind in kinds.items()]


def _doubles(name: str, values: Any) -> TensorProto:  # noqa: ANN401 - whatever numpy makes an array of
    return numpy_helper.from_array(np.asarray(values, dtype=np.float64), name)


def _value(model: Any) -> tuple[list[NodeProto], list[ValueInfoProto], dict[str, NDArray[Any]]]:  # noqa: ANN401 - scikit-learn has no types
    """Return the end of a regression: the inverse link, and the values as a vector."""
    link = type(model._loss.link).__name__  # noqa: SLF001 - has no public name
    if link not in _LINKS:
        raise NotOursError(f"link {link}")
    nodes = [
        helper.make_node(_LINKS[link], ["mlci_raw"], ["score"]),
        helper.make_node("Reshape", ["score", "mlci_shape"], ["prediction"]),
    ]
    outputs = [_output("score", TensorProto.DOUBLE, [None, 1]), _output("prediction", TensorProto.DOUBLE, [None])]
    return nodes, outputs, {"mlci_shape": np.array([-1], dtype=np.int64)}


def _classes(model: Any) -> tuple[list[NodeProto], list[ValueInfoProto], dict[str, NDArray[Any]]]:  # noqa: ANN401 - scikit-learn has no types
    """Return the end of a classifier: probabilities of the classes, and the class."""
    labels = np.asarray(model.classes_)
    of_text = labels.dtype.kind in "OU"
    kind = TensorProto.STRING if of_text else TensorProto.INT64
    constants: dict[str, NDArray[Any]] = {"mlci_classes": labels.astype(object if of_text else np.int64)}
    if len(labels) == _BINARY:
        constants |= {"mlci_zero": np.zeros((1, 1)), "mlci_one": np.ones((1, 1)), "mlci_shape": np.array([-1])}
        nodes = [
            helper.make_node("Sigmoid", ["mlci_raw"], ["mlci_p1"]),
            helper.make_node("Sub", ["mlci_one", "mlci_p1"], ["mlci_p0"]),
            helper.make_node("Concat", ["mlci_p0", "mlci_p1"], ["score"], axis=1),
            # Not ArgMax: scikit-learn decides a binary model by the sign of the raw score.
            helper.make_node("Greater", ["mlci_raw", "mlci_zero"], ["mlci_sign"]),
            helper.make_node("Cast", ["mlci_sign"], ["mlci_signs"], to=TensorProto.INT64),
            helper.make_node("Reshape", ["mlci_signs", "mlci_shape"], ["mlci_index"]),
        ]
    else:
        nodes = [
            helper.make_node("Softmax", ["mlci_raw"], ["score"], axis=1),
            helper.make_node("ArgMax", ["mlci_raw"], ["mlci_index"], axis=1, keepdims=0),
        ]
    nodes.append(helper.make_node("Gather", ["mlci_classes", "mlci_index"], ["prediction"], axis=0))
    outputs = [_output("score", TensorProto.DOUBLE, [None, len(labels)]), _output("prediction", kind, [None])]
    return nodes, outputs, constants


def _output(name: str, kind: int, shape: list[int | None]) -> ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


class _Forest:
    """The tensors of a TreeEnsemble, filled tree by tree."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self.features = features
        self.rows: list[tuple[int, float, int, int, int, int, int, int]] = []
        self.members: list[float] = []
        self.leaves: list[tuple[float, int]] = []
        self.roots: list[int] = []

    def add(self, predictor: Any, target: int) -> None:  # noqa: ANN401 - scikit-learn's TreePredictor
        """Append one tree that adds to one column of the raw scores."""
        nodes = predictor.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        inner = np.cumsum(~is_leaf) - 1 + len(self.rows)
        leaf = np.cumsum(is_leaf) - 1 + len(self.leaves)
        self.roots.append(len(self.rows))
        self.leaves += [(float(value), target) for value in nodes["value"][is_leaf]]
        if is_leaf[0]:  # a tree of one leaf is a node whose two branches end there
            self.rows.append((0, 0.0, _LEQ, 0, int(leaf[0]), 1, int(leaf[0]), 1))
            return
        for node in nodes[~is_leaf]:
            mode, split, missing_left = _LEQ, float(node["num_threshold"]), int(node["missing_go_to_left"])
            if node["is_categorical"]:
                self._add_members(node, predictor.raw_left_cat_bitsets[node["bitset_idx"]])
                mode, split, missing_left = _MEMBER, 0.0, 0
            left, right = int(node["left"]), int(node["right"])
            ends = [(int(leaf[at] if is_leaf[at] else inner[at]), int(is_leaf[at])) for at in (left, right)]
            self.rows.append((int(node["feature_idx"]), split, mode, missing_left, *ends[0], *ends[1]))

    def _add_members(self, node: Any, bitset: Any) -> None:  # noqa: ANN401 - numpy records
        """Append the categories that go left, ended by NaN; unknown and missing are one more category."""
        extra = self.features[int(node["feature_idx"])].extra
        if extra is None:
            raise NotOursError("a categorical split on a feature that is no category")
        left = [float(code) for code in range(extra) if (int(bitset[code // 32]) >> (code % 32)) & 1]
        left += [float(extra)] if node["missing_go_to_left"] else []
        self.members += [*(left or [float(extra + 1)]), np.nan]


def _trees(model: Any, features: Sequence[Feature]) -> dict[str, Any]:  # noqa: ANN401 - scikit-learn has no types
    """Return the attributes of the TreeEnsemble operator."""
    forest = _Forest(features)
    for iteration in model._predictors:  # noqa: SLF001 - the trees have no public name
        for target, predictor in enumerate(iteration):
            forest.add(predictor, target)
    feature, split, mode, missing, true_at, true_leaf, false_at, false_leaf = zip(*forest.rows, strict=True)
    weight, target_of = zip(*forest.leaves, strict=True)
    attributes: dict[str, Any] = {
        "n_targets": int(model.n_trees_per_iteration_),
        "aggregate_function": 1,
        "post_transform": 0,
        "tree_roots": forest.roots,
        "nodes_featureids": list(feature),
        "nodes_splits": _doubles("nodes_splits", split),
        "nodes_modes": numpy_helper.from_array(np.array(mode, dtype=np.uint8), "nodes_modes"),
        "nodes_missing_value_tracks_true": list(missing),
        "nodes_truenodeids": list(true_at),
        "nodes_trueleafs": list(true_leaf),
        "nodes_falsenodeids": list(false_at),
        "nodes_falseleafs": list(false_leaf),
        "leaf_weights": _doubles("leaf_weights", weight),
        "leaf_targetids": list(target_of),
    }
    if forest.members:
        attributes["membership_values"] = _doubles("membership_values", forest.members)
    return attributes
