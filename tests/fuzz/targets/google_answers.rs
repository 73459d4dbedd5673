//! Google's payloads: places, pages of a search, and errors, as bytes. What comes out of them keeps the promises of its
//! types, whatever is left out is counted, and what cannot be read says where.
#![no_main]

use google_reviews_mcp::{
    google::{GoogleError, Reading, classify, drift::Finding, json_from_body, place_from_body, search_page_from_body},
    mcp,
    model::{DataSource, Failure, Located, PAGE_TOKEN_PATTERN, PartialDate, Place, PlaceId, Rating, SearchPage},
    reviews::{Detail, PlaceReviews, RatingFilter, Selection},
    tools::get_reviews::Output,
};
use jiff::Timestamp;
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Value, json};

const STATUSES: [u16; 16] = [301, 400, 400, 401, 403, 403, 404, 404, 408, 409, 429, 429, 500, 502, 503, 504];

fuzz_target!(|data: &[u8]| -> Corpus {
    let Some((first, body)) = data.split_first() else { return Corpus::Reject };
    let choice = usize::from(*first);
    if choice % 4 == 0 {
        error(STATUSES[choice / 4 % STATUSES.len()], body);
        return Corpus::Keep;
    }
    let parsed = json_from_body(body);
    if let Ok(value) = serde_json::from_slice::<Value>(body) {
        assert_eq!(parsed.as_ref(), Some(&value), "what was JSON was repaired");
    }
    let Some(parsed) = parsed else { return Corpus::Keep };
    if choice % 4 == 1 {
        search(&parsed);
    } else {
        details(&parsed);
    }
    Corpus::Keep
});

fn details(body: &Value) {
    let reading = place_from_body(body.clone());
    findings(&reading);
    let Some(read) = &reading.value else { return };
    assert_eq!(body["id"].as_str(), Some(read.id.as_str()));
    let sent = body["reviews"].as_array().map_or(0, Vec::len);
    assert_eq!(read.reviews.len() + read.unreadable_reviews, sent, "a review is neither shown nor counted");
    place(read);
    let is_good = reading.findings.iter().all(|finding| !finding.kind.is_wrong());
    assert_eq!(is_good, read.unreadable_reviews == 0 && read.unreadable_parts.is_empty(), "{:?}", reading.findings);
    // News beside what we know changes nothing but the findings.
    let mut with_news = body.clone();
    with_news["fieldOfTomorrow"] = json!({"rating": 9});
    let newer = place_from_body(with_news);
    assert_eq!(newer.findings.len(), reading.findings.len() + usize::from(body.get("fieldOfTomorrow").is_none()));
    assert_eq!(newer.value.as_ref(), Some(read));
    shown(read, if body.get("rating").is_some() { Detail::Detailed } else { Detail::Concise });
}

fn search(body: &Value) {
    let reading: Reading<SearchPage> = search_page_from_body(body.clone());
    findings(&reading);
    let Some(page) = &reading.value else { return };
    let sent = body["places"].as_array().map_or(0, Vec::len);
    assert_eq!(page.places.len() + page.unreadable_places, sent, "a hit is neither shown nor counted");
    assert!(sent == 0 || !page.places.is_empty());
    page.places.iter().for_each(place);
    let token = page.next_page_token.as_deref();
    assert!(token.is_none_or(|token| token.len() <= 4_096 && PAGE_TOKEN_PATTERN.is_match(token)));
}

/// What the types of a place promise.
fn place(place: &Place) {
    assert!(PlaceId::parse(place.id.as_str()).is_ok());
    assert!(place.moved_to.as_ref().is_none_or(|id| PlaceId::parse(id.as_str()).is_ok()));
    assert!(place.reviews.len() <= 100);
    rating(place.rating);
    assert!(place.rating.is_some() || place.rating_count.unwrap_or(0) == 0, "ratings without their mean");
    assert!(place.opens_on.is_none_or(date), "{:?}", place.opens_on);
    for review in &place.reviews {
        rating(review.rating);
        let visited = review.visited.as_deref();
        assert!(visited.is_none_or(|visited| month(visited).is_some()), "{visited:?}");
        assert!(review.text.as_ref().is_none_or(|text| !text.text.is_empty()));
    }
    // It goes to the shared cache and back.
    let kept = serde_json::to_vec(place).expect("a place can be kept");
    let back: Place = serde_json::from_slice(&kept).expect("a kept place can be read");
    assert_eq!((&back.id, back.rating_count, back.reviews.len()), (&place.id, place.rating_count, place.reviews.len()));
}

