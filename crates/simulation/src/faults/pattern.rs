//! Which paths a fault is about.

/// A path in which a segment in braces stands for any one, and `*` at the end for whatever follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    /// None stands for any segment.
    segments: Vec<Option<String>>,
    /// Whatever follows fits, too.
    open: bool,
}

impl Pattern {
    /// None when the text cannot be the pattern of a path.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let (rest, open) = match rest.strip_suffix('*') {
            Some("") => return Some(Self { segments: Vec::new(), open: true }),
            Some(rest) => (rest.strip_suffix('/')?, true),
            None => (rest, false),
        };
        let segments = rest.split('/').map(segment).collect::<Option<_>>()?;
        Some(Self { segments, open })
    }

    pub(super) fn fits(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix('/') else { return false };
        let mut found = rest.split('/');
        for wanted in &self.segments {
            let fits = match (wanted, found.next()) {
                (_, None) => false,
                (Some(wanted), Some(found)) => wanted == found,
                (None, Some(found)) => !found.is_empty(),
            };
            if !fits {
                return false;
            }
        }
        self.open || found.next().is_none()
    }
}

fn segment(text: &str) -> Option<Option<String>> {
    let special = |text: &str| text.contains(['{', '}', '*', '?', '#']);
    match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => (!name.is_empty() && !special(name)).then_some(None),
        None => (!special(text)).then(|| Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_prefixes_fit() {
        for (pattern, path, expected) in [
            ("/token", "/token", true),
            ("/token", "/token/", false),
            ("/token", "/tokens", false),
            ("/", "/", true),
            ("/a/{id}/b", "/a/1/b", true),
            ("/a/{id}/b", "/a//b", false),
            ("/a/{id}/b", "/a/1/2/b", false),
            ("/a/*", "/a/1/b", true),
            ("/a/*", "/a", true),
            ("/a/*", "/ab", false),
            ("/*", "/anything/at/all", true),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().fits(path), expected, "{pattern} {path}");
        }
        for bad in ["", "token", "/a*", "/a/*/b", "/{", "/{}", "/a{x}", "/a?b=c"] {
            assert_eq!(Pattern::parse(bad), None, "{bad}");
        }
    }
}
