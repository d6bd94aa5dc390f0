//! The faults of a party, and which of them strikes.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};

use super::{Effect, Fault, FaultError, FaultMark, MOST_FAULTS, Pattern, When};
use crate::Chance;

/// A call as faults see it.
pub struct Call<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Path, as sent.
    pub path: &'a str,
    /// Organisation id of the caller's certificate.
    pub organisation: Option<&'a str>,
    /// Client id that the request names; asked only when a fault wants to know.
    pub client: &'a dyn Fn() -> Option<String>,
}

/// A fault that strikes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Struck {
    /// Its id at the control port.
    pub id: String,
    /// On which side of the work it is.
    pub when: When,
    /// Milliseconds to wait.
    pub delay: Option<u64>,
    /// What else it does.
    pub effect: Option<Effect>,
    what: String,
}

impl Struck {
    /// What the journal says. `instead_of` is the status of an answer that nobody sees.
    #[must_use]
    pub fn mark(&self, instead_of: Option<u16>) -> FaultMark {
        FaultMark { id: self.id.clone(), when: self.when, what: self.what.clone(), instead_of }
    }
}

/// A fault at work, as `GET /faults` tells it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Active {
    /// Its id.
    pub id: String,
    /// What was asked for.
    #[serde(flatten)]
    pub fault: Fault,
    /// Calls that fitted so far.
    pub calls: u64,
    /// Calls that were struck so far.
    pub struck: u64,
}

struct Entry {
    active: Active,
    pattern: Option<Pattern>,
    chance: Option<Chance>,
}

/// The faults of a party. Clones share them. While there are none, a call costs one look at a flag.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    any: AtomicBool,
    list: Mutex<List>,
}

#[derive(Default)]
struct List {
    /// How many there were since the start.
    ever: u64,
    entries: Vec<Entry>,
}

impl std::fmt::Debug for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.list()).finish()
    }
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<T>(&self, change: impl FnOnce(&mut List) -> T) -> T {
        let mut list = self.lock();
        let result = change(&mut list);
        self.0.any.store(!list.entries.is_empty(), Ordering::Release);
        result
    }

    /// Whether there are any.
    #[must_use]
    pub fn any(&self) -> bool {
        self.0.any.load(Ordering::Acquire)
    }

    /// Adds a fault. `chance` draws for one that has a probability and no seed.
    ///
    /// # Errors
    /// It cannot be had, or there are too many.
    pub fn add(&self, fault: Fault, chance: &Chance) -> Result<Active, FaultError> {
        fault.check()?;
        let pattern = fault.path.as_deref().and_then(Pattern::parse);
        let seed = fault.probability.map(|_| fault.seed.unwrap_or_else(|| chance.below(u64::MAX)));
        self.change(|list| {
            if list.entries.len() >= MOST_FAULTS {
                return Err(FaultError::TooMany);
            }
            list.ever += 1;
            let active = Active { id: format!("fault-{}", list.ever), fault, calls: 0, struck: 0 };
            list.entries.push(Entry { active: active.clone(), pattern, chance: seed.map(Chance::from_seed) });
            Ok(active)
        })
    }

    /// The faults in the order in which they were asked for.
    #[must_use]
    pub fn list(&self) -> Vec<Active> {
        self.lock().entries.iter().map(|entry| entry.active.clone()).collect()
    }

    /// Takes a fault away, and answers whether it was there.
    pub fn remove(&self, id: &str) -> bool {
        self.change(|list| {
            let before = list.entries.len();
            list.entries.retain(|entry| entry.active.id != id);
            list.entries.len() < before
        })
    }

    /// Takes all faults away.
    pub fn clear(&self) {
        self.change(|list| list.entries.clear());
    }

    /// The fault that strikes this call: the first one in order. Every fault that the call fits counts it.
    #[must_use]
    pub fn strike(&self, call: &Call<'_>) -> Option<Struck> {
        if !self.any() {
            return None;
        }
        let mut struck = None;
        for entry in &mut self.lock().entries {
            if entry.fits(call) && entry.counts() && struck.is_none() {
                entry.active.struck += 1;
                let Active { id, fault, .. } = &entry.active;
                let (when, delay, effect) = (fault.when, fault.delay, fault.effect.clone());
                struck = Some(Struck { id: id.clone(), when, delay, effect, what: fault.what() });
            }
        }
        struck
    }
}

