"""What the image brings with it, read from the Dockerfile, Cargo.toml and default.toml, for the checks beside this."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment():
    """The variables that it sets."""
    text = re.search(r"^ENV ([A-Z_]+__(?:\\\n|.)*)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1]
    return dict(pair.split("=", 1) for pair in text.replace("\\\n", " ").split())


def port(listener):
    """The port of `LISTEN` or `OPERATIONS_LISTEN`."""
    return int(environment()[f"REVIEWS__SERVER__{listener}"].rsplit(":", 1)[1])


def version():
    """The version of the program, which its tag has too."""
    return re.search(r'^version = "(.+)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)[1]


def default(section, key):
    """The default of a setting."""
    text = (ROOT / "src/config/default.toml").read_text().split(f"\n[{section}]\n")[1].split("\n[")[0]
    return re.search(rf'^{key} = "?([^"\n]+)', text, re.MULTILINE)[1]
