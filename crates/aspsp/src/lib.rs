//! Party: authorization endpoints, consents, Read/Write APIs, pages
