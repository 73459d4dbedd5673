#!/usr/bin/env python3
"""Looks at deploy/cloud, deploy/apify, deploy/docker-mcp and deploy/systemd, for tests/it/clouds.rs.

    clouds.py check      is each file what its reader takes, and does it agree with the image and with itself? Prints what is wrong
    clouds.py settings   the variables that each sets, with those of the image where it starts that, as JSON

A service of Cloud Run is held field by field to Google's description of the API, a task definition of ECS to Amazon's. For
fly.toml there is no such thing: its names are held to a list made from Fly's reference and the source of flyctl. Of the entry
for Docker's gateway, the rules of its validator that need no network are repeated here.
"""

import json
import re
import sys
import tomllib
from pathlib import Path

import botocore.loaders
import botocore.model
import botocore.validate
import googleapiclient
import image
import yaml

ROOT = image.ROOT
CLOUD_RUN = ROOT / "deploy/cloud/cloud-run.yaml"
ECS = ROOT / "deploy/cloud/ecs-task-definition.json"
FLY = ROOT / "deploy/cloud/fly.toml"
SYSTEMD = ROOT / "deploy/systemd/google-reviews-mcp.service"
APIFY = ROOT / "deploy/apify/.actor/actor.json"
DOCKER = ROOT / "deploy/docker-mcp/server.yaml"

# A table of fly.toml with the keys that it may have; `[]` is one of several.
FLY_NAMES = {
    "": "app primary_region kill_signal kill_timeout build deploy env files http_service metrics restart vm",
    "build": "dockerfile image ignorefile build-target args",
    "deploy": "strategy max_unavailable wait_timeout release_command release_command_timeout",
    "files[]": "guest_path local_path secret_name raw_value processes",
    "http_service": "internal_port force_https auto_stop_machines auto_start_machines min_machines_running processes concurrency checks",
    "http_service.concurrency": "type soft_limit hard_limit",
    "http_service.checks[]": "grace_period interval method path protocol timeout tls_skip_verify headers",
    "metrics[]": "port path processes https",
    "restart[]": "policy retries processes",
    "vm[]": "size memory cpu_kind cpus processes",
}
JSON_TYPES = {"string": str, "integer": int, "boolean": bool, "number": (int, float), "array": list, "object": dict}

problems = []


def expect(is_so, message):
    if not is_so:
        problems.append(message)


def seconds(text):
    number, unit = re.fullmatch(r"([0-9]+)(s|m|)", text).groups()
    return int(number) * (60 if unit == "m" else 1)


def stopping(variables):
    """How long a server with these settings may take to stop, without what is written last."""
    delay = variables.get("REVIEWS__SERVER__STOP_DELAY", "0")
    drain = variables.get("REVIEWS__SERVER__DRAIN_TIMEOUT", image.default("server", "drain_timeout"))
    return seconds(delay) + seconds(drain)


def has_our_version(what, name):
    expect(name.endswith(f"google-reviews-mcp:{image.version()}"), f"{what}: {name} is not of version {image.version()}")


# --- Cloud Run -------------------------------------------------------------------------------------------------------------


def cloud_run_api():
    folder = Path(googleapiclient.__file__).parent / "discovery_cache/documents"
    return json.loads((folder / "run.v1.json").read_text())["schemas"]


def fits(value, schema, schemas, where):
    """Whether a value has a type of Google's description; every name must be in it."""
    if "$ref" in schema:
        schema = {"type": "object", **schemas[schema["$ref"]]}
    if not isinstance(value, JSON_TYPES[schema["type"]]) or (schema["type"] == "integer" and isinstance(value, bool)):
        problems.append(f"{where} is not of type {schema['type']}")
    elif schema["type"] == "array":
        for number, each in enumerate(value):
            fits(each, schema["items"], schemas, f"{where}[{number}]")
    elif schema["type"] == "object":
        for name, each in value.items():
            known = schema.get("properties", {}).get(name) or schema.get("additionalProperties")
            expect(known, f"{where} has no field {name}")
            if known:
                fits(each, known, schemas, f"{where}.{name}")


