//! The tables: which there are, one file each. To add one, write its file and add it here.

use super::{
    ApiKeys, Claims, Clients, Grants, Identities, People, Reports, Sessions, SetupLinks, SigningKeys, Spend, Store,
};

impl Store {
    /// The reports.
    pub fn reports(&self) -> Reports<'_> {
        Reports(self)
    }

    /// The claims and answers of writing calls.
    pub fn claims(&self) -> Claims<'_> {
        Claims(self)
    }

    /// The keys by which programs are known.
    pub fn api_keys(&self) -> ApiKeys<'_> {
        ApiKeys(self)
    }

    /// The people who sign in here.
    pub fn people(&self) -> People<'_> {
        People(self)
    }

    /// The accounts of a provider outside by which they do.
    pub fn identities(&self) -> Identities<'_> {
        Identities(self)
    }

    /// The browsers in which they are signed in.
    pub fn sessions(&self) -> Sessions<'_> {
        Sessions(self)
    }

    /// The links by which they choose passwords.
    pub fn setup_links(&self) -> SetupLinks<'_> {
        SetupLinks(self)
    }

    /// The keys that sign access tokens.
    pub fn signing_keys(&self) -> SigningKeys<'_> {
        SigningKeys(self)
    }

    /// The programs for which people sign in.
    pub fn clients(&self) -> Clients<'_> {
        Clients(self)
    }

    /// What people have granted to them.
    pub fn grants(&self) -> Grants<'_> {
        Grants(self)
    }

    /// The spend of the day.
    pub fn spend(&self) -> Spend<'_> {
        Spend(self)
    }
}
