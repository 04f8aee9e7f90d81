//! For which host a binary is written, as its bytes tell.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::{Kind, Marker, Wasm};

/// What a binary is written to be, beyond its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Role {
    /// A filter for Envoy and what is built on it: it exports a version of the proxy-wasm ABI.
    ProxyWasmFilter,
    /// A policy for Kubewarden: it carries the metadata of one.
    KubewardenPolicy,
    /// An actor of wasmCloud: it carries signed claims.
    WasmcloudActor,
    /// A guest of the waPC protocol.
    WapcGuest,
}

impl Role {
    /// Names the hosts that run what is written for this role; a sentence can go on with "run it".
    #[must_use]
    pub fn hosts(self) -> &'static str {
        match self {
            Self::ProxyWasmFilter => "Envoy, Istio and Envoy Gateway",
            Self::KubewardenPolicy => "Kubewarden and `kwctl`",
            Self::WasmcloudActor => "hosts of wasmCloud before 1.0",
            Self::WapcGuest => "hosts of the waPC protocol",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::ProxyWasmFilter => "proxy-wasm filter",
            Self::KubewardenPolicy => "Kubewarden policy",
            Self::WasmcloudActor => "wasmCloud actor",
            Self::WapcGuest => "waPC guest",
        })
    }
}

/// A version of the proxy-wasm ABI, as filters export it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Abi {
    /// 0.1.0.
    V0_1_0,
    /// 0.2.0.
    V0_2_0,
    /// 0.2.1.
    V0_2_1,
}

impl Abi {
    /// All versions, from the first on.
    pub const ALL: [Self; 3] = [Self::V0_1_0, Self::V0_2_0, Self::V0_2_1];

    /// Returns the version as a plain number, such as `0.2.1`.
    #[must_use]
    pub fn number(self) -> &'static str {
        match self {
            Self::V0_1_0 => "0.1.0",
            Self::V0_2_0 => "0.2.0",
            Self::V0_2_1 => "0.2.1",
        }
    }

    /// Returns the function that a filter of this version exports.
    fn export(self) -> &'static str {
        match self {
            Self::V0_1_0 => "proxy_abi_version_0_1_0",
            Self::V0_2_0 => "proxy_abi_version_0_2_0",
            Self::V0_2_1 => "proxy_abi_version_0_2_1",
        }
    }
}

impl fmt::Display for Abi {
    /// Writes the version as a runtime config has it, such as `v0.2.1`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v{}", self.number())
    }
}

impl Serialize for Abi {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Wasm {
    /// Returns what the binary is written to be; the most telling where it is several things at once, as a policy of
    /// Kubewarden is a waPC guest too. Nothing for what any runtime may run.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        let is_guest = self.kind == Kind::Module && self.has_export("__guest_call");
        if self.markers.contains(&Marker::KubewardenMetadata) {
            Some(Role::KubewardenPolicy)
        } else if self.markers.contains(&Marker::WasmcloudClaims) {
            Some(Role::WasmcloudActor)
        } else if !self.proxy_wasm_abis().is_empty() {
            Some(Role::ProxyWasmFilter)
        } else {
            is_guest.then_some(Role::WapcGuest)
        }
    }

    /// Returns the versions of the proxy-wasm ABI that a core module exports, from the first on; none for a binary
    /// that is no filter.
    #[must_use]
    pub fn proxy_wasm_abis(&self) -> Vec<Abi> {
        let exported = Abi::ALL.into_iter().filter(|abi| self.has_export(abi.export()));
        exported.filter(|_| self.kind == Kind::Module).collect()
    }

    fn has_export(&self, name: &str) -> bool {
        // They are sorted.
        self.exports.binary_search_by(|export| export.as_str().cmp(name)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::examine;

    fn wasm(text: &str) -> Wasm {
        examine(&mut Cursor::new(wat::parse_str(text).unwrap())).unwrap()
    }

    #[test]
    fn exports_and_sections_tell_the_role() {
        let table = [
            (r#"(module (func (export "proxy_abi_version_0_2_1")))"#, Some(Role::ProxyWasmFilter)),
            (r#"(module (func (export "proxy_abi_version_9_9_9")))"#, None),
            (r#"(module (func (export "__guest_call")))"#, Some(Role::WapcGuest)),
            (r#"(module (func (export "_start")))"#, None),
            (
                r#"(module (func (export "__guest_call")) (@custom "io.kubewarden.metadata" "{}"))"#,
                Some(Role::KubewardenPolicy),
            ),
            (r#"(module (@custom "jwt" "x"))"#, Some(Role::WasmcloudActor)),
            (r#"(component (@custom "wasmcloud_jwt" "x"))"#, Some(Role::WasmcloudActor)),
            // What stands in a nested module says nothing of the component around it.
            (r#"(component (core module (@custom "jwt" "x")))"#, None),
            (r#"(component (import "a" (func $f)) (export "__guest_call" (func $f)))"#, None),
        ];
        for (text, expected) in table {
            assert_eq!(wasm(text).role(), expected, "{text}");
        }
    }

    #[test]
    fn abi_versions_are_those_that_a_core_module_exports() {
        let filter = wasm(
            r#"(module (func (export "proxy_abi_version_0_2_1")) (func (export "proxy_abi_version_0_1_0"))
                (func (export "proxy_abi_version_0_3_0")))"#,
        );
        assert_eq!(filter.proxy_wasm_abis(), [Abi::V0_1_0, Abi::V0_2_1]);
        let component = wasm(r#"(component (import "a" (func $f)) (export "proxy_abi_version_0_2_1" (func $f)))"#);
        assert_eq!(component.proxy_wasm_abis(), []);
    }

    #[test]
    fn roles_and_versions_have_texts_for_people_and_for_json() {
        assert_eq!(Role::ProxyWasmFilter.to_string(), "proxy-wasm filter");
        assert_eq!(serde_json::to_value(Role::ProxyWasmFilter).unwrap(), "proxy-wasm-filter");
        assert_eq!((Abi::V0_2_1.to_string().as_str(), Abi::V0_2_1.number()), ("v0.2.1", "0.2.1"));
        assert_eq!(serde_json::to_value(Abi::V0_1_0).unwrap(), "v0.1.0");
    }
}
