//! Which proxy a URL is reached through: the option's, or one of the environment's variables.
//!
//! One reader for both, stricter than the HTTP client's own, which leaves out what it cannot read
//! and connects directly: a proxy is used, or it is a configuration error that names where it
//! comes from. Its text is in no error, since it may hold a password.

use std::net::IpAddr;

use url::{Host, Url};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::secret::Secret;

const ACCEPTED: &str = "[http|https|socks5|socks5h]://[user:password@]host[:port], with special characters of user and password as %XX";

/// The proxy of an option or a variable, in the one spelling that the HTTP client reads.
///
/// `socks://` is what desktops write for SOCKS 5 with names resolved by the proxy; without a
/// scheme it is `http://`, as for curl. Blanks and quotes around it are those of an env file.
pub(super) fn parse(field: &str, text: &str) -> Result<Secret> {
    let refused = || Error::configuration(field, "this text", ACCEPTED);
    let text = unquoted(text);
    let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
    let scheme = match scheme.to_ascii_lowercase().as_str() {
        "http" => "http",
        "https" => "https",
        "socks5" => "socks5",
        "socks" | "socks5h" => "socks5h",
        _ => return Err(refused()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.len() != rest.trim_end_matches('/').len() {
        return Err(refused());
    }
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let (host, port) = host_and_port(address).ok_or_else(refused)?;
    let host = Host::parse(host).map_err(|_| refused())?;
    let user = Zeroizing::new(user.map_or(String::new(), |user| escaped(user) + "@"));
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    // Made large enough at once, so that no copy of a password stays behind.
    let mut url = Zeroizing::new(String::with_capacity(user.len() + 300));
    for part in [scheme, "://", &user, &host.to_string(), &port] {
        url.push_str(part);
    }
    Ok(Secret::new(url.as_str()))
}

/// The proxy without user and password, for messages.
pub(crate) fn shown(proxy: &Secret) -> String {
    let url = proxy.expose();
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let host = rest.rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}://{}", &rest[host..])
}

/// Whether the proxy's URL carries a user, and so perhaps a password.
pub(crate) fn has_user(proxy: &Secret) -> bool {
    proxy.expose().contains('@')
}

/// How a URL is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Route {
    /// Through no proxy.
    Direct,
    /// Through this one.
    Proxy(Secret),
    /// As the operating system's settings say (Windows, macOS), where no variable says anything.
    System,
}

/// The environment's route to this URL. `variable` looks a name up.
///
/// The lower-case name counts first, as for curl and Python; `HTTP_PROXY` in upper case is ignored
/// in a CGI program, where a request's header can set it (CVE-2016-5385).
pub(super) fn of_environment(
    url: &Url,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Route> {
    let first = |names: &[&'static str]| {
        names.iter().find_map(|name| {
            let value = variable(name)?;
            (!unquoted(&value).is_empty()).then_some((*name, Zeroizing::new(value)))
        })
    };
    if first(&["no_proxy", "NO_PROXY"]).is_some_and(|(_, list)| excepts(&list, url)) {
        return Ok(Route::Direct);
    }
    let own: &[&str] = match (url.scheme(), variable("REQUEST_METHOD")) {
        ("https", _) => &["https_proxy", "HTTPS_PROXY"],
        (_, None) => &["http_proxy", "HTTP_PROXY"],
        (_, Some(_)) => &["http_proxy"],
    };
    match first(own).or_else(|| first(&["all_proxy", "ALL_PROXY"])) {
        Some((name, value)) => parse(name, &value).map(Route::Proxy),
        None if cfg!(any(windows, target_os = "macos")) => Ok(Route::System),
        None => Ok(Route::Direct),
    }
}

/// Whether a `NO_PROXY` list names the host of this URL: `*`, `host`, `.domain`, `*.domain`,
/// `host:port`, addresses, networks (`10.0.0.0/8`, `fd00::/8`), in any case, with blanks.
fn excepts(list: &str, url: &Url) -> bool {
    let Some(host) = url.host() else {
        return false;
    };
    let (name, address) = match host {
        Host::Domain(name) => (
            name.trim_end_matches('.').to_ascii_lowercase(),
            name.parse().ok(),
        ),
        Host::Ipv4(address) => (address.to_string(), Some(IpAddr::V4(address))),
        Host::Ipv6(address) => (address.to_string(), Some(IpAddr::V6(address))),
    };
    unquoted(list)
        .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
        .map(unquoted)
        .filter(|entry| !entry.is_empty())
        .any(|entry| matches_entry(entry, &name, address, url.port_or_known_default()))
}

fn matches_entry(entry: &str, name: &str, address: Option<IpAddr>, port: Option<u16>) -> bool {
    let entry = entry.to_ascii_lowercase();
    let entry = entry.split_once("://").map_or(&*entry, |(_, rest)| rest);
    if let Some((network, bits)) = entry.split_once('/') {
        let network: Option<IpAddr> = network.trim_matches(['[', ']']).parse().ok();
        let inside = network.zip(bits.parse().ok()).zip(address);
        return inside.is_some_and(|((network, bits), address)| in_network(address, network, bits));
    }
    // A bare IPv6 address has colons of its own.
    let (host, wanted_port) = match entry.parse::<IpAddr>() {
        Ok(_) => (entry, None),
        Err(_) => match host_and_port(entry) {
            Some(parts) => parts,
            None => return false,
        },
    };
    if wanted_port.is_some() && wanted_port != port {
        return false;
    }
    if let Ok(excepted) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        return address == Some(excepted);
    }
    let domain = host.trim_end_matches('.');
    let domain = domain.strip_prefix('*').unwrap_or(domain);
    if domain.is_empty() {
        return true; // "*"
    }
    let bare = domain.trim_start_matches('.');
    if let Some(beginning) = bare.strip_suffix('*') {
        return !beginning.is_empty() && name.starts_with(beginning); // 192.168.*
    }
    if address.is_some() {
        return false;
    }
    name == bare
        || name
            .strip_suffix(bare)
            .is_some_and(|sub| sub.ends_with('.'))
}

