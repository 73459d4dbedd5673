//! The parts of Google's messages that are read. Every field may be absent; unknown ones are `drift`'s business.

use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Place {
    pub(super) id: Option<String>,
    pub(super) display_name: Option<LocalizedText>,
    pub(super) formatted_address: Option<String>,
    pub(super) primary_type_display_name: Option<LocalizedText>,
    pub(super) google_maps_uri: Option<String>,
    pub(super) business_status: Option<String>,
    pub(super) opening_date: Option<Date>,
    pub(super) moved_place_id: Option<String>,
    pub(super) attributions: Vec<PlaceAttribution>,
    pub(super) rating: Option<f64>,
    pub(super) user_rating_count: Option<f64>,
    pub(super) reviews: Vec<Value>,
    pub(super) review_summary: Option<ReviewSummary>,
    pub(super) consumer_alert: Option<ConsumerAlert>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Review {
    pub(super) name: Option<String>,
    pub(super) relative_publish_time_description: Option<String>,
    pub(super) rating: Option<f64>,
    pub(super) text: Option<LocalizedText>,
    pub(super) original_text: Option<LocalizedText>,
    pub(super) author_attribution: Option<AuthorAttribution>,
    pub(super) publish_time: Option<String>,
    pub(super) flag_content_uri: Option<String>,
    pub(super) google_maps_uri: Option<String>,
    pub(super) visit_date: Option<Date>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct LocalizedText {
    pub(super) text: String,
    pub(super) language_code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct AuthorAttribution {
    pub(super) display_name: Option<String>,
    pub(super) uri: Option<String>,
    pub(super) photo_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct PlaceAttribution {
    pub(super) provider: Option<String>,
    pub(super) provider_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ReviewSummary {
    pub(super) text: Option<LocalizedText>,
    pub(super) flag_content_uri: Option<String>,
    /// One sample in Google's own documentation spells it `disclaimerText`.
    #[serde(alias = "disclaimerText")]
    pub(super) disclosure_text: Option<LocalizedText>,
    pub(super) reviews_uri: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConsumerAlert {
    pub(super) overview: Option<String>,
    pub(super) details: Option<ConsumerAlertDetails>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct ConsumerAlertDetails {
    pub(super) title: Option<String>,
    pub(super) description: Option<String>,
}

/// Zero stands for "not given", as everywhere in proto3.
#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Date {
    pub(super) year: i32,
    pub(super) month: u8,
    pub(super) day: u8,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct SearchTextResponse {
    pub(super) places: Vec<Value>,
    pub(super) next_page_token: Option<String>,
}
