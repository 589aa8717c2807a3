"""Prints what an image holds, as a CycloneDX document: `python sbom.py <image> <folder of weights>`.

Runs in the image while it is built, so it lists what is there and not what was meant to be: Python packages, Debian
packages, pretrained weights.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

Component = dict[str, Any]


def python_packages() -> Iterator[Component]:
    """The environment that this interpreter sees."""
    for package in sorted(distributions(), key=lambda package: package.name.lower()):
        name = package.name.lower().replace("_", "-").replace(".", "-")
        purl = f"pkg:pypi/{name}@{package.version}"
        yield {"type": "library", "name": name, "version": package.version, "purl": purl} | _licence(package)


def _licence(package: Distribution) -> Component:
    """What the package says of its licence: an SPDX expression, or else its classifiers."""
    expression = package.metadata.get("License-Expression")
    if expression:
        return {"licenses": [{"expression": expression}]}
    classifiers = package.metadata.get_all("Classifier") or []
    names = [line.rsplit(" :: ", 1)[-1] for line in classifiers if line.startswith("License ::")]
    return {"licenses": [{"license": {"name": name}} for name in names]} if names else {}


def debian_packages() -> Iterator[Component]:
    """What dpkg has installed."""
    form = "${binary:Package}\t${Version}\t${Architecture}\n"
    shown = subprocess.check_output(["/usr/bin/dpkg-query", "--show", f"--showformat={form}"], text=True)
    for line in shown.splitlines():
        name, version, architecture = line.split("\t")
        name = name.partition(":")[0]
        purl = f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}?arch={architecture}"
        yield {"type": "library", "name": name, "version": version, "purl": purl}


def weights(folder: Path) -> Iterator[Component]:
    """The pretrained weights that were packed, with their origin as `common.weights.bake` has noted it."""
    sources = folder / "sources.json"
    origins = json.loads(sources.read_text(encoding="utf-8")) if sources.is_file() else {}
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path != sources):
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        hashes = [{"alg": "SHA-256", "content": digest}]
        model = {"type": "machine-learning-model", "name": file.name, "version": digest[:8], "hashes": hashes}
        yield model | _origin(origins.get(file.name))


def _origin(origin: dict[str, str] | None) -> Component:
    """Where a file comes from, and who states its sum."""
    if origin is None:
        return {}
    return {
        "externalReferences": [{"type": "distribution", "url": origin["url"]}],
        "properties": [{"name": "ymir:sha256-stated-by", "value": origin["stated by"]}],
    }


def document(image: str, folder: Path) -> dict[str, Any]:
    """All of it. The same content gives the same text: there is neither a date nor a random number in it."""
    components = [*python_packages(), *debian_packages(), *weights(folder)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {"type": "container", "name": image}},
        "components": components,
    }


if __name__ == "__main__":
    json.dump(document(sys.argv[1], Path(sys.argv[2])), sys.stdout, indent=1)
