"""What serves a model in a container. No Docker is run: the image's command is, as it would be there, without Git."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[2]
SERVING = ("--serve", "--forge", "none", "--yes")
KUBERNETES = "1.34"
# Of serving.kserve.io/v1beta1, as its reference of the API has them (InferenceServiceSpec, ComponentExtensionSpec):
# the other fields of a predictor are those of a pod.
KSERVE = {
    "type": "object",
    "required": ["apiVersion", "kind", "metadata", "spec"],
    "additionalProperties": False,
    "properties": {
        "apiVersion": {"const": "serving.kserve.io/v1beta1"},
        "kind": {"const": "InferenceService"},
        "metadata": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string", "pattern": "^[a-z]([-a-z0-9]*[a-z0-9])?$"}},
        },
        "spec": {
            "type": "object",
            "required": ["predictor"],
            "additionalProperties": False,
            "properties": {"predictor": {"type": "object"}, "transformer": {}, "explainer": {}},
        },
    },
}
COMPONENT = {
    "minReplicas": {"type": "integer", "minimum": 0},
    "maxReplicas": {"type": "integer", "minimum": 1},
    "timeout": {"type": "integer", "minimum": 1},
    "containerConcurrency": {"type": "integer", "minimum": 0},
    "scaleTarget": {"type": "integer"},
    "scaleMetric": {"enum": ["cpu", "memory", "concurrency", "rps"]},
}


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """The example with what serves it, its name hard for Kubernetes and its policy with budgets."""
    folder = tmp_path_factory.mktemp("served")
    subprocess.run(["git", "init", "-q", "-b", "main", folder], check=True)
    run(folder, "init", "--name", "2nd_flights", *SERVING)
    return folder


def run(folder, *words, code=0):
    environment = os.environ | {"PYTHONPATH": str(ROOT), "DVC_NO_ANALYTICS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "mlci", *words, "-C", str(folder)],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    return done


def manifests(folder, name):
    return list(yaml.safe_load_all((folder / "deploy" / name).read_text()))


def test_the_deployment_is_one_that_kubernetes_takes(served):
    deployment, service = manifests(served, "deployment.yaml")
    for each in (deployment, service):
        kubernetes_validate.validate(each, KUBERNETES, strict=True)
    chosen = deployment["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"] == chosen == deployment["spec"]["template"]["metadata"]["labels"]
    assert deployment["metadata"]["name"] == "model-2nd-flights"
    assert deployment["metadata"]["annotations"] == {"mlci/release": "2nd_flights#prod"}


def test_the_inference_service_is_one_that_kserve_takes(served):
    (service,) = manifests(served, "inferenceservice.yaml")
    jsonschema.validate(service, KSERVE)
    predictor = service["spec"]["predictor"]
    own = {key: value for key, value in predictor.items() if key in COMPONENT}
    jsonschema.validate(own, {"properties": COMPONENT})
    assert own["minReplicas"] <= own["maxReplicas"]
    pod = {key: value for key, value in predictor.items() if key not in COMPONENT}
    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": pod}, KUBERNETES, strict=True
    )
    assert pod["containers"][0]["name"] == "kserve-container"


def test_the_schemas_find_what_is_wrong(served):
    deployment, _ = manifests(served, "deployment.yaml")
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", ["deployment.yaml", "inferenceservice.yaml"])
def test_a_container_may_do_nothing_that_it_need_not(served, name):
    spec = manifests(served, name)[0]["spec"]
    pod = spec["template"]["spec"] if "template" in spec else spec["predictor"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}
    }  # fmt: skip
    assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    assert container["resources"]["limits"]["memory"]


def test_hadolint_has_nothing_to_say(served):
    done = subprocess.run(
        [shutil.which("hadolint"), "--no-color", served / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_budgets_and_stages_of_the_policy_are_those_of_the_manifests(served, tmp_path):
    folder = shutil.copytree(served, tmp_path / "other")
    policy = (folder / "params.yaml").read_text()
    more = "  budgets: {memory: 1GB, cold_start: 40s}\n  release: {stages: [try, live]}\n"
    (folder / "params.yaml").write_text(f"{policy.rstrip()}\n{more}")
    done = run(folder, "init", *SERVING, "--stage", "live", "--image", "example.org/ml/flights:v1.2.0", "--force")
    assert "wrote deploy/deployment.yaml" in done.stderr
    deployment, _ = manifests(folder, "deployment.yaml")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "example.org/ml/flights:v1.2.0"
    assert container["resources"]["limits"]["memory"] == "1193Mi"
    assert container["startupProbe"]["periodSeconds"] * container["startupProbe"]["failureThreshold"] >= 40
    assert deployment["metadata"]["annotations"]["mlci/release"].endswith("#live")
    # What was said once stays, and a stage that the policy has not is refused.
    assert "nothing to do" in run(folder, "init", *SERVING).stderr
    refused = run(folder, "init", *SERVING, "--stage", "prod", code=2).stderr
    assert "`prod` is no stage" in refused
    assert "try, live" in refused


def test_what_a_person_wrote_is_not_replaced(served, tmp_path):
    folder = shutil.copytree(served, tmp_path / "other")
    (folder / "Dockerfile").write_text("FROM scratch\n")
    done = run(folder, "init", *SERVING, code=1)
    assert "left Dockerfile, which differs" in done.stderr
    assert (folder / "Dockerfile").read_text() == "FROM scratch\n"


@pytest.mark.parametrize("option", [("--image", "a b"), ("--image", "x\ny: 1"), ("--stage", "Prod!")])
def test_names_that_would_break_a_file_are_refused(served, option):
    assert option[1].split()[0] in run(served, "init", *SERVING, *option, code=2).stderr


def test_the_images_command_serves_without_git_and_writes_nothing(served, tmp_path):
    text = (served / "Dockerfile").read_text()
    entrypoint = json.loads(re.search(r"^ENTRYPOINT (\[.*\])$", text, re.MULTILINE)[1])
    environment = dict(word.split("=", 1) for word in re.search(r"^ENV (.*)$", text, re.MULTILINE)[1].split())
    app = tmp_path / "app"
    (app / "bundle").mkdir(parents=True)
    shutil.copy(ROOT / "models" / "model.onnx", app / "bundle" / "model.onnx")
    (app / "params.yaml").write_text("mlci: {serve: {rows: 3}}\n")
    command = [str(app / "bundle") if word == "/app/bundle" else word for word in entrypoint]
    command = [sys.executable, "-m", *command[:-1], "0"]
    environment |= {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), "MLCI_SERVE_LOG": "none"}
    app.chmod(0o555)
    process = subprocess.Popen(command, cwd=app, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        line = process.stderr.readline()
        port = re.search(r":(\d+)$", line)
        assert port, line + process.stderr.read()
        check = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", text, re.MULTILINE)[1].replace(":8080", f":{port[1]}")
        subprocess.run([sys.executable, *json.loads(check)[1:]], check=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port[1]}/v2", timeout=20) as answer:
            assert answer.status == 200
    finally:
        process.terminate()
        process.communicate(timeout=30)
        app.chmod(0o755)
    assert process.returncode == 0
    assert sorted(path.name for path in app.iterdir()) == ["bundle", "params.yaml"]
