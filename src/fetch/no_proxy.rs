//! `NO_PROXY`: which servers are reached without a proxy. Pure.
//!
//! The rules are curl's (`--noproxy` in curl(1), `CURLOPT_NOPROXY`): names and their subdomains, addresses, networks in
//! CIDR notation, and `*` for every host; and a port behind a name or address, as Go's and Python's clients know it.

use std::net::IpAddr;

use url::{Host, Url};

/// The entries of the variable.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct NoProxy {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    what: What,
    /// The only port that it is for.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum What {
    Everything,
    /// In lower case, without dots around it: the host of this name, and every one below it.
    Domain(String),
    /// The leading bits that count.
    Network(IpAddr, u8),
}

impl NoProxy {
    /// Entries are separated by commas or blanks. One that is nothing known matches nothing, as with curl.
    pub(super) fn parse(value: &str) -> Self {
        let parts = value.split(|c: char| c == ',' || c.is_whitespace());
        Self {
            entries: parts.filter_map(Entry::parse).collect(),
        }
    }

    /// Whether an address is reached without a proxy.
    pub(super) fn holds(&self, url: &Url) -> bool {
        let Some(host) = url.host() else {
            return false;
        };
        let port = url.port_or_known_default();
        self.entries
            .iter()
            .any(|entry| (entry.port.is_none() || entry.port == port) && entry.what.holds(&host))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        if let Some(what) = What::parse(text) {
            return Some(Self { what, port: None });
        }
        let (host, port) = text.rsplit_once(':')?;
        Some(Self {
            what: What::parse(host)?,
            port: Some(port.parse().ok()?),
        })
    }
}

impl What {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Everything);
        }
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
            None => (text, None),
        };
        let bare = address
            .strip_prefix('[')
            .and_then(|a| a.strip_suffix(']'))
            .unwrap_or(address);
        if let Ok(ip) = bare.parse::<IpAddr>() {
            let all = if ip.is_ipv4() { 32 } else { 128 };
            let bits = bits.unwrap_or(all);
            return (bits <= all).then_some(Self::Network(ip, bits));
        }
        // `*.example.com` is not curl's, but what is meant by it is plain.
        let name = text.strip_prefix("*.").unwrap_or(text);
        let name = name.trim_matches('.').to_ascii_lowercase();
        let is_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        (!name.is_empty() && name.chars().all(is_name)).then_some(Self::Domain(name))
    }

    fn holds(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Everything, _) => true,
            (Self::Domain(name), Host::Domain(host)) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                host.strip_suffix(name.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(ip, bits), Host::Ipv4(host)) => shares(*ip, IpAddr::V4(*host), *bits),
            (Self::Network(ip, bits), Host::Ipv6(host)) => shares(*ip, IpAddr::V6(*host), *bits),
            _ => false,
        }
    }
}

/// Whether two addresses have the same leading bits.
fn shares(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let (a, b, all) = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(a.to_bits()), u128::from(b.to_bits()), 32),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits(), b.to_bits(), 128),
        _ => return false,
    };
    let ignored = all - u32::from(bits);
    ignored == 128 || a >> ignored == b >> ignored
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(value: &str, url: &str) -> bool {
        NoProxy::parse(value).holds(&url.parse().unwrap())
    }

    #[test]
    fn each_form_holds_what_it_says() {
        for (value, url) in [
            ("*", "https://example.com/"),
            ("*", "http://127.0.0.1:8080/"),
            ("*", "http://[::1]/"),
            ("a.example, *", "http://10.1.2.3/"),
            ("local.com", "http://local.com/"),
            ("local.com", "http://local.com:80/"),
            ("local.com", "http://www.local.com/"),
            ("LOCAL.com.", "http://local.COM./"),
            (".local.com", "http://local.com/"),
            ("*.local.com", "http://a.b.local.com/"),
            ("a b\tlocal.com", "http://local.com/"),
            ("localhost:8080", "http://localhost:8080/"),
            ("local.com:443", "https://local.com/"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/"),
            ("192.168.1.0/24", "http://192.168.1.42/"),
            ("0.0.0.0/0", "http://10.0.0.1/"),
            ("10.0.0.1/32", "http://10.0.0.1/"),
            ("::1", "http://[::1]:8080/"),
            ("[::1]", "http://[::1]/"),
            ("[::1]:8080", "http://[::1]:8080/"),
            ("2001:db8::/32", "http://[2001:db8:1::5]/"),
            ("::/0", "http://[2001:db8:1::5]/"),
        ] {
            assert!(holds(value, url), "{value}: {url}");
        }
    }

    #[test]
    fn nothing_else_is_held() {
        for (value, url) in [
            ("", "http://local.com/"),
            (",, ", "http://local.com/"),
            ("local.com", "http://notlocal.com/"),
            ("local.com", "http://local.com.example/"),
            ("local.com:8080", "http://local.com/"),
            ("127.0.0.1:8080", "http://127.0.0.1:9090/"),
            ("192.168.1.0/24", "http://192.168.2.42/"),
            ("192.168.1.0/99", "http://192.168.1.42/"),
            ("192.168.1", "http://192.168.1.42/"),
            ("::1", "http://[::2]/"),
            ("::1/128", "http://0.0.0.1/"),
            ("example.*", "http://example.com/"),
        ] {
            assert!(!holds(value, url), "{value}: {url}");
        }
    }
}
