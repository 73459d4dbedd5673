//! What depends on the language of a request: translated texts, and how long ago something was.

use jiff::{Timestamp, Unit};

/// The language part of a tag: `de` of `de-AT`.
pub(super) fn primary(tag: &str) -> &str {
    tag.split('-').next().unwrap_or(tag)
}

/// How a language says that something was some time ago.
struct Ago {
    language: &'static str,
    /// One and many of years, months, weeks and days.
    units: [(&'static str, &'static str); 4],
    /// With `{}` for the amount.
    frame: &'static str,
}

const WORDS: &[Ago] = &[
    Ago {
        language: "en",
        units: [("a year", "years"), ("a month", "months"), ("a week", "weeks"), ("a day", "days")],
        frame: "{} ago",
    },
    Ago {
        language: "de",
        units: [
            ("einem Jahr", "Jahren"),
            ("einem Monat", "Monaten"),
            ("einer Woche", "Wochen"),
            ("einem Tag", "Tagen"),
        ],
        frame: "vor {}",
    },
    Ago {
        language: "fr",
        units: [("un an", "ans"), ("un mois", "mois"), ("une semaine", "semaines"), ("un jour", "jours")],
        frame: "il y a {}",
    },
    Ago {
        language: "es",
        units: [("un año", "años"), ("un mes", "meses"), ("una semana", "semanas"), ("un día", "días")],
        frame: "Hace {}",
    },
    Ago {
        language: "ja",
        units: [("1 年", "年"), ("1 か月", "か月"), ("1 週間", "週間"), ("1 日", "日")],
        frame: "{}前",
    },
    Ago {
        language: "fa",
        units: [("یک سال", "سال"), ("یک ماه", "ماه"), ("یک هفته", "هفته"), ("یک روز", "روز")],
        frame: "{} پیش",
    },
];

/// How long ago `then` was, in words.
pub(super) fn ago(then: Timestamp, now: Timestamp, language: &str) -> String {
    let days = now.since((Unit::Hour, then)).map_or(0, |span| i64::from(span.get_hours()) / 24);
    let (count, unit) = match days {
        365.. => (days / 365, 0),
        30.. => (days / 30, 1),
        7.. => (days / 7, 2),
        _ => (days.max(1), 3),
    };
    let words = WORDS.iter().find(|words| words.language == primary(language)).or(WORDS.first());
    let Some((words, (one, many))) = words.and_then(|words| Some((words, words.units.get(unit)?))) else {
        return String::new();
    };
    let amount = if count == 1 { (*one).to_owned() } else { format!("{count} {many}") };
    words.frame.replace("{}", &amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_in_the_language_of_the_request() {
        let now = "2026-11-20T00:00:00Z".parse().expect("time");
        let then = |text: &str| text.parse::<Timestamp>().expect("time");
        assert_eq!(ago(then("2026-11-12T00:00:00Z"), now, "en-GB"), "a week ago");
        assert_eq!(ago(then("2026-09-10T00:00:00Z"), now, "de"), "vor 2 Monaten");
        assert_eq!(ago(then("2025-10-20T00:00:00Z"), now, "fr"), "il y a un an");
        assert_eq!(ago(then("2026-11-13T00:00:00Z"), now, "ja"), "1 週間前");
        assert_eq!(ago(then("2026-11-19T23:00:00Z"), now, "sv"), "a day ago");
    }
}
