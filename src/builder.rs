//! What the handle of a builder holds: a value, and the first of its settings that was refused.
//!
//! A setter returns its own status and makes no error handle. Whoever uses the builder is told of
//! the first failure, so that a program may make ten settings and look once.

use super::guard::guard;
use super::handle::{self, Object};
use super::status::{Failure, gigachat_status};
use gigachat_core::binding::{Mutex, lock};

pub(super) struct Builder<T>(Mutex<State<T>>);

struct State<T> {
    value: T,
    failed: Option<Failure>,
}

impl<T: Clone> Builder<T> {
    pub(super) fn new(value: T) -> Builder<T> {
        Builder(Mutex::new(State {
            value,
            failed: None,
        }))
    }

    /// Changes the value; a failure is kept.
    fn change(&self, set: impl FnOnce(&mut T) -> Result<(), Failure>) -> Result<(), Failure> {
        let mut state = lock(&self.0);
        let outcome = set(&mut state.value);
        if let Err(failure) = &outcome {
            state.failed.get_or_insert_with(|| failure.clone());
        }
        outcome
    }

    /// A copy of what is set so far, or the first failure of a setting.
    pub(super) fn value(&self) -> Result<T, Failure> {
        let state = lock(&self.0);
        match &state.failed {
            Some(failure) => Err(failure.clone()),
            None => Ok(state.value.clone()),
        }
    }
}

/// The body of every setter: changes what the handle `name` holds.
pub(super) fn change<T: Clone>(
    handle: *const <Builder<T> as Object>::Opaque,
    name: &str,
    set: impl FnOnce(&mut T) -> Result<(), Failure>,
) -> gigachat_status
where
    Builder<T>: Object,
{
    // SAFETY: there is no error slot.
    unsafe {
        guard(std::ptr::null_mut(), || {
            handle::get::<Builder<T>>(handle, name)?.change(set)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Builder;
    use crate::status::{Failure, GIGACHAT_ERROR_CONFIGURATION, GIGACHAT_ERROR_NULL_ARGUMENT};

    #[test]
    fn the_first_failure_is_kept_and_later_settings_do_not_hide_it() {
        let builder = Builder::new(1);
        let refuse = |status| builder.change(move |_| Err(Failure::new(status, "no")));
        assert_eq!(builder.value().map_err(|why| why.status), Ok(1));
        assert!(refuse(GIGACHAT_ERROR_CONFIGURATION).is_err());
        assert!(refuse(GIGACHAT_ERROR_NULL_ARGUMENT).is_err());
        assert!(
            builder
                .change(|value| {
                    *value = 2;
                    Ok(())
                })
                .is_ok()
        );
        assert_eq!(
            builder.value().map_err(|why| why.status),
            Err(GIGACHAT_ERROR_CONFIGURATION)
        );
    }
}
