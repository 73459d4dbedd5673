//! The form of a message: what the pre-parse lets through, two other readers of JSON read the same way, and what it
//! refuses gets the caller's own fault and id back.
#![no_main]

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    response::Response,
};
use futures_util::FutureExt as _;
use google_reviews_mcp::http::{Message, read_message};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use libfuzzer_sys::{Corpus, fuzz_target};
use rmcp::model::ClientJsonRpcMessage;
use serde_json::Value;

/// Small, so that the fuzzer gets past it.
const LIMIT: usize = 4_096;
const MEDIA_TYPES: [&str; 8] = [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON;charset=\"UTF-8\"",
    "application/json; charset=utf-16",
    "text/plain",
    "application/jsonp",
    "",
    "application/json, text/plain",
];
const ACCEPTED: [&str; 4] =
    ["application/json, text/event-stream", "*/*", "text/html;q=1, application/*;q=0.1", "text/html"];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((first, body)) = data.split_first() else { return Corpus::Reject };
    check(usize::from(*first), body);
    Corpus::Keep
});

fn check(choice: usize, body: &[u8]) {
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = Method::POST;
    // Most requests say what they are; the others are one bit away.
    let (media, accept) = (MEDIA_TYPES[choice % 8], ACCEPTED[choice / 8 % 4]);
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static(accept));
    match read_message(request, LIMIT).now_or_never().expect("a whole body needs no waiting") {
        Ok(request) => accepted(request, body),
        Err(refusal) => refused(refusal.into(), (choice % 8 < 3, choice / 8 % 4 < 3), body),
    }
}

fn accepted(request: Request, sent: &[u8]) {
    let (parts, body) = request.into_parts();
    assert_eq!(bytes(body), sent, "the body goes on as it came");
    assert!(sent.len() <= LIMIT);
    assert_eq!(header(&parts.headers, header::CONTENT_TYPE.as_str()), "application/json");
    let message = parts.extensions.get::<Message>().expect("what was let through asks for something");
    let value: Value = serde_json::from_slice(sent).expect("what was let through is JSON");
    let fields = value.as_object().expect("an object");
    assert_eq!(fields.get("jsonrpc").and_then(Value::as_str), Some("2.0"));
    assert_eq!(fields.get("method").and_then(Value::as_str), Some(message.method.as_str()));
    let name = fields.get("params").and_then(|params| params.get("name")?.as_str());
    assert_eq!(name, message.name.as_deref());
    assert!(fields.get("id").is_none_or(id_is_good), "{:?}", fields.get("id"));
    assert!(fields.get("params").is_none_or(Value::is_object));
    // A reader that keeps the last of two equal keys has fewer members than there are colons.
    assert_eq!(colons(sent), members(&value), "a key stands in an object twice");

    let read: Result<ClientJsonRpcMessage, _> = serde_json::from_slice(sent);
    let read = read.expect("the protocol's library reads what was let through");
    let read = serde_json::to_value(&read).expect("a message can be written");
    assert_eq!(read.get("method"), value.get("method"), "the protocol's library reads the same method");
    assert_eq!(read.get("id"), value.get("id"), "the protocol's library reads the same id");
}

fn refused(response: Response, (is_json, takes_json): (bool, bool), sent: &[u8]) {
    let (parts, body) = response.into_parts();
    match parts.status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => assert!(!is_json),
        StatusCode::NOT_ACCEPTABLE => assert!(is_json && !takes_json),
        StatusCode::PAYLOAD_TOO_LARGE => assert!(sent.len() > LIMIT),
        StatusCode::BAD_REQUEST => refused_as_message(&bytes(body), sent),
        other => panic!("{other} for a caller's fault"),
    }
}

fn refused_as_message(answer: &[u8], sent: &[u8]) {
    let answer: Value = serde_json::from_slice(answer).expect("the answer is JSON");
    assert_eq!(answer["jsonrpc"], "2.0");
    let code = answer["error"]["code"].as_i64().expect("a code");
    let value: Option<Value> = serde_json::from_slice(sent).ok();
    // Two equal keys are seen before the end of a text, so what follows them may be no JSON; the other way round cannot be.
    assert!(value.is_none() || code != -32_700, "JSON was refused as none");
    assert!([-32_700, -32_600, -32_602].contains(&code), "{code}");
    let id = &answer["id"];
    if !id.is_null() {
        assert_eq!(Some(id), value.as_ref().and_then(|value| value.get("id")), "another id than the caller's");
        assert!(id_is_good(id));
    }
}

fn id_is_good(id: &Value) -> bool {
    id.is_i64() || id.as_str().is_some_and(|id| !id.is_empty() && id.len() <= 256)
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(fields) => fields.values().map(|value| 1 + members(value)).sum(),
        Value::Array(elements) => elements.iter().map(members).sum(),
        _ => 0,
    }
}

/// The colons that stand outside of texts: one for each member of an object.
fn colons(text: &[u8]) -> usize {
    let (mut count, mut is_text, mut is_escaped) = (0, false, false);
    for byte in text {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b':' if !is_text => count += 1,
            _ => {}
        }
    }
    count
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn bytes(body: Body) -> Vec<u8> {
    let read = to_bytes(body, usize::MAX).now_or_never().expect("it is there");
    read.expect("it cannot break").to_vec()
}
