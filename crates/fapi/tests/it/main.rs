//! The engine as a party sees it: requests in, decisions out, over a memory of the tests' own.

#[cfg(test)]
mod access;
#[cfg(test)]
mod authorization;
#[cfg(test)]
mod client_authentication;
#[cfg(test)]
mod client_configuration;
#[cfg(test)]
mod client_methods;
#[cfg(test)]
mod deviations;
#[cfg(test)]
mod lessons;
#[cfg(test)]
mod life_of_tokens;
#[cfg(test)]
mod metadata;
#[cfg(test)]
mod parameters;
#[cfg(test)]
mod pushed;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod request_objects;
#[cfg(test)]
mod responses;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod wire;
#[cfg(test)]
mod world;

#[test]
fn every_rule_of_the_catalogue_speaks_in_some_test() {
    let tests = [
        include_str!("access.rs"),
        include_str!("authorization.rs"),
        include_str!("client_authentication.rs"),
        include_str!("client_configuration.rs"),
        include_str!("client_methods.rs"),
        include_str!("life_of_tokens.rs"),
        include_str!("parameters.rs"),
        include_str!("pushed.rs"),
        include_str!("refresh.rs"),
        include_str!("registration.rs"),
        include_str!("request_objects.rs"),
        include_str!("responses.rs"),
        include_str!("tokens.rs"),
    ]
    .concat();
    let silent: Vec<_> =
        fapi::catalogue().into_iter().map(|rule| rule.id).filter(|id| !tests.contains(&format!("\"{id}\""))).collect();
    assert!(silent.is_empty(), "{silent:?}");
}
