//! The rules that a request has passed so far, on its way through the tables.

use openbanking::reading::ReadingError;
use rules::{Passed, Rule, Verdict};
use transport::Response;

use super::ApiError;

/// Collects what passed, so that a later refusal and the final answer can tell it.
#[derive(Debug, Default)]
pub struct Progress(Passed);

impl Progress {
    /// A step that judged and found something.
    ///
    /// # Errors
    /// The step's refusal, with what had passed before.
    pub fn add<T>(&mut self, step: Result<(T, Passed), ApiError>) -> Result<T, ApiError> {
        match step {
            Ok((value, passed)) => {
                self.0.extend(passed);
                Ok(value)
            }
            Err(error) => Err(error.after(std::mem::take(&mut self.0))),
        }
    }

    /// A step that only judged.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn judged(&mut self, step: Result<Passed, ApiError>) -> Result<(), ApiError> {
        self.add(step.map(|passed| ((), passed)))
    }

    /// A body, or a part of one, that was read under a rule.
    ///
    /// # Errors
    /// It cannot be read; with what had passed before.
    pub fn read<T>(&mut self, rule: &'static Rule, read: Result<T, ReadingError>) -> Result<T, ApiError> {
        match read {
            Ok(value) => {
                self.0.rules.push(rule);
                Ok(value)
            }
            Err(error) => Err(ApiError::unreadable(rule, error).after(std::mem::take(&mut self.0))),
        }
    }

    /// The verdict on a request that is answered.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.0.verdict()
    }

    /// The answer with the verdict for the journal.
    #[must_use]
    pub fn attach(&self, mut response: Response) -> Response {
        response.extensions_mut().insert(self.verdict());
        response
    }
}
