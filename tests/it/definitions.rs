//! What clients carry in every conversation: portable, within its budget, and changed only when a person has looked. And
//! no answer is more than a client takes.

use crate::support::{BAKERY, BURST, TestServer, fake_google, rpc};
use serde_json::{Value, json};
use std::sync::LazyLock;
use tiktoken_rs::{CoreBPE, cl100k_base};

static TOKENIZER: LazyLock<CoreBPE> = LazyLock::new(|| cl100k_base().unwrap());

fn tokens(text: &str) -> usize {
    TOKENIZER.encode_ordinary(text).len()
}

async fn tools(server: &TestServer) -> Vec<Value> {
    let listed = rpc::modern(server, "tools/list", json!({})).await.body;
    listed["result"]["tools"].as_array().unwrap().clone()
}

/// Clients that turn schemas into those of other models know no references, type lists or Rust's number formats.
#[tokio::test]
async fn schemas_are_portable_and_say_what_each_argument_is() {
    let server = TestServer::start().await;
    for tool in tools(&server).await {
        let name = tool["name"].as_str().unwrap();
        assert!(tool["title"].is_string() && tool["description"].as_str().unwrap().len() < 1_000, "{name}");
        // What writes is told by its `request_id`, and `create_report` does.
        let writes = tool["inputSchema"]["properties"].get("request_id").is_some();
        assert!(writes || name != "create_report");
        assert_eq!(tool["annotations"]["readOnlyHint"], json!(!writes));
        assert_eq!(tool["annotations"]["idempotentHint"], json!(true));
        assert_eq!(tool["annotations"]["openWorldHint"], json!(true));
        for schema in [&tool["inputSchema"], &tool["outputSchema"]] {
            assert_portable(schema, name);
        }
        for (argument, property) in tool["inputSchema"]["properties"].as_object().unwrap() {
            assert!(property["description"].is_string(), "{name}.{argument}");
        }
    }
}

fn assert_portable(schema: &Value, name: &str) {
    for keyword in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "format"] {
        assert!(schema.get(keyword).is_none(), "{name}: {keyword} in {schema}");
    }
    assert!(schema["type"].is_string(), "{name}: {schema}");
    if let Some(properties) = schema["properties"].as_object() {
        assert_eq!(schema["additionalProperties"], json!(false), "{name}: {schema}");
        properties.values().for_each(|property| assert_portable(property, name));
    }
    if schema["type"] == "array" {
        assert_portable(&schema["items"], name);
    }
}

/// Nothing that a client or this server reads in a schema leads to another document.
#[tokio::test]
async fn mcp_29_schemas_lead_nowhere() {
    let server = TestServer::start().await;
    for tool in tools(&server).await {
        let text = tool.to_string();
        assert!(!text.contains("$ref") && !text.contains("http:") && !text.contains("$dynamicRef"), "{text}");
        for schema in ["inputSchema", "outputSchema"] {
            let named = tool[schema].as_object().unwrap().keys().filter(|key| key.starts_with('$'));
            let named: Vec<_> = named.collect();
            assert!(named.is_empty() || named == ["$schema"], "{named:?}");
        }
    }
    // Nor does one that a caller sends: it is an argument that does not exist, and nobody is asked for it.
    let schema = json!({"$ref": "http://127.0.0.1:1/schema.json"});
    let answer = server.call("get_place", json!({"place_id": BAKERY, "schema": schema})).await;
    assert_eq!(answer.code(), "invalid_argument");
}

/// Design §5, by the tokenizer cl100k.
#[tokio::test]
async fn definitions_fit_their_budget() {
    let server = TestServer::start().await;
    let tools = tools(&server).await;
    let (mut slim, mut full) = (0, 0);
    for tool in &tools {
        let mut without_output = tool.clone();
        without_output.as_object_mut().unwrap().remove("outputSchema");
        let (one, whole) = (tokens(&without_output.to_string()), tokens(&tool.to_string()));
        println!("{}: {one} tokens, {whole} with its output schema", tool["name"]);
        assert!(one <= 500, "{}: {one}", tool["name"]);
        (slim, full) = (slim + one, full + whole);
    }
    let discovered = rpc::modern(&server, "server/discover", json!({})).await.body;
    let instructions = tokens(discovered["result"]["instructions"].as_str().unwrap());
    println!("all: {slim}, {full} with output schemas; instructions: {instructions}");
    assert!(slim <= 4_000 && full <= 6_000 && instructions <= 350);
    // Claude Code cuts them there.
    assert!(discovered["result"]["instructions"].as_str().unwrap().len() <= 2_048);
}

