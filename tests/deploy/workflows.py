#!/usr/bin/env python3
"""Checks what runs at others' places before anybody can try it there: the workflows under .github, and all shell scripts.

By other people's programs, and by rules of our own that none of them has. Run it with the Python of an environment that has
tests/deploy/requirements.txt, as tests/run makes one:

    PYTHON tests/deploy/workflows.py [FOLDER]     the folder of a copy, in place of this repository
"""
import os
import re
import subprocess
import sys
from pathlib import Path

import yaml

root = Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(__file__).resolve().parent.parent.parent
programs = Path(sys.executable).parent
workflows = sorted((root / ".github/workflows").glob("*.yml"))
FORM = """{extends: default, rules: {
    line-length: {max: 140}, document-start: disable, truthy: {check-keys: false}, braces: {max-spaces-inside: 1},
    comments: {min-spaces-from-content: 1}}}"""
failed = False


def told(what, faults):
    global failed
    print(f"{'FAILED ' if faults else 'ok     '} {what}")
    for fault in faults:
        print(f"        {fault}")
    failed = failed or bool(faults)


def by(what, program, *arguments, given=None):
    """What another program finds."""
    done = subprocess.run([programs / program, *arguments], input=given, capture_output=True, text=True, cwd=root)
    told(what, (done.stdout + done.stderr).splitlines() if done.returncode else [])


def steps(workflow):
    """Of each job: its name, and each of its steps."""
    for name, job in yaml.safe_load(workflow.read_text())["jobs"].items():
        for step in job.get("steps", []):
            yield name, step


def commands():
    """Every script of a step, with where it stands."""
    for workflow in workflows:
        for job, step in steps(workflow):
            if "run" in step:
                yield f"{workflow.name}, {job}", step["run"]


def shell_scripts():
    listed = subprocess.run(["git", "ls-files", "-coz", "--exclude-standard"], capture_output=True, text=True, cwd=root, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        path = root / name
        if path.is_file() and re.match(rb"#!.*\b(ba)?sh\n", path.read_bytes()[:64]):
            yield name


def values_in_scripts():
    """A value that stands in a script as text is part of the script."""
    return [f"{where}: ${{{{ in a script: {line.strip()}" for where, script in commands() for line in script.splitlines() if "${{" in line]


def scripts_that_are_not_there():
    """What is started must be there, and may be started."""
    wanted = [(where, each) for where, script in commands() for each in re.findall(r"(?:\.ci|tests|deploy)/[\w./-]+", script)]
    return [f"{where}: {each} cannot be started" for where, each in wanted if not os.access(root / each, os.X_OK)]


def kept_credentials():
    """No checkout leaves the token of the job lying in the folder in which scripts run."""
    for workflow in workflows:
        for job, step in steps(workflow):
            if step.get("uses", "").startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
                yield f"{workflow.name}, {job}: persist-credentials is not false"


def rights():
    """No job has rights that it does not name, and none may write by way of the whole workflow."""
    for workflow in workflows:
        given = yaml.safe_load(workflow.read_text()).get("permissions")
        if given not in ({}, {"contents": "read"}):
            yield f"{workflow.name}: the workflow gives {given} to all its jobs"


by("zizmor", "zizmor", "--offline", "--no-progress", "--persona=pedantic", ".github")
by("workflows have their form", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
by("dependabot's settings have theirs", "check-jsonschema", "--builtin-schema", "vendor.dependabot", ".github/dependabot.yml")
by("yamllint", "yamllint", "--strict", "-d", FORM, ".github")
by("shell scripts", "shellcheck", "--severity=warning", *shell_scripts())
for where, script in commands():
    by(f"the script of {where}: {script.splitlines()[0][:60]}", "shellcheck", "--shell=bash", "-", given=script)
told("values come into scripts as variables", values_in_scripts())
told("what scripts start is there", scripts_that_are_not_there())
told("credentials are not kept", list(kept_credentials()))
told("rights are given to jobs", list(rights()))
sys.exit(failed)
