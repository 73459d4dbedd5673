//! The public keys of an issuer. What cannot be used safely is left out: too small, not for signatures, of an unknown kind.
//! Source: RFC 7517, RFC 7518 §6.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// More keys than an issuer ever has at once.
const MOST_KEYS: usize = 50;
/// Source: RFC 7518 §3.3.
const LEAST_RSA_BITS: usize = 2_048;
const MOST_RSA_BITS: usize = 8_192;

/// The keys of one issuer.
#[derive(Debug, Default)]
pub struct Jwks(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The algorithms that this key may be used with, whatever a token says.
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
}

#[derive(Debug, Deserialize)]
struct Document {
    keys: Vec<Value>,
}

#[derive(Debug, Deserialize)]
struct Described {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    #[serde(default)]
    n: String,
    #[serde(default)]
    e: String,
    #[serde(default)]
    x: String,
    #[serde(default)]
    y: String,
}

impl Jwks {
    /// The usable keys of a document, for these algorithms; nothing if it is no such document, or one that is too large to
    /// be meant.
    pub fn read(body: &[u8], allowed: &[Algorithm]) -> Option<Self> {
        let document: Document = serde_json::from_slice(body).ok()?;
        if document.keys.len() > MOST_KEYS {
            return None;
        }
        let described = document.keys.into_iter().filter_map(|key| serde_json::from_value::<Described>(key).ok());
        Some(Self(described.filter_map(|key| usable(key, allowed)).collect()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The keys that may have signed a token with this id and algorithm. A token that names none fits if there is one key.
    pub(super) fn candidates(&self, id: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &DecodingKey> {
        let is_alone = self.0.len() == 1;
        self.0
            .iter()
            .filter(move |key| if id.is_some() { key.id.as_deref() == id } else { is_alone })
            .filter(move |key| key.algorithms.contains(&algorithm))
            .map(|key| &key.public)
    }

    /// Whether there is a key by this id.
    pub fn knows(&self, id: &str) -> bool {
        self.0.iter().any(|key| key.id.as_deref() == Some(id))
    }
}

fn usable(described: Described, allowed: &[Algorithm]) -> Option<Key> {
    let is_for_signatures = described.usage.as_deref().is_none_or(|usage| usage == "sig")
        && described.key_ops.as_ref().is_none_or(|operations| operations.iter().any(|each| each == "verify"));
    if !is_for_signatures {
        return None;
    }
    let (key, possible): (DecodingKey, &[Algorithm]) = match (described.kty.as_str(), described.crv.as_deref()) {
        ("RSA", _) => (rsa(&described)?, &[Algorithm::RS256, Algorithm::PS256]),
        ("EC", Some("P-256")) => (curve(&described, 32)?, &[Algorithm::ES256]),
        ("EC", Some("P-384")) => (curve(&described, 48)?, &[Algorithm::ES384]),
        ("OKP", Some("Ed25519")) => (DecodingKey::from_ed_components(&described.x).ok()?, &[Algorithm::EdDSA]),
        _ => return None,
    };
    // A key that names its algorithm is for that one alone.
    let named = match &described.alg {
        Some(name) => Some(name.parse::<Algorithm>().ok()?),
        None => None,
    };
    let is_allowed =
        |algorithm: &Algorithm| allowed.contains(algorithm) && named.is_none_or(|named| named == *algorithm);
    let algorithms: Vec<Algorithm> = possible.iter().copied().filter(is_allowed).collect();
    (!algorithms.is_empty()).then_some(Key { id: described.kid, algorithms, public: key })
}

fn rsa(described: &Described) -> Option<DecodingKey> {
    let modulus = URL_SAFE_NO_PAD.decode(&described.n).ok()?;
    let leading = modulus.iter().take_while(|byte| **byte == 0).count();
    let bits = (modulus.len() - leading) * 8 - modulus.get(leading)?.leading_zeros() as usize;
    if !(LEAST_RSA_BITS..=MOST_RSA_BITS).contains(&bits) {
        return None;
    }
    DecodingKey::from_rsa_components(&described.n, &described.e).ok()
}

fn curve(described: &Described, bytes: usize) -> Option<DecodingKey> {
    let is_whole = |text: &str| URL_SAFE_NO_PAD.decode(text).is_ok_and(|decoded| decoded.len() == bytes);
    if !is_whole(&described.x) || !is_whole(&described.y) {
        return None;
    }
    DecodingKey::from_ec_components(&described.x, &described.y).ok()
}
