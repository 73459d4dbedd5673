#!/usr/bin/env python3
"""Looks at the rules and the dashboard without a server: which metrics do they name, and has each alert all it needs?

    queries.py alerts              each alert has labels, annotations, a section in the runbook, and both kinds of case
    queries.py agreement           configuration, rules and dashboard speak of the same job, intervals, files and labels
    queries.py metrics PAGE        each metric and label in rules and dashboard is on PAGE, the text of /metrics
    queries.py rules               the dashboard's queries as recording rules, for `promtool check rules`
    queries.py list                all queries, one JSON object a line, to ask a Prometheus that has scraped the server

Standard library only. promtool and amtool have checked the YAML before; here it is read line by line, in the form in
which our files are written, and what cannot be read is a failure.
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROMETHEUS = ROOT / "deploy/prometheus/prometheus.yml"
ALERTMANAGER = ROOT / "deploy/alertmanager/alertmanager.yml"
RULES = ROOT / "deploy/prometheus/rules.yml"
CASES = [ROOT / "deploy/prometheus/rules_test.yml", ROOT / "deploy/prometheus/objective_test.yml"]
DASHBOARD = ROOT / "deploy/grafana/dashboard.json"
RUNBOOK = ROOT / "docs/runbook.md"

# Made by Prometheus itself for each target.
MADE_BY_PROMETHEUS = {"up": {"job", "instance"}}
MADE_BY_SCRAPING = {"job", "instance"}
KEYWORDS = {"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring", "group_left", "group_right"}
NUMBERS = {"inf", "nan"}
TOKEN = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
      | (?P<range>\[[^\]]*\])
      | (?P<duration>[0-9]+(?:ms|[smhdwy])(?:[0-9]+(?:ms|[smhdwy]))*)
      | (?P<number>[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^=<>(){},@])""",
    re.VERBOSE,
)

failures = []


def fail(message):
    if message not in failures:
        failures.append(message)


def tokens(query):
    """The parts of a query, without spaces and comments."""
    position, found = 0, []
    while position < len(query):
        match = TOKEN.match(query, position)
        if not match:
            raise ValueError(f"cannot be read at {query[position:position + 20]!r}")
        position = match.end()
        if match.lastgroup != "space":
            found.append((match.lastgroup, match.group()))
    return found


def names_in(query):
    """The metrics of a query, each with the labels it is selected by; and the labels it is grouped or matched by."""
    found, grouping = [], set()
    parts = tokens(query) + [("end", "")]
    position = 0
    while position < len(parts):
        kind, text = parts[position]
        following = parts[position + 1][1] if position + 1 < len(parts) else ""
        position += 1
        if text == "{":
            raise ValueError("selects series without a metric's name")
        if kind != "name" or text.lower() in NUMBERS:
            continue
        if text.lower() in KEYWORDS:
            if following == "(" and text.lower() not in {"and", "or", "unless", "bool", "offset"}:
                end = position
                while parts[end][1] != ")":
                    if parts[end][0] == "name":
                        grouping.add(parts[end][1])
                    end += 1
                position = end + 1
            continue
        if following == "(":  # a function or an aggregation
            continue
        # sum by (tool) (...): the aggregation's name stands before its grouping.
        if following.lower() in {"by", "without"}:
            continue
        labels = set()
        if following == "{":
            end = position + 1
            while parts[end][1] != "}":
                if parts[end][0] == "name":
                    labels.add(parts[end][1])
                end += 1
            position = end + 1
        found.append((text, labels))
    return found, grouping


def rules():
    """Every rule as a dict of what stands in it: alert or record, expr, for, labels, annotations."""
    found, rule, block, deep = [], None, None, 0
    for number, line in enumerate(RULES.read_text().splitlines(), 1):
        stripped = line.strip()
        indent = len(line) - len(line.lstrip())
        if block is not None and (not stripped or indent > deep):
            rule["expr"] += line + "\n"
            continue
        block = None
        if not stripped or stripped.startswith("#"):
            continue
        start = re.match(r"\s*- (alert|record): (\S+)$", line)
        if start:
            rule = {"kind": start[1], "name": start[2], "line": number, "fields": {}}
            found.append(rule)
            continue
        field = re.match(r"\s*([a-z_]+):\s*(.*)$", line)
        if not field or rule is None:
            continue
        if field[1] == "expr":
            rule["expr"] = "" if re.fullmatch(r"[|>]-?", field[2]) else field[2]
            if not rule["expr"]:
                block, deep = True, indent
        else:
            rule["fields"][field[1]] = field[2].strip("\"'")
    for rule in found:
        if not rule.get("expr", "").strip():
            fail(f"{RULES.name}:{rule['line']}: {rule['name']} has no expr that can be read")
    if not found:
        fail(f"{RULES.name}: no rule could be read")
    return found


