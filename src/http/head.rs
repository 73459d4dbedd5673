//! Watches the bytes of each request's head as they come from the socket, for what the HTTP library lets through or takes
//! out before anybody can see it: a length beside chunks, another coding than chunks, lines that end without CR. Where
//! two servers in a row read such a request differently, a second request can hide in the first.
//!
//! It knows where a body with a length ends. After chunks it sees nothing more: such a connection is closed with its answer.

/// What is wrong with the head of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A line ends with LF alone. RFC 9112 §2.2 lets a server take it; proxies differ.
    BareLineFeed,
    /// Where the body ends is said twice, or not in a way that all understand. RFC 9112 §6.3.
    Framing,
}

/// So much of a line is looked at; the two headers that count are shorter.
const LINE: usize = 128;

/// Where in the stream of requests the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes of a body are still to come.
    Body(u64),
    /// Nothing can be said any more.
    Unknown,
}

/// The watch over one connection.
#[derive(Debug)]
pub(super) struct HeadWatch {
    state: State,
    /// The beginning of the line that is coming, and how long it is so far.
    line: Vec<u8>,
    line_length: usize,
    ends_with_return: bool,
    has_request_line: bool,
    framing: Framing,
    /// Heads that were good and have not been asked for.
    good: usize,
    fault: Option<Fault>,
}

/// What the head says of its body.
#[derive(Debug, Default)]
struct Framing {
    length: Option<u64>,
    is_chunked: bool,
}

impl HeadWatch {
    /// For a new connection.
    pub(super) fn new() -> Self {
        Self {
            state: State::Head,
            line: Vec::new(),
            line_length: 0,
            ends_with_return: false,
            has_request_line: false,
            framing: Framing::default(),
            good: 0,
            fault: None,
        }
    }

    /// The next bytes of the connection.
    pub(super) fn see(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.state {
                State::Unknown => return,
                State::Body(left) => {
                    let here = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                    let left = left - here as u64;
                    self.state = if left == 0 { State::Head } else { State::Body(left) };
                    bytes.get(here..).unwrap_or_default()
                }
                State::Head => self.line(bytes),
            };
        }
    }

    /// What is wrong with the next head that the HTTP library has read. One that was not seen here counts as wrong.
    pub(super) fn verdict(&mut self) -> Option<Fault> {
        if self.good > 0 {
            self.good -= 1;
            return None;
        }
        Some(self.fault.unwrap_or(Fault::Framing))
    }

    /// Whether a request has begun to arrive whose head is not complete.
    pub(super) fn is_within_head(&self) -> bool {
        self.state == State::Head && (self.has_request_line || self.line_length > 0)
    }

    /// Whether more may be on its way than was understood.
    pub(super) fn is_lost(&self) -> bool {
        self.fault.is_some() || self.is_within_head()
    }

    /// Takes the rest of a line, or all bytes if it does not end here. Returns what is left.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let (part, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
        let room = LINE.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
        self.line_length += part.len();
        if let Some(last) = part.last() {
            self.ends_with_return = *last == b'\r';
        }
        if end.is_some() {
            self.end_of_line();
        }
        rest.get(1..).unwrap_or_default()
    }

    fn end_of_line(&mut self) {
        if !self.ends_with_return {
            return self.fail(Fault::BareLineFeed);
        }
        let is_whole = self.line_length <= LINE;
        let is_empty = self.line_length == 1;
        let line = std::mem::take(&mut self.line);
        (self.line_length, self.ends_with_return) = (0, false);
        match (self.has_request_line, is_empty) {
            // Empty lines before a request are allowed. RFC 9112 §2.2.
            (false, true) => {}
            (false, false) => self.has_request_line = true,
            (true, true) => self.end_of_head(),
            (true, false) => {
                if self.framing.read(&line, is_whole).is_err() {
                    self.fail(Fault::Framing);
                }
            }
        }
        // The next line needs no new memory.
        self.line = line;
        self.line.clear();
    }

    fn end_of_head(&mut self) {
        let Framing { length, is_chunked } = std::mem::take(&mut self.framing);
        self.has_request_line = false;
        self.good += 1;
        self.state = match length {
            _ if is_chunked => State::Unknown,
            None | Some(0) => State::Head,
            Some(length) => State::Body(length),
        };
    }

    fn fail(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.state = State::Unknown;
    }
}

