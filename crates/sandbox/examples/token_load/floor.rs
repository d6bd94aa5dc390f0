//! A server that does as little as can be done for a request behind the bank's TLS: it answers a constant, or first makes
//! a commit like the token endpoint's durable. What it costs is the floor of transport and store.

use std::{net::Ipv4Addr, path::Path, sync::Arc};

use http::{Method, StatusCode};
use sandbox::hosting;
use simulation::{Chance, Clock, Faults};
use store::{Change, Expect, SledStore, Store};
use tokio::{io::AsyncReadExt, net::TcpListener};
use transport::{
    ClientCertificates, Observer, Problem, Request, Response, Router, ServerTls, Stop, reply, route, serve,
};

use crate::{Failed, identity};

/// Path that answers at once.
pub(crate) const CONSTANT: &str = "/constant";
/// Path that makes a commit first.
pub(crate) const COMMIT: &str = "/commit";

/// As long as an answer with an access token.
const ANSWER: &str = r#"{"access_token":"0123456789012345678901234567890123456789012","token_type":"Bearer","expires_in":300,"scope":"accounts"}"#;
/// As long as the records of a used `jti` and of an access token.
const RECORDS: [(&str, usize); 2] = [("used-jtis", 50), ("access-tokens", 330)];

struct Context {
    store: SledStore,
    chance: Chance,
}

async fn constant(_: Arc<Context>, _: Request) -> Response {
    reply::bytes(StatusCode::OK, "application/json", ANSWER)
}

async fn commit(context: Arc<Context>, request: Request) -> Response {
    let changes = RECORDS.map(|(collection, bytes)| {
        Change::put(collection, context.chance.identifier(43), Expect::Absent, vec![b'x'; bytes])
    });
    match context.store.commit(changes.to_vec()).await {
        Ok(()) => constant(context, request).await,
        Err(_) => reply::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

fn unknown(_: &Context, _: &Request, _: &Problem) -> Response {
    reply::empty(StatusCode::NOT_FOUND)
}

/// Serves with the identity of the bank in this folder, prints the port, and ends with its standard input.
pub(crate) async fn serve_until_closed(folder: &Path) -> Result<(), Failed> {
    let temporary = tempfile::tempdir()?;
    let anchor = hosting::certificate(&folder.join("directory/public/trust-anchor.pem"))?;
    let bank = folder.join("bank");
    let identity = identity(&bank.join("certificates/server.pem"), &bank.join("keys/server.key"))?;
    let tls = ServerTls::new(&identity, ClientCertificates::Anchored(&[anchor]), &[])?;
    let chance = Chance::from_system();
    let observer = Observer { journal: None, clock: Clock::real(), chance: chance.clone(), faults: Faults::default() };
    let context = Context { store: SledStore::open(&temporary.path().join("store"))?.store, chance };
    let routes = [route(Method::POST, CONSTANT, constant), route(Method::POST, COMMIT, commit)];
    let router = Router::new(Arc::new(context), routes, unknown)?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    let stop = Stop::new();
    let server = serve(listener, Some(Arc::new(tls)), Arc::new(router), observer, stop.clone());
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    stop.trigger();
    Ok(server.await?)
}
