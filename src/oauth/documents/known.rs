//! Copies of the descriptions of known clients, so that a fetch that fails locks nobody out. By exact addresses alone.

use super::description::{Description, Document};
use serde::Deserialize;
use std::{collections::HashMap, sync::LazyLock};

#[derive(Debug, Deserialize)]
struct Copies {
    documents: Vec<Document>,
}

static COPIES: LazyLock<HashMap<String, Description>> = LazyLock::new(|| {
    // A test reads it too: it can be read.
    let copies = serde_json::from_str::<Copies>(include_str!("known.json"));
    let documents = copies.map(|copies| copies.documents).unwrap_or_default();
    documents.into_iter().filter_map(|copy| Some((copy.client_id.clone(), copy.described(|_| true).ok()?))).collect()
});

/// The copy of the document at this address.
pub(super) fn copy(address: &str) -> Option<&'static Description> {
    COPIES.get(address)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbound::PublicAddress;

    #[test]
    fn copies_are_of_addresses_that_can_be_fetched() {
        assert_eq!(COPIES.len(), 4);
        for (address, copy) in COPIES.iter() {
            assert!(PublicAddress::parse(address).is_some() && copy.can_refresh, "{address}");
        }
        let places = |address| copy(address).map(|copy| copy.redirect_uris.len());
        assert_eq!(places("https://vscode.dev/oauth/client-metadata.json"), Some(2));
        assert_eq!(places("https://vscode.dev/oauth/client-metadata.json/"), None);
    }
}
