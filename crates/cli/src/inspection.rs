//! How an inspection reads as text.

use std::io::{self, Write};

use wharf::{HostVerdict, Inspection, ProviderFacts, Source};

use crate::output::{Render, printable, size};

impl Render for Inspection {
    fn render(&self, out: &mut dyn Write) -> io::Result<()> {
        if let Some(wit) = &self.wit {
            return out.write_all(wit.as_bytes());
        }
        let optional = |text: &Option<String>| text.clone().unwrap_or_default();
        let source = match self.source {
            Source::Config => "the config, which is what its maker says",
            Source::Bytes => "the bytes",
        };
        // Of a file, the digest is that of the Wasm itself.
        let wasm = self.wasm_digest.as_ref().filter(|digest| **digest != self.digest);
        let kind = match &self.role {
            Some(role) if self.abi_versions.is_empty() => format!("{}, {role}", self.kind),
            Some(role) => {
                let versions: Vec<_> = self.abi_versions.iter().map(|abi| abi.number()).collect();
                format!("{}, {role} (ABI {})", self.kind, versions.join(", "))
            }
            None => self.kind.to_string(),
        };
        let rows = [
            ("reference", self.reference.clone()),
            ("kind", kind),
            ("dialect", optional(&self.dialect)),
            ("digest", self.digest.to_string()),
            (
                if self.provider.is_some() { "archive" } else { "wasm" },
                wasm.map(ToString::to_string).unwrap_or_default(),
            ),
            ("found in", optional(&self.place)),
            ("taken", self.taken.as_ref().map(ToString::to_string).unwrap_or_default()),
            ("size", exact_size(self.size)),
            ("WASI", optional(&self.wasi)),
            ("package", optional(&self.package)),
            ("world", optional(&self.world)),
            ("author", optional(&self.author)),
            ("created", optional(&self.created)),
            ("read from", source.to_owned()),
        ];
        for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
            writeln!(out, "{name:<10} {}", printable(value))?;
        }
        if let Some(provider) = &self.provider {
            render_provider(out, provider)?;
        }
        let components = self.components.iter().map(|component| format!("{} {}", component.id, component.digest));
        list(out, "components", &components.collect::<Vec<_>>())?;
        list(out, "imports", &self.imports)?;
        list(out, "exports", &self.exports)?;
        let annotations: Vec<_> = self.annotations.iter().map(|(key, value)| format!("{key}={value}")).collect();
        list(out, "annotations", &annotations)?;
        list(out, "hosts", &self.hosts.iter().map(verdict).collect::<Vec<_>>())
    }
}

fn render_provider(out: &mut dyn Write, provider: &ProviderFacts) -> io::Result<()> {
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let rows = [
        ("name", optional(&provider.name)),
        ("vendor", provider.vendor.clone()),
        ("version", optional(&provider.version)),
        ("revision", provider.revision.map(|revision| revision.to_string()).unwrap_or_default()),
        ("issuer", provider.issuer.clone()),
        ("subject", provider.subject.clone()),
        ("expires", optional(&provider.expires)),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "{name:<10} {}", printable(value))?;
    }
    let targets = provider.targets.iter().map(|it| format!("{} {} {}", it.name, it.digest, exact_size(it.size)));
    list(out, "targets", &targets.collect::<Vec<_>>())
}

/// Says whether a host takes the artifact, and what to make of it if not.
fn verdict(verdict: &HostVerdict) -> String {
    let HostVerdict { host, accepts, reason, convert_to } = verdict;
    let accepts = if *accepts { "yes" } else { "no" };
    let advice = convert_to.map(|form| format!("; `wharf copy --as {form}` makes it so")).unwrap_or_default();
    format!("{accepts:<3} {host}: {reason}{advice}")
}

/// Writes a size as people read it, with the exact one where that is rounded.
fn exact_size(bytes: u64) -> String {
    if bytes < 1000 { size(bytes) } else { format!("{} ({bytes} bytes)", size(bytes)) }
}

fn list(out: &mut dyn Write, name: &str, entries: &[String]) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    writeln!(out, "{name}")?;
    entries.iter().try_for_each(|entry| writeln!(out, "  {}", printable(entry)))
}
