//! What consents are for: one row each.

use openbanking::version::ApiVersion;

/// What a consent is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConsentKind {
    /// Reading accounts.
    AccountAccess,
}

/// What is the same for all consents of a kind.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Resource group of the API, the path below the version.
    pub group: &'static str,
    /// Path of the consents below the group.
    pub path: &'static str,
    /// First letters of the identifiers.
    pub prefix: &'static str,
    /// Scope of the tokens under it.
    pub scope: &'static str,
    /// Whether access lasts: it can be authorised again, withdrawn by the PSU and deleted by the TPP.
    pub lasting: bool,
}

impl ConsentKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[Self::AccountAccess];

    /// What is the same for all consents of the kind.
    #[must_use]
    pub fn row(self) -> Row {
        match self {
            Self::AccountAccess => {
                Row { group: "aisp", path: "/account-access-consents", prefix: "aac", scope: "accounts", lasting: true }
            }
        }
    }

    /// The path of a consent of this kind in that version.
    #[must_use]
    pub fn resource(self, version: ApiVersion, id: &str) -> String {
        let row = self.row();
        format!("/open-banking/{version}/{}{}/{id}", row.group, row.path)
    }
}
