//! The invented places: those written by hand in `data/`, and a chain of kiosks that makes searches long enough to page.

use super::{
    localize::{ago, primary},
    mask::PLACE_FIELDS,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Google shows at most this many reviews of a place.
const SHOWN_REVIEWS: usize = 5;
/// More than the sixty hits that a search can reach.
const KIOSKS: u32 = 65;

macro_rules! written {
    ($($name:literal),* $(,)?) => { &[$(include_str!(concat!("data/", $name, ".json"))),*] };
}

const WRITTEN: &[&str] = written![
    "moonlit-bakery",
    "regenmuseum-bad-lindenau",
    "au-chat-qui-relit",
    "ryokan-tsubame-machi",
    "haft-anar",
    "la-aceituna-perdida",
    "ferrand-clock-repair",
    "parkplatz-am-nordufer",
    "kestrel-point-picnic-shelter",
    "brackwater-cable-car",
    "kiln-and-kettle-tannery-lane",
    "kiln-and-kettle-harbour-road",
    "starling-hill-observatory",
    "platform-three-ramen",
    "suspicious-burst",
    "hostile-reviews",
];

/// All places, those written by hand first.
#[derive(Debug)]
pub(super) struct Catalogue {
    pub(super) entries: Vec<Entry>,
}

/// One place as it is kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    place: Map<String, Value>,
    #[serde(default)]
    names: BTreeMap<String, String>,
    reviews: Vec<WrittenReview>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WrittenReview {
    rating: u8,
    publish_time: String,
    author: String,
    language: Option<String>,
    text: Option<String>,
    #[serde(default)]
    translations: BTreeMap<String, String>,
}

impl Catalogue {
    #[expect(clippy::expect_used, reason = "embedded data, read by every test")]
    pub(super) fn load() -> Self {
        let written = WRITTEN.iter().map(|text| serde_json::from_str(text).expect("valid embedded data"));
        Self { entries: written.chain((1..=KIOSKS).map(kiosk)).collect() }
    }

    pub(super) fn find(&self, id: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.id() == id)
    }
}

impl Entry {
    pub(super) fn id(&self) -> &str {
        self.text("id")
    }

    /// All words that a search can find, in lower case.
    pub(super) fn words(&self) -> String {
        let name = self.place.get("displayName").and_then(|name| name.get("text")).and_then(Value::as_str);
        let kind = self.place.get("primaryTypeDisplayName").and_then(|kind| kind.get("text")).and_then(Value::as_str);
        let own = [name.unwrap_or_default(), kind.unwrap_or_default(), self.text("formattedAddress")];
        let names = self.names.values().map(String::as_str);
        own.into_iter().chain(names).collect::<Vec<_>>().join(" ").to_lowercase()
    }

    /// Degrees of latitude and longitude.
    pub(super) fn location(&self) -> Option<(f64, f64)> {
        let location = self.place.get("location")?;
        Some((location.get("latitude")?.as_f64()?, location.get("longitude")?.as_f64()?))
    }

    /// The whole place in wire form and wire order, in `language` as far as there are translations.
    pub(super) fn render(&self, language: &str, now: Timestamp) -> Value {
        let mut place = Map::new();
        for field in PLACE_FIELDS {
            let value = match *field {
                "name" => Some(json!(format!("places/{}", self.id()))),
                "displayName" => self.place.get("displayName").map(|name| match self.names.get(primary(language)) {
                    Some(translated) => json!({"text": translated, "languageCode": language}),
                    None => name.clone(),
                }),
                "reviews" if !self.reviews.is_empty() => Some(self.render_reviews(language, now)),
                _ => self.place.get(*field).cloned(),
            };
            if let Some(value) = value {
                place.insert((*field).to_owned(), value);
            }
        }
        Value::Object(place)
    }

    fn render_reviews(&self, language: &str, now: Timestamp) -> Value {
        let shown = self.reviews.iter().enumerate().take(SHOWN_REVIEWS);
        shown.map(|(position, review)| self.render_review(position, review, language, now)).collect()
    }

