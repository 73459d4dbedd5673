//! The form of a message before the protocol sees it: media types, size, JSON, and JSON-RPC 2.0's outer fields.
//!
//! rmcp answers what it cannot read with 415 and plain text; clients expect 400 and a JSON-RPC error. Batches are
//! refused in every era of the protocol: 2025-03-26 had them, no later version has.

use super::{
    admission::Refusal,
    body,
    problem::Problem,
    scan::{Fault, Outline, Shape, scan},
};
use axum::{body::Body, extract::Request, response::IntoResponse as _};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::{Value, json};

/// What a message asks for.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its method.
    pub method: String,
    /// The tool or prompt that it names.
    pub name: Option<String>,
}

impl Message {
    fn of(outline: &Outline) -> Option<Self> {
        let text = |shape: Option<&Shape>| match shape {
            Some(Shape::Text(text)) => Some(text.clone()),
            _ => None,
        };
        Some(Self { method: text(outline.field("method"))?, name: text(outline.param("name")) })
    }
}

const PARSE_ERROR: i32 = -32_700;
const INVALID_REQUEST: i32 = -32_600;
const INVALID_PARAMS: i32 = -32_602;
const HEADER_MISMATCH: i32 = -32_020;
/// Longer ids serve no purpose.
const ID_BYTES: usize = 256;
/// Answers are no requests: there is nothing here that a client could answer to.
const KNOWN_FIELDS: &[&str] = &["jsonrpc", "id", "method", "params"];
/// Of each of these there is one at most, or two readers could take different ones.
const SINGLE_HEADERS: &[&str] = &["mcp-protocol-version", "mcp-method", "mcp-name"];

/// A well-formed message of at most `limit` bytes; what it asks for goes with it, as a [`Message`].
///
/// # Errors
/// The answer that says what is wrong with its form.
pub async fn read(request: Request, limit: usize) -> Result<Request, Refusal> {
    if request.method() != Method::POST {
        let allow = [(header::ALLOW, HeaderValue::from_static("POST"))];
        return Err((allow, Problem::method_not_allowed()).into_response().into());
    }
    if !is_json(request.headers()) {
        let detail = "Send JSON with Content-Type: application/json.";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail);
        return Err(problem.into_response().into());
    }
    let (mut parts, body) = request.into_parts();
    // rmcp compares the media type letter by letter.
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if !accept_our_answers(&mut parts.headers) {
        let detail = "Answers are JSON: send Accept: application/json, text/event-stream.";
        return Err(Problem::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail).into_response().into());
    }
    if SINGLE_HEADERS.iter().any(|name| parts.headers.get_all(*name).iter().count() > 1) {
        return Err(refuse(HEADER_MISMATCH, "A header of the protocol appears twice.", &Value::Null));
    }
    let body = body::read(body, limit).await.map_err(Problem::into_response)?;
    let outline = scan(&body).map_err(|fault| match fault {
        Fault::Syntax => refuse(PARSE_ERROR, "The body is not JSON.", &Value::Null),
        Fault::DuplicateKey => refuse(INVALID_REQUEST, "A key appears twice in one object.", &Value::Null),
    })?;
    if let Some((code, message)) = malformed(&outline) {
        return Err(refuse(code, message, &id_of(&outline)));
    }
    if let Some(message) = Message::of(&outline) {
        parts.extensions.insert(message);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// What is wrong with the message's form, if anything.
fn malformed(outline: &Outline) -> Option<(i32, &'static str)> {
    match outline.root {
        Some(Shape::Object) => {}
        Some(Shape::List) => return Some((INVALID_REQUEST, "Batches are not supported: send one message a request.")),
        _ => return Some((INVALID_REQUEST, "A message is an object.")),
    }
    if outline.fields.iter().any(|(name, _)| !KNOWN_FIELDS.contains(&name.as_str())) {
        return Some((INVALID_REQUEST, "A request has jsonrpc, id, method and params, and nothing else."));
    }
    if outline.field("jsonrpc") != Some(&Shape::Text("2.0".to_owned())) {
        return Some((INVALID_REQUEST, "`jsonrpc` must be \"2.0\"."));
    }
    if outline.field("id").is_some() && id_of(outline).is_null() {
        return Some((INVALID_REQUEST, "`id` must be an integer or a string of 1 to 256 bytes."));
    }
    let Some(Shape::Text(method)) = outline.field("method") else {
        return Some((INVALID_REQUEST, "`method` must be a string."));
    };
    match outline.field("params") {
        None | Some(Shape::Object) => {}
        Some(_) => return Some((INVALID_PARAMS, "`params` must be an object.")),
    }
    // rmcp reads no message at all with another one.
    if !matches!(outline.param("_meta"), None | Some(Shape::Null | Shape::Object)) {
        return Some((INVALID_PARAMS, "`_meta` must be an object."));
    }
    if method != "tools/call" {
        return None;
    }
    // rmcp would take what it cannot read as a call of a method that does not exist.
    match (outline.param("name"), outline.param("arguments")) {
        (Some(Shape::Text(_)), None | Some(Shape::Null | Shape::Object)) => None,
        (Some(Shape::Text(_)), Some(_)) => Some((INVALID_PARAMS, "`arguments` must be an object.")),
        _ => Some((INVALID_PARAMS, "`name` must be the name of a tool.")),
    }
}

/// The id to answer to, if it is one.
fn id_of(outline: &Outline) -> Value {
    match outline.field("id") {
        Some(Shape::Integer(id)) => json!(id),
        Some(Shape::Text(id)) if !id.is_empty() && id.len() <= ID_BYTES => json!(id),
        _ => Value::Null,
    }
}

fn refuse(code: i32, message: &str, id: &Value) -> Refusal {
    let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
    let mut response = (StatusCode::BAD_REQUEST, body.to_string()).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.into()
}

/// `application/json`, in UTF-8 if a charset is named. Source: RFC 8259 §8.1.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else {
        return false;
    };
    let Ok(value) = value.to_str() else { return false };
    let mut parts = value.split(';').map(str::trim);
    parts.next().is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                charset.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

/// Whether the client takes JSON. The protocol wants both types named; whoever takes anything, or JSON alone, is
/// served too, because every answer here is JSON.
fn accept_our_answers(headers: &mut HeaderMap) -> bool {
    let takes = |value: &HeaderValue| {
        let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
        value.split(',').any(|range| {
            matches!(range.split(';').next().map(str::trim), Some("application/json" | "application/*" | "*/*"))
        })
    };
    let accepts = headers.get_all(header::ACCEPT).iter().any(takes) || !headers.contains_key(header::ACCEPT);
    if accepts {
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    }
    accepts
}
