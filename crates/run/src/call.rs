//! Calls of single functions: what a program exports, called from words.
//!
//! ```text
//! Code ─functions─> Function: parameters and result, as Type
//!                      │
//! words ──Call::parse──┴─> Call ──call──> Called: how it ended, and the Answer ──print──> text or JSON
//!              │
//!              └─ UsageError, with Usage: which functions there are, and how to write what they take
//! ```
//!
//! Only reading functions from code, and calling them, needs an engine. Words, values and usage are plain data.

mod bytes;
mod convert;
mod expect;
mod exports;
mod fault;
mod find;
mod json;
mod parse;
mod print;
mod signature;
#[cfg(test)]
mod tests;
mod usage;
mod value;
mod words;

use serde::Serialize;
use wasmtime::component::{Component, ComponentExportIndex, Instance, ResourceAny, Val};
use wasmtime::{Module, Store};

pub use bytes::{BytesFrom, Open};
pub use exports::functions;
pub use fault::UsageError;
pub use print::Form;
pub use signature::{Case, Field, Function, FunctionKind, Parameter, Resource, Type};
pub use usage::{Docs, Usage};
pub use value::{Answer, Value};

use crate::attempt::Attempt;
use crate::code::{CompiledComponent, CompiledModule};
use crate::host::{Host, ModuleHost};
use crate::{Code, Ended, Error, Invocation, Outcome, Runtime};

/// Starts a core module that is a library.
const INITIALIZE: &str = "_initialize";

/// Bytes that the engine may keep for what a function returns: it keeps each byte of a list as a value.
const RETURNED_MAX: usize = 16 * 1024 * 1024 * size_of::<Val>();

/// A function with all that it is given; maybe methods after it, each of the resource that was made last.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    steps: Vec<Step>,
}

/// One function of a call.
#[derive(Debug, Clone, PartialEq)]
struct Step {
    function: Function,
    arguments: Vec<Value>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Called {
    /// How the guest ended; with exit code 1 where it answered with an error.
    pub outcome: Outcome,
    /// What it answered, unless it ended before: the last function, or the first that answered with an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// Calls a function.
///
/// # Errors
/// [`Error`], where the call does not come to its start. Whatever the guest does after that is in [`Called`].
pub async fn call(runtime: &Runtime, code: &Code, call: &Call, invocation: &Invocation) -> Result<Called, Error> {
    let attempt = Attempt::new(runtime, code, invocation);
    let answer = match code {
        Code::Module(CompiledModule(module)) => {
            attempt.within(in_module(attempt.module_store()?, module, call)).await?
        }
        Code::Component(CompiledComponent(component)) => {
            attempt.within(in_component(attempt.component_store()?, component, call)).await?
        }
    };
    Ok(match answer {
        Ok(answer) => {
            let ended = Ended::Exit(i32::from(matches!(answer, Answer::Err(_))));
            // It says itself what went wrong.
            Called { outcome: Outcome { suspected: None, ..attempt.outcome(ended) }, answer: Some(answer) }
        }
        Err(ended) => Called { outcome: attempt.outcome(ended), answer: None },
    })
}

/// Calls a function of a core module. The outer result is ours, the inner one the guest's.
async fn in_module(
    mut store: Store<ModuleHost>,
    module: &Module,
    call: &Call,
) -> Result<Result<Answer, wasmtime::Error>, Error> {
    let [Step { function, arguments }] = call.steps.as_slice() else { return Err(no_export(&call.steps[0])) };
    let name = function.export();
    let ty = module.get_export(&name).and_then(|export| export.func().cloned());
    let ty = ty.ok_or_else(|| no_export(&call.steps[0]))?;
    let pre = crate::linker::module_pre(&mut store, module)?;
    Ok(async {
        let instance = pre.instantiate_async(&mut store).await?;
        if let Some(initialize) = instance.get_func(&mut store, INITIALIZE) {
            initialize.typed::<(), ()>(&store)?.call_async(&mut store, ()).await?;
        }
        let function = instance.get_func(&mut store, &name).ok_or_else(|| wasmtime::Error::msg("it is not there"))?;
        let arguments: Vec<wasmtime::Val> = arguments.iter().map(convert::to_core).collect();
        let mut results = vec![wasmtime::Val::I32(0); ty.results().len()];
        function.call_async(&mut store, &arguments, &mut results).await?;
        Ok(Answer::of(convert::of_core(&results)))
    }
    .await)
}

/// Calls functions of a component. The outer result is ours, the inner one the guest's.
async fn in_component(
    mut store: Store<Host>,
    component: &Component,
    call: &Call,
) -> Result<Result<Answer, wasmtime::Error>, Error> {
    let find = |step| Ok((step, export(component, step).ok_or_else(|| no_export(step))?));
    let steps = call.steps.iter().map(find).collect::<Result<Vec<_>, Error>>()?;
    let pre = crate::linker::pre(component)?;
    store.set_hostcall_fuel(RETURNED_MAX);
    Ok(async {
        let instance = pre.instantiate_async(&mut store).await?;
        take(&mut store, &instance, &steps).await
    }
    .await)
}

/// Takes all steps, to the first that answers with an error, and drops the resources that they made.
async fn take(
    store: &mut Store<Host>,
    instance: &Instance,
    steps: &[(&Step, ComponentExportIndex)],
) -> wasmtime::Result<Answer> {
    let mut answer = Answer::Ok(None);
    let mut held: Vec<ResourceAny> = Vec::new();
    let mut current: Option<ResourceAny> = None;
    for (Step { function, arguments }, export) in steps {
        let called = instance.get_func(&mut *store, export).ok_or_else(|| wasmtime::Error::msg("it is not there"))?;
        let own = current.filter(|_| matches!(function.kind, FunctionKind::Method { .. })).map(Val::Resource);
        let given = function.parameters.iter().zip(arguments);
        let given = given.map(|(parameter, value)| convert::to_component(&parameter.ty, value));
        let given: Vec<Val> = own.into_iter().chain(given).collect();
        let mut results = vec![Val::Bool(false); usize::from(function.result.is_some())];
        called.call_async(&mut *store, &given, &mut results).await?;
        let returned = results.pop().map(|value| convert::of_component(function.result.as_ref(), value, &mut held));
        answer = Answer::of(returned);
        if matches!(answer, Answer::Err(_)) {
            break;
        }
        if function.handed_over().is_some() {
            current = held.last().copied();
        }
    }
    for resource in held.into_iter().rev() {
        resource.resource_drop_async(&mut *store).await?;
    }
    Ok(answer)
}

fn export(component: &Component, step: &Step) -> Option<ComponentExportIndex> {
    let interface = match &step.function.interface {
        Some(interface) => Some(component.get_export_index(None, interface)?),
        None => None,
    };
    component.get_export_index(interface.as_ref(), step.function.export())
}

fn no_export(step: &Step) -> Error {
    Error::NoExport { name: step.function.path() }
}
