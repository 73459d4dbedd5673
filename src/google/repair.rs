//! Halves of surrogate pairs: text that was cut in the middle of a character. JSON readers refuse the whole answer for
//! one of them; here they become U+FFFD, and the rest is read.

use serde_json::Value;

/// A body as JSON, halves of characters in its texts replaced.
pub fn json_from_body(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body)
        .or_else(|error| lone_surrogates(body).map_or(Err(error), |repaired| serde_json::from_slice(&repaired)))
        .ok()
}

/// The text with every lone `\uD8xx` or `\uDCxx` replaced by `\uFFFD`; nothing if there is none.
fn lone_surrogates(text: &[u8]) -> Option<Vec<u8>> {
    let mut repaired = text.to_vec();
    let mut changed = false;
    let mut position = 0;
    while let Some(rest) = repaired.get(position..).filter(|rest| !rest.is_empty()) {
        let step = match (escape(rest), rest.get(6..).and_then(escape)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                if let Some(place) = repaired.get_mut(position..position + 6) {
                    place.copy_from_slice(b"\\ufffd");
                    changed = true;
                }
                6
            }
            // An escaped backslash does not begin another escape.
            _ if rest.starts_with(b"\\\\") => 2,
            _ => 1,
        };
        position += step;
    }
    changed.then_some(repaired)
}

/// The number of the `\uXXXX` at the beginning.
fn escape(text: &[u8]) -> Option<u32> {
    let digits = text.strip_prefix(b"\\u")?.get(..4)?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &str) -> Option<String> {
        lone_surrogates(text.as_bytes()).map(|text| String::from_utf8(text).expect("text"))
    }

    #[test]
    fn halves_are_replaced_and_pairs_stay() {
        assert_eq!(repaired(r#""a\ud83d b""#).as_deref(), Some(r#""a\ufffd b""#));
        assert_eq!(repaired(r#""\ude00\ud83d\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ufffd\ud83d\ude00""#));
        assert_eq!(repaired(r#""\ud83d\ude00 \u00e9 \\ud83d""#), None);
        assert_eq!(repaired(r#""\ud8"#), None);
    }
}