def cloud_run():
    service = yaml.safe_load(CLOUD_RUN.read_text())
    schemas = cloud_run_api()
    fits(service, {"$ref": "Service"}, schemas, "Service")
    told = schemas["ObjectMeta"]["properties"]["annotations"]["description"]
    revision = service["spec"]["template"]
    for level, metadata in (("Service", service["metadata"]), ("Revision", revision["metadata"])):
        for name in metadata["annotations"]:
            levels = re.search(rf"\* `{re.escape(name)}`: ([^*]*)", told)
            expect(levels and level in re.findall(r"\w+", levels[1]), f"{level} has no annotation {name}")
    annotations, spec = revision["metadata"]["annotations"], revision["spec"]
    expect(int(annotations["autoscaling.knative.dev/minScale"]) >= 1, "Cloud Run: not always one")
    expect(annotations["run.googleapis.com/cpu-throttling"] == "false", "Cloud Run: no processor between two calls")
    (container,) = spec["containers"]
    has_our_version("Cloud Run", container["image"])
    (port,) = container["ports"]
    expect(port["containerPort"] == image.port("LISTEN"), "Cloud Run: the port")
    variables = {each["name"]: each["value"] for each in container["env"]}
    expect(stopping(variables) < 10, "Cloud Run kills after ten seconds")
    startup = container["startupProbe"]
    patience = startup["periodSeconds"] * startup["failureThreshold"]
    expect(patience <= 240, "Cloud Run: a startup probe lasts 240 seconds at most")
    expect(patience > seconds(variables["REVIEWS__STORE__START_TIMEOUT"]), "Cloud Run: the start is given up too soon")
    expect(startup["timeoutSeconds"] <= startup["periodSeconds"], "Cloud Run: a probe outlasts its period")
    for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez")):
        wanted = {"path": path, "port": image.port("LISTEN")}
        expect(container[probe]["httpGet"] == wanted, f"Cloud Run: {probe}")
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    files = {f"{mounts.get(each['name'])}/{item['path']}" for each in spec["volumes"] for item in each["secret"]["items"]}
    named = {value for name, value in variables.items() if name.endswith("_FILE")}
    expect(named == files, f"Cloud Run: {sorted(named ^ files)}")
    return image.environment() | variables


# --- ECS -------------------------------------------------------------------------------------------------------------------


def ecs():
    task = json.loads(ECS.read_text())
    model = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))
    shape = model.operation_model("RegisterTaskDefinition").input_shape
    report = botocore.validate.ParamValidator().validate(task, shape)
    expect(not report.has_errors(), f"ECS: {report.generate_report()}")
    (container,) = task["containerDefinitions"]
    has_our_version("ECS", container["image"])
    variables = {each["name"]: each["value"] for each in container["environment"]}
    expect([each["containerPort"] for each in container["portMappings"]] == [image.port("LISTEN")], "ECS: the port")
    expect(stopping(variables) + 20 <= container["stopTimeout"] <= 120, "ECS: stopTimeout")
    expect(container["healthCheck"]["startPeriod"] <= 300, "ECS: startPeriod is 300 at most")
    for key in ("readonlyRootFilesystem", "essential"):
        expect(container[key] is True, f"ECS: {key}")
    expect(container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}, "ECS: capabilities")
    # Fargate has a few sizes: for a quarter of a processor these.
    expect((task["cpu"], task["memory"]) in {("256", "512"), ("256", "1024"), ("256", "2048")}, "ECS: size")
    parameters = {each["name"]: each["valueFrom"] for each in container["secrets"]}
    for name, value in parameters.items():
        expect(name == f"REVIEWS__{value.rsplit('/', 1)[1].replace('_', '__', 1).upper()}", f"ECS: {name} from {value}")
    return image.environment() | variables | parameters


# --- Fly.io ----------------------------------------------------------------------------------------------------------------


def fly_names(table, where):
    for name, value in table.items():
        expect(name in FLY_NAMES[where].split(), f"fly.toml: [{where}] has no {name}")
        inner = f"{where}.{name}".lstrip(".")
        if isinstance(value, dict) and name != "env":
            fly_names(value, inner)
        for each in value if isinstance(value, list) else []:
            fly_names(each, f"{inner}[]")


def fly():
    app = tomllib.loads(FLY.read_text())
    fly_names(app, "")
    service, variables = app["http_service"], app["env"]
    expect(service["internal_port"] == image.port("LISTEN"), "fly.toml: the port")
    expect([check["path"] for check in service["checks"]] == ["/readyz"], "fly.toml: checks")
    expect(app["metrics"] == [{"port": image.port("OPERATIONS_LISTEN"), "path": "/metrics"}], "fly.toml: metrics")
    expect(app["kill_signal"] == "SIGTERM", "fly.toml: kill_signal")
    expect(seconds(app["kill_timeout"]) >= stopping(variables) + 20, "fly.toml: kill_timeout")
    expect((FLY.parent / app["build"]["dockerfile"]).resolve() == ROOT / "Dockerfile", "fly.toml: no Dockerfile there")
    expect(variables["REVIEWS__SERVER__PUBLIC_URL"] == f"https://{app['app']}.fly.dev", "fly.toml: the address is not the app's")
    files = {each["guest_path"] for each in app["files"]}
    named = {value for name, value in variables.items() if name.endswith("_FILE")}
    expect(named == files, f"fly.toml: {sorted(named ^ files)}")
    return image.environment() | variables


