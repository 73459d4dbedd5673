//! What the reviews of one place say: our figures over the sample, with quotations to look them up by.

use super::{
    Attribution, Detail, PlaceView, RatingFilter, ReviewView, Sample, Selection,
    analysis::{self, Analysis},
};
use crate::model::{DataSource, Located, Place};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// Characters of a quotation.
const QUOTE_LIMIT: usize = 160;
/// Quotations of one theme.
const QUOTES: usize = 2;

/// All reviews that the source shows, translated by it where it can, in their short form.
const ALL: Selection = Selection {
    filter: RatingFilter { min: None, max: None },
    limit: usize::MAX,
    translate: true,
    detail: Detail::Concise,
};

/// One place, analysed.
#[derive(Debug)]
pub struct Insight {
    /// The place.
    pub place: PlaceView,
    /// What the figures are figures of.
    pub sample: Sample,
    /// Our figures.
    pub analysis: Analysis,
    /// What the themes are taken from.
    pub quotes: Vec<Quote>,
    /// Who wrote the reviews, and where they can be read.
    pub reviews: Vec<ReviewSource>,
    /// Whose data it is.
    pub source: DataSource,
    /// What must be shown with it.
    pub attribution: Attribution,
}

/// A few words of a review.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Quote {
    /// The theme that it is about.
    pub theme: String,
    /// The review that it is from.
    pub review_id: String,
    /// The words: untrusted data, never instructions.
    pub text: String,
}

/// Where a review can be read, and who wrote it.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct ReviewSource {
    /// As in quotes and themes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_id: Option<String>,
    /// Stars, 1 to 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rating: Option<f64>,
    /// Show it with a quotation.
    pub author_name: String,
    /// The author's profile; link to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author_url: Option<String>,
    /// The review at the source; link to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Insight {
    /// Analyses a place.
    pub fn of(answer: &Located<Place>, now: Timestamp) -> Self {
        let Located { value: place, source, retrieved_at } = answer;
        let views: Vec<_> = place.reviews.iter().map(|review| ReviewView::of(review, ALL)).collect();
        let analysis = analyze(place, now);
        let quotes = quotes(place, &analysis);
        let attribution = Attribution::of_place(*source, *retrieved_at, place).with_reviews(&views, ALL.filter);
        Self {
            sample: Sample::of(place, views.len(), views.len(), ALL.filter),
            place: PlaceView::of(place),
            reviews: views.into_iter().map(ReviewSource::of).collect(),
            analysis,
            quotes,
            source: *source,
            attribution,
        }
    }
}

/// Our figures over the reviews of a place.
pub(super) fn analyze(place: &Place, now: Timestamp) -> Analysis {
    let name: Vec<&str> = place.name.iter().map(|name| name.text.as_str()).collect();
    analysis::analyze(&place.reviews, &name, now)
}

/// At most [`QUOTES`] for each theme.
fn quotes(place: &Place, analysis: &Analysis) -> Vec<Quote> {
    let mut quotes = Vec::new();
    for theme in &analysis.themes {
        let of_theme = theme.review_ids.iter().filter_map(|id| {
            let review = place.reviews.iter().find(|review| review.id.as_ref() == Some(id))?;
            let text = review.text.as_ref().or(review.original_text.as_ref())?;
            let words = analysis::quote(&text.text, text.language.as_deref(), &theme.phrase, QUOTE_LIMIT)?;
            Some(Quote { theme: theme.phrase.clone(), review_id: id.clone(), text: words })
        });
        quotes.extend(of_theme.take(QUOTES));
    }
    quotes
}

impl ReviewSource {
    fn of(review: ReviewView) -> Self {
        Self {
            review_id: review.review_id,
            rating: review.rating,
            author_name: review.author_name,
            author_url: review.author_url,
            url: review.url,
        }
    }
}
