//! Asking listeners to stop.

use std::sync::Arc;

use tokio::sync::watch;

/// A request to stop that all clones share. Once made, it cannot be taken back.
#[derive(Debug, Clone)]
pub struct Stop(Arc<watch::Sender<bool>>);

impl Default for Stop {
    fn default() -> Self {
        Self::new()
    }
}

impl Stop {
    /// Nothing is asked yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }

    /// Asks everything that holds a clone to stop.
    pub fn trigger(&self) {
        self.0.send_replace(true);
    }

    /// Whether stopping was asked for.
    #[must_use]
    pub fn is_triggered(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns when stopping is asked for; at once when it was asked before.
    pub async fn wait(&self) {
        // The sender lives as long as `self`, so that the only end of waiting is the trigger.
        let _asked = self.0.subscribe().wait_for(|asked| *asked).await.is_ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_wait_and_those_who_come_late_hear_it() {
        let stop = Stop::new();
        assert!(!stop.is_triggered());
        let waiting = tokio::spawn({
            let stop = stop.clone();
            async move { stop.wait().await }
        });
        stop.trigger();
        waiting.await.unwrap();
        stop.wait().await;
        assert!(stop.is_triggered());
    }
}
