//! Guests whose functions are called.

use std::fmt::Write as _;

use wit_parser::abi::{AbiVariant, WasmSignature, WasmType};
use wit_parser::{Function, Mangling, Resolve, WorldItem};

use crate::guest::encode;

/// Functions of `acme:calc`.
pub(crate) fn calc() -> Vec<u8> {
    component(include_str!("../guests/calc.wit"), |_| include_str!("../guests/calc.wat").to_owned())
}

/// A function of each type that returns what it is given.
pub(crate) fn echo() -> Vec<u8> {
    component(include_str!("../guests/echo.wit"), |resolve| {
        let world = resolve.worlds.iter().next().unwrap().1;
        let functions = world.exports.values().filter_map(|item| match item {
            WorldItem::Function(function) => Some(function),
            _ => None,
        });
        let (imports, exports): (String, String) = functions.map(|function| echo_function(resolve, function)).unzip();
        format!(
            r#"(module
                {imports}
                {exports}
                (memory (export "memory") 16)
                (global $free (mut i32) (i32.const 16))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local i32)
                    (local.set 4 (i32.and (i32.add (global.get $free) (i32.const 15)) (i32.const -16)))
                    (global.set $free (i32.add (local.get 4) (local.get 3)))
                    (local.get 4)))"#
        )
    })
}

/// Returns the import and the exports of an async function that returns what it is given.
///
/// An async function takes and returns values in the same form, so that nothing has to be known of their types.
fn echo_function(resolve: &Resolve, function: &Function) -> (String, String) {
    let (module, import, WasmSignature { params: returned, .. }) =
        function.task_return_import(resolve, None, Mangling::Legacy);
    let taken = resolve.wasm_signature(AbiVariant::GuestExportAsync, function).params;
    assert_eq!(taken, returned);
    let types: String = taken.iter().map(|ty| format!(" {}", word(*ty))).collect();
    let name = &function.name;
    let import = format!("(import {module:?} {import:?} (func $return-{name} (param{types})))\n");
    let values = (0..taken.len()).fold(String::new(), |mut values, position| {
        let _ = write!(values, " (local.get {position})");
        values
    });
    let export = format!(
        r#"(func (export "[async-lift]{name}") (param{types}) (result i32) (call $return-{name}{values}) (i32.const 0))
        (func (export "[callback][async-lift]{name}") (param i32 i32 i32) (result i32) unreachable)
        "#
    );
    (import, export)
}

fn word(ty: WasmType) -> &'static str {
    match ty {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}

fn component(wit: &str, module: impl FnOnce(&Resolve) -> String) -> Vec<u8> {
    let mut resolve = Resolve { all_features: true, ..Resolve::default() };
    let package = resolve.push_str("guest.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    encode(&resolve, world, &module(&resolve))
}
