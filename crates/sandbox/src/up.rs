//! `ob-sandbox up`: an ecosystem that goes on.

use std::{path::PathBuf, process::ExitCode};

use aspsp::ProfileName;
use clap::Args;
use party::{DataDirectory, Owner, StartError, control::ClockReading, settings::read_yaml};
use scenario::Runner;
use serde::{Deserialize, Serialize};
use serde_json::json;
use transport::Stop;

use crate::{
    advance::told,
    command::Fixtures,
    hosting::{self, Hosted, Place},
    output::say,
    ports::Ports,
};

/// What is kept of an ecosystem beside its parties' folders.
const KEPT: &str = "sandbox.json";

/// Files without which an ecosystem cannot go on: what they hold is in the others' stores.
const NEEDED: [&str; 3] = ["directory/authority/root.pem", "bank/membership.json", "tpp/membership.json"];

/// Start an ecosystem and keep it running; prints URLs, customers' credentials, and where keys are.
#[derive(Debug, Args)]
pub struct Up {
    #[command(flatten)]
    fixtures: Fixtures,
    /// Folder for keys, certificates and stores; an ecosystem that was there before goes on
    #[arg(long, env = "OB_SANDBOX_DATA", value_name = "DIR", default_value = ".ob-sandbox")]
    data: PathBuf,
    /// First of 30 ports: Directory +0 to +9, bank +10 to +19, TPP +20 to +29; 0 takes free ones. An ecosystem that goes on
    /// keeps its ports [default: 8440]
    #[arg(long, env = "OB_SANDBOX_FIRST_PORT", value_name = "PORT")]
    first_port: Option<u16>,
    /// What the bank's authorization server demands and offers [default: fapi1-advanced-uk]
    #[arg(long, env = "OB_SANDBOX_PROFILE", value_name = "PROFILE", value_enum)]
    profile: Option<ProfileName>,
    /// Further settings of the bank: a file as for ob-aspsp --config (ob-aspsp --help lists them)
    #[arg(long, env = "OB_SANDBOX_BANK_CONFIG", value_name = "FILE")]
    bank_config: Option<PathBuf>,
    /// Lesson mode: control ports may switch off security rules and let the bank misbehave, so that attacks succeed
    #[arg(long, env = "OB_SANDBOX_LESSON", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    lesson: Option<bool>,
    /// Print the table as JSON
    #[arg(long)]
    json: bool,
}

/// What an ecosystem is to have again when it goes on: certificates, registrations and links name its addresses.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Kept {
    ports: Ports,
}

impl Up {
    pub(crate) async fn obey(self, stop: &Stop) -> Result<ExitCode, StartError> {
        let data = DataDirectory::open(&self.data)?;
        data.claim(&Owner::program("ob-sandbox up"))?;
        let kept: Option<Kept> = data.read_json(KEPT)?;
        let folder = self.data.display();
        if kept.is_some()
            && let Some(gone) = NEEDED.iter().find(|file| !self.data.join(file).exists())
        {
            return Err(StartError::Other(format!(
                "the ecosystem in {folder} cannot go on: {gone} is not there any more. Delete {folder} to begin anew, or give \
                 another folder with --data"
            )));
        }
        let place = Place {
            ports: self.ports(kept)?,
            lesson: self.lesson.unwrap_or_default(),
            profile: self.profile,
            bank_settings: self.bank_config.as_deref().map(read_yaml).transpose()?.unwrap_or_default(),
            ..self.fixtures.place(self.data.clone())
        };
        if !self.json {
            say!("Starting a Directory, a bank and a TPP ...");
        }
        let started = async {
            let hosted = hosting::start(&place, stop).await?;
            let client_id = join_in(&hosted).await?;
            Ok((hosted, client_id))
        };
        let (hosted, client_id) = started.await.map_err(|error: StartError| match error {
            StartError::Data(_) | StartError::Participant(_) | StartError::Pki(_) | StartError::Other(_)
                if kept.is_some() =>
            {
                StartError::Other(format!(
                    "the ecosystem in {folder} cannot go on: {error}. If that cannot be put right, delete {folder} to begin anew"
                ))
            }
            error => error,
        })?;
        data.write_json(KEPT, &Kept { ports: hosted.ports() })?;
        if self.json {
            say!("{:#}", table_as_json(&hosted, &client_id));
        } else {
            table(&hosted, &client_id, place.lesson);
        }
        hosted.ended().await;
        Ok(ExitCode::SUCCESS)
    }

