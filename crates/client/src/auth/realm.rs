//! Which token servers may be asked on behalf of a registry.
//!
//! A registry answers a first request with the address of its token server, and so decides where a password goes
//! (CVE-2026-33540). The rule:
//!
//! 1. HTTPS where the registry is asked over HTTPS.
//! 2. No address of this machine or of a private network, unless the registry is as near itself.
//! 3. With a credential to send: the registry's own host, or one of the same site. Two hosts are of one site where
//!    their last two labels agree (`registry.example.com` and `auth.example.com`), and where these are of a kind
//!    like `co.uk`, the last three. That is simpler than the list of public suffixes, and errs on sites whose
//!    tenants share two labels: for those, a tenant's registry could name another tenant's token server.

use url::{Host, Url};

use crate::UntrustedRealm;
use crate::route::{has_user, leads_inwards};

/// Second-level labels below which countries register names.
const SHARED_LABELS: [&str; 12] = ["ac", "co", "com", "edu", "go", "gob", "gov", "mil", "ne", "net", "or", "org"];

/// Whether a credential goes along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    /// The token is asked for by nobody in particular.
    Nothing,
    /// A password or an identity token is sent.
    Credential,
}

/// Checks that the token server `realm` may be asked on behalf of `registry`.
pub(crate) fn check(registry: &Url, realm: &Url, with: With) -> Result<(), UntrustedRealm> {
    if has_user(realm) {
        return Err(UntrustedRealm::UserName);
    }
    match (registry.scheme(), realm.scheme()) {
        (_, "https") | ("http", "http") => {}
        (_, "http") => return Err(UntrustedRealm::Downgrade),
        _ => return Err(UntrustedRealm::Scheme),
    }
    if leads_inwards(registry, realm) {
        return Err(UntrustedRealm::Private);
    }
    if with == With::Credential && !is_same_site(registry, realm) {
        return Err(UntrustedRealm::OtherSite);
    }
    Ok(())
}

fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            one == other || (site(one).is_some() && site(one) == site(other))
        }
        (one, other) => one.is_some() && one == other,
    }
}

/// Returns the labels that the hosts of one site share; none where there are fewer.
fn site(host: &str) -> Option<Vec<&str>> {
    let labels: Vec<&str> = host.trim_end_matches('.').rsplit('.').collect();
    let is_shared = labels.len() > 1 && labels[0].len() == 2 && SHARED_LABELS.contains(&labels[1]);
    let count = if is_shared { 3 } else { 2 };
    labels.get(..count).map(<[&str]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_realm_is_judged_by_scheme_place_and_site() {
        use UntrustedRealm::{Downgrade, OtherSite, Private, Scheme, UserName};
        let table = [
            ("https://ghcr.io", "https://ghcr.io/token", None),
            ("https://registry-1.docker.io", "https://auth.docker.io/token", None),
            ("https://registry.gitlab.com", "https://gitlab.com/jwt/auth", None),
            ("https://registry.example.com:5000", "https://registry.example.com/token", None),
            ("http://127.0.0.1:5000", "http://127.0.0.1:5001/token", None),
            ("http://127.0.0.1:5000", "https://127.0.0.1:5001/token", None),
            ("http://10.0.0.1", "http://10.0.0.1/token", None),
            ("https://a.example.co.uk", "https://b.example.co.uk/token", None),
            ("https://example.co.uk", "https://other.co.uk/token", Some(OtherSite)),
            ("https://registry.example.or.jp", "https://auth.example.or.jp/token", None),
            ("https://registry.example.or.jp", "https://auth.other.or.jp/token", Some(OtherSite)),
            ("https://acme.azurecr.io", "https://acme.azurecr.io/oauth2/token", None),
            ("https://registry.digitalocean.com", "https://api.digitalocean.com/v2/registry/auth", None),
            ("https://registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", None),
            ("https://registry.example.com", "https://gitlab.example.com/jwt/auth", None),
            ("http://10.0.0.1", "http://127.0.0.1/token", Some(Private)),
            ("https://ghcr.io", "https://evil.example/token", Some(OtherSite)),
            ("https://ghcr.io", "https://gcr.io/token", Some(OtherSite)),
            ("https://ghcr.io", "https://ghcr.io.evil.example/token", Some(OtherSite)),
            ("https://registry.internal", "https://auth.other/token", Some(OtherSite)),
            ("https://one", "https://two/token", Some(OtherSite)),
            ("https://1.2.3.4", "https://9.9.3.4/token", Some(OtherSite)),
            ("http://10.0.0.1", "http://10.0.0.2/token", Some(OtherSite)),
            ("https://ghcr.io", "http://ghcr.io/token", Some(Downgrade)),
            ("https://ghcr.io", "ftp://ghcr.io/token", Some(Scheme)),
            ("http://127.0.0.1", "ftp://127.0.0.1/token", Some(Scheme)),
            ("https://ghcr.io", "https://127.0.0.1/token", Some(Private)),
            ("https://ghcr.io", "https://localhost/token", Some(Private)),
            ("https://ghcr.io", "https://169.254.169.254/latest/meta-data", Some(Private)),
            ("https://ghcr.io", "https://[::1]/token", Some(Private)),
            ("https://ghcr.io", "https://[::ffff:10.0.0.1]/token", Some(Private)),
            ("https://ghcr.io", "https://0x7f.1/token", Some(Private)),
            ("https://ghcr.io", "https://user@ghcr.io/token", Some(UserName)),
        ];
        for (registry, realm, expected) in table {
            let found = check(&registry.parse().unwrap(), &realm.parse().unwrap(), With::Credential).err();
            assert_eq!(found, expected, "{registry} names {realm}");
        }
    }

    #[test]
    fn without_a_credential_another_site_is_fine_and_a_private_address_is_not() {
        let registry = "https://ghcr.io".parse().unwrap();
        assert_eq!(check(&registry, &"https://auth.example/token".parse().unwrap(), With::Nothing), Ok(()));
        let private = "https://192.168.0.1/token".parse().unwrap();
        assert_eq!(check(&registry, &private, With::Nothing), Err(UntrustedRealm::Private));
    }
}
