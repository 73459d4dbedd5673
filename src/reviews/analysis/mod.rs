//! Pure analysis of reviews: what a sample says, as figures of our own. No clock, no input or output, no chance.
//!
//! The text that is analysed is the one in the language asked for, else the one as written, sanitised first: so nothing
//! that leaves this module can carry more than the words that a person reads. Each file states the rule that it applies:
//! `sentiment` how stars and words make a leaning, `themes` what is a theme, `signals` and `duplicates` what is
//! suspicious, `lexicon` how the word lists work.

mod document;
mod duplicates;
mod figures;
mod hashing;
mod hits;
mod languages;
mod lexicon;
mod names;
mod phrases;
mod plural;
mod quote;
mod recency;
#[cfg(test)]
mod samples;
mod sentiment;
mod signals;
mod stars;
mod themes;
mod vocabulary;
mod words;

pub use figures::{
    Analysis, Contradiction, LanguageCount, Leaning, Ratings, Recency, Sentiment, Signal, SignalKind, Theme,
};

use crate::model::Review;
use document::Document;
use jiff::Timestamp;
use vocabulary::Vocabulary;

/// Analyses a sample of reviews.
///
/// `not_a_theme` are texts whose words are no themes, such as the place's name; the names of the authors are left out
/// anyway. `now` is what the ages of the reviews are measured from.
pub fn analyze(reviews: &[Review], not_a_theme: &[&str], now: Timestamp) -> Analysis {
    let mut vocabulary = Vocabulary::default();
    let documents: Vec<_> = reviews.iter().map(|review| Document::read(review, &mut vocabulary)).collect();
    let judgement = sentiment::judge(&documents, &mut vocabulary);
    let mut signals: Vec<Signal> = signals::burst(reviews).into_iter().collect();
    signals.extend(duplicates::find(&documents));
    signals.extend(signals::extreme_only_authors(&[reviews], 1));
    Analysis {
        reviews: reviews.len(),
        ratings: stars::count(reviews),
        themes: themes::find(&documents, &judgement.leanings, not_a_theme, &mut vocabulary),
        sentiment: judgement.sentiment,
        languages: languages::written(reviews),
        recency: recency::measure(reviews, now),
        contradictions: judgement.contradictions,
        signals,
    }
}

/// Signals that only several places together show: duplicate texts across places, and authors with reviews of several
/// places that all have 1 or 5 stars.
pub fn across(places: &[&[Review]]) -> Vec<Signal> {
    let mut vocabulary = Vocabulary::default();
    let numbered =
        places.iter().enumerate().flat_map(|(place, reviews)| reviews.iter().map(move |review| (place, review)));
    let (numbers, documents): (Vec<_>, Vec<_>) =
        numbered.map(|(place, review)| (place, Document::read(review, &mut vocabulary))).unzip();
    let mut signals = duplicates::across(&documents, &numbers);
    signals.extend(signals::extreme_only_authors(places, 2));
    signals
}

