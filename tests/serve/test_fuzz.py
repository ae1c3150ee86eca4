"""Whatever is sent: never a 5xx, and every answer is as /openapi.json describes it."""

import json
import socket

import numpy as np
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import positive_data_acceptance
from serve_process import Server
from served_models import INPUTS, ROW, binary, bundle
from tritonclient import http
from tritonclient.utils import InferenceServerException

load_all_checks()
LIMITS = settings(deadline=None, max_examples=25, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fuzz")
    server = Server(folder, model=bundle(folder / "people", binary(folder / "made.onnx")))
    yield server
    code, said = server.stop()
    assert code == 0, said
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def described(server):
    found = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    # Too many rows are a body that is too large.
    found.config.checks.negative_data_rejection.expected_statuses = ["400", "404", "413", "422"]
    return found


@pytest.mark.parametrize("mode", [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE])
def test_every_operation_answers_as_it_is_described(described, mode):
    seen = 0
    for operation in (each.ok() for each in described.get_all_operations()):
        # That the shape of a tensor fits its data is not for JSON Schema to say.
        left_out = [positive_data_acceptance] if operation.path.endswith("/infer") else []
        if mode == schemathesis.GenerationMode.NEGATIVE and operation.method == "get":
            continue
        exercise(operation, mode, left_out)
        seen += 1
    assert seen == (10 if mode == schemathesis.GenerationMode.POSITIVE else 4)


def exercise(operation, mode, left_out):
    @settings(LIMITS, max_examples=25 if operation.method == "post" else 3)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case):
        case.call_and_validate(excluded_checks=left_out)

    ask()


_HUGE = st.sampled_from([10**400, -(2**70), 3e38])
_SCALARS = _HUGE | st.none() | st.booleans() | st.integers() | st.floats() | st.text()
_ANYTHING = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4), max_leaves=8
)
_TENSORS = st.fixed_dictionaries(
    {"name": st.sampled_from([*ROW, "other"]) | _SCALARS},
    optional={
        "shape": st.lists(st.integers(-2, 3), max_size=3) | _ANYTHING,
        "datatype": st.sampled_from(["FP32", "FP64", "INT64", "BYTES", "BOOL", "UINT8"]) | _ANYTHING,
        "data": st.lists(_SCALARS, max_size=3) | _ANYTHING,
        "parameters": _ANYTHING,
    },
)
_INFERENCES = st.fixed_dictionaries(
    {"inputs": st.lists(_TENSORS, max_size=3) | _ANYTHING},
    optional={"id": _SCALARS, "outputs": _ANYTHING, "parameters": _ANYTHING},
)
_ROWS = st.dictionaries(st.sampled_from([*ROW, "other"]), _SCALARS)
_LABELS = st.dictionaries(st.sampled_from(["id", "label", "other"]), _SCALARS)
_INFER = "/v2/models/people/infer"
_PATHS = st.sampled_from(["/predict", "/feedback", _INFER, "/v2/models/people/versions/v1.0.0/infer"])
_VALUES = _ANYTHING | _ROWS | st.lists(_ROWS, max_size=3) | _INFERENCES | _LABELS
_BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(str.encode),
    _VALUES.map(lambda value: json.dumps(value).encode()),
    _INFERENCES.map(lambda value: json.dumps(value).encode()[:-3]),
)


@LIMITS
@given(_PATHS, _BODIES)
def test_no_body_breaks_it(server, path, body):
    status, told = server.ask(path, body)
    assert status < 500, told
    if status != 200:
        assert told["error"]
        assert told["version"] == "v1.0.0"


