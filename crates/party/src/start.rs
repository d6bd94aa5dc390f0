//! Starting and stopping a process: one line and exit code 2 when a party cannot start.

use std::{future::Future, net::SocketAddr, process::ExitCode};

use tokio::task::JoinHandle;
use transport::Stop;

use crate::{DataError, participant::ParticipantError, settings::SettingsError};

/// The memory of every program: a request is made of many short texts, and one thread often frees what another took.
#[global_allocator]
static MEMORY: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit code of what could not start.
pub const CANNOT_START: u8 = 2;

/// Why a party cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address cannot be taken.
    #[error("cannot listen on {address} for {purpose}: {error}{}", hint(error))]
    Address {
        /// The address.
        address: SocketAddr,
        /// What for.
        purpose: &'static str,
        /// Why not.
        error: std::io::Error,
    },
    /// The store cannot be used.
    #[error("cannot use the store: {0}")]
    Store(#[from] store::StoreError),
    /// The configuration cannot be used.
    #[error("bad configuration: {0}")]
    Configuration(String),
    /// The settings cannot be used.
    #[error("bad configuration: {0}")]
    Settings(#[from] SettingsError),
    /// A file of the data directory cannot be used.
    #[error("cannot use the data directory: {0}")]
    Data(#[from] DataError),
    /// TLS cannot be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] transport::TlsError),
    /// A key or certificate could not be made.
    #[error("cannot make keys or certificates: {0}")]
    Pki(#[from] pki::PkiError),
    /// The Directory did not let the participant in.
    #[error("cannot take part: {0}")]
    Participant(#[from] ParticipantError),
    /// The logs cannot be written as asked for.
    #[error("bad configuration: {0}")]
    Logging(#[from] crate::logging::LoggingError),
    /// The table of routes is wrong.
    #[error("the table of routes is wrong: {0}")]
    Routes(#[from] transport::RouterError),
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// What to do about an address that cannot be taken.
fn hint(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            "; another program has that port, perhaps one of these that still runs: stop it, or choose other ports (--help)"
        }
        std::io::ErrorKind::PermissionDenied => "; ports below 1024 need privileges",
        _ => "",
    }
}

/// Runs a process: builds the runtime, hands out a [`Stop`] that Ctrl-C and SIGTERM trigger, and turns the result into an
/// exit code. What cannot start says why in one line and ends with exit code 2.
pub fn run<F, M>(name: &str, main: M) -> ExitCode
where
    M: FnOnce(Stop) -> F,
    F: Future<Output = Result<ExitCode, StartError>>,
{
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return cannot_start(name, &error),
    };
    let stop = Stop::new();
    let result = runtime.block_on(async {
        tokio::spawn(stop_on_signal(stop.clone()));
        main(stop.clone()).await
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match result {
        Ok(code) => code,
        // Stopped as asked, before there was anything to stop.
        Err(StartError::Participant(ParticipantError::Stopped)) => ExitCode::SUCCESS,
        Err(error) => cannot_start(name, &error),
    }
}

/// Prints a line that somebody asked for. A reader that went away (`ob-aspsp rules | head -1`) is no failure.
pub fn say(line: impl std::fmt::Display) {
    use std::io::Write;
    // There is nobody to tell that nobody reads.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[expect(clippy::print_stderr, reason = "the last words of a process that cannot start")]
fn cannot_start(name: &str, error: &dyn std::fmt::Display) -> ExitCode {
    let line = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    eprintln!("{name}: {line}");
    ExitCode::from(CANNOT_START)
}

async fn stop_on_signal(stop: Stop) {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        heard = tokio::signal::ctrl_c() => if let Err(error) = heard {
            tracing::warn!(%error, "Ctrl-C cannot be heard");
            return;
        },
        () = terminated => {}
    }
    stop.trigger();
}

/// Waits until every task of a party has ended.
pub async fn ended(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        if let Err(error) = task.await {
            tracing::error!(%error, "a listener ended badly");
        }
    }
}
