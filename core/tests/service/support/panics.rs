//! A provider of the program's own whose functions panic, to be a member of routers.

use std::sync::Arc;
use std::time::Duration;

use gigachat::{Ask, CallContext, Document, EventSink, Health, Provider, StreamEnd, Work};

/// A program's own provider, in which a function panics.
pub struct Panics;

impl Provider for Panics {
    fn name(&self) -> &str {
        "panics"
    }

    fn default_model(&self) -> &str {
        "none"
    }

    fn perform<'a>(&'a self, _: &'a CallContext, _: Arc<Ask>) -> Work<'a, Document> {
        panic!("of the program's own")
    }

    fn stream<'a>(
        &'a self,
        _: &'a CallContext,
        _: Arc<Ask>,
        _: &'a mut EventSink,
    ) -> Work<'a, StreamEnd> {
        panic!("of the program's own")
    }

    fn health_check<'a>(&'a self, _: &'a CallContext, _: Option<Duration>) -> Work<'a, Health> {
        panic!("of the program's own")
    }
}
