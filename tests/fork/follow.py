#!/usr/bin/env python3
"""Does what a page of docs/fork says, word by word, in the copy that it is started in: for the tests of those pages.

    tests/fork/follow.py docs/fork/add-a-tool.md

Every block of a page says in the line before it where it belongs, in the words that its head explains to people. A block
that does not, a line that is not there or is there twice, a command that fails and an output without what the page shows
end it. Port 8080 may be taken on this machine, so commands get a free one in its place.
"""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

# A line with backticks stands between two of them, as Markdown has it.
INTO = re.compile(r"`([^`]+)`, (?:(new)|(after|before|in place of) (?:`([^`]+)`|`` (.+) ``)):")


def main(page):
    # Whoever ends this ends what it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    follower = Follower()
    try:
        for number, before, language, block in blocks(pathlib.Path(page).read_text()):
            try:
                follower.follow(before, language, block)
            except Wrong as wrong:
                sys.exit(f"{page}:{number}: {wrong}")
    finally:
        follower.end()


class Wrong(Exception):
    """The page does not hold."""


def blocks(text):
    """Line, the line of prose before, language and text of each block."""
    prose, lines = "", iter(enumerate(text.splitlines(), 1))
    for number, line in lines:
        if not line.startswith("```"):
            prose = line.strip() or prose
            continue
        inside = []
        for _, each in lines:
            if each == "```":
                break
            inside.append(each)
        yield number, prose, line[3:], inside
        prose = ""


class Follower:
    def __init__(self):
        self.port, self.running, self.printed = None, [], None

    def follow(self, before, language, block):
        if language == "sh":
            self.printed = "".join(self.run(command) for command in commands(block))
        elif language == "text":
            self.look_for(block)
        else:
            put(before, block)

    def run(self, command):
        if "8080" in command and self.port is None:
            # Built first, so that nobody else takes the port in the meantime.
            self.run("cargo build --locked")
            self.port = free_port()
        command = command.replace("8080", str(self.port))
        print(f"   $ {command}", flush=True)
        if command.endswith("&"):
            return self.start(command.removesuffix("&"))
        ended = subprocess.run(["bash", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if ended.returncode:
            raise Wrong(f"`{command}` ends with {ended.returncode}:\n{ended.stdout}")
        return ended.stdout

    def start(self, command):
        """Puts it beside what follows, and waits until it says where it listens."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {command}"], start_new_session=True, stdout=subprocess.PIPE, text=True
        )
        self.running.append(process)
        for line in process.stdout:
            if f":{self.port}/" in line:
                # It may say more than fits into a pipe that nobody reads.
                threading.Thread(target=process.stdout.read, daemon=True).start()
                return ""
        raise Wrong(f"`{command}` ends before it listens")

    def look_for(self, block):
        if self.printed is None:
            raise Wrong("what is printed stands without a command before it")
        for line in filter(None, (line.replace("8080", str(self.port)) for line in block)):
            if line not in self.printed:
                raise Wrong(f"{line!r} is not printed, but:\n{self.printed}")

    def end(self):
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            process.wait()


def commands(block):
    """One a line; a line that ends in a backslash goes on."""
    return [line for line in "\n".join(block).replace("\\\n", "").splitlines() if line and not line.startswith("#")]


def put(before, block):
    found = INTO.fullmatch(before)
    if not found:
        raise Wrong(f"{before!r} does not say where this block belongs")
    path, new, where, line = pathlib.Path(found[1]), found[2], found[3], found[4] or found[5]
    if new:
        if path.exists():
            raise Wrong(f"{path} is there already")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(block) + "\n")
        return print(f"   new: {path}")
    if not path.is_file():
        raise Wrong(f"there is no {path}")
    lines = path.read_text().splitlines()
    positions = [position for position, each in enumerate(lines) if each.strip() == line]
    if len(positions) != 1:
        raise Wrong(f"{path} has the line `{line}` {len(positions)} times, not once")
    start = positions[0] + (where == "after")
    end = positions[0] + (where == "in place of")
    lines[start : max(start, end)] = block
    path.write_text("\n".join(lines) + "\n")
    print(f"   {where} `{line}`: {path}")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    main(sys.argv[1])
