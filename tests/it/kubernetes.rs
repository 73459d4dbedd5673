//! What `kubectl kustomize` makes of `deploy/kubernetes` is what Kubernetes takes, agrees with itself and with the server, and
//! starts one that gets ready and answers.

use crate::{
    interop::named,
    support::{
        BAKERY,
        binary::{program, stderr, stdout},
        check,
        deployed::{Deployed, Surroundings, Variables},
        rpc, until,
    },
};
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use std::{
    ffi::OsStr,
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};

const BASE: &str = "deploy/kubernetes/base";
const PRODUCTION: &str = "deploy/kubernetes/overlays/production";
/// What kubelet and Prometheus send, in place of a name.
const POD: &str = "10.42.0.17:9090";

/// The objects of a folder, as `kubectl apply --kustomize` would send them; nothing where there is no kubectl.
fn rendered(folder: &str) -> Option<String> {
    let Ok(output) = Command::new("kubectl").args(["kustomize", folder]).output() else {
        // Few distributions have it; `tests/run` says at its end whether it was here.
        eprintln!("not run: kubectl is not here, so {folder} is not rendered");
        return None;
    };
    assert!(output.status.success(), "{folder}: {}", stderr(&output));
    Some(stdout(&output))
}

/// Runs `tests/deploy/kubernetes.py` on rendered objects.
fn looked_at(python: &OsStr, command: &str, objects: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let mut script = Command::new(python);
    script.args(["tests/deploy/kubernetes.py", command]).env("PYTHONDONTWRITEBYTECODE", "1");
    for (number, text) in objects.iter().enumerate() {
        let file = folder.path().join(format!("{number}.yaml"));
        fs::write(&file, text).unwrap();
        script.arg(file);
    }
    script.output().unwrap()
}

#[test]
fn objects_of_kubernetes_are_valid_and_agree_with_the_server() {
    let (Some(python), Some(base), Some(production)) = (named("DEPLOY_PYTHON"), rendered(BASE), rendered(PRODUCTION))
    else {
        return;
    };
    let found = looked_at(&python, "check", &[&base, &production]);
    assert!(found.status.success(), "{}{}", stdout(&found), stderr(&found));
}

/// The kinds that Kubernetes does not know, by the types of those who brought them.
#[test]
fn objects_of_the_operator_of_prometheus_have_its_types() {
    let (Some(node), Some(python), Some(production)) =
        (named("INTEROP_NODE"), named("DEPLOY_PYTHON"), rendered(PRODUCTION))
    else {
        return;
    };
    let found = looked_at(&python, "foreign", &[&production]);
    let judged = judged_by_node(&node, &found.stdout);
    assert!(judged.status.success(), "{}{}", stdout(&judged), stderr(&judged));
    assert_eq!(stdout(&judged), "2 as their readers want them\n");
}

/// What `tests/deploy/schemas.mjs` says of this.
pub(crate) fn judged_by_node(node: &OsStr, objects: &[u8]) -> Output {
    let mut script = Command::new(node);
    script.arg("tests/deploy/schemas.mjs").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = script.spawn().unwrap();
    child.stdin.take().unwrap().write_all(objects).unwrap();
    child.wait_with_output().unwrap()
}

/// The rules of Prometheus are written once.
#[test]
fn the_rules_of_kubernetes_are_those_of_prometheus() {
    let made = Command::new("deploy/kubernetes/rules").output().unwrap();
    assert!(made.status.success(), "{}", stderr(&made));
    let kept = fs::read_to_string(format!("{PRODUCTION}/prometheus-rule.yaml")).unwrap();
    assert!(stdout(&made) == kept, "write it again: deploy/kubernetes/rules >{PRODUCTION}/prometheus-rule.yaml");
}

fn variables(container: &Value) -> Variables {
    serde_json::from_value(container["variables"].clone()).unwrap()
}

/// Asks as kubelet does.
async fn probed(server: &Deployed, path: &str) -> u16 {
    let url = format!("{}{path}", server.origin("OPERATIONS_LISTEN"));
    let answer = rpc::client().get(url).header(header::HOST, POD).send().await;
    answer.map_or(0, |answer| answer.status().as_u16())
}

/// How the containers of these objects are started.
fn pods(python: &OsStr, objects: &str) -> Value {
    let found = looked_at(python, "pods", &[objects]);
    serde_json::from_slice(&found.stdout).unwrap_or_else(|_| panic!("{}", stderr(&found)))
}

/// The base alone is tried through a port-forward.
#[tokio::test]
async fn the_base_alone_is_a_configuration_for_this_machine() {
    let (Some(python), Some(base)) = (named("DEPLOY_PYTHON"), rendered(BASE)) else { return };
    let surroundings = Surroundings::new().await;
    let server = Deployed::new(variables(&pods(&python, &base)["server"]), &surroundings);
    let checked = server.command(&["check-config"]).output().unwrap();
    assert!(checked.status.success(), "{}", stderr(&checked));
    let _running = server.serve().await;
}

