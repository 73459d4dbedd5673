#!/usr/bin/env python3
"""What a release needs to know, for .github/workflows/release.yml and for whoever tries it by hand; docs/releasing.md.

    deploy/release.py check [v0.1.0]        every file that names the version names the same, and the tag does too
    deploy/release.py notes                 what CHANGELOG.md says of this version
    deploy/release.py facts OWNER/REPO      name=value lines: the version, its image, the image's tags, the registry's name
    deploy/release.py server OWNER/REPO     deploy/server.json with its owner
    deploy/release.py pack PROGRAM NOTICES PLATFORM FOLDER    the archive of one program and what deploy/notices.py says of it:
                                            the same bytes for the same files
"""
import gzip
import io
import json
import re
import sys
import tarfile
import tomllib
from pathlib import Path

root = Path(__file__).resolve().parent.parent
package = tomllib.loads((root / "Cargo.toml").read_text())["package"]
NAME, VERSION = package["name"], package["version"]
# Semantic versioning; what comes behind "-" is tried out, and "latest" never leads there.
FORM = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
# Keep a Changelog; a version has its day.
HEADING = re.compile(r"^## \[(?P<version>[^]]+)\](?: - (?P<day>\d{4}-\d{2}-\d{2}))?$", re.MULTILINE)


def sections():
    """Of the changelog, newest first: version, day, text."""
    text = (root / "CHANGELOG.md").read_text()
    headings = list(HEADING.finditer(text))
    ends = [heading.start() for heading in headings[1:]] + [len(text)]
    return [(each["version"], each["day"], text[each.end() : end].strip()) for each, end in zip(headings, ends)]


def locked(path):
    packages = tomllib.loads((root / path).read_text())["package"]
    return next(each["version"] for each in packages if each["name"] == NAME)


def named():
    """Every place that names the version."""
    server = json.loads((root / "deploy/server.json").read_text())
    yield "Cargo.lock", locked("Cargo.lock")
    yield "tests/fuzz/Cargo.lock", locked("tests/fuzz/Cargo.lock")
    yield "CHANGELOG.md", next((version for version, _, _ in sections() if version != "Unreleased"), None)
    yield "Dockerfile", re.search(r"^ARG VERSION=(.+)$", (root / "Dockerfile").read_text(), re.MULTILINE)[1]
    yield "deploy/server.json", server["version"]
    for each in server["packages"]:
        yield "deploy/server.json, its image", each["identifier"].rpartition(":")[2]


def check(tag=f"v{VERSION}"):
    faults = [f"{where} says {found}, Cargo.toml {VERSION}" for where, found in named() if found != VERSION]
    if not FORM.fullmatch(VERSION):
        faults.append(f"{VERSION} is not a semantic version")
    if tag != f"v{VERSION}":
        faults.append(f"the tag is {tag}, and must be v{VERSION}")
    for version, day, text in sections():
        if version == VERSION and not day:
            faults.append(f"CHANGELOG.md: {version} has no day (## [{version}] - YYYY-MM-DD)")
        if version == VERSION and not text:
            faults.append(f"CHANGELOG.md: nothing is said of {version}")
    if faults:
        raise SystemExit("\n".join(faults))
    print(f"{NAME} {VERSION}")


def notes():
    print(next(text for version, _, text in sections() if version == VERSION))


def image(owner):
    """The name of an image is in small letters, whatever its owner is called."""
    return f"ghcr.io/{owner.lower()}/{NAME}"


def facts(repository):
    owner = repository.partition("/")[0]
    tags = [VERSION] if "-" in VERSION else [VERSION, VERSION.rpartition(".")[0], "latest"]
    print(f"version={VERSION}\nimage={image(owner)}\ntags={' '.join(tags)}\nname=io.github.{owner}/{NAME}")


def server(repository):
    owner = repository.partition("/")[0]
    described = (root / "deploy/server.json").read_text()
    described = described.replace(f"ghcr.io/OWNER/{NAME}", image(owner)).replace(f"github.com/OWNER/{NAME}", f"github.com/{repository}")
    print(described.replace("OWNER", owner), end="")


def pack(program, notices, platform, folder):
    stem = f"{NAME}-{VERSION}-linux-{platform}"
    files = {program: (NAME, 0o755), notices: ("NOTICES.txt", 0o644)}
    for document in ("LICENSE-APACHE", "LICENSE-MIT", "README.md", "CHANGELOG.md", "src/config/default.toml"):
        files[root / document] = (Path(document).name, 0o644)
    target = Path(folder) / f"{stem}.tar.gz"
    # Without times and owners.
    with target.open("wb") as out, gzip.GzipFile(fileobj=out, mode="wb", filename="", mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path, (name, mode) in files.items():
                content = Path(path).read_bytes()
                entry = tarfile.TarInfo(f"{stem}/{name}")
                entry.size, entry.mode = len(content), mode
                archive.addfile(entry, io.BytesIO(content))
    print(target)


COMMANDS = {each.__name__: each for each in (check, notes, facts, server, pack)}

if __name__ == "__main__":
    command, *arguments = sys.argv[1:] or [""]
    if command not in COMMANDS:
        raise SystemExit(__doc__)
    COMMANDS[command](*arguments)
