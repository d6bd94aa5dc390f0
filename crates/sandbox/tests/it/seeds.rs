//! The same seed gives the same run.

use crate::hand_made::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_seed_repeats_identifiers_and_keys_stay_random() {
    let seeded = async |seed| {
        let world = World::on(|place| place.chance_seed = Some(seed)).await;
        let names = (world.client_id.clone(), world.consent().await, world.client_token().await);
        (names, world.signing.public_jwk().thumbprint())
    };
    let (first, again, other) = (seeded(7).await, seeded(7).await, seeded(8).await);
    assert_eq!(first.0, again.0);
    assert_ne!(first.1, again.1, "keys");
    assert_ne!(first.0.0, other.0.0);
    assert_ne!(first.0.1, other.0.1);
    assert_ne!(first.0.2, other.0.2);
}