fn rating(rating: Option<Rating>) {
    assert!(rating.is_none_or(|rating| (1.0..=5.0).contains(&rating.stars())), "{rating:?}");
}

fn date(date: PartialDate) -> bool {
    let within = |part: Option<u8>, most: u8| part.is_none_or(|part| (1..=most).contains(&part));
    (1..=9_999).contains(&date.year) && within(date.month, 12) && within(date.day, 31)
}

/// `2026` or `2026-11`.
fn month(text: &str) -> Option<()> {
    let (year, month) = text.split_once('-').map_or((text, None), |(year, month)| (year, Some(month)));
    let number = |digits: &str, length: usize| digits.parse::<u16>().ok().filter(|_| digits.len() == length);
    let is_year = number(year, 4).is_some_and(|year| year > 0);
    let is_month = month.is_none_or(|month| number(month, 2).is_some_and(|month| (1..=12).contains(&month)));
    (is_year && is_month).then_some(())
}

fn findings<T>(reading: &Reading<T>) {
    let is_wrong = |finding: &Finding| finding.kind.is_wrong();
    assert!(reading.value.is_some() || reading.findings.iter().any(is_wrong), "unreadable, and nothing says why");
    // What is in a log line comes from the network.
    let is_plain = |each: char| each.is_ascii_alphanumeric() || "_?.[]".contains(each);
    for finding in &reading.findings {
        assert!(finding.path.chars().all(is_plain), "{}", finding.path);
        assert!(finding.path.len() < 2_000, "{}", finding.path);
    }
}

/// The whole way to the answer of a tool.
fn shown(place: &Place, detail: Detail) {
    let located = Located { value: place.clone(), source: DataSource::Synthetic, retrieved_at: Timestamp::UNIX_EPOCH };
    let selection = Selection { filter: RatingFilter::default(), limit: 5, translate: true, detail };
    let (mut token, mut shown) = (None, 0);
    loop {
        let page = PlaceReviews::of(&located, selection, token.as_deref()).expect("a page that there is");
        shown += page.reviews.len();
        token.clone_from(&page.next_page_token);
        let written = mcp::written(&Output::of(page, detail)).expect("an answer can be written");
        let written = serde_json::to_string(&written).expect("an answer is JSON");
        assert!(!written.contains(|each: char| each.is_control()), "{written:?}");
        if token.is_none() {
            break;
        }
    }
    assert_eq!(shown, place.reviews.len().min(selection.limit), "each review is on one page");
}

fn error(status: u16, body: &[u8]) {
    let error = classify(status, body, Timestamp::UNIX_EPOCH);
    // These are said of this server, never of an answer.
    assert!(!matches!(
        error,
        GoogleError::Unreachable
            | GoogleError::TimedOut(_)
            | GoogleError::CircuitOpen { .. }
            | GoogleError::BudgetExhausted { .. }
            | GoogleError::Overloaded
            | GoogleError::TooLarge(_)
            | GoogleError::NotJson
            | GoogleError::FormatChanged { .. }
    ));
    assert!(!error.is_failure_of_google() || status == 408 || status >= 500, "{status}: {error}");
    if serde_json::from_slice::<Value>(body).is_err() && status >= 500 {
        assert_eq!(error, GoogleError::Unavailable { status, retry_after: None });
    }
    // Messages of Google are not passed on: these are the same for all bodies, but for a status and a time.
    let said = error.to_string();
    assert!(said.len() < 80, "{said}");
    let failure = Failure::from(error);
    assert!(failure.message.is_ascii() && failure.message.len() < 600, "{}", failure.message);
}