def dashboard():
    """Every query of the dashboard, with where it stands."""
    page = json.loads(DASHBOARD.read_text())
    found = []
    for variable in page["templating"]["list"]:
        if variable["type"] != "query":
            continue
        match = re.fullmatch(r"label_values\((.*),\s*(\w+)\)", variable["query"]["query"])
        if match:
            found.append((f"dashboard, variable {variable['name']}", match[1]))
        else:
            fail(f"dashboard, variable {variable['name']}: not of the form label_values(metric, label)")
    row = ""
    for panel in page["panels"]:
        if panel["type"] == "row":
            row = panel["title"]
            if panel["panels"]:
                fail(f"dashboard, row {row}: its panels must stand beside it, so that they are checked")
            continue
        where = f"dashboard, {row}: {panel['title']}"
        if not panel.get("targets"):
            fail(f"{where}: has no query")
        for target in panel.get("targets", []):
            if target["datasource"]["uid"] != "${datasource}" or panel["datasource"]["uid"] != "${datasource}":
                fail(f"{where}: does not use the variable for its data source")
            found.append((where, target["expr"]))
    return found


def filled(query):
    """A dashboard's query with something in the place of its variables."""
    query = query.replace("$__rate_interval", "1m").replace("$__range", "1h").replace("$instance", ".*")
    if "$" in query:
        raise ValueError("has a variable that this check does not know")
    return query


def all_queries():
    """Every query of rules and dashboard, filled in: where, kind, text."""
    found = [(f"{rule['kind']} {rule['name']}", rule["kind"], rule.get("expr", "")) for rule in rules()]
    for where, query in dashboard():
        try:
            found.append((where, "dashboard", filled(query)))
        except ValueError as error:
            fail(f"{where}: {error}: {query}")
    return found


def page_of(path):
    """The metrics of a page of text, each with all labels that it has somewhere."""
    found = {}
    for line in Path(path).read_text().splitlines():
        match = re.match(r"([A-Za-z_:][A-Za-z0-9_:]*)(\{.*\})?\s", line)
        if match:
            labels = re.findall(r'([A-Za-z_][A-Za-z0-9_]*)="(?:[^"\\]|\\.)*"', match[2] or "")
            found.setdefault(match[1], set()).update(labels)
    return found


def check_metrics(path):
    page = page_of(path)
    if not page:
        fail(f"{path}: no metric on this page")
    known = {**page, **MADE_BY_PROMETHEUS}
    recorded = {rule["name"] for rule in rules() if rule["kind"] == "record"}
    used, queries = set(), all_queries()
    for where, _, query in queries:
        try:
            metrics, grouping = names_in(query)
        except ValueError as error:
            fail(f"{where}: {error}: {query.strip()}")
            continue
        if not metrics:
            fail(f"{where}: names no metric: {query.strip()}")
        labels = set(MADE_BY_SCRAPING)
        for name, selected in metrics:
            if name in recorded:
                continue
            if name not in known:
                fail(f"{where}: {name} is not on the page of metrics")
                continue
            used.add(name)
            labels |= known[name]
            for label in sorted(selected - known[name] - MADE_BY_SCRAPING):
                fail(f"{where}: {name} has no label {label}")
        if all(name in known for name, _ in metrics):
            for label in sorted(grouping - labels):
                fail(f"{where}: no metric of this query has the label {label}")
    if not failures:
        print(f"{len(queries)} queries, {len(used)} metrics, all on the page")