_GOOD = json.dumps(ROW).encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", 400),
        (b"null", 422),
        (b'{"fever": NaN, "pulse": 1}', 400),
        (b'{"fever": Infinity, "pulse": 1}', 400),
        (b'{"fever": 1e400, "pulse": 1}', 400),
        (b'{"fever": 1' + b"0" * 400 + b', "pulse": 1}', 422),
        (b'{"fever": 1' + b"0" * 30 + b', "pulse": 1}', 200),
        (b'{"fever": 1, "fever": 2, "pulse": 1}', 200),
        (b'{"fever": "\xff", "pulse": 1}', 400),
        (b'{"fever": "\\ud800", "pulse": 1}', 400),
        (b'{"fever": {"a": 1}, "pulse": [1]}', 422),
        (b'{"fever": 1, "pulse": 1, "\\u0000": 1}', 422),
        (b"[" * 50_000 + b"]" * 50_000, 400),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, 400),
        (b"\xef\xbb\xbf" + _GOOD, 400),
        (_GOOD + b" {}", 400),
    ],
)
def test_a_strange_body_is_told_what_is_wrong(server, body, expected):
    status, told = server.ask("/predict", body)
    assert (status, bool(told.get("error"))) == (expected, expected != 200), told


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json/\xe9"]
)
def test_another_content_type_is_refused(server, kind):
    assert server.ask("/predict", _GOOD, Content_Type=kind)[0] == (200 if "json" in kind else 415)


def raw(server, *parts, read=True):
    """What the server says to these bytes."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=60) as client:
        for part in parts:
            client.sendall(part)
        client.shutdown(socket.SHUT_WR) if not read else None
        said = b""
        while (more := client.recv(65_536)) and read:
            said += more
    return said.decode("latin-1")


_HEAD = b"POST /predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"


def test_chunks_are_read(server):
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (_GOOD[:5], _GOOD[5:])) + b"0\r\n\r\n"
    assert raw(server, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", chunks).startswith("HTTP/1.1 200")


def test_what_is_no_http_gets_a_400_that_says_who_answers(server):
    for sent in (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", _HEAD + b"Content-Length: -1\r\n\r\n", b"GET\r\n\r\n"):
        said = raw(server, sent)
        assert said.startswith("HTTP/1.1 400"), said
        assert json.loads(said.partition("\r\n\r\n")[2])["version"] == "v1.0.0"


def test_a_client_that_leaves_early_harms_nobody(server):
    raw(server, _HEAD + b"Content-Length: 500\r\n\r\n" + _GOOD, read=False)
    assert server.ask("/predict", ROW)[0] == 200


def test_a_client_of_the_protocol_that_we_did_not_write(server):
    with http.InferenceServerClient(server.url.removeprefix("http://")) as client:
        assert client.is_server_live()
        assert client.is_server_ready()
        assert client.is_model_ready("people")
        assert client.is_model_ready("people", "v1.0.0")
        about = client.get_model_metadata("people")
        assert [each["name"] for each in about["inputs"]] == [each.name for each in INPUTS]
        table = np.array([[0.5], [-1.5], [3.0]])
        inputs = [http.InferInput(each["name"], table.shape, each["datatype"]) for each in about["inputs"]]
        for each in inputs:
            each.set_data_from_numpy(table, binary_data=False)
        names = ("score", "prediction", "prediction_id")
        outputs = [http.InferRequestedOutput(name, binary_data=False) for name in names]
        answer = client.infer("people", inputs, outputs=outputs, request_id="mine")
        assert answer.get_response()["id"] == "mine"
        rows = [dict.fromkeys(ROW, value) for value in table[:, 0].tolist()]
        told = server.ask("/predict", rows)[1]["predictions"]
        assert answer.as_numpy("score")[:, 0].tolist() == [each["scores"]["score"] for each in told]
        assert answer.as_numpy("prediction")[:, 0].tolist() == [each["prediction"] for each in told]
        assert len(set(answer.as_numpy("prediction_id").reshape(-1).tolist())) == len(rows)
        other = http.InferInput("other", [1, 1], "FP64").set_data_from_numpy(table[:1], binary_data=False)
        with pytest.raises(InferenceServerException, match="none of the model"):
            client.infer("people", [other])
