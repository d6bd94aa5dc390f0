//! Why TLS failed, in words.

use std::{error::Error as StdError, io};

use rustls::{CertificateError, Error};

/// Why a TLS connection could not be made, or was given up by one end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// The other end ended the connection with an alert (RFC 8446, 6.2). In TLS 1.3 a refused client certificate shows
    /// only here, at the first read.
    #[error("the other end refused with the alert {alert}{}", dash(meaning))]
    RefusedByPeer {
        /// The alert's name, for example `CertificateRevoked`.
        alert: String,
        /// What the alert means here; empty when its name says it all.
        meaning: &'static str,
    },
    /// This end refused the other end's certificate.
    #[error("the other end's certificate is refused: {reason}")]
    CertificateRefused {
        /// What is wrong with it.
        reason: String,
    },
    /// Anything else: no common version or suite, or an end that does not speak TLS.
    #[error("{0}")]
    Other(String),
}

fn dash(meaning: &str) -> String {
    if meaning.is_empty() { String::new() } else { format!(" ({meaning})") }
}

/// How rustls writes an alert that it received. HTTP/2 keeps only this text of the error.
const ALERT_TEXT: &str = "received fatal alert: ";

impl TlsFault {
    /// Looks for a TLS failure in an error and in what caused it.
    pub(crate) fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        if let Some(error) = error.downcast_ref::<Error>() {
            return Some(error.into());
        }
        // An I/O error hides the error that it wraps from `source`.
        if let Some(inner) = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref)
            && let Some(found) = Self::find(inner)
        {
            return Some(found);
        }
        if let Some(found) = error.source().and_then(Self::find) {
            return Some(found);
        }
        let text = error.to_string();
        let (_, alert) = text.split_once(ALERT_TEXT)?;
        let name: String = alert.chars().take_while(char::is_ascii_alphanumeric).collect();
        Some(Self::alert(name))
    }

    fn alert(name: String) -> Self {
        let meaning = match name.as_str() {
            "UnknownCA" => "the certificate that was shown comes from an authority that it does not trust",
            "CertificateRevoked" => "the certificate that was shown is revoked",
            "CertificateExpired" => "the certificate that was shown is expired or not yet valid",
            "CertificateRequired" | "NoCertificate" => "it insists on a client certificate and none was shown",
            "BadCertificate" | "CertificateUnknown" => "the certificate that was shown is not acceptable",
            "UnsupportedCertificate" => "the certificate that was shown is not for this use",
            "AccessDenied" => "the certificate that was shown is good, but not allowed in",
            "HandshakeFailure" | "InsufficientSecurity" => "no cipher suite or signature scheme in common",
            "ProtocolVersion" => "no TLS version in common",
            "UnrecognisedName" => "it does not serve this host name",
            "NoApplicationProtocol" => "no application protocol in common",
            _ => "",
        };
        Self::RefusedByPeer { alert: name, meaning }
    }
}

impl From<&Error> for TlsFault {
    fn from(error: &Error) -> Self {
        match error {
            Error::AlertReceived(alert) => Self::alert(format!("{alert:?}")),
            Error::InvalidCertificate(error) => Self::CertificateRefused { reason: certificate_reason(error) },
            Error::NoCertificatesPresented => Self::CertificateRefused { reason: "none was shown".into() },
            other => Self::Other(other.to_string()),
        }
    }
}

fn certificate_reason(error: &CertificateError) -> String {
    match error {
        CertificateError::UnknownIssuer => "it comes from an authority that is not trusted here".into(),
        CertificateError::Revoked => "it is revoked".into(),
        CertificateError::Expired => "it is expired".into(),
        CertificateError::NotValidYet => "it is not valid yet".into(),
        CertificateError::BadEncoding => "it cannot be read".into(),
        CertificateError::BadSignature => "its signature is wrong".into(),
        CertificateError::InvalidPurpose => "it is not for this use".into(),
        CertificateError::UnhandledCriticalExtension => "it has a critical extension that is not understood".into(),
        // The variants with context describe themselves well.
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::AlertDescription;

    use super::*;

    fn revoked() -> TlsFault {
        TlsFault::from(&Error::AlertReceived(AlertDescription::CertificateRevoked))
    }

    #[test]
    fn a_fault_is_found_inside_io_errors_and_in_texts() {
        let wrapped = io::Error::other(Error::AlertReceived(AlertDescription::CertificateRevoked));
        assert_eq!(TlsFault::find(&wrapped), Some(revoked()));
        let twice = io::Error::other(wrapped);
        assert_eq!(TlsFault::find(&twice), Some(revoked()));
        let text = io::Error::other("connection error: received fatal alert: CertificateRevoked");
        assert_eq!(TlsFault::find(&text), Some(revoked()));
        assert_eq!(TlsFault::find(&io::Error::other("connection reset")), None);
    }

    #[test]
    fn words_say_who_refused_what() {
        assert_eq!(
            revoked().to_string(),
            "the other end refused with the alert CertificateRevoked (the certificate that was shown is revoked)"
        );
        let refused = TlsFault::from(&Error::InvalidCertificate(CertificateError::UnknownIssuer));
        assert_eq!(
            refused.to_string(),
            "the other end's certificate is refused: it comes from an authority that is not trusted here"
        );
    }
}