def check_alerts():
    alerts = {rule["name"]: rule for rule in rules() if rule["kind"] == "alert"}
    anchors = {}
    section = None
    for line in RUNBOOK.read_text().splitlines():
        heading = re.fullmatch(r"##+ (.+)", line)
        if heading:
            section = re.sub(r"[^\w\- ]", "", heading[1].lower()).replace(" ", "-")
            anchors[section] = 0
        elif section and line.strip():
            anchors[section] += 1
    for name, rule in alerts.items():
        where = f"{RULES.name}:{rule['line']}: {name}"
        for field in ["severity", "subject", "summary", "description", "runbook_url"]:
            if not rule["fields"].get(field):
                fail(f"{where}: has no {field}")
        if rule["fields"].get("severity") not in {"page", "ticket"}:
            fail(f"{where}: severity must be page or ticket, as alertmanager.yml routes them")
        url = rule["fields"].get("runbook_url", "")
        if not url.endswith(f"docs/runbook.md#{name.lower()}"):
            fail(f"{where}: runbook_url must end with docs/runbook.md#{name.lower()}")
        if not anchors.get(name.lower()):
            fail(f"{where}: docs/runbook.md has no section \"{name}\", or an empty one")
    cases = {name: {"fires": 0, "does not fire": 0} for name in alerts}
    for path in CASES:
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            match = re.match(r"\s*(?:- )?alertname: (\S+)$", line)
            if not match:
                continue
            if match[1] not in cases:
                fail(f"{path.name}:{number + 1}: there is no alert {match[1]}")
                continue
            expected = lines[number + 1].strip() if number + 1 < len(lines) else ""
            if expected == "exp_alerts: []":
                cases[match[1]]["does not fire"] += 1
            elif expected == "exp_alerts:" and lines[number + 2].strip() == "- exp_labels:":
                cases[match[1]]["fires"] += 1
            else:
                fail(f"{path.name}:{number + 1}: exp_alerts must follow alertname, as [] or as a list")
    for name, kinds in cases.items():
        for kind, count in kinds.items():
            if not count:
                fail(f"{name}: no case in which it {kind}")
    for title in anchors:
        if any(title == name.lower() for name in alerts) or title in {"words", "looking"}:
            continue
        fail(f"docs/runbook.md: the section \"{title}\" belongs to no alert")
    if not failures:
        total = sum(sum(kinds.values()) for kinds in cases.values())
        print(f"{len(alerts)} alerts, each with a section in the runbook; {total} cases")


def check_agreement():
    prometheus = PROMETHEUS.read_text()
    jobs = set(re.findall(r"job_name: (\S+)", prometheus))
    for where, _, query in all_queries():
        for job in re.findall(r'\bjob="([^"]*)"', query):
            if job not in jobs:
                fail(f"{where}: {PROMETHEUS.name} has no job {job}")
    intervals = re.findall(r"(?:scrape|evaluation)_interval: ([0-9]+)s$", prometheus, re.MULTILINE)
    if len(intervals) != 2 or len(set(intervals)) != 1:
        fail(f"{PROMETHEUS.name}: scrape_interval and evaluation_interval must be there once, in seconds, and equal")
    else:
        three_times = f"{2 * int(intervals[0])}s"
        for rule in rules():
            if re.search(r"\b(?:up|dependency_up)\{[^}]*\} == 0", rule.get("expr", "")):
                if rule["fields"].get("for") != three_times:
                    fail(f"{RULES.name}:{rule['line']}: {rule['name']}: three times is for: {three_times}")
    for file in re.findall(r"^\s+- files: \[(.*)\]", prometheus, re.MULTILINE) + ["rules.yml"]:
        if not (PROMETHEUS.parent / file).is_file() or file not in prometheus:
            fail(f"{PROMETHEUS.name}: {file} is missing")
    # Alerts of pages and tickets must share the labels by which one silences the other.
    inhibition = re.search(
        r"""source_matchers: \['severity = "page"'\]\s+target_matchers: \['severity = "ticket"'\]\s+equal: \[(.*)\]""",
        ALERTMANAGER.read_text(),
    )
    if not inhibition or set(re.split(r",\s*", inhibition[1])) != {"job", "instance", "subject"}:
        fail(f"{ALERTMANAGER.name}: a page must silence the tickets of its own job, instance and subject")


def main():
    match sys.argv[1:]:
        case ["alerts"]:
            check_alerts()
        case ["agreement"]:
            check_agreement()
        case ["metrics", page]:
            check_metrics(page)
        case ["rules"]:
            print("groups:\n  - name: dashboard\n    rules:")
            for _, kind, query in all_queries():
                if kind == "dashboard":
                    # JSON's strings are YAML's.
                    print(f"      - record: dashboard:query\n        expr: {json.dumps(query)}")
                    print(f"        labels: {{query: {json.dumps(query)}}}")
        case ["list"]:
            for where, kind, query in all_queries():
                print(json.dumps({"where": where, "kind": kind, "query": query.strip()}))
        case _:
            sys.exit(__doc__)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)


main()
