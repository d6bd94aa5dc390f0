//! How the members of a payload are declared: each with its name, its type and whether it must be there.

/// Declares a payload whose members are written in PascalCase: `one` is always there, `maybe` is left out when absent,
/// `many` is left out when empty; `moment` and `maybe_moment` are date-times.
macro_rules! payload {
    ($(#[$doc:meta])* pub struct $name:ident { $($rows:tt)* }) => {
        $crate::payload::payload!(@ [$(#[$doc])*] $name [] $($rows)*);
    };
    (@ $head:tt $name:ident [$($done:tt)*] $(#[$row:meta])* one $member:ident: $type:ty, $($rows:tt)*) => {
        $crate::payload::payload!(@ $head $name [$($done)* $(#[$row])* pub $member: $type,] $($rows)*);
    };
    (@ $head:tt $name:ident [$($done:tt)*] $(#[$row:meta])* maybe $member:ident: $type:ty, $($rows:tt)*) => {
        $crate::payload::payload!(@ $head $name [$($done)*
            $(#[$row])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $member: Option<$type>,
        ] $($rows)*);
    };
    (@ $head:tt $name:ident [$($done:tt)*] $(#[$row:meta])* many $member:ident: $type:ty, $($rows:tt)*) => {
        $crate::payload::payload!(@ $head $name [$($done)*
            $(#[$row])* #[serde(default, skip_serializing_if = "Vec::is_empty")] pub $member: Vec<$type>,
        ] $($rows)*);
    };
    (@ $head:tt $name:ident [$($done:tt)*] $(#[$row:meta])* moment $member:ident, $($rows:tt)*) => {
        $crate::payload::payload!(@ $head $name [$($done)*
            $(#[$row])* #[serde(with = "crate::dates::serde_form")] pub $member: time::OffsetDateTime,
        ] $($rows)*);
    };
    (@ $head:tt $name:ident [$($done:tt)*] $(#[$row:meta])* maybe_moment $member:ident, $($rows:tt)*) => {
        $crate::payload::payload!(@ $head $name [$($done)*
            $(#[$row])*
            #[serde(default, with = "crate::dates::serde_form::option", skip_serializing_if = "Option::is_none")]
            pub $member: Option<time::OffsetDateTime>,
        ] $($rows)*);
    };
    (@ [$($head:tt)*] $name:ident [$($done:tt)*]) => {
        $($head)*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name { $($done)* }
    };
}
pub(crate) use payload;

/// Declares the `Data` of a resource that is a list.
macro_rules! list {
    ($(#[$doc:meta])* pub struct $name:ident { $member:ident: $type:ty }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            /// One page of them; empty when there are none.
            #[serde(default)]
            pub $member: Vec<$type>,
        }
    };
}
pub(crate) use list;
