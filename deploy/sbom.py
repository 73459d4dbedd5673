#!/usr/bin/env python3
"""The bill of materials: every crate that Cargo.lock pins, as CycloneDX 1.6 on standard output.

    deploy/sbom.py >sbom.cdx.json

Made from the lock file alone, so that the same lock gives the same bill. Source: https://cyclonedx.org/docs/1.6/json/.
"""
import json
import tomllib
from pathlib import Path

root = Path(__file__).resolve().parent.parent
locked = tomllib.loads((root / "Cargo.lock").read_text())["package"]
package = tomllib.loads((root / "Cargo.toml").read_text())["package"]


def component(crate, kind="library"):
    name, version = crate["name"], crate["version"]
    purl = f"pkg:cargo/{name}@{version}"
    found = {"type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if "checksum" in crate:
        found["hashes"] = [{"alg": "SHA-256", "content": crate["checksum"]}]
    return found


def reference(dependency):
    """`name`, `name version`, or `name version (source)`, as short as is unambiguous."""
    name, _, rest = dependency.partition(" ")
    version = rest.split(" ")[0] if rest else next(each["version"] for each in locked if each["name"] == name)
    return f"pkg:cargo/{name}@{version}"


own = next(crate for crate in locked if crate["name"] == package["name"])
bill = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "version": 1,
    "metadata": {"component": component(own, "application") | {"licenses": [{"expression": package["license"]}]}},
    "components": [component(crate) for crate in locked if crate is not own],
    "dependencies": [
        {
            "ref": f"pkg:cargo/{crate['name']}@{crate['version']}",
            "dependsOn": sorted(reference(each) for each in crate.get("dependencies", [])),
        }
        for crate in locked
    ],
}
print(json.dumps(bill, indent=1))
