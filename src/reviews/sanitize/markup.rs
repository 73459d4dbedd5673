//! Breaks Markdown and HTML with a space, so that what a stranger wrote is read and not rendered.

/// Separates `![`, `](`, `][`, `]:`, and `<` before a letter, `/`, `!` or `?`; shortens fences of backticks and tildes.
pub(super) fn neutralise(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    let mut fence = (' ', 0);
    while let Some(character) = characters.next() {
        // Three or more open a block in which everything looks like code.
        fence = if character == fence.0 { (character, fence.1 + 1) } else { (character, 1) };
        if matches!(character, '`' | '~') && fence.1 > 2 {
            continue;
        }
        safe.push(character);
        let starts_markup = match (character, characters.peek()) {
            ('!', Some('[')) | (']', Some('(' | '[' | ':')) => true,
            ('<', Some(next)) => next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?'),
            _ => false,
        };
        if starts_markup {
            safe.push(' ');
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_links_and_tags_are_broken_and_hearts_are_not() {
        assert_eq!(neutralise("![x](http://evil/?q=1)"), "! [x] (http://evil/?q=1)");
        assert_eq!(neutralise("[x][1]\n[1]: http://evil"), "[x] [1]\n[1] : http://evil");
        assert_eq!(neutralise("<img src=x></review>"), "< img src=x>< /review>");
        assert_eq!(neutralise("love it <3 and 2 < 3"), "love it <3 and 2 < 3");
        assert_eq!(neutralise("```json\n{}\n````\n~~~"), "``json\n{}\n``\n~~");
    }
}
