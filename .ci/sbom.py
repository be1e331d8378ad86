"""Write the bill of materials of what MedQL runs on, in CycloneDX: pinned packages, what they need, and what browsers get.

python .ci/sbom.py FILE.json      (in the environment into which requirements.txt was installed)
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
VENDORED = ROOT / "static" / "vendor"
# These two say it in a file of theirs and not in their metadata.
LICENCES = {"channels-redis": "BSD-3-Clause", "uritemplate": "BSD-3-Clause OR Apache-2.0"}
VENDORED_LICENCES = {"htmx": "0BSD"}


def wanted() -> set[str]:
    """The names of all that requirements.txt asks for, and of all that this asks for in turn, without anybody's extras."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    waiting = [Requirement(line) for line in lines if line.strip() and not line.startswith("#")]
    found: set[str] = set()
    while waiting:
        asked = waiting.pop()
        name = canonicalize_name(asked.name)
        if name in found and not asked.extras:
            continue
        found.add(name)
        for text in metadata.requires(asked.name) or []:
            needed = Requirement(text)
            if any(needed.marker is None or needed.marker.evaluate({"extra": extra}) for extra in asked.extras or {""}):
                waiting.append(needed)
    return found


def installed() -> dict[str, Any]:
    """What is installed here, as cyclonedx-bom tells it."""
    with tempfile.NamedTemporaryFile(suffix=".json") as draft:
        asked = ["environment", "--output-reproducible", "--output-format", "JSON", "--output-file", draft.name, sys.executable]
        subprocess.run([sys.executable, "-m", "cyclonedx_py", *asked], check=True, stderr=subprocess.PIPE)  # noqa: S603
        bill: dict[str, Any] = json.loads(Path(draft.name).read_text())
    return bill


def vendored() -> Iterator[dict[str, Any]]:
    """The scripts of others that lie in this repository, with what each file hashes to."""
    for folder in sorted(VENDORED.iterdir()):
        name, _, version = folder.name.rpartition("-")
        files = [
            {
                "type": "file",
                "bom-ref": f"{folder.name}/{file.name}",
                "name": file.name,
                "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
            }
            for file in sorted(folder.glob("*.js"))
        ]
        yield {
            "type": "library",
            "bom-ref": folder.name,
            "name": name,
            "version": version,
            "purl": f"pkg:npm/{name}.org@{version}",
            "licenses": [{"license": {"id": VENDORED_LICENCES[name]}}],
            "components": files,
        }


def bill() -> dict[str, Any]:
    """The bill, of what runs and of nothing that only tests or builds."""
    whole, names = installed(), wanted()
    runs = [each for each in whole["components"] if canonicalize_name(each["name"]) in names]
    if missing := names - {canonicalize_name(each["name"]) for each in runs}:
        raise SystemExit(f"Not installed here: {', '.join(sorted(missing))}. Run make install first.")
    for each in runs:
        licence = LICENCES.get(canonicalize_name(each["name"]))
        if licence and not each.get("licenses"):
            each["licenses"] = [{"expression": licence}]
    references = {each["bom-ref"] for each in runs}
    whole["components"] = [*runs, *vendored()]
    whole["dependencies"] = [
        {"ref": each["ref"], "dependsOn": [name for name in each.get("dependsOn", []) if name in references]}
        for each in whole["dependencies"]
        if each["ref"] in references
    ]
    whole["metadata"]["component"] = {"type": "application", "bom-ref": "medql", "name": "MedQL"}
    return whole


if __name__ == "__main__":
    told = bill()
    Path(sys.argv[1]).write_text(json.dumps(told, indent=2, sort_keys=True) + "\n")
    print(f"{len(told['components'])} components in {sys.argv[1]}")