# --- Apify, Docker's gateway, systemd --------------------------------------------------------------------------------------


def apify():
    actor = json.loads(APIFY.read_text())
    variables = actor["environmentVariables"]
    expect(variables["ACTOR_WEB_SERVER_PORT"] == str(image.port("LISTEN")), "actor.json: the port")
    expect(actor["usesStandbyMode"] is True and actor["webServerMcpPath"] == "/mcp", "actor.json: standby mode")
    for key in ("dockerfile", "readme"):
        expect((APIFY.parent / actor[key]).is_file(), f"actor.json: no {key} there")
    expect((APIFY.parent / actor["dockerContextDir"]).resolve() == ROOT, "actor.json: dockerContextDir")
    expect(image.version().startswith(f"{actor['version']}."), f"actor.json: version {actor['version']}")
    for name, value in variables.items():
        is_secret = name.endswith(("API_KEY", "SECRET_KEY", "STORE__URL"))
        expect(value.startswith("@") == is_secret, f"actor.json: {name} is a secret of Apify, or none")
    return image.environment() | variables


def docker():
    entry = yaml.safe_load(DOCKER.read_text())
    expect(re.fullmatch("[a-z0-9-]+", entry["name"]), "server.yaml: name")
    title = entry["about"]["title"]
    expect("MCP" not in title and "Server" not in title, "server.yaml: the title must not say MCP or Server")
    expect(all(word[0].isupper() or word in {"and", "for"} for word in title.split()), "server.yaml: the title in capitals")
    expect(entry["type"] == "server" and re.fullmatch("[0-9a-f]{40}", entry["source"]["commit"]), "server.yaml: the commit")
    known = {"name", "image", "type", "meta", "about", "source", "run", "config"}
    expect(set(entry) <= known, f"server.yaml: {sorted(set(entry) - known)}")
    has_our_version("server.yaml", entry["image"])
    expect(entry["run"]["command"] == ["stdio"], "server.yaml: the command")
    folder = image.environment()["REVIEWS__STORE__DATA_DIR"]
    expect([each.split(":")[1] for each in entry["run"]["volumes"]] == [folder], "server.yaml: the folder of the image")
    config, variables = entry["config"], {}
    for each in config["secrets"]:
        expect(re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9._-]+", each["name"]), f"server.yaml: {each['name']}")
        variables[each["env"]] = each["example"]
    for each in config["env"]:
        parameter = re.fullmatch(r"\{\{" + entry["name"] + r"\.(\w+)\}\}", each["value"])
        expect(parameter and parameter[1] in config["parameters"]["properties"], f"server.yaml: {each['value']}")
        variables[each["name"]] = str(each["example"])
    expect(set(config["parameters"]["required"]) <= set(config["parameters"]["properties"]), "server.yaml: required")
    return image.environment() | variables


def systemd():
    unit = SYSTEMD.read_text()
    lines = [line.split("=", 1) for line in unit.splitlines() if "=" in line and not line.startswith("#")]
    variables = dict(value.split("=", 1) for key, value in lines if key == "Environment")
    credentials = {value.split(":")[0] for key, value in lines if key == "LoadCredential"}
    named = {value.removeprefix("%d/") for name, value in variables.items() if name.endswith("_FILE")}
    expect(named == credentials, f"systemd: {sorted(named ^ credentials)}")
    expect(seconds(dict(lines)["TimeoutStopSec"]) >= stopping(variables) + 20, "systemd: TimeoutStopSec")
    expect(variables["REVIEWS__STORE__DATA_DIR"] == f"%S/{dict(lines)['StateDirectory']}", "systemd: StateDirectory")
    return variables


FILES = {"cloud-run": cloud_run, "ecs": ecs, "fly": fly, "apify": apify, "docker-mcp": docker, "systemd": systemd}


def main(command):
    found = {name: read() for name, read in FILES.items()}
    if command == "settings":
        print(json.dumps(found))
        return 0
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
