//! A program's settings in their three forms, and which one wins.
#![expect(clippy::expect_used, reason = "a test that cannot be set up fails")]

use std::{
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
};

/// A port that nobody else can take as long as this lives.
fn taken() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// Starts a party with an address for its public listener in the configuration file, in the environment and as a flag,
/// each of them taken, and looks at which one it complains about.
///
/// # Panics
/// The order is not flag, environment, file.
pub fn assert_precedence(program: &Path, prefix: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let (in_file, in_environment, as_flag) = (taken(), taken(), taken());
    let file = folder.path().join("party.yaml");
    let data = folder.path().join("data");
    let text = format!("data: {}\npublic-listen: {}\n", data.display(), in_file.1);
    std::fs::write(&file, text).expect("a configuration file");
    let complaint = |environment: bool, flag: bool| {
        let mut command = Command::new(program);
        command.env_clear().arg("--config").arg(&file);
        if environment {
            command.env(format!("{prefix}_PUBLIC_LISTEN"), in_environment.1.to_string());
        }
        if flag {
            command.args(["--public-listen", &as_flag.1.to_string()]);
        }
        let output = command.output().expect("the program");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    for (environment, flag, wanted) in
        [(false, false, in_file.1), (true, false, in_environment.1), (false, true, as_flag.1), (true, true, as_flag.1)]
    {
        let found = complaint(environment, flag);
        assert!(found.contains(&format!("cannot listen on {wanted} ")), "expected {wanted}, found {found}");
    }
}
