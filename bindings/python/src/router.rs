//! The core's router, for the class `Router` of the package: settings, members, prices, numbers.
//! Its calls are made by a `Provider`, as any provider's.

use gigachat::{Client, MemberId, MemberOptions, Price, RouterOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyStringMethods};

use crate::caller::Caller;
use crate::errors::{bad_value, shown};
use crate::logs;
use crate::member::Member;
use crate::provider::Provider;

/// Several providers as one.
#[pyclass(frozen, module = "orchestrator._gigachat")]
pub(crate) struct Router(gigachat::Router);

fn bad(error: &gigachat::Error) -> PyErr {
    PyValueError::new_err(error.message().to_owned())
}

/// Sets one setting by its name in the core's table.
fn set(options: &mut RouterOptions, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
    let text = match value.cast::<PyBool>() {
        Ok(flag) => flag.is_true().to_string(),
        Err(_) => value.str()?.to_cow()?.into_owned(),
    };
    options.set(name, &text).map_err(|error| bad(&error))
}

/// One member's numbers, as `ProviderMetrics` shows them.
#[pyclass(frozen, get_all, module = "orchestrator._gigachat")]
pub(crate) struct Numbers {
    successes: u64,
    failures: u64,
    cancelled: u64,
    in_flight: u32,
    retries: u64,
    fallbacks: u64,
    total_latency_ms: f64,
    /// `None` before the first answer.
    rolling_avg_latency_ms: Option<f64>,
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    cost: f64,
    recent_error_rate: f64,
    health: &'static str,
    /// How many seconds it still cools; `None` when it does not.
    cooldown: Option<f64>,
}

impl From<gigachat::MemberMetrics> for Numbers {
    fn from(member: gigachat::MemberMetrics) -> Numbers {
        let latency = &member.latency;
        Numbers {
            successes: member.successes,
            failures: member.failed(),
            cancelled: member.cancelled,
            in_flight: member.in_flight,
            retries: member.retries,
            fallbacks: member.fallbacks,
            total_latency_ms: latency.histogram.sum * 1000.0,
            rolling_avg_latency_ms: (latency.samples > 0)
                .then_some(latency.mean.as_secs_f64() * 1000.0),
            prompt_tokens: member.tokens(|model| model.prompt_tokens),
            completion_tokens: member.tokens(|model| model.completion_tokens),
            total_tokens: member.tokens(|model| model.total_tokens),
            cost: member.total_cost(),
            recent_error_rate: member.recent_error_rate,
            health: member.health.name(),
            cooldown: member.cooldown.map(|left| left.as_secs_f64()),
        }
    }
}

#[pymethods]
impl Router {
    #[new]
    fn new(options: &Bound<'_, PyDict>) -> PyResult<Router> {
        logs::install();
        let mut set_options = RouterOptions::default();
        for (name, value) in options {
            set(&mut set_options, &name.extract::<String>()?, &value)?;
        }
        Ok(Router(gigachat::Router::new(set_options)))
    }

    /// What reports of attempts name it by.
    #[getter]
    fn id(&self) -> u64 {
        self.0.id()
    }

    /// This router as a member of others.
    fn as_member(&self, name: String) -> Member {
        Member::of_router(name, &self.0)
    }

    /// Adds a member; returns its number here.
    fn add(&self, member: &Member, weight: &Bound<'_, PyAny>) -> PyResult<u64> {
        let mut options = MemberOptions::default();
        let refused = |_| bad_value("weight", &shown(weight), "1 to 1000");
        let set = options.set_weight(weight.extract().map_err(refused)?);
        set.map_err(|error| bad(&error))?;
        let added = self.0.add_with(member.provider(), options);
        Ok(added.map_err(|error| bad(&error))?.as_u64())
    }

    /// Removes a member; its running attempts go on.
    fn remove(&self, number: u64) -> bool {
        self.0.remove(MemberId::from_u64(number))
    }

    /// What makes calls of this router. `call` is asked for its `Caller` when it begins.
    fn provider(&self, call: Py<PyAny>) -> Provider {
        let router = self.0.clone();
        Provider::begun_by(move |py| {
            let caller = call.bind(py).call_method0("begin")?;
            let caller = caller.cast::<Caller>()?.get().0.clone();
            Ok(Client::new(router.clone()).called_by(caller))
        })
    }

    /// What is known of a member now.
    fn member(&self, number: u64) -> Option<Numbers> {
        let id = MemberId::from_u64(number);
        let mut members = self.0.metrics().members.into_iter();
        members.find(|member| member.id == id).map(Numbers::from)
    }

    /// Sets a model's price.
    fn set_price(
        &self,
        model: &str,
        prompt_per_1000: f64,
        completion_per_1000: f64,
    ) -> PyResult<()> {
        let price = Price {
            prompt_per_1000,
            completion_per_1000,
        };
        let set = self.0.set_price(model, price);
        set.map_err(|error| bad(&error))
    }

    /// What so many tokens of a model cost; 0 for a model without a price.
    fn cost(&self, model: &str, prompt_tokens: u64, completion_tokens: u64) -> f64 {
        let price = self.0.planner().prices().price(model);
        price.map_or(0.0, |price| price.cost(prompt_tokens, completion_tokens))
    }

    /// The metrics as JSON.
    fn metrics_json(&self) -> String {
        self.0.metrics().to_json()
    }

    /// The metrics in Prometheus' text format.
    fn prometheus(&self) -> String {
        self.0.prometheus()
    }
}
