//! Forms of our own pages: each carries a proof that this browser got it from us, for this purpose and this session, so that
//! no other page can send one in the person's name.

use super::AuthorizationServer;
use crate::model::{hex, sha256_hex};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use std::fmt;

/// What a form does; the proof of one does not open another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'a> {
    /// Sign in.
    SignIn,
    /// Agree to this request, or not.
    Consent(&'a str),
    /// Take back what was agreed to.
    Connections,
    /// Set up a person by this link.
    SetUp(&'a str),
}

/// The browser that a form goes to: its two cookies, of which the second is there once somebody has signed in.
#[derive(Debug, Clone, Copy)]
pub struct Browser<'a> {
    /// That of every visitor.
    pub visitor: &'a str,
    /// That of the session.
    pub session: Option<&'a str>,
}

impl Browser<'_> {
    /// By which requests are bound to it.
    pub(super) fn digest(&self) -> String {
        sha256_hex(self.visitor)
    }
}

pub(super) struct FormKey(hmac::Key);

impl FormKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    fn proof(&self, form: Form<'_>, browser: Browser<'_>) -> String {
        let (name, of) = match form {
            Form::SignIn => ("sign in", ""),
            Form::Consent(request) => ("consent", request),
            Form::Connections => ("connections", ""),
            Form::SetUp(link) => ("set up", link),
        };
        let session = browser.session.unwrap_or_default();
        // Hashes are of one length: no two lists of parts give one text.
        let parts = [name, of, browser.visitor, session].map(sha256_hex).concat();
        hex(hmac::sign(&self.0, parts.as_bytes()).as_ref())
    }
}

impl fmt::Debug for FormKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("FormKey").finish_non_exhaustive()
    }
}

impl AuthorizationServer {
    /// What a form must bring back.
    pub fn form_proof(&self, form: Form<'_>, browser: Browser<'_>) -> String {
        self.forms.proof(form, browser)
    }

    /// Whether a form came from a page of ours, in this browser.
    pub fn is_ours(&self, form: Form<'_>, browser: Browser<'_>, proof: &str) -> bool {
        verify_slices_are_equal(self.forms.proof(form, browser).as_bytes(), proof.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_is_for_one_form_of_one_browser() {
        let key = FormKey::new(&[7; 32]);
        let browser = Browser { visitor: "a", session: Some("b") };
        let proof = key.proof(Form::Consent("r"), browser);
        for (form, other) in [
            (Form::Consent("s"), browser),
            (Form::Connections, browser),
            (Form::Consent("r"), Browser { visitor: "a", session: None }),
            (Form::Consent("r"), Browser { visitor: "a", session: Some("c") }),
            (Form::Consent("r"), Browser { visitor: "c", session: Some("b") }),
        ] {
            assert_ne!(key.proof(form, other), proof);
        }
        assert_eq!(key.proof(Form::Consent("r"), browser), proof);
        assert_ne!(FormKey::new(&[8; 32]).proof(Form::Consent("r"), browser), proof);
    }
}
