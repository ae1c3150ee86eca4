"""The short way of ordinary requests: what it answers, in which order, and what it leaves to the long one."""

import asyncio
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from serve_process import Server
from served_models import ROW, regression

from mlci.edges.onnx.session import OnnxModel
from mlci.edges.serve.batch import Batcher

GOOD = json.dumps(ROW).encode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lane")
    server = Server(folder, model=regression(folder / "model.onnx"))
    yield server
    code, said = server.stop()
    assert code == 0, said
    assert "Traceback" not in said


def request(body, *headers, path=b"/predict", version=b"1.1"):
    lines = (b"Host: x", b"Content-Type: application/json", b"Content-Length: %d" % len(body), *headers)
    return b"POST %b HTTP/%b\r\n%b\r\n\r\n%b" % (path, version, b"\r\n".join(lines), body)


def answers(server, *parts, count=1):
    """What the server says on one connection, once it has said so many answers: status, headers and body of each."""
    host, port = server.url.removeprefix("http://").split(":")
    found = []
    with socket.create_connection((host, int(port)), timeout=60) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            client.sendall(part)
        stream = client.makefile("rb")
        for _ in range(count):
            status = int(stream.readline().split()[1])
            pairs = iter(lambda: stream.readline().strip().partition(b": "), (b"", b"", b""))
            headers = {key.decode(): value.decode() for key, _, value in pairs}
            found.append((status, headers, json.loads(stream.read(int(headers["content-length"])))))
        stream.close()
    return found


def test_both_ways_give_one_answer(server):
    # An answer to HTTP/1.0 goes the long way.
    ((_, short, one),) = answers(server, request(GOOD))
    ((_, long, other),) = answers(server, request(GOOD, version=b"1.0"))
    assert (one.keys(), one["scores"], one["prediction"]) == (other.keys(), other["scores"], other["prediction"])
    assert list(short) == [name for name in long if name != "connection"]
    assert short["mlci-request"] == one["id"]
    assert len(one["id"]) == len(other["id"])


def test_both_ways_of_the_protocol_give_one_answer(server):
    inputs = [{"name": name, "shape": [1, 1], "datatype": "FP64", "data": [value]} for name, value in ROW.items()]
    # Outputs that are asked for go the long way.
    outputs = [{"name": name} for name in ("prediction", "prediction_id")]
    infer = b"/v2/models/people/infer"
    short, long = (
        answers(server, request(json.dumps(each).encode(), path=infer))[0][2]
        for each in ({"id": "mine", "inputs": inputs}, {"id": "mine", "inputs": inputs, "outputs": outputs})
    )
    assert short.pop("parameters").keys() == long.pop("parameters").keys()
    names = [each.pop("data") for each in (short["outputs"].pop(), long["outputs"].pop())]
    assert short["outputs"] == long["outputs"]
    assert names[0] != names[1]
    assert short["id"] == long["id"] == "mine"
    wrong = [inputs[0] | {"data": ["x"]}, *inputs[1:]]
    twice = [inputs[0], inputs[0]]
    for bad in (wrong, twice, inputs[:1], [inputs[0] | {"shape": [2, 1]}, inputs[1]]):
        assert answers(server, request(json.dumps({"inputs": bad}).encode(), path=infer))[0][0] == 400


def test_requests_that_are_sent_at_once_are_answered_in_their_order(server):
    rows = [ROW | {"fever": float(at)} for at in range(20)]
    sent = [json.dumps("strange" if at % 7 == 3 else row).encode() for at, row in enumerate(rows)]
    found = answers(server, b"".join(map(request, sent)), count=len(rows))
    assert [status for status, _, _ in found] == [422 if at % 7 == 3 else 200 for at in range(20)]
    values = [told["prediction"] for status, _, told in found if status == 200]
    assert values == sorted(values)
    assert len(set(values)) == len(values) == 17


def test_a_body_in_pieces_is_read_whole(server):
    whole = request(GOOD)
    for cut in (10, len(whole) - len(GOOD), len(whole) - 5):
        ((status, _, told),) = answers(server, whole[:cut], whole[cut:])
        assert (status, told["prediction"]) == (200, answers(server, whole)[0][2]["prediction"])


def test_a_row_without_a_number_is_refused(server):
    body = json.dumps(ROW | {"fever": 3.3e38}).encode()
    found = answers(server, request(body) + request(GOOD), count=2)
    assert [status for status, _, _ in found] == [422, 200]
    assert "no number" in found[0][2]["error"]


@pytest.mark.parametrize("headers", [(b"Connection: close",), (b"Expect: 1",)])
def test_what_http_has_rules_for_is_answered_too(server, headers):
    assert answers(server, request(GOOD, *headers))[0][0] == 200


def test_every_way_is_counted(server):
    def counted():
        return int(float(re.search(r'route="/predict",status="200"} (\S+)', server.ask("/metrics")[1])[1]))

    answers(server, request(GOOD))
    before = counted()
    answers(server, request(GOOD) * 3, count=3)
    assert counted() == before + 3


class Slow:
    """A model that takes its time, and knows which thread it took it of."""

    def __init__(self, model):
        self._model = model
        self.threads = []

    def __getattr__(self, name):
        return getattr(self._model, name)

    def feed(self, tensors):
        self.threads.append(threading.get_ident())
        end = time.thread_time() + 0.1
        while time.thread_time() < end:
            pass
        return self._model.feed(tensors)


def test_a_slow_model_is_asked_beside_the_loop(tmp_path):
    slow = Slow(OnnxModel.load(regression(tmp_path / "model.onnx")))
    columns = {name: [value] for name, value in ROW.items()}

    async def ask(batcher):
        return [await batcher.ask(columns) for _ in range(3)]

    with ThreadPoolExecutor(1) as aside:
        batcher = Batcher(slow, None, aside)
        assert not batcher.slow
        told = asyncio.run(ask(batcher))
        assert batcher.slow
    assert told[0] == told[1] == told[2]
    assert slow.threads[0] == threading.get_ident()
    assert threading.get_ident() not in slow.threads[1:]
