//! `CallOptions`: what one call may set for itself (time limits, headers, ids), whatever it asks
//! for. Everything unset comes from the provider's configuration.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::limits;
use crate::secret::Secret;

/// What one call may set for itself; everything unset comes from the provider's configuration.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    pub(crate) deadline: Option<Duration>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) queue_timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) stream_timeout: Option<Duration>,
    pub(crate) headers: Vec<(String, Secret)>,
    pub(crate) request_id: Option<String>,
    pub(crate) session_id: Option<String>,
    pub(crate) client_id: Option<String>,
    /// A stream's events keep their JSON, for bindings that show it.
    pub(crate) keep_raw: bool,
}

impl CallOptions {
    /// `timeout` of this call: 1 ms to 1 h.
    pub fn set_timeout(&mut self, timeout: Duration) -> Result<()> {
        let checked = limits::CALL_TIME.check("timeout", timeout);
        self.timeout = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// The total time of this call: 1 ms to 1 h. Unlike `timeout` it begins with the call, so that
    /// waiting for a permit, and in a router all attempts and waits, count; of a stream it ends
    /// with the first content. In a router it replaces the router's own deadline.
    pub fn set_deadline(&mut self, deadline: Duration) -> Result<()> {
        let checked = limits::CALL_TIME.check("deadline", deadline);
        self.deadline = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// `queue_timeout` of this call: 1 ms to 24 h.
    pub fn set_queue_timeout(&mut self, timeout: Duration) -> Result<()> {
        let checked = limits::LONG_TIME.check("queue_timeout", timeout);
        self.queue_timeout = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// `idle_timeout` of this stream: 1 ms to 1 h.
    pub fn set_idle_timeout(&mut self, timeout: Duration) -> Result<()> {
        let checked = limits::CALL_TIME.check("idle_timeout", timeout);
        self.idle_timeout = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// `stream_timeout` of this stream: 1 ms to 24 h.
    pub fn set_stream_timeout(&mut self, timeout: Duration) -> Result<()> {
        let checked = limits::LONG_TIME.check("stream_timeout", timeout);
        self.stream_timeout = Some(checked.map_err(Error::of_input)?);
        Ok(())
    }

    /// A header of this call, replacing the configuration's of the same name. The library's own
    /// headers are refused.
    pub fn set_header(&mut self, name: &str, value: &str) -> Result<()> {
        let name = limits::header_name("extra_headers", name).map_err(Error::of_input)?;
        limits::header_value(&name, value).map_err(Error::of_input)?;
        let headers = &mut self.headers;
        let others = headers.iter().filter(|(known, _)| *known != name);
        let sizes = others.map(|(name, value)| name.len() + value.expose().len());
        limits::header_room("extra_headers", sizes, name.len() + value.len())
            .map_err(Error::of_input)?;
        headers.retain(|(known, _)| *known != name);
        headers.push((name, Secret::new(value)));
        Ok(())
    }

    /// `X-Request-ID`: free text that finds this request in the service's logs. Without it a
    /// random one is sent.
    pub fn set_request_id(&mut self, id: &str) -> Result<()> {
        self.request_id = Some(limits::identifier("request_id", id).map_err(Error::of_input)?);
        Ok(())
    }

    /// `X-Session-ID`: using one for a conversation raises the chance of cached prompt tokens
    /// (GigaChat REST reference, common headers).
    pub fn set_session_id(&mut self, id: &str) -> Result<()> {
        self.session_id = Some(limits::identifier("session_id", id).map_err(Error::of_input)?);
        Ok(())
    }

    /// `X-Client-ID`: the end user, for the service's logs and for access to files.
    pub fn set_client_id(&mut self, id: &str) -> Result<()> {
        self.client_id = Some(limits::identifier("client_id", id).map_err(Error::of_input)?);
        Ok(())
    }
}
