//! Where in a file its parts stand: the same YAML once more, as a tree of places.

use std::{fmt, path::PathBuf};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A place in a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: PathBuf,
    /// Counted from one.
    pub line: u64,
    /// Counted from one.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.display(), self.line)
    }
}

/// A part of a YAML text, and where it stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    pub(super) line: u64,
    pub(super) column: u64,
    part: Part,
}

#[derive(Debug, Clone, Default)]
enum Part {
    #[default]
    Nothing,
    Text(String),
    Items(Vec<Tree>),
    Members(Vec<(String, Tree)>),
}

impl Tree {
    /// The tree of a text; an empty one of a text that is no YAML, which whoever reads it with its types tells better.
    pub(super) fn read(text: &str) -> Self {
        serde_saphyr::from_str(text).unwrap_or_default()
    }

    /// The part at this path, or the last one on the way there.
    pub(super) fn at(&self, path: &[&str]) -> &Self {
        path.iter().try_fold(self, |tree, name| tree.get(name).ok_or(tree)).unwrap_or_else(|last| last)
    }

    /// Whether there is such a member.
    pub(super) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The names of its members.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let members = match &self.part {
            Part::Members(members) => members.as_slice(),
            _ => &[],
        };
        members.iter().map(|(name, _)| name.as_str())
    }

    fn get(&self, name: &str) -> Option<&Self> {
        match &self.part {
            Part::Members(members) => members.iter().find(|(known, _)| known == name).map(|(_, part)| part),
            Part::Items(items) => items.get(name.parse::<usize>().ok()?),
            Part::Text(_) | Part::Nothing => None,
        }
    }

    /// The only member of a step: what the step says.
    pub(super) fn only(&self) -> &Self {
        match &self.part {
            Part::Members(members) => members.first().map_or(self, |(_, part)| part),
            _ => self,
        }
    }

    /// All texts below, with the names of the members that they are of.
    pub(super) fn texts<'a>(&'a self, name: &'a str, visit: &mut dyn FnMut(&'a str, &'a str, &'a Self)) {
        match &self.part {
            Part::Nothing => {}
            Part::Text(text) => visit(name, text, self),
            Part::Items(items) => items.iter().for_each(|item| item.texts(name, visit)),
            Part::Members(members) => members.iter().for_each(|(name, part)| part.texts(name, visit)),
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Spanned { value: part, referenced, .. } = Spanned::<Part>::deserialize(deserializer)?;
        Ok(Self { line: referenced.line(), column: referenced.column(), part })
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts)
    }
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Part;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("YAML")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Part, E> {
        Ok(Part::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_none<E>(self) -> Result<Part, E> {
        Ok(Part::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Part, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(Part::Items(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Part, A::Error> {
        let mut all = Vec::new();
        while let Some(member) = members.next_entry()? {
            all.push(member);
        }
        Ok(Part::Members(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_knows_where_it_stands() {
        let tree = Tree::read("a: 1\nb:\n  - c: { d: text, e: [1, two] }\n");
        let at = |path: &[&str]| (tree.at(path).line, tree.at(path).column);
        assert_eq!(at(&["a"]), (1, 4));
        assert_eq!(at(&["b", "0", "c", "d"]), (3, 13));
        assert_eq!(at(&["b", "0", "c", "e", "1"]), (3, 26));
        assert_eq!(at(&["b", "0", "c", "nothing"]), at(&["b", "0", "c"]), "the last one on the way");
        let mut texts = Vec::new();
        tree.texts("", &mut |name, text, _| texts.push((name, text)));
        assert_eq!(texts, [("d", "text"), ("e", "two")]);
        assert_eq!(Tree::read("a: [").line, 0);
    }
}