/// Whoever changes a word or a rule that clients see, sees it in review.
#[tokio::test]
async fn definitions_are_as_somebody_has_seen_them() {
    let server = TestServer::start().await;
    let pretty = |value: &Value| serde_json::to_string_pretty(value).unwrap();
    for tool in tools(&server).await {
        insta::assert_snapshot!(format!("tool-{}", tool["name"].as_str().unwrap()), pretty(&tool));
    }
    for (name, method) in [
        ("discover", "server/discover"),
        ("prompts", "prompts/list"),
        ("resources", "resources/list"),
        ("resource-templates", "resources/templates/list"),
    ] {
        let mut result = rpc::modern(&server, method, json!({})).await.body["result"].clone();
        result["_meta"]["io.modelcontextprotocol/serverInfo"]["version"] = json!("[version]");
        insta::assert_snapshot!(name, pretty(&result));
    }
}

/// A place with five reviews as long as Google lets them be, in a language that takes many tokens, each translated from
/// another such.
fn long_winded() -> Value {
    let long = |letters: &str| letters.chars().cycle().take(4_000).collect::<String>();
    let review = |number: usize| {
        json!({
            "name": format!("places/{BAKERY}/reviews/{number}"),
            "rating": 3,
            "text": {"text": long("この店のパンは香りが良くて朝から行列ができる"), "languageCode": "ja"},
            "originalText": {"text": long("面包很香早上要排很长的队但是值得等待"), "languageCode": "zh"},
            "authorAttribution": {"displayName": format!("Author {number}")},
            "publishTime": "2026-10-01T10:00:00Z",
        })
    };
    json!({
        "id": BAKERY,
        "name": format!("places/{BAKERY}"),
        "displayName": {"text": "Bakery", "languageCode": "en"},
        "rating": 3.0,
        "userRatingCount": 5000,
        "reviews": (0..5).map(review).collect::<Vec<_>>(),
    })
}

/// What is too much for one answer goes on with a token, and nothing is lost.
#[tokio::test]
async fn mcp_26_long_answers_continue_on_another_page() {
    let google = fake_google(long_winded()).await;
    let server = TestServer::builder().set("google.places_url", google).start().await;
    let mut arguments = json!({"place_id": BAKERY, "response_format": "detailed", "language": "ja"});
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let answer = server.call("get_reviews", arguments.clone()).await;
        let (text, data) = (answer.text().to_owned(), answer.data());
        let cost = tokens(&text) + tokens(&data.to_string());
        println!("page {pages}: {cost} tokens");
        assert!(cost <= 20_000 && text.chars().count() + data.to_string().chars().count() <= 150_000, "{cost}");
        let reviews = data["reviews"].as_array().unwrap();
        assert_eq!(data["sample"]["returned"], json!(reviews.len()));
        seen.extend(reviews.iter().map(|review| review["author_name"].as_str().unwrap().to_owned()));
        pages += 1;
        match data["next_page_token"].as_str() {
            Some(token) => {
                assert!(pages < 5, "each page shows one at least");
                assert!(text.contains(&format!("There are more: repeat the call with page_token \"{token}\".")));
                arguments["page_token"] = json!(token);
            }
            None => break,
        }
    }
    assert_eq!(seen, ["Author 0", "Author 1", "Author 2", "Author 3", "Author 4"]);
    assert!(pages > 1);
    // A token of another sample, or of none, names nothing.
    for forged in ["5.00000000", "1", "x.y", "-1.aaaaaaaa", "0.", "99999999999999999999.00000000"] {
        arguments["page_token"] = json!(forged);
        let refused = server.call("get_reviews", arguments.clone()).await;
        assert_eq!(refused.code(), "page_token_mismatch", "{forged}");
        assert!(refused.text().starts_with("Repeat the call without `page_token`"));
    }
    // Everything else is short in its nature.
    for (tool, arguments) in [
        ("get_reviews", json!({"place_id": BAKERY})),
        ("get_place", json!({"place_id": BAKERY})),
        ("analyze_reviews", json!({"place_id": BAKERY})),
        ("compare_places", json!({"place_ids": [BAKERY, BURST]})),
    ] {
        let answer = server.call(tool, arguments).await;
        let cost = tokens(answer.text()) + tokens(&answer.data().to_string());
        println!("{tool}: {cost} tokens");
        assert!(cost <= 20_000 && answer.data().get("next_page_token").is_none(), "{tool}: {cost}");
    }
}