    /// Where the parties listen: where they did, or where they are told to.
    fn ports(&self, kept: Option<Kept>) -> Result<Ports, StartError> {
        let wanted = match self.first_port {
            Some(0) => Some(Ports::default()),
            None => Ports::from(Ports::FIRST),
            Some(first) => Some(Ports::from(first).ok_or_else(|| {
                StartError::Configuration(format!("--first-port {first}: there are no 30 ports from there"))
            })?),
        };
        let wanted = wanted.unwrap_or_default();
        match (kept, self.first_port) {
            (None, _) => Ok(wanted),
            (Some(Kept { ports }), None | Some(0)) => Ok(ports),
            (Some(Kept { ports }), Some(_)) if ports == wanted => Ok(ports),
            (Some(Kept { ports }), Some(first)) => Err(StartError::Configuration(format!(
                "--first-port {first}: the bank of the ecosystem in {} is at port {}, and certificates, registrations and links \
                 say so. Leave --first-port out to go on there, or give a new ecosystem another folder with --data",
                self.data.display(),
                ports.bank.public
            ))),
        }
    }
}

/// Lets the TPP onboard and register, so that its certificates and its client are there to be used by hand.
async fn join_in(hosted: &Hosted) -> Result<String, StartError> {
    let failed = |error: String| StartError::Other(format!("the TPP could not onboard and register: {error}"));
    let runner = Runner::new(hosted.ecosystem()?)?;
    runner.join(&hosted.bank.name).await.map_err(|error| failed(error.to_string()))
}

fn table(hosted: &Hosted, client_id: &str, lesson: bool) {
    let (bank, directory, tpp) = (&hosted.bank, &hosted.directory, &hosted.tpp);
    say!("Started in {} ms. Ctrl-C stops it.\n", hosted.started_in.as_millis());
    let rows = [
        ("Directory", directory.public.to_string()),
        ("  API, mutual TLS", directory.api.to_string()),
        ("  control port", format!("http://{}", directory.control)),
        (bank.name.as_str(), bank.urls.public.to_string()),
        ("  discovery", bank.urls.page("/.well-known/openid-configuration")),
        ("  API, mutual TLS", bank.urls.mtls.to_string()),
        ("  control port", format!("http://{}", bank.control)),
        (tpp.name.as_str(), tpp.public.to_string()),
        ("  client at the bank", client_id.to_owned()),
        ("  control port", format!("http://{}", tpp.control)),
        ("Trust anchor", directory.trust_anchor.display().to_string()),
        ("Bank's certificates", bank.exports.display().to_string()),
        ("TPP's certificates", tpp.exports.display().to_string()),
    ];
    for (name, value) in rows {
        say!("{name:<22}{value}");
    }
    if !hosted.clock.is_true() {
        let reading = ClockReading { now: hosted.clock.now(), ahead: hosted.clock.offset().whole_seconds() };
        say!("{:<22}{}, as it was left", "Clock", told(&reading));
    }
    if lesson {
        say!("{:<22}on: control ports may switch off rules (docs/control.md)", "Lesson mode");
    }
    say!("\n{:<12}{:<26}{:<22}One-time password", "User name", "Customer", "Password");
    for login in &bank.logins {
        say!("{:<12}{:<26}{:<22}{}", login.username, login.name, login.password, login.one_time_password);
    }
}

fn table_as_json(hosted: &Hosted, client_id: &str) -> serde_json::Value {
    let (bank, directory, tpp) = (&hosted.bank, &hosted.directory, &hosted.tpp);
    let personas: Vec<_> = bank
        .logins
        .iter()
        .map(|login| {
            json!({
                "username": login.username, "name": login.name, "password": login.password,
                "one-time-password": login.one_time_password,
            })
        })
        .collect();
    json!({
        "directory": {
            "public": directory.public, "mtls": directory.api, "control": format!("http://{}", directory.control),
        },
        "bank": {
            "name": bank.name, "public": bank.urls.public, "mtls": bank.urls.mtls,
            "control": format!("http://{}", bank.control), "exports": bank.exports,
        },
        "tpp": {
            "name": tpp.name, "public": tpp.public, "client-id": client_id,
            "control": format!("http://{}", tpp.control), "exports": tpp.exports,
        },
        "trust-anchor": directory.trust_anchor,
        "clock-ahead": hosted.clock.offset().whole_seconds(),
        "personas": personas,
        "started-in-ms": u64::try_from(hosted.started_in.as_millis()).unwrap_or(u64::MAX),
    })
}
