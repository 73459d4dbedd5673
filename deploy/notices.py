#!/usr/bin/env python3
"""The licences of what is linked into the program, which whoever gives it to others must give along, on standard output.

    deploy/notices.py >NOTICES.txt

Of every crate that is part of it on Linux: name, version, licence, and the texts that the crate brings; a text that several bring
stands once. Cargo must have fetched the crates, or be able to.
"""
import json
import re
import subprocess
from collections import defaultdict
from pathlib import Path

root = Path(__file__).resolve().parent.parent
TARGETS = ("x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu")
# As their authors call such files, also of the libraries in C that some crates bring in a folder.
TEXT = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)([-._].*)?", re.IGNORECASE)


def metadata(target):
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    return json.loads(subprocess.run(command, cwd=root, stdout=subprocess.PIPE, check=True).stdout)


def linked(found):
    """The packages that are reached from ours by ways that are neither for building nor for tests."""
    nodes = {node["id"]: node for node in found["resolve"]["nodes"]}
    waiting, seen = [found["resolve"]["root"]], set()
    while waiting:
        each = waiting.pop()
        if each not in seen:
            seen.add(each)
            waiting += [way["pkg"] for way in nodes[each]["deps"] if any(kind["kind"] is None for kind in way["dep_kinds"])]
    return [package for package in found["packages"] if package["id"] in seen and package["source"]]


def texts(package):
    folder = Path(package["manifest_path"]).parent
    files = [path for pattern in ("*", "*/*") for path in folder.glob(pattern) if path.is_file() and TEXT.fullmatch(path.name)]
    files = [path for path in files if path.suffix not in (".rs", ".py", ".toml", ".json")]
    return [path.read_text(errors="replace").strip() for path in sorted(files)]


packages = {(each["name"], each["version"]): each for target in TARGETS for each in linked(metadata(target))}
owners = defaultdict(list)
for (name, version), package in sorted(packages.items()):
    expression = re.sub(r" ?/ ?", " OR ", package["license"])
    for text in dict.fromkeys(texts(package)) or [f"{expression}. The crate brings no text of it; its source: {package['repository']}"]:
        owners[text].append(f"{name} {version} ({expression})")
print("What is linked into google-reviews-mcp beside its own code, and under which licences it may be.")
for text, names in owners.items():
    print(f"\n{'=' * 100}\n{chr(10).join(names)}\n{'-' * 100}\n\n{text}")
