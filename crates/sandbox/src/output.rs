//! What the program prints. A reader that went away (`ob-sandbox schema | head -1`) is no failure: what is left is printed
//! nowhere, and what was begun ends as it would have.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, Write},
};

/// Prints a text to the letter.
pub(crate) fn text(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints a line in the manner of `println!`.
macro_rules! say {
    ($($text:tt)*) => { ::party::say(format_args!($($text)*)) };
}
pub(crate) use say;

/// The text with what a terminal would obey written out: a bank's words neither move the cursor nor begin lines.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    let obeyed = |letter: char| {
        letter.is_control()
            || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' => plain.push_str("\\n"),
            '\t' => plain.push(' '),
            letter if obeyed(letter) => {
                // Writing to a String does not fail.
                let _ = write!(plain, "{}", letter.escape_unicode());
            }
            letter => plain.push(letter),
        }
    }
    Cow::Owned(plain)
}

/// A text of several lines, each of them plain.
pub(crate) fn plain_lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_but_words() {
        for (text, shown) in [
            ("Ben\u{fc}tzer \u{201e}a\u{201c} 5 \u{20ac}", "Ben\u{fc}tzer \u{201e}a\u{201c} 5 \u{20ac}"),
            ("no\n\nattack: passed", "no\\n\\nattack: passed"),
            ("\u{1b}[2J\r\u{7}", "\\u{1b}[2J\\u{d}\\u{7}"),
            ("a\u{202e}b\tc\u{9b}d", "a\\u{202e}b c\\u{9b}d"),
        ] {
            assert_eq!(plain(text), shown);
        }
        assert_eq!(plain_lines("one\ntwo\u{1b}"), "one\ntwo\\u{1b}");
    }
}
