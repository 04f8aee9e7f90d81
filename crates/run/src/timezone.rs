//! `wasi:clocks/timezone`, which the engine does not have: every guest is in UTC.

use wasmtime::component::{ComponentType, Lift, Linker, Lower};

/// Its names, of the versions that stand for those before them.
const P2: &str = "wasi:clocks/timezone@0.2.12";
const P3: &str = "wasi:clocks/timezone@0.3.0";

/// A point in time, of 0.2.
#[derive(ComponentType, Lift)]
#[component(record)]
struct Datetime {
    #[component(name = "seconds")]
    _seconds: u64,
    #[component(name = "nanoseconds")]
    _nanoseconds: u32,
}

/// A point in time, of 0.3.
#[derive(ComponentType, Lift)]
#[component(record)]
struct Instant {
    #[component(name = "seconds")]
    _seconds: i64,
    #[component(name = "nanoseconds")]
    _nanoseconds: u32,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct TimezoneDisplay {
    #[component(name = "utc-offset")]
    utc_offset: i32,
    name: String,
    #[component(name = "in-daylight-saving-time")]
    in_daylight_saving_time: bool,
}

/// Adds the interface of 0.2.
pub(crate) fn add_p2<T: 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut timezone = linker.instance(P2)?;
    timezone.func_wrap("display", |_, (_,): (Datetime,)| {
        Ok((TimezoneDisplay { utc_offset: 0, name: "UTC".to_owned(), in_daylight_saving_time: false },))
    })?;
    timezone.func_wrap("utc-offset", |_, (_,): (Datetime,)| Ok((0_i32,)))
}

/// Adds the interface of 0.3.
pub(crate) fn add_p3<T: 'static>(linker: &mut Linker<T>) -> wasmtime::Result<()> {
    let mut timezone = linker.instance(P3)?;
    timezone.func_wrap("iana-id", |_, (): ()| Ok((Some("UTC".to_owned()),)))?;
    timezone.func_wrap("utc-offset", |_, (_,): (Instant,)| Ok((Some(0_i64),)))?;
    timezone.func_wrap("to-debug-string", |_, (): ()| Ok(("UTC".to_owned(),)))
}