#[tokio::test]
async fn a_server_with_the_variables_of_its_pod_gets_ready_and_answers() {
    let (Some(python), Some(production)) = (named("DEPLOY_PYTHON"), rendered(PRODUCTION)) else { return };
    let pods = pods(&python, &production);
    let surroundings = Surroundings::new().await;
    let server = Deployed::new(variables(&pods["server"]), &surroundings);
    assert_eq!(pods["server"]["arguments"], json!(["serve"]));

    let mut running = server.serve().await;
    let probes = pods["server"]["probes"].as_object().unwrap();
    assert_eq!(probes.len(), 3);
    for probe in probes.values() {
        assert_eq!(probed(&server, probe["path"].as_str().unwrap()).await, 200, "{probe}");
    }
    uses_what_it_was_given(&server).await;
    answers_under_its_public_name(&server).await;
    smoke_passes(&server, &pods["smoke"]).await;
    has_labels_of_its_own(&server, &pods["dropped_labels"]).await;
    let data = &server.variables["REVIEWS__STORE__DATA_DIR"];
    assert!(!Path::new(data).exists(), "it writes to a disk, and in the pod it cannot");

    // Asked to stop, it is taken out of the service and goes on for a while; asked again, it ends.
    running.signal("-TERM");
    until("it is not ready", async || probed(&server, "/readyz").await == 503).await;
    assert_eq!(probed(&server, "/livez").await, 200);
    running.signal("-TERM");
    running.child.wait().unwrap();
}

/// The database and Redis of its secrets, and Google.
async fn uses_what_it_was_given(server: &Deployed) {
    let health = format!("{}/health", server.origin("OPERATIONS_LISTEN"));
    until("all is well", async || {
        let answer = rpc::client().get(&health).header(header::HOST, POD).send().await.unwrap();
        let page: Value = answer.json().await.unwrap();
        ["database", "redis", "google_places"].iter().all(|name| check(&page, name)["state"] == "up")
    })
    .await;
}

async fn answers_under_its_public_name(server: &Deployed) {
    let public = &server.variables["REVIEWS__SERVER__PUBLIC_URL"];
    let host = public.trim_start_matches("https://");
    let url = format!("{}/.well-known/oauth-protected-resource", server.origin("LISTEN"));
    let answer = rpc::client().get(url).header(header::HOST, host).send().await.unwrap();
    let metadata: Value = answer.json().await.unwrap();
    assert_eq!(metadata["resource"], json!(format!("{public}/mcp")), "{metadata}");

    let mut headers = HeaderMap::new();
    let bearer = format!("Bearer {}", server.key("by hand"));
    headers.insert(header::AUTHORIZATION, HeaderValue::from_str(&bearer).unwrap());
    headers.insert(header::HOST, HeaderValue::from_str(host).unwrap());
    let call = json!({"name": "get_reviews", "arguments": {"place_id": BAKERY}});
    let answer = rpc::call_with(&format!("{}/mcp", server.origin("LISTEN")), call, headers).await.unwrap();
    assert!(answer.data()["reviews"].is_array(), "{}", answer.0);
}

/// The weekly job, with its own arguments; only the address is this machine's.
async fn smoke_passes(server: &Deployed, job: &Value) {
    let token = server.file("token", &server.key("weekly smoke"));
    let public = &server.variables["REVIEWS__SERVER__PUBLIC_URL"];
    let mounted = format!("{}/token", job["secrets"].as_str().unwrap());
    let arguments: Vec<String> = serde_json::from_value(job["arguments"].clone()).unwrap();
    let place = |text: String| {
        let text = text.replace(public, &server.origin("LISTEN"));
        if text == mounted { token.clone() } else { text }
    };
    let arguments: Vec<String> = arguments.into_iter().map(place).collect();
    assert!(arguments.contains(&token) && arguments.contains(&format!("{}/mcp", server.origin("LISTEN"))));
    let mut command = program();
    command.args(arguments).envs(variables(job));
    let smoke = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(smoke.status.success(), "{}{}", stdout(&smoke), stderr(&smoke));
}

/// The operator of Prometheus writes labels of its own on every series, and would rename ours of the same name.
async fn has_labels_of_its_own(server: &Deployed, dropped: &Value) {
    let url = format!("{}/metrics", server.origin("OPERATIONS_LISTEN"));
    let page = rpc::client().get(url).header(header::HOST, POD).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("upstream_request_duration_seconds"), "{page}");
    for label in ["namespace", "service", "pod", "container", "endpoint", "job", "instance"] {
        let is_dropped = dropped.as_array().unwrap().contains(&json!(label));
        let is_ours = [format!("{{{label}=\""), format!(",{label}=\"")].iter().any(|text| page.contains(text));
        assert!(!is_ours || is_dropped, "the label {label} is ours and the operator's");
    }
}
