//! The table of routes.

use std::{borrow::Cow, future::Future, sync::Arc};

use futures_util::future::BoxFuture;
use http::Method;

use super::{IntoResponse, Params, Request, Response, template::Tree};

/// How long a body may be when a route says nothing else: 64 KiB.
pub const DEFAULT_BODY_LIMIT: usize = 64 * 1024;

/// What answers the requests of one route.
pub type Handler<C> = Arc<dyn Fn(Arc<C>, Request) -> BoxFuture<'static, Response> + Send + Sync>;

/// One row of the table: method, path template, and what answers.
pub struct Route<C> {
    /// The method. A route for `GET` answers `HEAD` too.
    pub method: Method,
    /// The path; a segment in braces is a parameter: `/accounts/{AccountId}`.
    pub path: Cow<'static, str>,
    /// What answers.
    pub handler: Handler<C>,
    /// How long the body may be, in bytes.
    pub body_limit: usize,
}

/// A row for an `async fn(Arc<C>, Request)` that returns a [`Response`] or a `Result` of things that become one.
pub fn route<C, H, F>(method: Method, path: impl Into<Cow<'static, str>>, handler: H) -> Route<C>
where
    C: Send + Sync + 'static,
    H: Fn(Arc<C>, Request) -> F + Send + Sync + 'static,
    F: Future<Output: IntoResponse> + Send + 'static,
{
    let handler: Handler<C> = Arc::new(move |context, request| {
        let answer = handler(context, request);
        Box::pin(async move { answer.await.into_response() })
    });
    Route { method, path: path.into(), handler, body_limit: DEFAULT_BODY_LIMIT }
}

impl<C> Route<C> {
    /// The same row with another limit for the body, in bytes.
    #[must_use]
    pub fn body_limit(mut self, limit: usize) -> Self {
        self.body_limit = limit;
        self
    }
}

/// Why a request did not reach a handler, or did not come back from it. The party chooses the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No route has the path.
    #[error("no route has this path")]
    UnknownPath,
    /// The path is known, but not with this method.
    #[error("the path is known only with {}", allow(allowed))]
    MethodNotAllowed {
        /// The methods that the path has. The `Allow` header is added by the server.
        allowed: Vec<Method>,
    },
    /// The body is longer than the route allows.
    #[error("the body is longer than {limit} bytes")]
    BodyTooLarge {
        /// What the route allows, in bytes.
        limit: usize,
    },
    /// The body did not arrive completely in time.
    #[error("the body did not arrive completely")]
    BodyUnreadable,
    /// The handler has a defect.
    #[error("the handler panicked")]
    HandlerPanicked,
}

/// Writes methods as the `Allow` header wants them.
pub(crate) fn allow(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// A table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouterError {
    /// The path is no template.
    #[error("{0:?} is no path template")]
    Template(String),
    /// Two rows answer the same requests.
    #[error("{method} {path} is answered twice")]
    Duplicate {
        /// The method of both rows.
        method: Method,
        /// The path of the second row.
        path: String,
    },
}

/// The routes of one listener, with the context that handlers share.
pub struct Router<C> {
    tree: Tree<Vec<Row<C>>>,
    pub(crate) context: Arc<C>,
    pub(crate) problem: fn(&C, &Request, &Problem) -> Response,
}

struct Row<C> {
    route: Route<C>,
    names: Arc<[String]>,
}

/// What the table says about a method and path.
pub(crate) enum Lookup<'a, C> {
    Found(&'a Route<C>, Params),
    UnknownPath,
    MethodNotAllowed(Vec<Method>),
}

impl<C> Router<C> {
    /// A table of routes. `problem` answers what no handler could.
    ///
    /// # Errors
    /// A path is no template, or two routes have the same method and path.
    pub fn new(
        context: Arc<C>,
        routes: impl IntoIterator<Item = Route<C>>,
        problem: fn(&C, &Request, &Problem) -> Response,
    ) -> Result<Self, RouterError> {
        let mut tree = Tree::new();
        for route in routes {
            let (rows, names) =
                tree.entry(&route.path).map_err(|_| RouterError::Template(route.path.clone().into_owned()))?;
            let rows: &mut Vec<Row<C>> = rows.get_or_insert_default();
            if rows.iter().any(|row| row.route.method == route.method) {
                return Err(RouterError::Duplicate { method: route.method, path: route.path.into_owned() });
            }
            rows.push(Row { route, names: names.into() });
        }
        Ok(Self { tree, context, problem })
    }

    pub(crate) fn lookup(&self, method: &Method, path: &str) -> Lookup<'_, C> {
        let Some((rows, values)) = self.tree.find(path) else {
            return Lookup::UnknownPath;
        };
        let with = |method: &Method| rows.iter().find(|row| row.route.method == *method);
        let row = with(method).or_else(|| if method == Method::HEAD { with(&Method::GET) } else { None });
        match row {
            Some(row) => Lookup::Found(&row.route, Params { names: Arc::clone(&row.names), values }),
            None => {
                let mut allowed: Vec<Method> = rows.iter().map(|row| row.route.method.clone()).collect();
                if allowed.contains(&Method::GET) && !allowed.contains(&Method::HEAD) {
                    allowed.push(Method::HEAD);
                }
                Lookup::MethodNotAllowed(allowed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::reply;

    async fn nothing(_: Arc<()>, _: Request) -> Response {
        reply::empty(StatusCode::NO_CONTENT)
    }

    fn table(rows: &[(Method, &'static str)]) -> Result<Router<()>, RouterError> {
        let routes = rows.iter().map(|(method, path)| route(method.clone(), *path, nothing));
        Router::new(Arc::new(()), routes, |(), _, _| reply::empty(StatusCode::NOT_FOUND))
    }

    #[test]
    fn each_route_has_its_own_names_for_parameters() {
        let router = table(&[(Method::GET, "/a/{x}"), (Method::DELETE, "/a/{y}")]).unwrap();
        for (method, name) in [(Method::GET, "x"), (Method::HEAD, "x"), (Method::DELETE, "y")] {
            let Lookup::Found(_, params) = router.lookup(&method, "/a/1") else { panic!("{method} is not found") };
            assert_eq!(params.get(name), Some("1"));
        }
    }

    #[test]
    fn a_method_that_the_path_lacks_is_told_the_others() {
        let router = table(&[(Method::GET, "/a"), (Method::PUT, "/a"), (Method::POST, "/b")]).unwrap();
        let Lookup::MethodNotAllowed(allowed) = router.lookup(&Method::POST, "/a") else { panic!("allowed") };
        assert_eq!(allow(&allowed), "GET, PUT, HEAD");
        let Lookup::MethodNotAllowed(allowed) = router.lookup(&Method::HEAD, "/b") else { panic!("allowed") };
        assert_eq!(allowed, [Method::POST]);
        assert!(matches!(router.lookup(&Method::GET, "/a/"), Lookup::UnknownPath));
    }

    #[test]
    fn ambiguous_tables_are_refused() {
        let twice = table(&[(Method::GET, "/a/{x}"), (Method::GET, "/a/{y}")]).err();
        assert_eq!(twice, Some(RouterError::Duplicate { method: Method::GET, path: "/a/{y}".into() }));
        assert_eq!(table(&[(Method::GET, "a")]).err(), Some(RouterError::Template("a".into())));
    }
}