impl Framing {
    /// Notes what a header line says of the body. An error if it says it for a second time, or not plainly.
    fn read(&mut self, line: &[u8], is_whole: bool) -> Result<(), ()> {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let is_said = self.length.is_some() || self.is_chunked;
        if name.eq_ignore_ascii_case(b"content-length") {
            self.length = Some(number(value).filter(|_| is_whole && !is_said).ok_or(())?);
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            if is_said || !is_whole || !value.trim_ascii().eq_ignore_ascii_case(b"chunked") {
                return Err(());
            }
            self.is_chunked = true;
        }
        Ok(())
    }
}

/// Digits and nothing else.
fn number(value: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(value.trim_ascii()).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The verdicts on so many heads, seen in pieces of this size.
    fn verdicts(bytes: &str, piece: usize, heads: usize) -> Vec<Option<Fault>> {
        let mut watch = HeadWatch::new();
        bytes.as_bytes().chunks(piece).for_each(|piece| watch.see(piece));
        (0..heads).map(|_| watch.verdict()).collect()
    }

    fn one(bytes: &str) -> Option<Fault> {
        let whole = verdicts(bytes, bytes.len(), 1);
        for piece in 1..8 {
            assert_eq!(verdicts(bytes, piece, 1), whole, "{bytes:?} in pieces of {piece}");
        }
        whole[0]
    }

    #[test]
    fn http_06_a_body_whose_end_is_said_twice_is_seen() {
        for headers in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "transfer-encoding: chunked\r\nx: y\r\nCONTENT-LENGTH: 0\r\n",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length:\r\n",
            "Content-Length: 99999999999999999999\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "Transfer-Encoding: gzip, chunked\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: xchunked\r\n",
            "Transfer-Encoding: \"chunked\"\r\n",
            "Transfer-Encoding:\x0bchunked\r\n",
        ] {
            assert_eq!(one(&format!("POST /mcp HTTP/1.1\r\n{headers}\r\n")), Some(Fault::Framing), "{headers:?}");
        }
        let padded = format!("POST / HTTP/1.1\r\nContent-Length:{}3\r\n\r\n", " ".repeat(LINE));
        assert_eq!(one(&padded), Some(Fault::Framing), "too long to be looked at");
        for headers in ["Content-Length: 3\r\n", "content-length:\t3 \r\n", "Transfer-Encoding: Chunked\r\n", ""] {
            assert_eq!(one(&format!("\r\nPOST /mcp HTTP/1.1\r\nx: y\r\n{headers}\r\n")), None, "{headers:?}");
        }
        let long = format!("GET /{} HTTP/1.1\r\nx: {}\r\n\r\n", "a".repeat(9_000), "b".repeat(9_000));
        assert_eq!(one(&long), None);
    }

    #[test]
    fn http_08_lines_that_end_without_a_return_are_seen() {
        for head in [
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\nhost: x\n\n",
            "GET / HTTP/1.1\r\nhost: x\n\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\n",
            "\nGET / HTTP/1.1\r\n\r\n",
        ] {
            assert_eq!(one(head), Some(Fault::BareLineFeed), "{head:?}");
        }
    }

    /// Bodies are skipped, whatever they hold, and each head has its own verdict.
    #[test]
    fn requests_in_a_row_are_told_apart() {
        let body = "\n\nContent-Length: 9\nTransfer-Encoding: chunked\r\n\r\n";
        let first = format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let row = format!("{first}GET / HTTP/1.1\r\n\r\n{first}\r\nGET / HTTP/1.1\nx: y\r\n\r\n");
        for piece in [1, 2, 3, 7, 50, row.len()] {
            assert_eq!(verdicts(&row, piece, 4), [None, None, None, Some(Fault::BareLineFeed)], "{piece}");
        }
        let mut watch = HeadWatch::new();
        watch.see(first.as_bytes());
        assert!(!watch.is_within_head() && !watch.is_lost());
        watch.see(b"G");
        assert!(watch.is_within_head());
    }

    #[test]
    fn what_was_not_seen_is_not_trusted() {
        assert_eq!(HeadWatch::new().verdict(), Some(Fault::Framing));
        let chunks = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
        assert_eq!(verdicts(chunks, chunks.len(), 2), [None, Some(Fault::Framing)], "nothing follows chunks");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference_and_nothing_panics(
            bytes in "(POST|\r|\n|\r\n|content-length: 2|transfer-encoding: chunked|x: y|[ -~]){0,30}",
            piece in 1_usize..9,
        ) {
            prop_assume!(!bytes.is_empty());
            prop_assert_eq!(verdicts(&bytes, piece, 3), verdicts(&bytes, bytes.len(), 3));
        }
    }
}