/// The part of a text around a phrase, sanitised, at most `limit` characters, cut between words, with `…` where it was
/// cut. `None` if the phrase is not in it.
pub fn quote(text: &str, language: Option<&str>, phrase: &str, limit: usize) -> Option<String> {
    quote::around(text, language, phrase, limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Author, Rating, Text};
    use proptest::prelude::*;
    use samples::{demo, numbered, review};

    fn now() -> Timestamp {
        "2026-11-20T00:00:00Z".parse().unwrap()
    }

    /// The first five reviews, as the emulator shows them.
    fn shown(place: &str, language: &str, name: &str) -> Analysis {
        analyze(&demo(place, language)[..5], &[name], now())
    }

    fn themes(analysis: &Analysis) -> Vec<(&str, usize)> {
        analysis.themes.iter().map(|theme| (theme.phrase.as_str(), theme.reviews)).collect()
    }

    #[test]
    fn a_bakery_is_about_buns_and_cash() {
        let analysis = shown("moonlit-bakery", "en", "Moonlit Bakery");
        assert_eq!(themes(&analysis)[..3], [("buns", 3), ("cinnamon bun", 2), ("sourdough", 2)]);
        assert!(themes(&analysis).contains(&("cash", 2)));
        assert_eq!(analysis.sentiment, Sentiment { positive: 4, mixed: 1, ..Sentiment::default() });
        assert_eq!(analysis.ratings.mean, Some(4.4));
        let languages: Vec<_> =
            analysis.languages.iter().map(|count| (count.language.as_str(), count.reviews)).collect();
        assert_eq!(languages, [("en", 2), ("de", 1), ("fr", 1), ("ja", 1)], "as written, not as translated");
        assert_eq!((analysis.signals, analysis.contradictions), (Vec::new(), Vec::new()));
    }

    #[test]
    fn places_in_four_more_languages_have_the_themes_that_a_person_sees() {
        assert!(themes(&shown("regenmuseum-bad-lindenau", "de", "Regenmuseum")).contains(&("Regenraum", 3)));
        let books = shown("au-chat-qui-relit", "fr", "Au Chat qui relit");
        assert_eq!(themes(&books)[0], ("chocolat chaud", 2));
        let inn = shown("ryokan-tsubame-machi", "ja", "旅館 つばめ待ち");
        assert!(themes(&inn).contains(&("女将", 3)) && themes(&inn).contains(&("露天風呂", 2)));
        let bar = shown("la-aceituna-perdida", "es", "La aceituna perdida");
        assert!(themes(&bar).contains(&("boquerones", 2)));
    }

    #[test]
    fn reviews_that_say_the_opposite_of_their_stars_are_named() {
        for (place, language, expected) in [
            ("haft-anar", "fa", ("r3", 5)),
            ("haft-anar", "en", ("r3", 5)),
            ("regenmuseum-bad-lindenau", "de", ("r5", 5)),
            ("ryokan-tsubame-machi", "ja", ("r7", 1)),
            ("la-aceituna-perdida", "es", ("r8", 1)),
            ("moonlit-bakery", "en", ("r5", 1)),
        ] {
            let found = analyze(&demo(place, language), &[], now()).contradictions;
            let found: Vec<_> = found.iter().map(|each| (each.review_id.as_str(), each.stars.unwrap())).collect();
            assert_eq!(found, [expected], "{place} in {language}");
        }
    }

    #[test]
    fn a_burst_of_like_texts_is_two_signals_and_other_places_have_none() {
        let signals = shown("suspicious-burst", "en", "Crack & Mend Phone Repair").signals;
        let kinds: Vec<_> = signals.iter().map(|signal| signal.kind).collect();
        assert_eq!(kinds, [SignalKind::Burst, SignalKind::DuplicateTexts]);
        for signal in &signals {
            assert_eq!(signal.review_ids, ["r0", "r2", "r3"]);
            assert!(signal.evidence.contains("signal") && signal.evidence.contains("proves nothing by itself"));
        }
        for place in ["moonlit-bakery", "haft-anar", "brackwater-cable-car", "hostile-reviews", "au-chat-qui-relit"] {
            assert_eq!(analyze(&demo(place, "en"), &[], now()).signals, [], "{place}");
        }
    }

    #[test]
    fn attacks_come_through_as_short_harmless_phrases() {
        let reviews = demo("hostile-reviews", "en");
        let twice = numbered(reviews.iter().chain(&reviews).cloned().collect());
        for reviews in [reviews, twice] {
            let json = serde_json::to_string(&analyze(&reviews, &["The Polite Gull Café"], now())).unwrap();
            for bad in ["\u{1b}", "\u{202e}", "attacker.example", "![", "<img", "\u{200b}", "```"] {
                assert!(!json.contains(bad), "{bad} in {json}");
            }
            assert!(!json.chars().any(|letter| ('\u{e0000}'..='\u{e007f}').contains(&letter)));
        }
    }

    #[test]
    fn what_two_places_share_shows_only_across_them() {
        let by = |author: &str, stars, text: &str| Review {
            author: Author { name: Some(author.to_owned()), ..Author::default() },
            ..review(stars, "en", text)
        };
        let text = "Simply the best tea in the whole wide world";
        let [one, two] =
            [vec![by("Ann", 5, text), by("Bob", 4, "Fine.")], vec![by("Cy", 4, text), by("Ann", 1, "No.")]];
        assert_eq!(analyze(&one, &[], now()).signals, []);
        let signals = across(&[&one, &two]);
        assert_eq!(
            signals.iter().map(|signal| signal.kind).collect::<Vec<_>>(),
            [SignalKind::DuplicateTexts, SignalKind::ExtremeOnlyAuthors]
        );
        assert!(signals[0].evidence.contains("2 reviews of 2 places by 2 authors have the same text of 9 words"));
        assert_eq!(across(&[&one, &[]]), []);
        assert_eq!(across(&[]), []);
    }

    #[test]
    fn nothing_is_analysed_as_nothing_and_empty_parts_are_left_out() {
        let json = serde_json::to_value(analyze(&[], &[], now())).unwrap();
        let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["reviews", "ratings", "sentiment"]);
        let back: Analysis = serde_json::from_value(json).unwrap();
        assert_eq!(back, analyze(&[], &[], now()));
    }

    #[test]
    fn texts_that_are_made_to_take_long_take_no_longer() {
        let word = "zzyzx".repeat(900);
        let texts = [word.clone(), "a@b ".repeat(1_200), "un ".repeat(1_600), "never ".repeat(800), "'s".repeat(2_000)];
        for language in ["de", "en", "fr", "ja", "fa"] {
            let reviews: Vec<Review> = texts.iter().map(|text| review(1, language, text)).collect();
            assert_eq!(analyze(&reviews, &[&word], now()).reviews, texts.len());
        }
    }

    fn any_review() -> impl Strategy<Value = Review> {
        let phrases = prop::sample::select(vec![
            "not good",
            "Great staff, ",
            "美味しくなかった。",
            "خوب نبود ",
            "l'accueil ",
            "\u{200c}",
            "…",
            "'s",
            "https://x ",
            "kein Problem ",
            "a-b ",
            "never again ",
            "\n",
            "👨‍👩‍👧 ",
            "อาหาร",
            "ﷺ",
            "İ",
            "best phone repair in town and more words ",
        ]);
        let text = prop_oneof![".{0,60}", prop::collection::vec(phrases, 0..12).prop_map(|parts| parts.concat())];
        let language = prop::sample::select(vec!["en", "de-AT", "fr", "es", "ja", "fa", "it", "", "zh_TW", "é"]);
        (0_u8..=5, text, prop::option::of(language), prop::option::of("[A-C]{1,2}"), any::<i32>()).prop_map(
            |(stars, text, language, author, second)| Review {
                rating: Rating::new(f64::from(stars)),
                text: Some(Text { text, language: language.map(str::to_owned) }),
                author: Author { name: author, ..Author::default() },
                published_at: Timestamp::from_second(i64::from(second)).ok(),
                ..review(0, "", "")
            },
        )
    }

    proptest! {
        #[test]
        fn no_input_breaks_it_and_the_counts_add_up(reviews in prop::collection::vec(any_review(), 0..12)) {
            let analysis = analyze(&reviews, &["Good Staff"], now());
            let Ratings { stars_5, stars_4, stars_3, stars_2, stars_1, unrated, .. } = analysis.ratings;
            prop_assert_eq!(stars_5 + stars_4 + stars_3 + stars_2 + stars_1 + unrated, reviews.len());
            let sentiment = &analysis.sentiment;
            let all = sentiment.positive + sentiment.mixed + sentiment.negative + sentiment.unknown;
            prop_assert_eq!(all, reviews.len());
            prop_assert!(sentiment.from_stars_alone <= reviews.len() - unrated);
            prop_assert!(analysis.themes.iter().all(|theme| theme.reviews >= 2 && theme.phrase.chars().count() <= 60));
            prop_assert_eq!(&analyze(&reviews, &["Good Staff"], now()), &analysis);
            across(&[&reviews, &reviews]);
        }

        #[test]
        fn the_order_of_the_reviews_changes_no_count(reviews in prop::collection::vec(any_review(), 0..12)) {
            let turned: Vec<Review> = reviews.iter().rev().cloned().collect();
            let (one, other) = (analyze(&reviews, &[], now()), analyze(&turned, &[], now()));
            prop_assert_eq!(one.ratings, other.ratings);
            prop_assert_eq!(one.sentiment, other.sentiment);
            prop_assert_eq!(one.languages, other.languages);
            prop_assert_eq!(one.recency, other.recency);
            prop_assert_eq!(one.contradictions.len(), other.contradictions.len());
            let counts = |themes: &[Theme]| themes.iter().map(|theme| theme.reviews).collect::<Vec<_>>();
            prop_assert_eq!(counts(&one.themes), counts(&other.themes));
        }

        #[test]
        fn a_theme_can_be_quoted_from_its_reviews(text in "[a-z]{3,9}( [a-z]{3,9}){0,30}", limit in 1_usize..80) {
            let reviews = numbered(vec![review(5, "en", &text), review(4, "en", &text)]);
            for theme in analyze(&reviews, &[], now()).themes {
                let quoted = quote(&text, Some("en"), &theme.phrase, limit).unwrap();
                prop_assert!(quoted.chars().count() <= limit);
            }
        }

        #[test]
        fn no_quote_is_too_long(text in ".{0,80}", phrase in ".{0,6}", limit in 1_usize..40) {
            for language in [None, Some("ja"), Some("en")] {
                if let Some(quoted) = quote(&text, language, &phrase, limit) {
                    prop_assert!(quoted.chars().count() <= limit);
                }
            }
        }
    }
}
