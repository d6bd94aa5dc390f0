//! Path templates such as `/accounts/{AccountId}/balances`, in a tree of segments.

use std::collections::HashMap;

/// A tree of path segments whose leaves hold a value.
pub(super) struct Tree<T> {
    nodes: Vec<Node<T>>,
}

struct Node<T> {
    fixed: HashMap<String, usize>,
    parameter: Option<usize>,
    value: Option<T>,
}

impl<T> Node<T> {
    fn new() -> Self {
        Self { fixed: HashMap::new(), parameter: None, value: None }
    }
}

/// A template cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed;

impl<T> Tree<T> {
    pub(super) fn new() -> Self {
        Self { nodes: vec![Node::new()] }
    }

    /// The place of a template's value and the names of its parameters in order.
    pub(super) fn entry(&mut self, template: &str) -> Result<(&mut Option<T>, Vec<String>), Malformed> {
        let segments = template.strip_prefix('/').ok_or(Malformed)?;
        let mut names = Vec::new();
        let mut at = 0;
        for segment in segments.split('/') {
            let next = self.nodes.len();
            let node = self.nodes.get_mut(at).ok_or(Malformed)?;
            at = match parameter(segment)? {
                Some(name) => {
                    if name.is_empty() || names.iter().any(|known| known == name) {
                        return Err(Malformed);
                    }
                    names.push(name.to_owned());
                    *node.parameter.get_or_insert(next)
                }
                None => *node.fixed.entry(segment.to_owned()).or_insert(next),
            };
            if at == next {
                self.nodes.push(Node::new());
            }
        }
        Ok((&mut self.nodes.get_mut(at).ok_or(Malformed)?.value, names))
    }

    /// The value for a path and the decoded values of its parameters. A fixed segment wins over a parameter; a parameter
    /// stands for exactly one segment that is not empty.
    pub(super) fn find(&self, path: &str) -> Option<(&T, Vec<String>)> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        let mut values = Vec::new();
        let value = self.descend(0, &segments, &mut values)?;
        Some((value, values))
    }

    fn descend(&self, at: usize, segments: &[&str], values: &mut Vec<String>) -> Option<&T> {
        let node = self.nodes.get(at)?;
        let Some((segment, rest)) = segments.split_first() else {
            return node.value.as_ref();
        };
        if let Some(next) = node.fixed.get(*segment)
            && let Some(found) = self.descend(*next, rest, values)
        {
            return Some(found);
        }
        let next = node.parameter?;
        values.push(percent_decode(segment).filter(|value| !value.is_empty())?);
        let found = self.descend(next, rest, values);
        if found.is_none() {
            values.pop();
        }
        found
    }
}

/// The name of a segment that is a parameter.
fn parameter(segment: &str) -> Result<Option<&str>, Malformed> {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) if !name.contains(['{', '}']) => Ok(Some(name)),
        None if !segment.contains(['{', '}']) => Ok(None),
        _ => Err(Malformed),
    }
}

/// A path segment without its percent-encoding (RFC 3986, 2.1); none when it is malformed or no UTF-8.
fn percent_decode(segment: &str) -> Option<String> {
    if !segment.contains('%') {
        return Some(segment.to_owned());
    }
    let mut decoded = Vec::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let mut digit = || char::from(bytes.next()?).to_digit(16);
            let (high, low) = (digit()?, digit()?);
            decoded.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            decoded.push(byte);
        }
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(templates: &[&'static str]) -> Tree<&'static str> {
        let mut tree = Tree::new();
        for template in templates {
            *tree.entry(template).unwrap().0 = Some(*template);
        }
        tree
    }

    #[test]
    fn fixed_segments_win_and_parameters_are_tried_next() {
        let tree = tree(&["/", "/a/{x}", "/a/self", "/a/self/b", "/a/{y}/c", "/{z}/self/{w}"]);
        let found = |path| tree.find(path).map(|(value, values)| (*value, values));
        let some = |template, values: &[&str]| Some((template, values.iter().map(ToString::to_string).collect()));
        assert_eq!(found("/"), some("/", &[]));
        assert_eq!(found("/a/self"), some("/a/self", &[]));
        assert_eq!(found("/a/1"), some("/a/{x}", &["1"]));
        assert_eq!(found("/a/self/b"), some("/a/self/b", &[]));
        assert_eq!(found("/a/self/c"), some("/a/{y}/c", &["self"]));
        assert_eq!(found("/a/self/d"), some("/{z}/self/{w}", &["a", "d"]));
        assert_eq!(found("/a/1/d"), None);
    }

    #[test]
    fn a_parameter_is_one_decoded_segment() {
        let tree = tree(&["/a/{x}"]);
        let value = |path| tree.find(path).map(|(_, values)| values[0].clone());
        assert_eq!(value("/a/b%2Fc%C3%A9"), Some("b/cé".into()));
        for bad in ["/a/", "/a", "/a/b/", "/a/%", "/a/%4", "/a/%zz", "/a/%ff", "/a/%+1", "a/b", ""] {
            assert_eq!(value(bad), None, "{bad}");
        }
    }

    #[test]
    fn malformed_templates_are_refused() {
        for bad in ["a", "", "/{", "/a{x}", "/{x}b", "/{x}/{x}", "/{}", "/{{x}}"] {
            assert!(Tree::<()>::new().entry(bad).is_err(), "{bad}");
        }
    }
}
