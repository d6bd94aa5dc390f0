//! A Directory, a bank and a TPP in one process.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use aspsp::{Login, ProfileName};
use party::{DataDirectory, StartError, Tools, participant::make_keys};
use pki::Certificate;
use psu::Credentials;
use scenario::{
    ControlAddress, Ecosystem,
    language::{AuthorizationServer, OtherBank, OtherTpp},
};
use simulation::Clock;
use tokio::task::JoinHandle;
use transport::Stop;
use url::Url;

use crate::ports::Ports;

/// Profile of the bank.
const FIRST_BANK: &str = include_str!("../../../fixtures/bank.yaml");

/// Profile of the second TPP.
const SECOND_TPP: &str = include_str!("../../../fixtures/second-tpp.yaml");

/// Profile of the second bank.
const SECOND_BANK: &str = include_str!("../../../fixtures/second-bank.yaml");

/// Further TPPs by the names that scenarios use.
pub type FurtherTpps = BTreeMap<String, OtherTpp>;
/// Further banks by the names that scenarios use.
pub type FurtherBanks = BTreeMap<String, OtherBank>;

/// Where an ecosystem lives.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Folder for all parties' data.
    pub data: PathBuf,
    /// Where the parties listen.
    pub ports: Ports,
    /// Bank profile; the built-in one if none.
    pub bank: Option<PathBuf>,
    /// Customers; the built-in ones if none.
    pub personas: Option<PathBuf>,
    /// TPP profile; the built-in one if none.
    pub tpp: Option<PathBuf>,
    /// Further TPPs.
    pub tpps: FurtherTpps,
    /// Further banks, with the first one's customers.
    pub banks: FurtherBanks,
    /// What the bank's authorization server demands and offers; the usual profile if none.
    pub profile: Option<ProfileName>,
    /// What else the bank is told; addresses and folders in it are replaced.
    pub bank_settings: aspsp::Settings,
    /// Whether rules can be switched off (lesson mode), at every party.
    pub lesson: bool,
    /// Seed of every party's identifiers and tokens, for runs that repeat.
    pub chance_seed: Option<u64>,
}

/// An ecosystem that runs.
pub struct Hosted {
    /// The Directory.
    pub directory: directory::Running,
    /// The bank.
    pub bank: aspsp::Running,
    /// The TPP.
    pub tpp: tpp::Running,
    /// Further TPPs, by the names that scenarios use.
    pub tpps: BTreeMap<String, tpp::Running>,
    /// Further banks, by the names that scenarios use.
    pub banks: BTreeMap<String, aspsp::Running>,
    /// The one clock of all of them.
    pub clock: Clock,
    /// How long it took to start.
    pub started_in: Duration,
}

/// Starts all parties. They stop when `stop` is triggered.
///
/// # Errors
/// A party cannot start.
pub async fn start(place: &Place, stop: &Stop) -> Result<Hosted, StartError> {
    let began = Instant::now();
    let folder = |name: &str| place.data.join(name);
    let address = |port: u16| Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port));
    let ports = place.ports;
    // One process has one time: whoever moves the clock at one party moves it at all of them.
    let clock = latest_clock(place)?;
    let tools = |party: &str| Tools { clock: clock.clone(), ..Tools::real(party, stop.clone()) };

    let settings = directory::Settings {
        data: Some(folder("directory")),
        public_listen: address(ports.directory.public),
        mtls_listen: address(ports.directory.mtls),
        control_listen: address(ports.directory.control),
        lesson: Some(place.lesson),
        chance_seed: place.chance_seed,
        ..directory::Settings::default()
    };
    // Participants' keys are made while the Directory makes its own: nothing in them depends on it.
    let (directory, (), ()) =
        tokio::try_join!(directory::start(settings, tools("directory")), keys(folder("bank")), keys(folder("tpp")),)?;
    let bank = aspsp::Settings {
        data: Some(folder("bank")),
        directory: Some(directory.public.clone()),
        trust_anchor: Some(directory.trust_anchor.clone()),
        public_listen: address(ports.bank.public),
        mtls_listen: address(ports.bank.mtls),
        control_listen: address(ports.bank.control),
        lesson: Some(place.lesson),
        chance_seed: place.chance_seed,
        bank: place.bank.clone().or(place.bank_settings.bank.clone()),
        personas: place.personas.clone().or(place.bank_settings.personas.clone()),
        profile: place.profile.or(place.bank_settings.profile),
        public_url: None,
        mtls_url: None,
        control_token: None,
        ..place.bank_settings.clone()
    };
    let tpp = tpp::Settings {
        data: Some(folder("tpp")),
        directory: Some(directory.public.clone()),
        trust_anchor: Some(directory.trust_anchor.clone()),
        public_listen: address(ports.tpp.public),
        control_listen: address(ports.tpp.control),
        lesson: Some(place.lesson),
        chance_seed: place.chance_seed,
        profile: place.tpp.clone(),
        ..tpp::Settings::default()
    };
    let (bank, banks) = (aspsp::start(bank, tools("bank")), further_banks(place, &directory, &tools));
    let tpp = tpp::start(tpp, tools("tpp"));
    let (bank, banks, tpp) = match place.chance_seed {
        None => tokio::try_join!(bank, banks, tpp)?,
        // A run that repeats: what the Directory gives to whom depends on who comes first.
        Some(_) => (bank.await?, banks.await?, tpp.await?),
    };
    let mut tpps = BTreeMap::new();
    for (name, other) in &place.tpps {
        // With the seed of the first TPP it would make the first one's identifiers.
        let distance = 1000 + u64::try_from(tpps.len()).unwrap_or_default();
        let settings = tpp::Settings {
            lesson: Some(place.lesson),
            chance_seed: place.chance_seed.map(|seed| seed.wrapping_add(distance)),
            ..further_tpp(&folder(name), other.profile.as_deref(), &directory)?
        };
        tpps.insert(name.clone(), tpp::start(settings, tools(name)).await?);
    }
    Ok(Hosted { directory, bank, banks, tpp, tpps, clock, started_in: began.elapsed() })
}

