//! Panics of a decoder that the code under test catches: for the fuzzer, which ends in its hook, they must be none.

use std::panic::{RefUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;

static LAST_PANIC: Mutex<String> = Mutex::new(String::new());

/// Keeps quiet about panics from now on.
pub fn keep_quiet() {
    set_hook(Box::new(|panic| *LAST_PANIC.lock().expect("to keep a text does not panic") = panic.to_string()));
}

/// Runs `check` on an input, and tells the fuzzer of a panic that nothing caught.
pub fn run(check: impl Fn(&[u8]) + RefUnwindSafe, bytes: &[u8]) {
    if catch_unwind(|| check(bytes)).is_err() {
        drop(take_hook());
        panic!("{}", LAST_PANIC.lock().expect("to keep a text does not panic"));
    }
}