    fn render_review(&self, position: usize, review: &WrittenReview, language: &str, now: Timestamp) -> Value {
        let id = review_id(self.id(), position, &review.publish_time);
        let published: Option<Timestamp> = review.publish_time.parse().ok();
        let mut wire = Map::new();
        let mut put = |name: &str, value: Value| wire.insert(name.to_owned(), value);
        put("name", json!(format!("places/{}/reviews/{id}", self.id())));
        if let Some(published) = published {
            put("relativePublishTimeDescription", json!(ago(published, now, language)));
        }
        put("rating", json!(review.rating));
        if let (Some(text), Some(original)) = (&review.text, &review.language) {
            let translated = review.translations.get(primary(language)).filter(|_| primary(language) != original);
            put(
                "text",
                match translated {
                    // A translation carries the full tag, an original the short one.
                    Some(words) if primary(language) == "en" => json!({"text": words, "languageCode": "en-US"}),
                    Some(words) => json!({"text": words, "languageCode": language}),
                    None => json!({"text": text, "languageCode": original}),
                },
            );
            put("originalText", json!({"text": text, "languageCode": original}));
        }
        put("authorAttribution", author(&review.author, self.id(), position));
        put("publishTime", json!(review.publish_time));
        put("flagContentUri", json!(flag_url(&id, position)));
        put("googleMapsUri", json!(format!("https://maps.example/reviews/{id}")));
        Value::Object(wire)
    }

    fn text(&self, field: &str) -> &str {
        self.place.get(field).and_then(Value::as_str).unwrap_or_default()
    }
}

fn author(name: &str, place: &str, position: usize) -> Value {
    let number = 100_000_000_000_000_000_000_u128 + u128::from(hash(&format!("{place}/{position}/{name}")));
    json!({
        "displayName": name,
        "uri": format!("https://reviews.example/contributors/{number}"),
        "photoUri": format!("https://reviews.example/contributors/{number}/photo.png"),
    })
}

/// Reviews since 2025 have long ids, older ones short ones, each the base64 of a message.
fn review_id(place: &str, position: usize, published: &str) -> String {
    let seed = hash(&format!("{place}#{position}"));
    if published.starts_with("2025") || published.starts_with("2026") {
        URL_SAFE_NO_PAD.encode(format!("\n/CAIQACodChtycF9oOjd{seed:016x}{:014x}", seed >> 8))
    } else {
        URL_SAFE_NO_PAD.encode(format!("\n\x16CIHM0ogKEICAg{:011x}", seed >> 20))
    }
}

/// Both paths under which reports are seen in the wild.
fn flag_url(id: &str, position: usize) -> String {
    let path = if position.is_multiple_of(2) { "local/content/rap/report" } else { "local/review/rap/report" };
    format!("https://reviews.example/{path}?postId={id}")
}

/// One branch of the chain; every third has ratings, none has reviews.
fn kiosk(number: u32) -> Entry {
    let place = json!({
        "id": format!("ChIJdemo_lantern_kiosk_{number:04}"),
        "types": ["convenience_store", "store", "point_of_interest", "establishment"],
        "formattedAddress": format!("{number} Lantern Row, Port Ellery PE1 7LR, Ellery Islands"),
        "location": {"latitude": 49.61 + f64::from(number) / 1000.0, "longitude": -5.84},
        "googleMapsUri": format!("https://maps.example/place/lantern-kiosk-{number}"),
        "businessStatus": "OPERATIONAL",
        "displayName": {"text": format!("Lantern Kiosk No. {number}"), "languageCode": "en"},
        "primaryTypeDisplayName": {"text": "Kiosk", "languageCode": "en"},
        "primaryType": "convenience_store",
    });
    let mut place = place.as_object().cloned().unwrap_or_default();
    if number.is_multiple_of(3) {
        place.insert("rating".to_owned(), json!(f64::from(30 + number % 20) / 10.0));
        place.insert("userRatingCount".to_owned(), json!(number * 2));
    }
    Entry { place, names: BTreeMap::new(), reviews: Vec::new() }
}

/// FNV-1a: the same ids in every build and on every machine.
pub(super) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
