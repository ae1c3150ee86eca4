"""SLSA provenance of files in Sigstore's bundle format, as GitHub attests it; nobody signed it."""

import base64
import hashlib
import json
import os
import sys
from pathlib import Path

server, repository = os.environ["GITHUB_SERVER_URL"], os.environ["GITHUB_REPOSITORY"]
files = [Path(name) for name in sys.argv[1:]]
statement = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {"name": file.name, "digest": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()}} for file in files
    ],
    "predicateType": "https://slsa.dev/provenance/v1",
    "predicate": {
        "buildDefinition": {
            "buildType": "https://actions.github.io/buildtypes/workflow/v1",
            "externalParameters": {
                "workflow": {
                    "ref": os.environ["GITHUB_REF"],
                    "repository": f"{server}/{repository}",
                    "path": ".github/workflows/release.yml",
                }
            },
            "resolvedDependencies": [
                {
                    "uri": f"git+{server}/{repository}@{os.environ['GITHUB_REF']}",
                    "digest": {"gitCommit": os.environ["GITHUB_SHA"]},
                }
            ],
        },
        "runDetails": {"builder": {"id": "https://github.com/actions/runner/github-hosted"}},
    },
}
bundle = {
    "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
    "verificationMaterial": {"certificate": {"rawBytes": base64.b64encode(b"none").decode()}, "tlogEntries": [{}]},
    "dsseEnvelope": {
        "payload": base64.b64encode(json.dumps(statement).encode()).decode(),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{"sig": base64.b64encode(b"none").decode()}],
    },
}
target = Path(os.environ["RUNNER_TEMP"]) / "attestation.json"
target.write_text(json.dumps(bundle))
with Path(os.environ["GITHUB_OUTPUT"]).open("a") as output:
    output.write(f"bundle-path={target}\n")
