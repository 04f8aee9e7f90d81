//! What to do about something that cannot be deployed, or not be pinned.

use wharf::artifact::InvalidWasm;
use wharf::artifact::dialect::Unreadable;
use wharf::oci::Reference;
use wharf::{Cause, DeployFault, DeployTarget, Error, Form, PinFault};

use crate::exit;

/// Returns the exit code.
pub(super) fn code(fault: &DeployFault) -> u8 {
    match fault {
        DeployFault::Refused { .. } => exit::NO,
        _ => exit::USAGE,
    }
}

/// Returns the exit code for a file whose images cannot be pinned.
pub(super) fn pin_code(fault: &PinFault) -> u8 {
    match fault {
        PinFault::Changed { .. } => exit::ENVIRONMENT,
        _ => exit::USAGE,
    }
}

/// Returns what to do about a file whose images cannot be pinned.
pub(super) fn pin_hint(cause: &Cause) -> Option<String> {
    let hint = match cause {
        Cause::PinFault(PinFault::Yaml { .. }) => {
            "a template is pinned once it is filled in: `helm template … | wharf pin -`"
        }
        Cause::PinFault(PinFault::Changed { .. }) => "run it again; this file, and those after it, are as they were",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what to do, where that is about the host.
pub(super) fn deploy_hint(error: &Error) -> Option<String> {
    let Error::Deploy { input, .. } = error else { return None };
    let hint = match error.reason() {
        Cause::Wasm(InvalidWasm::Text) => "`wasm-tools parse FILE.wat -o FILE.wasm` makes a binary of it".to_owned(),
        Cause::Unreadable(Unreadable::Several { .. }) => {
            format!("`wharf copy {input} … --as image --layer NAME` packs one of them")
        }
        Cause::DeployFault(fault) => return fault_hint(fault, input),
        _ => return None,
    };
    Some(hint)
}

fn fault_hint(fault: &DeployFault, input: &str) -> Option<String> {
    let hint = match fault {
        DeployFault::Refused { reference, convert_to: Some(form), .. } => {
            format!("`wharf copy {reference} {} --as {form}` makes one that it runs", converted(reference, *form))
        }
        DeployFault::Refused { target: DeployTarget::Spin, .. } => {
            "`spin registry push` publishes what it runs".to_owned()
        }
        DeployFault::Refused { reference, .. } => {
            format!("`wharf inspect {reference}` tells what it is, and who runs it")
        }
        DeployFault::File { .. } => format!("`wharf push HOST/REPOSITORY:TAG {input}` brings it there"),
        DeployFault::Local { .. } => format!("`wharf copy {input} HOST/REPOSITORY:TAG` brings it there"),
        DeployFault::NoFile { .. } => {
            format!("`wharf pull {input} -o filter.wasm` makes one; then deploy `filter.wasm`")
        }
        DeployFault::NoGateway { .. } => {
            "--gateway names one, --selector KEY=VALUE takes those with a label".to_owned()
        }
        DeployFault::NoJson { .. } | DeployFault::NoObject { .. } => {
            "such as --config '{\"key\": \"value\"}', or --config @FILE".to_owned()
        }
        _ => return None,
    };
    Some(hint)
}

/// Returns where a copy in another form can go: beside the original, under a tag that tells it apart.
fn converted(reference: &Reference, form: Form) -> Reference {
    let suffixed = reference.tag().and_then(|tag| format!("{tag}-{form}").parse().ok());
    let tag = suffixed.unwrap_or_else(|| form.name().parse().expect("names of forms are tags"));
    reference.with_tag(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_goes_beside_the_original() {
        let digest = wharf::oci::Digest::sha256(b"");
        for (from, to) in [
            ("localhost:5000/a/b:1.0.0".to_owned(), "localhost:5000/a/b:1.0.0-istio".to_owned()),
            ("localhost/a/b".to_owned(), "localhost/a/b:istio".to_owned()),
            (format!("localhost/a/b:1@{digest}"), "localhost/a/b:1-istio".to_owned()),
            (format!("localhost/a/b:{}", "1".repeat(125)), "localhost/a/b:istio".to_owned()),
        ] {
            assert_eq!(converted(&from.parse().unwrap(), Form::Istio).to_string(), to);
        }
    }
}
