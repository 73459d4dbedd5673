//! `stdio`: the same server over standard input and output, by the real binary.

use crate::support::{BAKERY, TOOLS, binary::program, rpc::MODERN};
use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// A client's end of a conversation.
struct Conversation {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Conversation {
    fn begin(folder: &Path) -> Self {
        Self::by(program().env("REVIEWS__STORE__DATA_DIR", folder).env("REVIEWS__UPSTREAM__PROVIDER", "demo"))
    }

    fn by(program: &mut Command) -> Self {
        let mut child =
            program.arg("stdio").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    fn send(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?} is not JSON"))
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.send(&json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).to_string());
        let answer = self.answer();
        assert_eq!(answer["id"], json!(7), "{answer}");
        answer
    }

    fn modern(&mut self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        self.ask(method, params)
    }

    fn initialize(&mut self) {
        let params =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        assert_eq!(self.ask("initialize", params)["result"]["serverInfo"]["name"], json!("google-reviews"));
        self.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    }

    /// Closes its end. Returns what else was said, and what was logged.
    fn end(mut self) -> (String, String) {
        drop(self.input.take());
        let (mut said, mut logged) = (String::new(), String::new());
        self.output.read_to_string(&mut said).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut logged).unwrap();
        assert!(self.child.wait().unwrap().success(), "{logged}");
        (said, logged)
    }
}

#[test]
fn both_eras_are_served_with_the_same_tools_and_logs_go_to_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Conversation::begin(folder.path());
    client.initialize();
    let listed = client.ask("tools/list", json!({}));
    let names: Vec<_> = listed["result"]["tools"].as_array().unwrap().iter().map(|tool| tool["name"].clone()).collect();
    assert_eq!(names, TOOLS);
    // Whoever starts the process may do all, also write.
    let made =
        client.ask("tools/call", json!({"name": "create_report", "arguments": {"place_ids": [BAKERY], "title": "x"}}));
    assert_eq!(made["result"]["isError"], json!(false), "{made}");
    let report = made["result"]["structuredContent"]["report_id"].clone();
    let (said, logged) = client.end();
    assert_eq!(said, "", "nothing but answers");
    assert!(logged.contains("serving one client over standard input and output"), "{logged}");
    assert!(
        logged.lines().any(|line| line.contains("\"tool\":\"create_report\"") && line.contains("\"client\":\"t\""))
    );

    // What was made is there for the next process, in the other era.
    let mut client = Conversation::begin(folder.path());
    let discovered = client.modern("server/discover", json!({}));
    assert_eq!(
        discovered["result"]["capabilities"],
        json!({"completions": {}, "prompts": {}, "resources": {}, "tools": {}})
    );
    let shown = client.modern("tools/call", json!({"name": "get_report", "arguments": {"report_id": report}}));
    assert_eq!(shown["result"]["structuredContent"]["title"], json!("x"), "{shown}");
    let place = client.modern(
        "completion/complete",
        json!({"ref": {"type": "ref/prompt", "name": "analyze_place"},
        "argument": {"name": "language", "value": "germ"}}),
    );
    assert_eq!(place["result"]["completion"]["values"], json!(["de"]));
    client.end();
}

#[test]
fn what_was_asked_before_the_end_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Conversation::begin(folder.path());
    client.initialize();
    for id in 1..=20 {
        let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
        client.send(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string());
    }
    let (said, _) = client.end();
    let mut answered: Vec<_> =
        said.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_i64().unwrap()).collect();
    answered.sort_unstable();
    assert_eq!(answered, (1..=20).collect::<Vec<_>>());
}

/// A client that ends a server by a signal, as a desktop does that shuts down, has not closed its end.
#[test]
fn what_was_asked_before_a_signal_is_answered() {
    let google = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut client = Conversation::by(
        program()
            .env("REVIEWS__STORE__DATA_DIR", folder.path())
            .env("REVIEWS__GOOGLE__API_KEY", "any-key")
            .env("REVIEWS__GOOGLE__PLACES_URL", format!("http://{}", google.local_addr().unwrap())),
    );
    client.initialize();
    let params = json!({"name": "get_place", "arguments": {"place_id": BAKERY}});
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string());
    let (mut asked, _) = google.accept().unwrap();
    let mut head = [0; 1_024];
    assert!(asked.read(&mut head).unwrap() > 0);
    let told = Command::new("kill").args(["-TERM", &client.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    let mut logged = BufReader::new(client.child.stderr.take().unwrap()).lines();
    assert!(logged.any(|line| line.unwrap().contains("asked to stop")), "it has heard");
    // Google answers only now.
    let body = r#"{"error":{"code":404,"message":"x","status":"NOT_FOUND"}}"#;
    let head = format!("HTTP/1.1 404 x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    asked.write_all((head + body).as_bytes()).unwrap();
    let answer = client.answer();
    let failure = &answer["result"]["_meta"]["google-reviews/error"];
    assert_eq!((&answer["id"], &failure["code"]), (&json!(1), &json!("place_not_found")), "{answer}");
    assert!(client.child.wait().unwrap().success());
}

#[test]
fn noise_is_ignored_or_refused_and_the_conversation_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = Conversation::begin(folder.path());
    client.initialize();
    client.send("this is no JSON");
    client.send("");
    client.send(&format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"{}\"}}", "x".repeat(300_000)));
    assert!(client.ask("tools/list", json!({}))["result"]["tools"].is_array());
    // A batch. rmcp loses its own refusal where it still writes the answer before: whoever sends such has no id to wait for.
    client.send(r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]"#);
    client.send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    let mut answers = vec![client.answer()];
    if answers[0]["id"] == Value::Null {
        assert_eq!(answers[0]["error"]["code"], json!(-32600));
        answers.push(client.answer());
    }
    assert_eq!(
        (&answers.last().unwrap()["id"], answers.last().unwrap().get("error")),
        (&json!(2), None),
        "{answers:?}"
    );
    let refused = client.ask("tools/call", json!({"name": "get_place", "arguments": {"place_id": "bad"}}));
    assert_eq!(refused["result"]["_meta"]["google-reviews/error"]["status"], json!(422));
    assert_eq!(client.ask("nothing/such", json!({}))["error"]["code"], json!(-32601));
    client.end();
}

/// Every client starts a process of its own, and they share what they keep.
#[test]
fn several_clients_begin_at_once_in_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    // At once, so that one of them finds the file half made.
    let mut more: Vec<_> = (0..6).map(|_| Conversation::begin(folder.path())).collect();
    more.iter_mut().for_each(Conversation::initialize);
    let (mut one, mut other) = (more.pop().unwrap(), more.pop().unwrap());
    let arguments = json!({"place_ids": [BAKERY], "title": "Shared", "request_id": "a-key-of-both"});
    let made: Vec<_> = [&mut one, &mut other]
        .into_iter()
        .map(|client| client.ask("tools/call", json!({"name": "create_report", "arguments": arguments})))
        .map(|made| made["result"]["structuredContent"].clone())
        .collect();
    assert_eq!(made[0]["report_id"], made[1]["report_id"], "one request, one report");
    assert_eq!((&made[0]["replayed"], &made[1]["replayed"]), (&json!(false), &json!(true)));
    one.end();
    other.end();
    for client in more {
        client.end();
    }
}

#[test]
fn whoever_leaves_without_a_word_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Conversation::begin(folder.path()).end().0, "");
}
