//! Settings of `ob-aspsp`.

#[test]
fn a_flag_wins_over_the_environment_and_the_environment_over_the_file() {
    testkit::settings::assert_precedence(env!("CARGO_BIN_EXE_ob-aspsp").as_ref(), "OB_ASPSP");
}
