//! The form of a request, whatever it asks for: what could be understood in two ways is refused before anything else is
//! looked at.

use super::{head::Fault, problem::Problem};
use axum::{
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, Method, StatusCode, header};

/// The answer to a request of another form than the one plain one.
pub(super) fn refusal(request: &Request) -> Option<Response> {
    if request.method() == Method::CONNECT {
        let allow = [(header::ALLOW, HeaderValue::from_static("GET, HEAD, POST"))];
        return Some((allow, Problem::method_not_allowed()).into_response());
    }
    wrong(request).map(Problem::into_response)
}

fn wrong(request: &Request) -> Option<Problem> {
    match request.extensions().get::<Fault>() {
        Some(Fault::BareLineFeed) => {
            return Some(bad("bad_line", "Lines of a request end with a carriage return and a line feed."));
        }
        Some(Fault::Framing) => {
            return Some(bad("bad_framing", "Say the length of the body once: by Content-Length, or by chunks alone."));
        }
        None => {}
    }
    // A target with an authority of its own would leave two answers to which Host is meant.
    if request.uri().authority().is_some() || !request.uri().path().starts_with('/') {
        return Some(bad("bad_target", "Send a path as the request target."));
    }
    // What is unpacked could become any size, and a client that packs hides it from whoever filters before us.
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        let detail = "Send the body as it is, without Content-Encoding.";
        return Some(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_encoding", detail));
    }
    let continues = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"100-continue");
    if !request.headers().get_all(header::EXPECT).iter().all(continues) {
        let detail = "Expect can be 100-continue and nothing else.";
        return Some(Problem::new(StatusCode::EXPECTATION_FAILED, "bad_expectation", detail));
    }
    None
}

fn bad(code: &'static str, detail: &'static str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, code, detail)
}
