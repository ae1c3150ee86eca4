"""A model as a page that needs nothing else, and as a folder for Node."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from mlci.nouns.embed import ABOUT, ORT_FOLDER, ORT_SCRIPT, ORT_WASM, PAGE
from mlci.nouns.signature import canonical_json
from mlci.render.html import stylesheet, templates
from mlci.render.text import clean, markdown_code, markdown_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mlci.nouns.embed import Embedded, Field

_LONG = 2_000
_SCRIPTS = ("embed.mjs", "table.mjs", "score.mjs")
_EXPORTS = re.compile(rb"export\s*\{([^{}]*)\};?\s*(//# sourceMappingURL=\S*\s*)?\Z")
_IMPORT = re.compile(r"^import .*;\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=class|function|async)", re.MULTILINE)
_MODEL = re.compile(r'<script type="text/plain" id="model">([A-Za-z0-9+/=]*)</script>')


def render_folder(about: Embedded, model: bytes, script: bytes, wasm: bytes) -> dict[str, bytes]:
    """Every file of the folder by its path.

    Args:
        about: What is known of the model.
        model: Its file.
        script: ONNX Runtime Web's script.
        wasm: Its machine code.
    """
    readme = _markdown().get_template("embed/readme.md.jinja").render(about=about)
    return {
        PAGE: render_page(about, model, script, wasm).encode(),
        "model.onnx": model,
        ABOUT: (json.dumps(about.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n").encode(),
        "README.md": (readme.strip() + "\n").encode(),
        **{name: _source(name).encode() for name in _SCRIPTS},
        f"{ORT_FOLDER}/{ORT_SCRIPT}": script,
        f"{ORT_FOLDER}/{ORT_WASM}": wasm,
        f"{ORT_FOLDER}/LICENSE": _source("licence.txt").encode(),
    }


def render_page(about: Embedded, model: bytes, script: bytes, wasm: bytes) -> str:
    """The model as one HTML page that runs it from a file, without any request.

    A strict Content-Security-Policy lets run only the scripts that are in it, by their hashes, and forbids every
    connection.

    Args:
        about: What is known of the model; every text in it is escaped.
        model: Its file.
        script: ONNX Runtime Web's script.
        wasm: Its machine code.

    Raises:
        ValueError: The script is not as ours expect it.
    """
    css = stylesheet() + _source("page.css")
    scripts = [_as_global(script), _joined()]
    environment = templates().overlay()
    environment.filters = {**templates().filters, "clean_long": lambda text: clean(str(text), _LONG)}
    page = environment.get_template("embed/page.html.jinja").render(
        about=about,
        hints=[_hint(field) for field in about.fields],
        # Inside of a script nothing is escaped but what would end it.
        about_json=_safe(canonical_json(about.model_dump(mode="json")).replace("<", "\\u003c")),
        model=_packed(model),
        wasm=_packed(wasm),
        scripts=[_safe(each) for each in scripts],
        script_hashes=" ".join(f"'{_hash(each)}'" for each in scripts),
        css=_safe(css),
        style_hash=_hash(css),
        licence=_source("licence.txt"),
    )
    return page.strip() + "\n"


def model_of_page(page: str, most: int) -> bytes:
    """The model that a page holds.

    Args:
        page: As somebody sent it.
        most: Bytes after which unpacking ends: a page can be made to hold more than any memory.

    Raises:
        ValueError: It holds none.
    """
    found = _MODEL.search(page)
    if found is None:
        raise ValueError("the page holds no model")
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(base64.b64decode(found[1], validate=True), most)
    except zlib.error as error:
        raise ValueError(f"the model of the page can't be unpacked: {error}") from error


def _hint(field: Field) -> str:
    kinds = {"float": "a number", "integer": "a whole number", "string": "a text", "boolean": ""}
    parts = [kinds[field.type]]
    if field.allowed:
        parts.append(f"one of {', '.join(field.allowed)}" if field.type != "boolean" else "")
    if field.low is not None and field.high is not None:
        parts.append(f"{field.low:g} to {field.high:g}")
    elif field.low is not None:
        parts.append(f"{field.low:g} or more")
    elif field.high is not None:
        parts.append(f"up to {field.high:g}")
    if field.missing and field.type != "boolean":
        parts.append("or empty")
    return ", ".join(part for part in parts if part)


def _as_global(script: bytes) -> str:
    """The runtime's script with its exports in a global: a page of one file has nothing to import from."""
    found = _EXPORTS.search(script)
    if found is None or b"</script" in script or b"<!--" in script:
        raise ValueError("the runtime's script can't stand in a page")
    pairs = (part.split(" as ") for part in found[1].decode().split(","))
    named = ",".join(f"{pair[-1].strip()}:{pair[0].strip()}" for pair in pairs)
    return f"{script[: found.start()].decode()}globalThis.ort={{{named}}};\n"


def _joined() -> str:
    parts = [_EXPORT.sub("", _IMPORT.sub("", _source(name))) for name in ("embed.mjs", "table.mjs", "page.js")]
    return "\n".join(parts)


@cache
def _source(name: str) -> str:
    source = templates().loader
    assert source is not None  # noqa: S101 - they come with the package
    return source.get_source(templates(), f"embed/{name}")[0]


@cache
def _packed(content: bytes) -> Markup:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return _safe(base64.b64encode(packer.compress(content) + packer.flush()).decode())


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _safe(text: str) -> Markup:
    return Markup(text)  # noqa: S704 - our own files, base64, and JSON that can't end its script


@cache
def _markdown() -> Environment:
    environment = Environment(  # noqa: S701 - Markdown; every value goes through a filter that makes it inert
        loader=PackageLoader("mlci.render"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"text": lambda text: markdown_text(str(text), _LONG), "code": markdown_code}
    return environment


def sizes(files: Mapping[str, bytes]) -> str:
    """How large the page and the folder are, in words."""
    whole = sum(len(content) for content in files.values())
    return f"the page has {len(files[PAGE]) / 1e6:.1f} MB, the folder {whole / 1e6:.1f} MB"