/// A clock that is where the latest of the parties' clocks was.
fn latest_clock(place: &Place) -> Result<Clock, StartError> {
    let clock = Clock::real();
    let further = place.banks.keys().chain(place.tpps.keys()).map(String::as_str);
    for name in ["directory", "bank", "tpp"].into_iter().chain(further) {
        let data = DataDirectory::open(&place.data.join(name))?;
        party::clock::restore(&data, &clock)?;
    }
    Ok(clock)
}

const FREE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Starts the banks beside the first one, on free ports.
async fn further_banks(
    place: &Place,
    directory: &directory::Running,
    tools: &impl Fn(&str) -> Tools,
) -> Result<BTreeMap<String, aspsp::Running>, StartError> {
    let mut banks = BTreeMap::new();
    for (name, other) in &place.banks {
        // With the first bank's seeds it would make the first one's identifiers and money.
        let distance = 2000 + u64::try_from(banks.len()).unwrap_or_default();
        let data = place.data.join(name);
        let settings = aspsp::Settings {
            bank: Some(own_profile(&data, other.profile.as_deref(), SECOND_BANK)?),
            profile: Some(match other.authorization_server {
                AuthorizationServer::Fapi1AdvancedUk => ProfileName::Fapi1AdvancedUk,
                AuthorizationServer::Fapi1Advanced => ProfileName::Fapi1Advanced,
            }),
            clients: other.clients.as_ref().map(PathBuf::from),
            data: Some(data),
            directory: Some(directory.public.clone()),
            trust_anchor: Some(directory.trust_anchor.clone()),
            public_listen: Some(FREE),
            mtls_listen: Some(FREE),
            control_listen: Some(FREE),
            lesson: Some(place.lesson),
            seed: Some(distance),
            chance_seed: place.chance_seed.map(|seed| seed.wrapping_add(distance)),
            personas: place.personas.clone(),
            ..aspsp::Settings::default()
        };
        banks.insert(name.clone(), aspsp::start(settings, tools(name)).await?);
    }
    Ok(banks)
}

/// The profile of a party beside the first one of its kind: its own, or the built-in one, written beside its data.
fn own_profile(data: &Path, profile: Option<&str>, built_in: &str) -> Result<PathBuf, StartError> {
    if let Some(profile) = profile {
        return Ok(profile.into());
    }
    DataDirectory::open(data)?;
    let path = data.join("profile.yaml");
    std::fs::write(&path, built_in)
        .map_err(|error| StartError::Other(format!("cannot write {}: {error}", path.display())))?;
    Ok(path)
}

/// Settings of a TPP beside the first one, on free ports.
fn further_tpp(
    data: &Path,
    profile: Option<&str>,
    directory: &directory::Running,
) -> Result<tpp::Settings, StartError> {
    Ok(tpp::Settings {
        data: Some(data.to_owned()),
        directory: Some(directory.public.clone()),
        trust_anchor: Some(directory.trust_anchor.clone()),
        public_listen: Some(FREE),
        control_listen: Some(FREE),
        profile: Some(own_profile(data, profile, SECOND_TPP)?),
        ..tpp::Settings::default()
    })
}

