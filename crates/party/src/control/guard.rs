//! Who may use a control port. That it listens on loopback keeps no web page out: a browser on this machine sends what any
//! page tells it to, and a page that has its own name lead here (DNS rebinding) reads the answers too.

use std::sync::Arc;

use http::{StatusCode, header, uri::Authority};
use subtle::ConstantTimeEq;
use transport::{Request, Response, Route, route};
use url::Host;

use super::{Control, refuse};

/// Puts the guard before a route. Health needs none: it says nothing.
pub(super) fn guarded<C: Send + Sync + 'static>(inner: Route<Control<C>>) -> Route<Control<C>> {
    if inner.path == "/health" || inner.path == "/ready" {
        return inner;
    }
    let handler = Arc::clone(&inner.handler);
    let wrapped = route(inner.method.clone(), inner.path.clone(), move |control: Arc<Control<C>>, request: Request| {
        let handler = Arc::clone(&handler);
        async move {
            match control.admit(&request) {
                Ok(()) => handler(control, request).await,
                Err(refused) => *refused,
            }
        }
    });
    wrapped.body_limit(inner.body_limit)
}

impl<C> Control<C> {
    fn admit(&self, request: &Request) -> Result<(), Box<Response>> {
        let refused = |status, text: String| Err(Box::new(refuse(status, text)));
        // A browser names the page's origin; the control port has no page.
        if let Some(origin) = request.headers.get(header::ORIGIN) {
            let origin = origin.to_str().unwrap_or("an origin that is no text");
            return refused(
                StatusCode::FORBIDDEN,
                format!("this control port takes no requests of web pages: {origin}"),
            );
        }
        match &self.token {
            Some(token) => {
                let found = request.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
                if found.unwrap_or_default().as_bytes().ct_eq(token.as_bytes()).into() {
                    return Ok(());
                }
                let text = "this control port demands Authorization: Bearer and its token";
                refused(StatusCode::UNAUTHORIZED, text.to_owned())
            }
            None => {
                let host = request.header("host").unwrap_or("no host");
                if names_this_machine(host) {
                    return Ok(());
                }
                let text = format!("a control port without a token is asked as localhost or 127.0.0.1, not as {host}");
                refused(StatusCode::FORBIDDEN, text)
            }
        }
    }
}

/// Whether a `Host` header can only lead to this machine: `localhost`, a name below it, or an address of loopback.
fn names_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    match Host::parse(authority.host()) {
        Ok(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Ok(Host::Ipv4(address)) => address.is_loopback(),
        Ok(Host::Ipv6(address)) => address.is_loopback(),
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_lead_to_this_machine_are_its_own() {
        for own in [
            "localhost",
            "localhost:8459",
            "LOCALHOST:1",
            "bank.localhost:8459",
            "localhost.",
            "127.0.0.1:8459",
            "127.8.8.8",
            "[::1]:8459",
        ] {
            assert!(names_this_machine(own), "{own}");
        }
        for foreign in [
            "evil.example",
            "evil.example:8459",
            "localhost.evil.example",
            "notlocalhost",
            "127.0.0.1.evil.example",
            "192.168.0.1:8459",
            "0.0.0.0:8459",
            "[2001:db8::1]:8459",
            "no host",
            "",
        ] {
            assert!(!names_this_machine(foreign), "{foreign}");
        }
    }
}
