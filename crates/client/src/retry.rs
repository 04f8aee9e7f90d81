//! When to try again.

use std::time::{Duration, SystemTime};

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::Error;
use crate::limits::RETRY_AFTER_MAX;

/// How often and how soon to try again what failed in passing: 429, 500, 502, 503, 504, a broken connection, a
/// time-out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// How often a request is tried at most, the first time included.
    pub tries: u32,
    /// How long to wait before the second try. Each further wait is twice as long; all vary by chance, so that
    /// many clients do not come back at the same moment.
    pub base_delay: Duration,
    /// How long to wait at most, unless the registry asks for more.
    pub max_delay: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self { tries: 4, base_delay: Duration::from_millis(250), max_delay: Duration::from_secs(8) }
    }
}

/// The tries of one request.
#[derive(Debug)]
pub(crate) struct Tries {
    retries: Retries,
    failures: u32,
}

impl Tries {
    pub(crate) fn new(retries: Retries) -> Self {
        Self { retries, failures: 0 }
    }

    /// Gives the full number of tries again.
    pub(crate) fn restart(&mut self) {
        self.failures = 0;
    }

    /// Waits before the next try, or returns the error where there is none.
    pub(crate) async fn next(&mut self, error: Error) -> Result<(), Error> {
        self.failures += 1;
        // Trying sooner than the registry asks for is refused again, and waiting for hours is the caller's choice.
        let is_too_long = error.retry_after().is_some_and(|asked| asked > RETRY_AFTER_MAX);
        if is_too_long || !error.is_transient() || self.failures >= self.retries.tries {
            return Err(error);
        }
        tokio::time::sleep(self.delay(&error, fastrand::f64())).await;
        Ok(())
    }

    /// Returns how long to wait; `chance` is in 0..1.
    fn delay(&self, error: &Error, chance: f64) -> Duration {
        if let Some(asked) = error.retry_after() {
            return asked;
        }
        let doublings = self.failures.saturating_sub(1).min(16);
        let full = self.retries.base_delay.saturating_mul(1 << doublings).min(self.retries.max_delay);
        full.mul_f64(0.5 + chance / 2.0)
    }
}

/// Reads `Retry-After`: seconds, or a date, which is compared with the server's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if value.bytes().all(|byte| byte.is_ascii_digit()) {
        // A number too large to read is still a wait.
        return (!value.is_empty()).then(|| Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    let now: SystemTime = date(headers.get(DATE)?.to_str().ok()?)?;
    Some(date(value)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use http::{HeaderValue, Method, StatusCode};

    use super::*;
    use crate::Answer;
    use crate::error::RequestLine;

    fn throttled(retry_after: Option<Duration>) -> Error {
        let request = RequestLine::at_registry(&Method::GET, &"https://a.example/v2/".parse().unwrap());
        let answer = Answer { status: StatusCode::TOO_MANY_REQUESTS, errors: Vec::new(), retry_after };
        Error::TooManyRequests { request, answer: Box::new(answer) }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = "Sun, 06 Nov 1994 08:49:37 GMT";
        let table = [
            ("0", None, Some(0)),
            ("17", None, Some(17)),
            ("99999999999999999999999", None, Some(u64::MAX)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", Some(now), Some(10)),
            ("Sun, 06 Nov 1994 08:49:27 GMT", Some(now), Some(0)),
            ("Sun, 06 Nov 1994 08:49:47 GMT", None, None),
            ("-1", None, None),
            ("", None, None),
            ("soon", Some(now), None),
        ];
        for (value, date, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
            if let Some(date) = date {
                headers.insert(DATE, HeaderValue::from_static(date));
            }
            assert_eq!(retry_after(&headers), expected.map(Duration::from_secs), "{value}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_up_to_the_maximum_and_then_the_tries_end() {
        let retries = Retries { tries: 5, base_delay: Duration::from_secs(1), max_delay: Duration::from_secs(3) };
        let mut tries = Tries::new(retries);
        for (least, most) in [(0.5, 1.0), (1.0, 2.0), (1.5, 3.0), (1.5, 3.0)] {
            let start = tokio::time::Instant::now();
            tries.next(throttled(None)).await.unwrap();
            let waited = start.elapsed().as_secs_f64();
            assert!((least..=most + 0.01).contains(&waited), "{waited}");
        }
        assert!(tries.next(throttled(None)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_asked_for_is_kept_up_to_a_minute_and_a_longer_one_is_told() {
        for (asked, is_tried, expected) in [(7, true, 7), (60, true, 60), (61, false, 0), (u64::MAX, false, 0)] {
            let start = tokio::time::Instant::now();
            let next = Tries::new(Retries::default()).next(throttled(Some(Duration::from_secs(asked)))).await;
            assert_eq!((next.is_ok(), start.elapsed().as_secs()), (is_tried, expected), "{asked}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_will_not_pass_is_not_tried_again() {
        let start = tokio::time::Instant::now();
        let answer = Answer { status: StatusCode::BAD_REQUEST, errors: Vec::new(), retry_after: None };
        let request = RequestLine::at_registry(&Method::GET, &"https://a.example/v2/".parse().unwrap());
        let error = Error::Refused { request, answer: Box::new(answer) };
        assert!(Tries::new(Retries::default()).next(error).await.is_err());
        assert!(start.elapsed().is_zero());
    }
}
