//! The two cookies. Their names begin with `__Host-`, so that a browser takes them from this host alone, over https (or on
//! the own machine) and for all paths; no script can read them, and no other site's form sends them. Source: RFC 6265bis.

use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderValue, header};

/// That of every visitor.
pub(super) const VISITOR: &str = "__Host-browser";
/// That of a session.
pub(super) const SESSION: &str = "__Host-session";
/// Longer values are not ours.
const LONGEST: usize = 128;

/// The value of this name, if it was sent once.
pub(super) fn sent(headers: &HeaderMap, name: &str) -> Option<String> {
    let headers = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut found = headers.flat_map(Cookie::split_parse).flatten().filter(|cookie| cookie.name() == name);
    let value = found.next()?.value().to_owned();
    let is_ours = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (found.next().is_none() && value.len() <= LONGEST && value.bytes().all(is_ours)).then_some(value)
}

/// Sets a cookie, until the browser is closed.
pub(super) fn set(name: &str, value: &str) -> Option<HeaderValue> {
    written(Cookie::build((name, value)))
}

/// Takes a cookie back.
pub(super) fn removed(name: &str) -> Option<HeaderValue> {
    written(Cookie::build((name, "")).max_age(Duration::ZERO))
}

fn written(cookie: cookie::CookieBuilder<'_>) -> Option<HeaderValue> {
    let cookie = cookie.path("/").secure(true).http_only(true).same_site(SameSite::Lax);
    HeaderValue::try_from(cookie.to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_read_once_and_written_for_this_host_alone() {
        let read = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::COOKIE, HeaderValue::from_static(value));
            }
            sent(&headers, SESSION)
        };
        assert_eq!(read(&["a=b; __Host-session=x_-1; c=d"]).as_deref(), Some("x_-1"));
        for none in [
            ["__Host-session=a; __Host-session=b", ""],
            ["__Host-session=a", "__Host-session=a"],
            ["__host-session=a", "x=__Host-session=a"],
            ["__Host-session=a b", ""],
            ["__Host-session=\"a\"", ""],
        ] {
            assert_eq!(read(&none), None, "{none:?}");
        }
        assert_eq!(set(SESSION, "x").expect("a cookie"), "__Host-session=x; HttpOnly; SameSite=Lax; Secure; Path=/");
        assert!(removed(SESSION).expect("a cookie").to_str().expect("text").contains("Max-Age=0"));
    }
}
