//! What providers keep per runtime generation, each under its own type.
//!
//! Made anew with each generation (first use, after a fork, after a shutdown), so a lock in here can
//! never be one that a forked child inherited in a locked state. Knows nothing of what is kept.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::Arc;

use crate::process::Era;
use crate::sync::{Mutex, lock};

/// Something that a kind of provider keeps for all providers of that kind.
pub(crate) trait Local: Any + Send + Sync {
    /// The generation ends: connections are closed while it still runs.
    fn close(&self) {}
}

/// What is kept in one generation.
#[derive(Default)]
pub(crate) struct Locals {
    /// Tells generations apart, in this process and its forked children.
    pub(crate) era: Era,
    kept: Mutex<HashMap<TypeId, Arc<dyn Local>>>,
}

impl Locals {
    pub(crate) fn new(era: Era) -> Locals {
        Locals {
            era,
            kept: Mutex::default(),
        }
    }

    /// The one of this type; made at its first use.
    pub(crate) fn of<T: Local + Default>(&self) -> Arc<T> {
        let kept = lock(&self.kept)
            .entry(TypeId::of::<T>())
            .or_insert_with(|| Arc::new(T::default()))
            .clone();
        let kept: Arc<dyn Any + Send + Sync> = kept;
        kept.downcast().unwrap_or_default()
    }

    /// Closes everything that is kept.
    pub(crate) fn close(&self) {
        let kept: Vec<_> = lock(&self.kept).values().cloned().collect();
        kept.iter().for_each(|local| local.close());
    }
}
