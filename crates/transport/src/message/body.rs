//! Reading a body without being drowned or kept waiting by it.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use http::{HeaderMap, header};

/// How much of a body that is too large is read and thrown away, so that its sender hears the refusal instead of a
/// broken connection.
const DISCARD_LIMIT: usize = 1024 * 1024;

/// Why a body was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    /// Longer than the route allows.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// What the route allows, in bytes.
        limit: usize,
    },
    /// The connection failed or the sender was too slow.
    #[error("{0}")]
    Unreadable(String),
}

/// Reads the whole body, at most `limit` bytes of it, within `patience`.
pub(crate) async fn read_bounded<S, E>(
    headers: &HeaderMap,
    body: S,
    limit: usize,
    patience: Duration,
) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    tokio::time::timeout(patience, read(headers, body, limit))
        .await
        .unwrap_or_else(|_| Err(BodyError::Unreadable(format!("not complete after {} s", patience.as_secs_f32()))))
}

async fn read<S, E>(headers: &HeaderMap, mut body: S, limit: usize) -> Result<Bytes, BodyError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
    E: std::fmt::Display,
{
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok())
        .unwrap_or(0);
    if announced > u64::try_from(limit).unwrap_or(u64::MAX) {
        // A sender that waits for `100 Continue` has sent nothing yet; reading would only invite it.
        if !headers.contains_key(header::EXPECT) {
            discard(&mut body).await;
        }
        return Err(BodyError::TooLarge { limit });
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| BodyError::Unreadable(error.to_string()))?;
        if first.len() + rest.len() + piece.len() > limit {
            discard(&mut body).await;
            return Err(BodyError::TooLarge { limit });
        }
        // Most bodies arrive in one piece, which then need not be copied.
        if first.is_empty() {
            first = piece;
        } else {
            rest.extend_from_slice(&piece);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

async fn discard<S, E>(body: &mut S)
where
    S: Stream<Item = Result<Bytes, E>> + Unpin,
{
    let mut discarded = 0;
    while discarded < DISCARD_LIMIT {
        match body.next().await {
            Some(Ok(piece)) => discarded += piece.len(),
            Some(Err(_)) | None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn pieces(pieces: &[&'static str]) -> impl Stream<Item = Result<Bytes, String>> + Unpin + use<> {
        stream::iter(pieces.iter().map(|piece| Ok(Bytes::from_static(piece.as_bytes()))).collect::<Vec<_>>())
    }

    #[tokio::test]
    async fn pieces_are_put_together_up_to_the_limit() {
        let none = HeaderMap::new();
        let read = |parts: &'static [&'static str], limit| read_bounded(&none, pieces(parts), limit, LONG);
        assert_eq!(read(&[], 5).await.unwrap(), "");
        assert_eq!(read(&["abcde"], 5).await.unwrap(), "abcde");
        assert_eq!(read(&["ab", "c", "de"], 5).await.unwrap(), "abcde");
        assert_eq!(read(&["ab", "c", "def"], 5).await, Err(BodyError::TooLarge { limit: 5 }));
    }

    #[tokio::test]
    async fn an_announced_length_is_believed_before_anything_is_kept() {
        let headers = HeaderMap::from_iter([(header::CONTENT_LENGTH, 6.into())]);
        assert_eq!(read_bounded(&headers, pieces(&["abcdef"]), 5, LONG).await, Err(BodyError::TooLarge { limit: 5 }));
    }

    #[tokio::test]
    async fn a_sender_that_waits_to_continue_is_not_read() {
        let headers = HeaderMap::from_iter([
            (header::CONTENT_LENGTH, 6.into()),
            (header::EXPECT, "100-continue".parse().unwrap()),
        ]);
        let silent = stream::pending::<Result<Bytes, String>>();
        assert_eq!(read_bounded(&headers, silent, 5, LONG).await, Err(BodyError::TooLarge { limit: 5 }));
    }

    #[tokio::test]
    async fn a_silent_or_broken_sender_is_given_up() {
        let silent = stream::pending::<Result<Bytes, String>>();
        let error = read_bounded(&HeaderMap::new(), silent, 5, Duration::ZERO).await.unwrap_err();
        assert_eq!(error, BodyError::Unreadable("not complete after 0 s".into()));
        let broken = stream::iter([Ok(Bytes::from_static(b"a")), Err("reset".to_owned())]);
        let error = read_bounded(&HeaderMap::new(), broken, 5, LONG).await.unwrap_err();
        assert_eq!(error, BodyError::Unreadable("reset".into()));
    }
}
