//! An answer that no server sent, for the fuzz targets.

/// An answer of a server: status, headers, body.
#[derive(Clone, Debug)]
pub struct CannedAnswer<'a> {
    /// The HTTP status.
    pub status: u16,
    /// Names and values; what is no header is left out.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// The body.
    pub body: &'a [u8],
}