fn in_network(address: IpAddr, network: IpAddr, bits: u32) -> bool {
    let (address, network, width) = match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (u128::from(a.to_bits()), u128::from(n.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits(), n.to_bits(), 128),
        _ => return false,
    };
    bits <= width && (address ^ network).checked_shr(width - bits).unwrap_or(0) == 0
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; the brackets stay.
fn host_and_port(text: &str) -> Option<(&str, Option<u16>)> {
    let behind_brackets = text.rfind(']').map_or(0, |at| at + 1);
    let (host, port) = match text[behind_brackets..].rfind(':') {
        Some(colon) => {
            let at = behind_brackets + colon;
            (&text[..at], Some(&text[at + 1..]))
        }
        None => (text, None),
    };
    if host.is_empty() || (host.contains(':') && !host.starts_with('[')) {
        return None;
    }
    match port {
        None | Some("") => Some((host, None)),
        Some(port) => {
            let digits = port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| digits && *port > 0)?;
            Some((host, Some(port)))
        }
    }
}

/// Without the blanks and the one pair of quotes that an env file leaves around a value.
fn unquoted(text: &str) -> &str {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some(inner) = text.strip_prefix(quote)
            && let Some(inner) = inner.strip_suffix(quote)
        {
            return inner.trim();
        }
    }
    text
}

