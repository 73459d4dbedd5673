#!/usr/bin/env python3
"""Gives a fork its own name: crate, binary, library, variables, pages, container names, alerts, dashboard, documents.

    docs/fork/rename.py my-api-mcp

docs/fork/rename.md says what it changes and what is left to you. The names below change with all others, so it can be
run again. It needs nothing but Python, git and, for the layout of the code, cargo.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import shutil
import subprocess
import sys

THIS = "docs/fork/rename.py"
# The letters that end the beginnings of secrets: client, key, link, refresh token, secret, session, code.
KINDS = "cklrswz"
# Keeps the old name: the licence asks that the notice of its authors stays.
KEPT = {"LICENSE-MIT"}
# Here other names stand as examples, which clash with nothing.
EXAMPLES = ("docs/fork/", "tests/fork/")


@dataclasses.dataclass(frozen=True)
class Names:
    """All that this project is called by."""

    package: str
    title: str
    variables: str
    keys: str

    @property
    def short(self):
        """By which clients, metrics, alerts and the cache know it."""
        return self.package.removesuffix("-mcp")

    def spellings(self):
        """Every spelling: what it is for, how it is found, how it is written. The crate is the short name and -mcp."""
        snake = self.short.replace("-", "_")
        # Nothing of a word before it, or the `\b` of a regular expression.
        alone = r"(?:(?<![A-Za-z0-9_])|(?<=\\b))"
        return [
            ("name", re.escape(self.short), self.short),
            ("library", re.escape(snake), snake),
            ("title", re.escape(self.title), self.title),
            ("variables", f"{alone}{self.variables}(?=_)", self.variables),
            ("secrets", f"{alone}{self.keys}(?=[{KINDS}]_)", self.keys),
            ("secrets", f"{alone}{self.keys.upper()}(?=[{KINDS.upper()}]_)", self.keys.upper()),
        ]


NOW = Names(package="google-reviews-mcp", title="Google Reviews", variables="REVIEWS", keys="gr")

LEFT_TO_YOU = """\
Left to you, because it speaks of what the server does and not of its name:
  what it is         description and keywords in Cargo.toml and Dockerfile, the first lines of README.md, src/lib.rs and
                     src/cli/mod.rs; LICENSE-MIT keeps the authors of this project, add yourself
  what it says       instructions (src/mcp/handler.rs), descriptions (src/tools/), prompts (src/prompts/), scopes
                     (src/model/scope.rs), the links between tools (report://, reviews://)
  where it asks      Google: src/google, its prices (src/google/mask.rs), its terms (docs/, src/http/pages/home.html);
                     docs/fork/swap-the-upstream.md
  what it invents    the demo data (src/emulator/data)
  whom to tell       .github/SECURITY.md
A server that already runs under the old name keeps nothing by it: keys, tokens, links and the SQLite file are named anew."""


def main():
    os.chdir(pathlib.Path(__file__).resolve().parents[2])
    files = tracked()
    names = chosen(files)
    if names == NOW:
        print(f"It is called {NOW.package} already, and nothing was changed.")
        return
    if git("status", "--porcelain"):
        refuse("There are changes that are not committed: commit them first, so that this one can be looked at and undone.")
    refuse_clashes(names, files)
    change(names, files)
    print(f"\nNow look at it (git diff), run tests/run, and commit.\n\n{LEFT_TO_YOU}")


def chosen(files):
    """What the arguments say; what they do not say follows from the name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", metavar="my-api-mcp", help="the crate and the binary; ends in -mcp")
    parser.add_argument("--title", metavar='"My API"', help="for people; without it, the words of the name")
    parser.add_argument("--variables", metavar="MY_API", help="what begins the environment variables, before __")
    parser.add_argument("--keys", metavar="my", help="two letters that begin API keys and tokens")
    asked = parser.parse_args()
    form(asked.package, r"(?=.{5,40}$)[a-z][a-z0-9]*(-[a-z0-9]+)*-mcp", "The name is small letters, digits and -, and ends in -mcp")
    if asked.package == NOW.package:
        names = dataclasses.replace(NOW, **{key: value for key, value in vars(asked).items() if value})
    else:
        short = asked.package.removesuffix("-mcp")
        names = Names(
            package=asked.package,
            title=asked.title or short.replace("-", " ").title(),
            variables=asked.variables or short.replace("-", "_").upper(),
            keys=asked.keys or letters(short, files),
        )
    form(names.title, r"(?=.{1,40}$)\w+([ .-]\w+)*", "The title is words of letters and digits")
    form(names.variables, r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*", "--variables is capital letters, digits and single _")
    form(names.keys, r"[a-z]{2}", "--keys is two small letters")
    return names


def letters(short, files):
    """Two letters of the name with which nothing begins that looks like a secret of ours."""
    words = short.split("-")
    first = short[0]
    candidates = ["".join(word[0] for word in words)[:2], *(first + other for other in short[1:])]
    fitting = [pair for pair in candidates if re.fullmatch("[a-z]{2}", pair)]
    for pair in fitting:
        if not any(re.search(f"(?<![A-Za-z0-9_]){pair}[{KINDS}]_", read(path)) for path in files):
            return pair
    refuse("No two letters of the name can begin keys and tokens: choose them with --keys.")


def form(text, pattern, rule):
    if not re.fullmatch(pattern, text):
        refuse(f"{rule}: not {text!r}.")


def refuse_clashes(names, files):
    """A name that stands here for something else could be told apart by nobody, nor by this program the next time."""
    old = {text for _, _, text in NOW.spellings()}
    for what, pattern, text in names.spellings():
        if text in old:
            continue
        found = [path for path in files if not path.startswith(EXAMPLES) and path not in KEPT]
        found = [path for path in found if re.search(pattern, read(path))]
        if found:
            refuse(f"{text} ({what}) stands for something else already, for example in {', '.join(found[:3])}: choose another.")


def change(names, files):
    """Every spelling in every file, then the names of files, the order of lock files and the layout of code."""
    pairs = [(what, pattern, text) for (what, pattern, _), (_, _, text) in zip(NOW.spellings(), names.spellings())]
    whole = re.compile("|".join(f"({pattern})" for _, pattern, _ in pairs))
    counts = {what: 0 for what, _, _ in pairs}

    def instead(found):
        what, _, text = pairs[found.lastindex - 1]
        counts[what] += 1
        return text

    changed, moved = 0, []
    for path in files:
        if path in KEPT:
            continue
        text = read(path)
        renamed = whole.sub(instead, text)
        if path.endswith("Cargo.lock"):
            renamed = in_order(renamed, names.package)
        if path == THIS:
            renamed = re.sub("^NOW = .*", f"NOW = {names}".replace("'", '"'), renamed, flags=re.MULTILINE)
        if renamed != text:
            pathlib.Path(path).write_bytes(renamed.encode(errors="surrogateescape"))
            changed += 1
        target = whole.sub(instead, path)
        if target != path:
            pathlib.Path(target).parent.mkdir(parents=True, exist_ok=True)
            os.rename(path, target)
            moved.append(target)
    for field in dataclasses.fields(Names):
        print(f"{field.name:<10} {getattr(NOW, field.name)} -> {getattr(names, field.name)}")
    print(f"{changed} files changed: " + ", ".join(f"{what} {count}" for what, count in counts.items()))
    for path in moved:
        print(f"file renamed: {path}")
    print(f"kept: {', '.join(sorted(KEPT))}")
    lay_out()


def in_order(lock, package):
    """Cargo keeps packages, and what each depends on, in the order of their names, and refuses a lock file that is not."""
    head, *packages = lock.split("\n[[package]]\n")
    name = re.compile(r'name = "(.*)"')
    packages = [package_text.rstrip("\n") for package_text in packages]
    packages.sort(key=lambda text: name.match(text)[1])

    def sorted_list(found):
        return found[1] + "".join(sorted(found[2].splitlines(keepends=True))) + "]"

    ours = re.compile(r"(dependencies = \[\n)((?: .*\n)*)\]")
    packages = [ours.sub(sorted_list, text) if f'"{package}"' in text else text for text in packages]
    return "\n\n[[package]]\n".join([head.rstrip("\n"), *packages]) + "\n"


def lay_out():
    """Names of another length break lines elsewhere, and lists are sorted by them."""
    commands = [["cargo", "fmt"], ["cargo", "fmt", "--manifest-path", "tests/fuzz/Cargo.toml"]]
    if not shutil.which("cargo"):
        return print("cargo is not here; run later: " + "; ".join(" ".join(command) for command in commands))
    for command in commands:
        subprocess.run(command, check=True)


def read(path):
    return pathlib.Path(path).read_bytes().decode(errors="surrogateescape")


def tracked():
    names = git("ls-files", "-z").split("\0")
    return [name for name in names if name and pathlib.Path(name).is_file() and not pathlib.Path(name).is_symlink()]


def git(*arguments):
    try:
        return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        refuse("This is no clone: make one with git, so that the change can be looked at and undone.")


def refuse(why):
    sys.exit(why)


if __name__ == "__main__":
    main()
