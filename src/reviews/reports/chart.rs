//! Small charts of a report, as SVG. Only numbers and letters go in: nothing that anybody wrote.

use crate::reviews::analysis::Analysis;
use std::fmt::Write as _;

/// Pixels.
const ROW: usize = 28;
const LABEL: usize = 28;
const WIDTH: usize = 320;
const LEGEND: usize = 24;

/// Which chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chart {
    /// Stars of each sample.
    Stars,
    /// How the reviews of each sample lean.
    Leaning,
}

impl Chart {
    /// All that there are.
    pub const ALL: [Self; 2] = [Self::Stars, Self::Leaning];

    /// The last part of its URI.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Stars => "stars.svg",
            Self::Leaning => "leaning.svg",
        }
    }

    /// The one with this last part.
    pub fn parse(file_name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|chart| chart.file_name() == file_name)
    }

    /// What it shows.
    pub fn title(self) -> &'static str {
        match self {
            Self::Stars => "Stars of the reviews shown",
            Self::Leaning => "Praise and complaint in the reviews shown",
        }
    }

    /// One bar a place, in the order of the report: A, B, C …
    pub(super) fn draw<'a>(self, places: impl Iterator<Item = &'a Analysis>) -> String {
        let rows: Vec<_> = places.map(|analysis| self.parts(analysis)).collect();
        let height = rows.len() * ROW + LEGEND + ROW;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             role=\"img\" font-family=\"sans-serif\" font-size=\"12\"><title>{title}</title><text x=\"0\" y=\"16\">{title}</text>",
            width = LABEL + WIDTH,
            title = self.title()
        );
        for (position, (parts, label)) in rows.iter().zip('A'..='Z').enumerate() {
            let top = ROW + position * ROW;
            let _ = write!(svg, "<text x=\"0\" y=\"{}\">{label}</text>", top + 15);
            bar(&mut svg, top, parts);
        }
        legend(&mut svg, ROW + rows.len() * ROW, self.names());
        svg.push_str("</svg>");
        svg
    }

    /// How many reviews, in which colour.
    fn parts(self, analysis: &Analysis) -> Vec<(usize, &'static str)> {
        let (ratings, sentiment) = (&analysis.ratings, &analysis.sentiment);
        let counts = match self {
            Self::Stars => {
                vec![ratings.stars_5, ratings.stars_4, ratings.stars_3, ratings.stars_2, ratings.stars_1]
            }
            Self::Leaning => vec![sentiment.positive, sentiment.mixed, sentiment.negative],
        };
        counts.into_iter().zip(self.names().iter().map(|(_, colour)| *colour)).collect()
    }

    /// Colours that people who see no red or green can tell apart.
    fn names(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Stars => &[("5", "#08519c"), ("4", "#4292c6"), ("3", "#bdbdbd"), ("2", "#fdae6b"), ("1", "#d94801")],
            Self::Leaning => &[("praise", "#08519c"), ("mixed", "#bdbdbd"), ("complaint", "#d94801")],
        }
    }
}

fn bar(svg: &mut String, top: usize, parts: &[(usize, &str)]) {
    let total: usize = parts.iter().map(|(count, _)| count).sum();
    let mut drawn = 0;
    for (count, colour) in parts.iter().filter(|(count, _)| *count > 0) {
        let (from, to) = (drawn * WIDTH / total, (drawn + count) * WIDTH / total);
        let _ = write!(
            svg,
            "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"20\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\" fill=\"#fff\" \
             stroke=\"#000\" stroke-width=\"2\" paint-order=\"stroke\">{count}</text>",
            LABEL + from,
            to - from,
            LABEL + from + 6,
            top + 15
        );
        drawn += count;
    }
    if total == 0 {
        let _ = write!(svg, "<text x=\"{LABEL}\" y=\"{}\" fill=\"#666\">no reviews</text>", top + 15);
    }
}

fn legend(svg: &mut String, top: usize, names: &[(&str, &str)]) {
    for (position, (name, colour)) in names.iter().enumerate() {
        let left = LABEL + position * WIDTH / names.len();
        let _ = write!(
            svg,
            "<rect x=\"{left}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            top + 4,
            left + 16,
            top + 15
        );
    }
}