impl Entry {
    fn fits(&self, call: &Call<'_>) -> bool {
        let fault = &self.active.fault;
        fault.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(call.method))
            && self.pattern.as_ref().is_none_or(|pattern| pattern.fits(call.path))
            && fault.organisation.as_ref().is_none_or(|wanted| call.organisation == Some(wanted))
            && fault.client.as_ref().is_none_or(|wanted| (call.client)().as_ref() == Some(wanted))
    }

    /// Counts a call that fits, and says whether it is one to strike.
    fn counts(&mut self) -> bool {
        self.active.calls += 1;
        let Active { fault, calls, struck, .. } = &self.active;
        let drawn = match (fault.probability, &self.chance) {
            (Some(probability), Some(chance)) => fraction(chance) < probability,
            _ => true,
        };
        drawn && fault.nth.is_none_or(|nth| nth == *calls) && fault.times.is_none_or(|times| *struck < times)
    }
}

/// A number from 0 to below 1.
fn fraction(chance: &Chance) -> f64 {
    const PARTS: u32 = 1 << 30;
    let drawn = u32::try_from(chance.below(u64::from(PARTS))).unwrap_or_default();
    f64::from(drawn) / f64::from(PARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call<'a>(method: &'a str, path: &'a str) -> Call<'a> {
        Call { method, path, organisation: Some("org-1"), client: &|| Some("client-1".to_owned()) }
    }

    fn faults(list: &[Fault]) -> Faults {
        let faults = Faults::default();
        for fault in list {
            faults.add(fault.clone(), &Chance::from_seed(1)).unwrap();
        }
        faults
    }

    fn drop() -> Fault {
        Fault { effect: Some(Effect::Drop), ..Fault::default() }
    }

    /// Which of the next calls are struck.
    fn hits(faults: &Faults, calls: usize) -> Vec<usize> {
        (1..=calls).filter(|_| faults.strike(&call("GET", "/accounts")).is_some()).collect()
    }

    #[test]
    fn every_condition_must_hold() {
        let text = |value: &str| Some(value.to_owned());
        for (fault, expected) in [
            (drop(), true),
            (Fault { method: text("get"), ..drop() }, true),
            (Fault { method: text("POST"), ..drop() }, false),
            (Fault { path: text("/accounts"), ..drop() }, true),
            (Fault { path: text("/balances"), ..drop() }, false),
            (Fault { organisation: text("org-1"), ..drop() }, true),
            (Fault { organisation: text("org-2"), ..drop() }, false),
            (Fault { client: text("client-1"), ..drop() }, true),
            (Fault { client: text("client-2"), ..drop() }, false),
            (Fault { client: text("client-1"), method: text("POST"), ..drop() }, false),
        ] {
            let struck = faults(std::slice::from_ref(&fault)).strike(&call("GET", "/accounts"));
            assert_eq!(struck.is_some(), expected, "{fault:?}");
        }
    }

    #[test]
    fn calls_are_counted() {
        assert_eq!(hits(&faults(&[Fault { nth: Some(3), ..drop() }]), 5), [3]);
        assert_eq!(hits(&faults(&[Fault { times: Some(2), ..drop() }]), 5), [1, 2]);
        let both = faults(&[Fault { times: Some(1), ..drop() }, Fault { nth: Some(2), ..drop() }]);
        assert_eq!(both.strike(&call("GET", "/a")).unwrap().id, "fault-1");
        assert_eq!(both.strike(&call("GET", "/a")).unwrap().id, "fault-2", "the first call counted for it, too");
        assert_eq!(both.list().iter().map(|one| (one.calls, one.struck)).collect::<Vec<_>>(), [(2, 1), (2, 1)]);
    }

    #[test]
    fn a_seed_repeats_the_draws() {
        let likely = |seed| faults(&[Fault { probability: Some(0.3), seed, ..drop() }]);
        let first = hits(&likely(Some(7)), 1000);
        assert_eq!(first, hits(&likely(Some(7)), 1000));
        assert_ne!(first, hits(&likely(Some(8)), 1000));
        assert!((250..350).contains(&first.len()), "{}", first.len());
        assert_eq!(hits(&likely(None), 100), hits(&likely(None), 100), "the party's own seed repeats, too");
        assert_eq!(hits(&faults(&[Fault { probability: Some(0.0), ..drop() }]), 100), Vec::<usize>::new());
        assert_eq!(hits(&faults(&[Fault { probability: Some(1.0), ..drop() }]), 100).len(), 100);
    }

    #[test]
    fn faults_come_and_go() {
        let faults = faults(&[drop(), drop()]);
        assert!(faults.any() && faults.remove("fault-1") && !faults.remove("fault-1"));
        assert_eq!(faults.list()[0].id, "fault-2");
        faults.clear();
        assert!(!faults.any() && faults.strike(&call("GET", "/")).is_none());
        assert_eq!(faults.add(drop(), &Chance::from_seed(1)).unwrap().id, "fault-3", "ids are not used again");
        for _ in 1..MOST_FAULTS {
            faults.add(drop(), &Chance::from_seed(1)).unwrap();
        }
        assert_eq!(faults.add(drop(), &Chance::from_seed(1)), Err(FaultError::TooMany));
    }
}
