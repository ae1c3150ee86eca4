"""Write a model as a page and a folder that run it offline, without Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, get_args

from mlci import __version__
from mlci.edges.files import write_bytes
from mlci.edges.onnx.examples import make_examples
from mlci.edges.onnx.session import OnnxModel
from mlci.edges.ort_web import VERSION, find_runtime
from mlci.errors import GateError, WorldError
from mlci.flows.loaded import loaded, served_by
from mlci.flows.serve_sources import lineup
from mlci.nouns.embed import Element, Embedded, Field
from mlci.nouns.serve import ServePolicy
from mlci.render.embed import render_folder, render_page, sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from mlci.flows.loaded import Loaded
    from mlci.flows.serve_sources import Order
    from mlci.nouns.bundle import Example, Manifest
    from mlci.nouns.data_policy import Column
    from mlci.nouns.policy import Policy
    from mlci.nouns.serve import Served
    from mlci.nouns.signature import Input

EXAMPLES = 20
_MOST_VALUES = 100
_ELEMENTS: dict[str, Element] = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    **{f"tensor({name})": name for name in get_args(Element)},
}
_NEVER_MISSING = {"int32", "int64", "bool"}


class Known(NamedTuple):
    """What a model was told about outside of its file.

    Attributes:
        served: Its name, version, commit, signature and threshold.
        purpose: What it is for.
        sha256: Of its file.
        tolerance: By how much a score may differ from Python's.
        examples: Rows with their answers.
    """

    served: Served
    purpose: str
    sha256: str
    tolerance: float
    examples: tuple[Example, ...]


def embed(order: Order, out: Path, *, runtime: Path | None, data: Path | None) -> str:
    """Write the folder.

    Args:
        order: Which model.
        out: Folder to write; other files in it are left alone.
        runtime: Folder that holds ONNX Runtime Web; None: the user's cache, filled by npm the first time.
        data: Table to draw examples from; None: the bundle's examples, or the test table where it is at hand.

    Returns:
        How large the page and the folder are, in words.

    Raises:
        PolicyError: There is no model to embed.
        GateError: The model doesn't answer as it was released to, or a release can't be trusted.
        WorldError: The model or the runtime isn't at hand, can't run in a browser, or nothing can be written.
    """
    policy = order.policy()
    source = lineup(order, ServePolicy()).current
    found = loaded(source, policy)
    if found.served.fault:
        raise GateError(f"{found.served.name} {found.served.version}: {found.served.fault}", "download it again")
    about = describe(found.model, _known(order, found, source.sha256, policy, data), policy)
    order.say("looking for ONNX Runtime Web")
    given = find_runtime(runtime, say=order.say)
    order.say("writing")
    files = render_folder(about, found.content, given.script, given.wasm)
    for name, content in files.items():
        write_bytes(out / name, content)
    return sizes(files)


def page_of_bundle(content: bytes, manifest: Manifest, policy: Policy, *, say: Callable[[str], None]) -> str:
    """The page for a release's bundle.

    Args:
        content: The model's file.
        manifest: Of the bundle.
        policy: Of the release's commit.
        say: Told what is being done.

    Raises:
        WorldError: ONNX Runtime Web isn't at hand, or the model can't run in a browser.
    """
    known = Known(served_by(manifest), manifest.purpose, manifest.sha256, manifest.tolerance, manifest.examples)
    say("writing the page")
    given = find_runtime(None, say=say)
    return render_page(describe(OnnxModel.load(content), known, policy), content, given.script, given.wasm)


def _known(order: Order, found: Loaded, sha256: str, policy: Policy, data: Path | None) -> Known:
    manifest = found.manifest
    threshold = found.served.threshold
    if data is not None:
        examples = make_examples(found.model, data, EXAMPLES, threshold)
    elif manifest is not None:
        examples = manifest.examples
    else:
        test = order.project / policy.gate.test if policy.gate is not None else None
        there = test is not None and test.is_file()
        examples = make_examples(found.model, test, EXAMPLES, threshold) if there and test is not None else ()
    if manifest is not None:
        return Known(found.served, manifest.purpose, sha256, manifest.tolerance, examples)
    return Known(found.served, policy.model.purpose if policy.model else "", sha256, 1e-6, examples)


def describe(model: OnnxModel, known: Known, policy: Policy) -> Embedded:
    """What the scripts need to know.

    Args:
        model: Loaded.
        known: What else is known of it.
        policy: Says which values its columns may have.

    Raises:
        WorldError: The model gives what JavaScript can't read.
    """
    odd = next((f"{name}: {kind}" for name, kind in model.outputs.items() if not kind.startswith("tensor(")), None)
    if odd is not None:
        raise WorldError(
            f"the model's output {odd} can't be read in a browser", "export it without ZipMap (`zipmap: False`)"
        )
    served, signature = known.served, model.signature
    return Embedded(
        name=served.name,
        version=served.version,
        commit=served.commit,
        purpose=known.purpose,
        label=_label(policy, served),
        sha256=known.sha256,
        signature=signature,
        positive=signature.positive_index if signature.classes else 0,
        scores=signature.score_columns,
        threshold=served.threshold,
        tolerance=known.tolerance,
        matrix=model.matrix or "",
        fields=tuple(_field(model, each, known.examples, policy) for each in signature.inputs),
        examples=known.examples,
        tool=f"mlci {__version__}",
        runtime=f"ONNX Runtime Web {VERSION}",
    )


def _label(policy: Policy, served: Served) -> str:
    about = policy.model
    return about.label if about is not None and about.name == served.name.rpartition(":")[2] else ""


def _field(model: OnnxModel, wanted: Input, examples: Sequence[Example], policy: Policy) -> Field:
    kind = model.element(wanted.name)
    if kind not in _ELEMENTS:
        raise WorldError(f"the model's input `{wanted.name}` is a {kind}, which no column can be")
    element = _ELEMENTS[kind]
    promised = [table.columns[wanted.name] for table in policy.data.values() if wanted.name in table.columns]
    low, high = next((limits for column in promised if (limits := _range(column, wanted))), (None, None))
    texts = {str(one.inputs[wanted.name]) for one in examples if one.inputs[wanted.name]}
    return Field(
        name=wanted.name,
        type=wanted.type,
        element=element,
        missing=wanted.nullable and element not in _NEVER_MISSING,
        allowed=next((values for column in promised if (values := _allowed(column))), ()),
        seen=tuple(sorted(texts)) if wanted.type == "string" else (),
        low=low,
        high=high,
    )


def _allowed(column: Column) -> tuple[str, ...]:
    check = column.allowed
    if check is None or check.where or column.where:
        return ()
    values = (str(value).lower() if isinstance(value, bool) else str(value) for value in check.limit)
    return tuple(values)[:_MOST_VALUES] if len(check.limit) <= _MOST_VALUES else ()


def _range(column: Column, wanted: Input) -> tuple[float | None, float | None] | None:
    check = column.range
    if check is None or check.where or column.where or wanted.type not in {"float", "integer"}:
        return None
    if any(isinstance(end, str) for end in check.limit):
        return None
    low, high = (None if end is None else float(end) for end in check.limit)
    return low, high
