#!/usr/bin/env python3
"""Looks at what `kubectl kustomize` makes of deploy/kubernetes, for tests/it/kubernetes.rs.

    kubernetes.py check BASE PRODUCTION   are the objects valid, do they agree with each other, with the image, with the rules
                                          of Prometheus, and with the strictest profile of Kubernetes? Prints what is wrong
    kubernetes.py pods OBJECTS            how the pods are started, as JSON, to start the program in the same way
    kubernetes.py foreign OBJECTS         the objects of kinds that are not Kubernetes' own, as JSON

Kubernetes' own objects are held to the schemas of its API, where an unknown field is a failure. Of the two kinds that the
operator of Prometheus brings, the rules are held to deploy/prometheus/rules.yml and read by promtool, and the ServiceMonitor
to the service, the port and the interval that it must name; tests/deploy/schemas.mjs holds both to the operator's own types.
"""

import ipaddress
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import image
import kubernetes_validate
import yaml

ROOT = image.ROOT
VERSION = "1.37"
FOREIGN = {"PrometheusRule", "ServiceMonitor"}
# PostgreSQL's max_connections, 100, less those that it keeps for its administrator.
DATABASE_CONNECTIONS = 97
PRIVATE = ["10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "fd00:ec2::254", "fe80::1", "::1"]
PUBLIC = ["142.250.0.1", "1.1.1.1", "2a00:1450:4001::1"]

problems = []


def expect(is_so, message):
    if not is_so:
        problems.append(message)


def read(path):
    return [document for document in yaml.safe_load_all(Path(path).read_text()) if document]


class Objects:
    """What one folder renders to."""

    def __init__(self, path):
        self.all = read(path)

    def kind(self, kind):
        return [found for found in self.all if found["kind"] == kind]

    def one(self, kind, name="google-reviews"):
        found = [each for each in self.kind(kind) if each["metadata"]["name"] == name]
        if len(found) != 1:
            raise SystemExit(f"{len(found)} objects {kind}/{name} in place of one")
        return found[0]

    def templates(self):
        """The pods that are made, by the name of what makes them."""
        deployments = {f"Deployment/{each['metadata']['name']}": each["spec"]["template"] for each in self.kind("Deployment")}
        jobs = {
            f"CronJob/{each['metadata']['name']}": each["spec"]["jobTemplate"]["spec"]["template"] for each in self.kind("CronJob")
        }
        return deployments | jobs

    def settings(self):
        (found,) = [each for each in self.kind("ConfigMap") if each["metadata"]["name"].startswith("google-reviews-settings-")]
        return found["data"]


def is_valid(objects):
    for each in objects.all:
        if each["kind"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(each, VERSION, strict=True)
        except Exception as error:  # whatever its validators raise is the answer
            problems.append(f"{each['kind']}/{each['metadata']['name']}: {getattr(error, 'message', error)}")
    expect(not objects.kind("Secret"), "a Secret is in the files")


def is_restricted(name, template):
    """The profile `restricted` of Pod Security, as far as it is about what we use: everything else must not be there."""
    spec = template["spec"]
    pod = spec.get("securityContext", {})
    for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"):
        expect(not spec.get(key), f"{name}: {key}")
    expect(pod.get("runAsNonRoot") is True and pod.get("runAsUser", 0) > 0, f"{name}: may run as root")
    expect(pod.get("seccompProfile") == {"type": "RuntimeDefault"}, f"{name}: seccompProfile")
    expect(not set(pod) - {"runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile"}, f"{name}: {sorted(pod)}")
    expect(spec.get("automountServiceAccountToken") is False, f"{name}: gets a token of Kubernetes")
    expect(spec.get("enableServiceLinks") is False, f"{name}: enableServiceLinks")
    for volume in spec.get("volumes", []):
        expect(set(volume) == {"name", "secret"}, f"{name}: the volume {volume['name']} is no Secret")
        expect(volume["secret"]["defaultMode"] & 0o007 == 0, f"{name}: anybody may read {volume['name']}")
    for container in spec["containers"]:
        wanted = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        expect(container.get("securityContext") == wanted, f"{name}: securityContext of {container['name']}")
        expect("hostPort" not in json.dumps(container.get("ports", [])), f"{name}: hostPort")
        resources = container.get("resources", {})
        expect({"cpu", "memory"} <= set(resources.get("requests", {})), f"{name}: requests of {container['name']}")
        expect("memory" in resources.get("limits", {}), f"{name}: no limit of memory for {container['name']}")
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        expect(mounted == {volume["name"] for volume in spec.get("volumes", [])}, f"{name}: volumes and mounts differ")


def image_is_ours(objects):
    version = image.version()
    images = {container["image"] for template in objects.templates().values() for container in template["spec"]["containers"]}
    expect(len(images) == 1, f"images differ: {sorted(images)}")
    expect(all(name.endswith(f":{version}") for name in images), f"{sorted(images)}: the program has version {version}")


def selects(selector, labels):
    return bool(selector) and selector.items() <= labels.items()


def names_agree(objects):
    pods = {name: template["metadata"]["labels"] for name, template in objects.templates().items()}
    server = objects.one("Deployment")
    (container,) = server["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}

    def only_servers(selector, what):
        found = [name for name, labels in pods.items() if selects(selector, labels)]
        expect(found == ["Deployment/google-reviews"], f"{what} selects {found}")

    only_servers(server["spec"]["selector"]["matchLabels"], "Deployment")
    for spread in server["spec"]["template"]["spec"]["topologySpreadConstraints"]:
        only_servers(spread["labelSelector"]["matchLabels"], spread["topologyKey"])
    only_servers(objects.one("PodDisruptionBudget")["spec"]["selector"]["matchLabels"], "PodDisruptionBudget")
    for service in objects.kind("Service"):
        only_servers(service["spec"]["selector"], f"Service/{service['metadata']['name']}")
        for port in service["spec"]["ports"]:
            expect(ports.get(port["targetPort"]) == port["port"], f"Service/{service['metadata']['name']}: {port}")
    published = {port["name"] for port in objects.one("Service")["spec"]["ports"]}
    expect(published == {"http"}, f"the Service for clients has the ports {sorted(published)}")
    wanted = {"http": image.port("LISTEN"), "operations": image.port("OPERATIONS_LISTEN")}
    expect(ports == wanted, f"the container has the ports {ports}, and the image {wanted}")
    for probe, path in (("startupProbe", "/startupz"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")):
        expect(container[probe]["httpGet"] == {"path": path, "port": "operations"}, f"{probe}: {container[probe]}")
    accounts = {account["metadata"]["name"] for account in objects.kind("ServiceAccount")}
    for name, template in objects.templates().items():
        expect(template["spec"]["serviceAccountName"] in accounts, f"{name}: no such service account")
    return pods, ports


def references_are_there(objects):
    maps = {each["metadata"]["name"]: each["data"] for each in objects.kind("ConfigMap")}
    for name, template in objects.templates().items():
        for container in template["spec"]["containers"]:
            for source in container.get("envFrom", []):
                expect(source["configMapRef"]["name"] in maps, f"{name}: {source}")
            folders = [mount["mountPath"] + "/" for mount in container.get("volumeMounts", [])]
            for variable in container.get("env", []):
                path = variable.get("value", "")
                is_there = not variable["name"].endswith("_FILE") or any(path.startswith(folder) for folder in folders)
                expect(is_there, f"{name}: {variable['name']} is not in a folder that is there")
                reference = variable.get("valueFrom", {}).get("configMapKeyRef")
                expect(not reference or reference["key"] in maps.get(reference["name"], {}), f"{name}: {reference}")


def seconds(text):
    number, unit = re.fullmatch(r"([0-9]+)(s|m|)", text).groups()
    return int(number) * (60 if unit == "m" else 1)


def numbers_agree(base, objects):
    expect(base.one("Deployment")["spec"].get("replicas") == 2, "base: two servers")
    server, scaler = objects.one("Deployment")["spec"], objects.one("HorizontalPodAutoscaler")["spec"]
    expect("replicas" not in server, "a number of replicas, which the autoscaler is there for")
    target = scaler["scaleTargetRef"]
    expect(target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": "google-reviews"}, f"autoscaler: {target}")
    expect((scaler["minReplicas"], scaler["maxReplicas"]) == (2, 10), "autoscaler: two to ten")
    aims = {each["resource"]["name"]: each["resource"]["target"]["averageUtilization"] for each in scaler["metrics"]}
    expect(aims == {"cpu": 70, "memory": 80}, f"autoscaler: {aims}")
    expect(scaler["behavior"]["scaleDown"]["stabilizationWindowSeconds"] >= 300, "autoscaler: goes down too soon")
    rolling = server["strategy"]["rollingUpdate"]
    expect(rolling == {"maxSurge": 1, "maxUnavailable": 0}, f"rolling update: {rolling}")
    (container,) = server["template"]["spec"]["containers"]
    wanted = {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}}
    expect(container["resources"] == wanted, f"resources: {container['resources']}")

    settings = objects.settings()
    pods = scaler["maxReplicas"] + rolling["maxSurge"]
    connections = pods * int(settings["REVIEWS__STORE__POOL_MAX"])
    expect(connections <= DATABASE_CONNECTIONS, f"{pods} pods may take {connections} connections of the database")
    stopping = seconds(settings["REVIEWS__SERVER__STOP_DELAY"]) + seconds(image.default("server", "drain_timeout")) + 20
    grace = server["template"]["spec"]["terminationGracePeriodSeconds"]
    expect(grace >= stopping, f"a pod is killed after {grace} s, and takes {stopping} s to stop")
    probe = container["startupProbe"]
    patience = probe["periodSeconds"] * probe["failureThreshold"]
    expect(patience > seconds(image.default("store", "start_timeout")), f"a start is given up after {patience} s")
    expect(objects.one("PodDisruptionBudget")["spec"].get("maxUnavailable") == 1, "one at a time")


def way_in_is_one(objects):
    """The Ingress leads to the port for clients, under the name that tokens are for."""
    ingress, settings = objects.one("Ingress")["spec"], objects.settings()
    host = re.fullmatch(r"https://([a-z0-9.-]+)", settings["REVIEWS__SERVER__PUBLIC_URL"])
    (rule,) = ingress["rules"]
    (path,) = rule["http"]["paths"]
    names = {rule["host"], *(name for each in ingress["tls"] for name in each["hosts"])}
    expect(host and names == {host[1]}, f"the Ingress is for {names}")
    backend = path["backend"]["service"]
    expect(backend == {"name": "google-reviews", "port": {"name": "http"}} and path["path"] == "/", f"Ingress: {path}")
    labels = objects.one("Namespace")["metadata"]["labels"]
    modes = {labels.get(f"pod-security.kubernetes.io/{mode}") for mode in ("enforce", "audit", "warn")}
    expect(modes == {"restricted"}, f"the profile of the namespace: {modes}")
    for each in objects.all:
        where = each["metadata"].get("namespace", "google-reviews")
        expect(where == "google-reviews", f"{each['kind']}/{each['metadata']['name']} is in {where}")


def is_let_out(address, policy_rule):
    address = ipaddress.ip_address(address)
    for peer in policy_rule.get("to", []):
        block = peer.get("ipBlock")
        if not block or ipaddress.ip_network(block["cidr"]).version != address.version:
            continue
        excepted = any(address in ipaddress.ip_network(cidr) for cidr in block.get("except", []))
        if address in ipaddress.ip_network(block["cidr"]) and not excepted:
            return True
    return False


def network_is_closed(objects, pods, ports):
    policies = {each["metadata"]["name"]: each["spec"] for each in objects.kind("NetworkPolicy")}
    expect(policies["nothing"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}, "not everything is closed first")
    for name, policy in policies.items():
        selector = policy["podSelector"].get("matchLabels")
        is_known = not selector or any(selects(selector, labels) for labels in pods.values())
        expect(is_known or name == "certificates", f"NetworkPolicy/{name} selects no pod")
        for rule in policy.get("ingress", []):
            expect(rule.get("from"), f"NetworkPolicy/{name} lets everybody in")
            named = {port["port"] for port in rule["ports"] if isinstance(port["port"], str)}
            expect(named <= set(ports), f"NetworkPolicy/{name}: {named}")
        for rule in policy.get("egress", []):
            expect(rule.get("to"), f"NetworkPolicy/{name} lets everything out")
            numbers = {port["port"] for port in rule.get("ports", [])}
            for address in PRIVATE:
                expect(443 not in numbers or not is_let_out(address, rule), f"NetworkPolicy/{name}: {address} can be reached")
    internet = [rule for rule in policies["names-and-internet"]["egress"] if {"port": 443, "protocol": "TCP"} in rule["ports"]]
    for address in PUBLIC:
        expect(any(is_let_out(address, rule) for rule in internet), f"{address} cannot be reached")
    out = {port["port"] for rule in policies["server"]["egress"] for port in rule["ports"]}
    expect(out == {5432, 6379}, f"the server reaches ports {out}")
    into = [(rule["from"][0]["namespaceSelector"]["matchLabels"], rule["ports"][0]["port"]) for rule in policies["server"]["ingress"]]
    expect([port for _, port in into] == ["http", "operations"], f"who comes in: {into}")


def monitoring_agrees(objects):
    prometheus = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    every = prometheus["global"]
    (job,) = prometheus["scrape_configs"]
    monitor = objects.one("ServiceMonitor")["spec"]
    found = [
        each["metadata"]["name"]
        for each in objects.kind("Service")
        if selects(monitor["selector"]["matchLabels"], each["metadata"].get("labels", {}))
    ]
    expect(found == ["google-reviews-operations"], f"Prometheus finds the services {found}")
    (endpoint,) = monitor["endpoints"]
    offered = {port["name"] for port in objects.one("Service", "google-reviews-operations")["spec"]["ports"]}
    expect(endpoint["port"] in offered, f"Prometheus asks at the port {endpoint['port']}")
    expect(endpoint["path"] == job["metrics_path"], f"Prometheus asks for {endpoint['path']}")
    expect((endpoint["interval"], endpoint["scrapeTimeout"]) == (every["scrape_interval"], every["scrape_timeout"]), "intervals")
    renamed = {"action": "replace", "targetLabel": "job", "replacement": job["job_name"]}
    expect(renamed in endpoint["relabelings"], f"the job is not called {job['job_name']}")

    groups = objects.one("PrometheusRule")["spec"]["groups"]
    ours = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text())["groups"]
    ours = [{**group, "interval": every["evaluation_interval"]} for group in ours]
    expect(groups == ours, "prometheus-rule.yaml is not what deploy/kubernetes/rules makes of deploy/prometheus/rules.yml")
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        yaml.safe_dump({"groups": groups}, file)
        file.flush()
        told = subprocess.run(["promtool", "check", "rules", file.name], capture_output=True, text=True, check=False)
    expect(told.returncode == 0, told.stdout + told.stderr)


def check(base_path, production_path):
    base, production = Objects(base_path), Objects(production_path)
    for objects in (base, production):
        is_valid(objects)
        for name, template in objects.templates().items():
            is_restricted(name, template)
        references_are_there(objects)
        pods, ports = names_agree(objects)
    image_is_ours(production)
    numbers_agree(base, production)
    way_in_is_one(production)
    network_is_closed(production, pods, ports)
    monitoring_agrees(production)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


def expanded(text, variables):
    """As kubelet replaces $(NAME)."""
    return re.sub(r"\$\(([A-Z_]+)\)", lambda match: variables[match[1]], text)


def pods(path):
    """How the containers are started: variables, arguments, probes, and where their secrets lie."""
    objects = Objects(path)
    maps = {each["metadata"]["name"]: each["data"] for each in objects.kind("ConfigMap")}
    found = {}
    for template in objects.templates().values():
        (container,) = template["spec"]["containers"]
        variables = image.environment()
        for source in container.get("envFrom", []):
            variables |= maps[source["configMapRef"]["name"]]
        for variable in container.get("env", []):
            reference = variable.get("valueFrom", {}).get("configMapKeyRef")
            variables[variable["name"]] = maps[reference["name"]][reference["key"]] if reference else variable["value"]
        probes = {name: container[name]["httpGet"] for name in container if name.endswith("Probe")}
        found[container["name"]] = {
            "variables": variables,
            "arguments": [expanded(text, variables) for text in container["args"]],
            "probes": probes,
            "secrets": container["volumeMounts"][0]["mountPath"],
        }
    endpoints = [endpoint for monitor in objects.kind("ServiceMonitor") for endpoint in monitor["spec"]["endpoints"]]
    relabelings = [each for endpoint in endpoints for each in endpoint["relabelings"]]
    found["dropped_labels"] = [each["regex"] for each in relabelings if each["action"] == "labeldrop"]
    print(json.dumps(found))
    return 0


def foreign(path):
    print(json.dumps({"objects": [each for each in Objects(path).all if each["kind"] in FOREIGN]}))
    return 0


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    sys.exit({"check": check, "pods": pods, "foreign": foreign}[command](*paths))
