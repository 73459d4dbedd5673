//! The parameters of a request, from a query or a form. One that stands there twice could be read in two ways, and is
//! refused. Source: RFC 6749 §3.1, §3.2; RFC 8707 §2 for `resource`, of which this server takes one.

use url::form_urlencoded;

/// More than any request has.
const MOST: usize = 40;

/// Names and values, as they were sent.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Vec<(String, String)>);

/// A parameter that may stand once stands twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a parameter is repeated")]
pub struct Repeated;

impl Parameters {
    /// Reads `name=value&…`; what is beyond the fortieth is not read.
    pub fn read(raw: &[u8]) -> Self {
        Self(form_urlencoded::parse(raw).into_owned().take(MOST).collect())
    }

    /// The value of this name, if there is one that is not empty.
    ///
    /// # Errors
    /// [`Repeated`] when there are several, also empty ones.
    pub fn one(&self, name: &str) -> Result<Option<&str>, Repeated> {
        let mut found = self.0.iter().filter(|(each, _)| each == name).map(|(_, value)| value.as_str());
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(Repeated),
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
        }
    }

    /// The value of this name in a form of ours, where a repeated one means nothing.
    pub fn text(&self, name: &str) -> &str {
        self.one(name).ok().flatten().unwrap_or_default()
    }

    /// Whether any name stands twice.
    pub fn repeats(&self) -> bool {
        self.0.iter().enumerate().any(|(at, (name, _))| self.0.iter().skip(at + 1).any(|(other, _)| other == name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_once_and_empty_ones_not_at_all() {
        let read = Parameters::read(b"a=1&b=&c=x+y%20z&c2=%F0%9F%98%80&d=1&d=1");
        assert_eq!((read.one("a"), read.one("b"), read.one("none")), (Ok(Some("1")), Ok(None), Ok(None)));
        assert_eq!((read.one("c"), read.one("c2")), (Ok(Some("x y z")), Ok(Some("😀"))));
        assert_eq!((read.one("d"), read.text("d"), read.repeats()), (Err(Repeated), "", true));
        assert!(!Parameters::read(b"a=1&b=1").repeats());
    }
}
