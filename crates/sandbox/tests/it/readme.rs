//! What the README tells a newcomer to type, typed.

use std::{os::unix::fs::symlink, path::Path, process::Command};

use crate::hand_made::World;

const README: &str = include_str!("../../../../README.md");

const YOUR_OWN_TPP: &str = include_str!("../../../../docs/your-own-tpp.md");

/// The blocks of commands in a text.
fn blocks(text: &str) -> Vec<&str> {
    text.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect()
}

/// The commands of a part of the README.
fn commands(from: &str, to: &str) -> Vec<&'static str> {
    let (_, rest) = README.split_once(from).unwrap();
    blocks(rest.split_once(to).unwrap().0)
}

/// Whether this machine has what the texts need.
fn can_be_typed() -> bool {
    let there = |program: &&str| Command::new(program).arg("--version").output().is_ok();
    let missing = ["bash", "curl", "openssl"].iter().find(|program| !there(program));
    missing.inspect(|missing| eprintln!("skipped: this needs {missing}")).is_none()
}

/// Types the commands in a folder in which `up` runs; what they print.
async fn typed(world: &World, mut script: String) -> String {
    let folder = tempfile::tempdir().unwrap();
    let data = world.hosted.directory.trust_anchor.ancestors().nth(3).unwrap();
    symlink(data, folder.path().join(".ob-sandbox")).unwrap();
    let ports = world.hosted.ports();
    let (directory, bank, tpp) = (ports.directory, ports.bank, ports.tpp);
    for (written, real) in [
        (8440, directory.public),
        (8441, directory.mtls),
        (8449, directory.control),
        (8450, bank.public),
        (8451, bank.mtls),
        (8459, bank.control),
        (8460, tpp.public),
        (8469, tpp.control),
    ] {
        script = script.replace(&format!(":{written}"), &format!(":{real}"));
    }
    let program = Path::new(env!("CARGO_BIN_EXE_ob-sandbox"));
    let script = format!("ob-sandbox() {{ '{}' \"$@\"; }}\n{script}", program.display());
    let mut command = Command::new("bash");
    command.args(["-c", &script]).current_dir(folder.path()).env_clear().env("PATH", std::env::var("PATH").unwrap());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    let [text, errors] = said;
    assert!(output.status.success() && errors.is_empty(), "{text}\n{errors}");
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_around_and_being_the_tpp_by_hand_work_as_they_stand_there_also_at_another_time() {
    if !can_be_typed() {
        return;
    }
    let world = World::new().await;
    world.advance(40 * 24 * 3600).await;
    let around = commands("## Look around", "## Be the TPP yourself");
    let by_hand = commands("## Be the TPP yourself", "## Test your own TPP");
    let [begin, goes_on] = around[..] else { panic!("{around:?}") };
    assert_eq!(by_hand.len(), 2, "{by_hand:?}");
    let customer = "ob-sandbox psu \"$(printf %s \"$LINK\" | member url)\" --deliver\n";
    assert!(README.contains(&customer.trim_end().replace("\\\"", "\"")), "the customer without a browser");
    let script = [begin, customer, goes_on, by_hand[0], by_hand[1]].concat();
    let written = script.lines().find(|line| line.starts_with("CLIENT=")).unwrap().to_owned();
    let text = typed(&world, script.replace(&written, &format!("CLIENT={}", world.client_id))).await;
    assert!(text.contains("Connected"), "the TPP's page: {text}");
    assert_eq!(text.matches("\"Account\":[{\"AccountId\"").count(), 2, "by the TPP's steps and by hand: {text}");
    assert!(text.contains("HTTP/2 401") && text.contains("error=\"invalid_token\""), "without a certificate: {text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tpp_of_ones_own_comes_from_nothing_to_accounts_as_the_page_says() {
    if !can_be_typed() {
        return;
    }
    let world = World::new().await;
    world.advance(40 * 24 * 3600).await;
    let text = typed(&world, blocks(YOUR_OWN_TPP).concat()).await;
    assert!(text.contains("The bank knows the TPP as "), "{text}");
    assert_eq!(text.matches("\"Account\":[{\"AccountId\"").count(), 1, "{text}");
}