async fn keys(folder: PathBuf) -> Result<(), StartError> {
    Ok(make_keys(&DataDirectory::open(&folder)?).await?)
}

/// The name at the Directory of the bank with this profile, or with the built-in one.
///
/// # Errors
/// The profile cannot be read or is wrong.
pub fn bank_name(profile: Option<&Path>) -> Result<String, StartError> {
    let wrong =
        |path: &Path, error: &dyn std::fmt::Display| StartError::Configuration(format!("{}: {error}", path.display()));
    match profile {
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| wrong(path, &error))?;
            name_of(&text).map_err(|error| wrong(path, &error))
        }
        None => name_of(FIRST_BANK).map_err(StartError::Other),
    }
}

/// That of the built-in second bank.
///
/// # Errors
/// The built-in profile is wrong.
pub fn second_bank_name() -> Result<String, StartError> {
    name_of(SECOND_BANK).map_err(StartError::Other)
}

fn name_of(profile: &str) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    party::settings::parse_yaml::<Named>(profile).map(|named| named.name)
}

/// The credentials of the customers in this file, or of the built-in ones, by user name.
///
/// # Errors
/// The file cannot be read or is wrong.
pub fn credentials_in(personas: Option<&Path>) -> Result<BTreeMap<String, Credentials>, StartError> {
    let personas = aspsp::money::personas(personas)?.personas.into_iter();
    Ok(personas
        .map(|persona| {
            let one_time_password = persona.one_time_password.as_str().to_owned();
            let (username, password) = (persona.username, persona.password);
            (username.clone(), Credentials { username, password, one_time_password })
        })
        .collect())
}

/// The customers of a bank, as the simulated customer needs them.
#[must_use]
pub fn credentials(logins: &[Login]) -> BTreeMap<String, Credentials> {
    let credentials = |login: &Login| Credentials {
        username: login.username.clone(),
        password: login.password.clone(),
        one_time_password: login.one_time_password.clone(),
    };
    logins.iter().map(|login| (login.username.clone(), credentials(login))).collect()
}

/// Reads the certificates of a file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn certificates(path: &Path) -> Result<Vec<Certificate>, StartError> {
    let wrong = |error: &dyn std::fmt::Display| StartError::Configuration(format!("{}: {error}", path.display()));
    let pem = std::fs::read_to_string(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    Certificate::all_from_pem(&pem).map_err(|error| wrong(&error))
}

/// Reads the first certificate of a file.
///
/// # Errors
/// The file cannot be read or holds no certificate.
pub fn certificate(path: &Path) -> Result<Certificate, StartError> {
    let first = certificates(path)?.into_iter().next();
    first.ok_or_else(|| StartError::Configuration(format!("{}: there is no certificate in it", path.display())))
}

impl Hosted {
    /// The parties as the scenario runner sees them.
    ///
    /// # Errors
    /// The trust anchor cannot be read.
    pub fn ecosystem(&self) -> Result<Ecosystem, StartError> {
        let mut others = vec![control("directory", self.directory.control)?, control("bank", self.bank.control)?];
        for (name, bank) in &self.banks {
            others.push(control(name, bank.control)?);
        }
        let mut trust_anchors = certificates(&self.directory.trust_anchor)?;
        // Customers of a TPP with keys of its own go to banks that it trusts.
        for tpp in std::iter::once(&self.tpp).chain(self.tpps.values()) {
            trust_anchors.extend(tpp.trusts.iter().cloned());
        }
        Ok(Ecosystem {
            tpp: control("tpp", self.tpp.control)?,
            tpps: self
                .tpps
                .iter()
                .map(|(name, tpp)| Ok((name.clone(), control(name, tpp.control)?)))
                .collect::<Result<_, StartError>>()?,
            others,
            trust_anchors,
            credentials: credentials(&self.bank.logins),
        })
    }

    /// Where the first three parties listen.
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports::of(self)
    }

    /// Waits until every party has stopped.
    pub async fn ended(self) {
        let tasks: Vec<JoinHandle<()>> = self
            .tpp
            .tasks
            .into_iter()
            .chain(self.tpps.into_values().flat_map(|tpp| tpp.tasks))
            .chain(self.bank.tasks)
            .chain(self.banks.into_values().flat_map(|bank| bank.tasks))
            .chain(self.directory.tasks)
            .collect();
        party::ended(tasks).await;
    }
}

fn control(party: &str, address: SocketAddr) -> Result<ControlAddress, StartError> {
    let url = Url::parse(&format!("http://{address}")).map_err(|error| StartError::Other(error.to_string()))?;
    Ok(ControlAddress { party: party.to_owned(), url, token: None })
}