/// User and password as a URL may carry them: what has no place there is escaped.
fn escaped(user: &str) -> String {
    let bytes = user.as_bytes();
    let mut text = String::with_capacity(bytes.len() * 3 + 1);
    for (at, byte) in bytes.iter().enumerate() {
        let escape = *byte == b'%'
            && bytes
                .get(at + 1..at + 3)
                .is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        let plain = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:".contains(byte) || escape;
        match plain {
            true => text.push(char::from(*byte)),
            false => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Route, excepts, of_environment, parse, shown};

    fn read(text: &str) -> Option<String> {
        parse("proxy", text)
            .ok()
            .map(|proxy| proxy.expose().to_owned())
    }

    #[test]
    fn a_proxy_is_read_in_every_spelling_that_people_use() {
        for (text, url) in [
            ("http://proxy:3128", "http://proxy:3128"),
            ("HTTP://Proxy.Corp:3128/", "http://proxy.corp:3128"),
            ("proxy:3128", "http://proxy:3128"),
            ("10.0.0.1:3128", "http://10.0.0.1:3128"),
            ("  \"http://proxy:3128\"\r\n", "http://proxy:3128"),
            ("' https://proxy '", "https://proxy"),
            ("socks://127.0.0.1:1080", "socks5h://127.0.0.1:1080"),
            ("socks5://[::1]:1080", "socks5://[::1]:1080"),
            ("http://u:p^x@proxy:1", "http://u:p%5Ex@proxy:1"),
            ("http://u:p%40@proxy:1", "http://u:p%40@proxy:1"),
            ("http://u:100%@proxy:1", "http://u:100%25@proxy:1"),
            ("http://u:p@ss@proxy:1", "http://u:p%40ss@proxy:1"),
        ] {
            assert_eq!(read(text).as_deref(), Some(url), "{text}");
            assert!(
                reqwest::Proxy::all(url).is_ok(),
                "the HTTP client reads {url}"
            );
        }
    }

    #[test]
    fn a_proxy_that_cannot_be_used_is_refused_without_its_text() {
        for text in [
            "",
            "http://",
            "htp://127.0.0.1:1",
            "socks4://127.0.0.1:1",
            "socks5h://%zz:1",
            "socks5://%zz",
            "garbage with spaces",
            "http://proxy:port",
            "http://proxy:0",
            "http://proxy:70000",
            "http://:3128",
            "http://::1:3128",
            "http://[::1:3128",
            "http://proxy:3128/path",
            "http://user:SECRET@pro xy",
            "\"http://proxy:1",
        ] {
            let error = parse("HTTPS_PROXY", text).unwrap_err();
            assert!(error.message().starts_with("HTTPS_PROXY: "), "{error}");
            assert!(!error.message().contains("SECRET"), "{error}");
        }
        let proxy = parse("proxy", "http://user:SECRET@proxy:3128").unwrap();
        assert_eq!(shown(&proxy), "http://proxy:3128");
    }

    #[test]
    fn the_list_of_exceptions_is_read_in_every_common_form() {
        let url = |text| Url::parse(text).unwrap();
        for (list, text, excepted) in [
            ("*", "https://127.0.0.1:8443", true),
            ("*", "https://api.giga.chat", true),
            (" * ", "https://[::1]", true),
            ("giga.chat", "https://api.giga.chat", true),
            (".giga.chat", "https://api.giga.chat", true),
            ("*.giga.chat", "https://api.giga.chat", true),
            ("API.Giga.Chat.", "https://api.giga.chat", true),
            ("notgiga.chat", "https://giga.chat", false),
            ("giga.chat", "https://notgiga.chat", false),
            ("api.giga.chat:443", "https://api.giga.chat", true),
            ("api.giga.chat:8443", "https://api.giga.chat", false),
            ("*.giga.chat:443", "https://api.giga.chat", true),
            ("localhost:9443", "https://localhost:9443", true),
            ("https://api.giga.chat", "https://api.giga.chat", true),
            ("10.0.0.0/8", "https://10.1.2.3", true),
            ("10.0.0.0/8", "https://11.1.2.3", false),
            ("10.0.0.0/33", "https://10.1.2.3", false),
            ("0.0.0.0/0", "https://11.1.2.3", true),
            ("fd00::/8", "https://[fd12::1]", true),
            ("192.168.*", "https://192.168.7.7", true),
            ("127.0.0.1:8443", "https://127.0.0.1:8443", true),
            ("[::1]:8443", "https://[::1]:8443", true),
            ("::1", "https://[::1]:8443", true),
            ("0.1", "https://127.0.0.1", false),
            ("a.b, \tgiga.chat ,", "https://giga.chat", true),
            ("a.b giga.chat", "https://giga.chat", true),
            ("\"giga.chat\"", "https://giga.chat", true),
            (",", "https://giga.chat", false),
        ] {
            assert_eq!(excepts(list, &url(text)), excepted, "{list:?} {text}");
        }
    }

    #[test]
    fn the_environments_variables_are_asked_in_their_order_and_named_when_they_are_wrong() {
        let route = |variables: &[(&str, &str)], url: &str| {
            of_environment(&Url::parse(url).unwrap(), |name| {
                let known = variables.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| (*value).to_owned())
            })
        };
        let through = |variables: &[(&str, &str)], url: &str| match route(variables, url).unwrap() {
            Route::Proxy(proxy) => shown(&proxy),
            _ => String::new(),
        };
        let https = "https://api.giga.chat";
        let both = [
            ("HTTPS_PROXY", "http://upper:1"),
            ("https_proxy", "lower:1"),
        ];
        assert_eq!(through(&both, https), "http://lower:1");
        let empty = [("https_proxy", " "), ("HTTPS_PROXY", "http://upper:1")];
        assert_eq!(through(&empty, https), "http://upper:1");
        assert_eq!(through(&[("ALL_PROXY", "all:1")], https), "http://all:1");
        assert_eq!(through(&[("http_proxy", "h:1")], https), "");
        assert_eq!(through(&[("HTTP_PROXY", "h:1")], "http://h"), "http://h:1");
        let cgi = [("HTTP_PROXY", "h:1"), ("REQUEST_METHOD", "GET")];
        assert_eq!(through(&cgi, "http://h"), "");
        let error = route(&[("ALL_PROXY", "htp://u:SECRET@x")], https).unwrap_err();
        assert!(error.message().starts_with("ALL_PROXY: "), "{error}");
        assert!(!error.message().contains("SECRET"));
        let excepted = [("ALL_PROXY", "htp://x"), ("NO_PROXY", "*")];
        assert!(
            route(&excepted, https).is_ok(),
            "what is not used may be wrong"
        );
    }
}
