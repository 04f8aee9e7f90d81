//! The time zone of guests.

use wharf_run::Wasi;

use crate::guest::component;
use crate::setup::Run;

#[tokio::test]
async fn every_guest_is_in_utc() {
    let guests =
        [(Wasi::V02, include_str!("../guests/timezone2.wat")), (Wasi::V03, include_str!("../guests/timezone3.wat"))];
    for (wasi, module) in guests {
        assert_eq!(Run::new().component(&component(wasi, "timezone", module)).await.0, 0, "{wasi:?}");
    }
}
