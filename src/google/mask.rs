//! Which fields are asked for, and what that costs. A request is billed once, at the dearest field of its mask.

/// A billing class of Google's price list (stock keeping unit).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sku {
    /// Place Details Enterprise + Atmosphere.
    DetailsEnterpriseAtmosphere,
    /// Text Search Enterprise.
    TextSearchEnterprise,
}

impl Sku {
    /// The name used in metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DetailsEnterpriseAtmosphere => "place_details_enterprise_atmosphere",
            Self::TextSearchEnterprise => "text_search_enterprise",
        }
    }

    /// US dollars for one request, in the first tier and after the free ones (1,000 a month for each class here).
    /// Source: Google Maps Platform core services pricing list, as of October 2026.
    pub fn usd(self) -> f64 {
        match self {
            Self::DetailsEnterpriseAtmosphere => 0.025,
            Self::TextSearchEnterprise => 0.035,
        }
    }
}

/// A constant list of fields with its price. Never built from arguments.
#[derive(Debug, Clone, Copy)]
pub struct FieldMask {
    /// Comma separated, without spaces, as the header wants it.
    pub fields: &'static str,
    /// What one request with it costs.
    pub sku: Sku,
}

/// All that the tools show of one place. `reviews` puts it into the dearest class, and nothing else can raise the
/// price, so details and reviews share one mask: whoever asks for both pays once.
pub const PLACE: FieldMask = FieldMask {
    fields: "id,displayName,formattedAddress,primaryTypeDisplayName,googleMapsUri,businessStatus,openingDate,\
             movedPlaceId,attributions,rating,userRatingCount,reviews,reviewSummary,consumerAlert",
    sku: Sku::DetailsEnterpriseAtmosphere,
};

/// For the health check: ids alone cost nothing, and their number is not limited.
pub const HEALTH: &str = "id";

/// Enough to choose among the hits of a search. Without `reviews`: they would be billed for twenty places.
pub const SEARCH: FieldMask = FieldMask {
    fields: "places.id,places.displayName,places.formattedAddress,places.primaryTypeDisplayName,places.googleMapsUri,\
             places.businessStatus,places.attributions,places.rating,places.userRatingCount,nextPageToken",
    sku: Sku::TextSearchEnterprise,
};
