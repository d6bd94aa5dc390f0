//! Party: onboarding, registration, journeys, callback server
