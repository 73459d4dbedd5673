//! What can go wrong at Google, named by what somebody has to do about it.
//!
//! Bodies are classified by `details[].reason`, then by status, then by message: details may be missing, be no list,
//! or the body may be HTML. Messages are never passed on; one of them contains the API key.

use crate::{clock::until_pacific_midnight, resilience::retry::Another};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Why Google gave no usable answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GoogleError {
    /// This server has no key.
    #[error("no API key is configured")]
    KeyMissing,
    /// Google does not know the key, or it was deleted or has expired.
    #[error("Google does not accept the API key")]
    KeyInvalid,
    /// The key may not be used for this API, or from here.
    #[error("the API key is restricted: {0}")]
    KeyRestricted(Restriction),
    /// The key or its project was suspended, or the key was reported as leaked.
    #[error("Google has suspended the API key or its project")]
    KeySuspended,
    /// The project has not enabled Places API (New).
    #[error("Places API (New) is not enabled in the key's project")]
    ApiDisabled,
    /// The project has no billing account.
    #[error("billing is not enabled in the key's project")]
    BillingDisabled,
    /// Refused without a reason.
    #[error("Google refused without giving a reason")]
    PermissionDenied,
    /// Too many requests in this minute.
    #[error("Google's quota a minute is used up")]
    QuotaMinute {
        /// What Google says to wait.
        retry_after: Option<Duration>,
    },
    /// Too many requests today; a new day begins at midnight in the Pacific time zone.
    #[error("Google's quota a day is used up")]
    QuotaDay {
        /// Until then.
        resets_in: Duration,
    },
    /// The quota is zero: access was never granted.
    #[error("Google's quota for this project is zero")]
    QuotaZero,
    /// Google cannot read the place id.
    #[error("Google cannot read the place id")]
    PlaceIdInvalid,
    /// Google knows the place no longer.
    #[error("Google no longer knows the place")]
    PlaceObsolete,
    /// Google refused the request itself; after a page token, other parameters than before are the likely reason.
    #[error("Google rejected the request as invalid")]
    InvalidRequest,
    /// Google failed.
    #[error("Google answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
        /// What Google says to wait.
        retry_after: Option<Duration>,
    },
    /// No connection, or it broke.
    #[error("Google could not be reached")]
    Unreachable,
    /// No answer, or no end of it, in this time.
    #[error("Google did not answer within {0:?}")]
    TimedOut(Duration),
    /// Google has failed again and again, so it is left alone for a while.
    #[error("Google is left alone for {retry_after:?} after repeated failures")]
    CircuitOpen {
        /// Until it is asked again.
        retry_after: Duration,
    },
    /// Today's budget is spent.
    #[error("today's budget is spent")]
    BudgetExhausted {
        /// Until the next day.
        resets_in: Duration,
    },
    /// Too many requests are under way already.
    #[error("too many requests to Google are under way")]
    Overloaded,
    /// The answer is larger than the limit in bytes.
    #[error("Google's answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer is no JSON.
    #[error("Google's answer is not JSON")]
    NotJson,
    /// The answer cannot be understood because its format has changed.
    #[error("the format of Google's answer has changed at `{path}`")]
    FormatChanged {
        /// The first field that could not be read.
        path: String,
    },
}

/// What a key is restricted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restriction {
    /// To other APIs.
    Api,
    /// To web pages.
    Referrer,
    /// To other addresses.
    Address,
    /// To mobile apps.
    App,
}

impl std::fmt::Display for Restriction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Api => "it does not allow Places API (New)",
            Self::Referrer => "it allows web pages only",
            Self::Address => "it does not allow this server's address",
            Self::App => "it allows mobile apps only",
        })
    }
}

/// Names the error that a status other than 2xx and its body stand for; `now` tells how far off Google's next day is.
pub fn classify(status: u16, body: &[u8], now: Timestamp) -> GoogleError {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = body.get("error").unwrap_or(&Value::Null);
    by_reason(error, now).or_else(|| by_status(status, error, now)).unwrap_or_else(|| by_message(status, error))
}

fn by_reason(error: &Value, now: Timestamp) -> Option<GoogleError> {
    let details = error.get("details")?.as_array()?;
    let info = details.iter().find(|detail| detail.get("reason").is_some())?;
    Some(match info.get("reason")?.as_str()? {
        "API_KEY_INVALID" | "CONSUMER_INVALID" => GoogleError::KeyInvalid,
        "SERVICE_DISABLED" => GoogleError::ApiDisabled,
        "BILLING_DISABLED" => GoogleError::BillingDisabled,
        "API_KEY_SERVICE_BLOCKED" => GoogleError::KeyRestricted(Restriction::Api),
        "API_KEY_HTTP_REFERRER_BLOCKED" => GoogleError::KeyRestricted(Restriction::Referrer),
        "API_KEY_IP_ADDRESS_BLOCKED" => GoogleError::KeyRestricted(Restriction::Address),
        "API_KEY_ANDROID_APP_BLOCKED" | "API_KEY_IOS_APP_BLOCKED" => GoogleError::KeyRestricted(Restriction::App),
        "CONSUMER_SUSPENDED" => GoogleError::KeySuspended,
        "RATE_LIMIT_EXCEEDED" | "RESOURCE_QUOTA_EXCEEDED" => {
            quota(info.get("metadata").unwrap_or(&Value::Null), error, now)
        }
        _ => return None,
    })
}

fn by_status(status: u16, error: &Value, now: Timestamp) -> Option<GoogleError> {
    let name = error.get("status").and_then(Value::as_str).unwrap_or_default();
    match (status, name) {
        (404, _) | (_, "NOT_FOUND") => Some(if error.is_object() {
            GoogleError::PlaceObsolete
        } else {
            // An HTML 404 comes from the front end: the path is wrong, not the place.
            unavailable(404)
        }),
        (429, _) | (_, "RESOURCE_EXHAUSTED") => Some(quota(&Value::Null, error, now)),
        (500.., _) => Some(unavailable(status)),
        _ => None,
    }
}

fn by_message(status: u16, error: &Value) -> GoogleError {
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default().to_ascii_lowercase();
    let says = |words: &str| message.contains(words);
    if says("not a valid place id") {
        GoogleError::PlaceIdInvalid
    } else if says("place id is no longer valid") {
        GoogleError::PlaceObsolete
    } else if says("api key not valid") || says("api key not found") || says("api key expired") {
        GoogleError::KeyInvalid
    } else if says("reported as leaked") || says("has been suspended") {
        GoogleError::KeySuspended
    } else if says("unregistered callers") {
        GoogleError::KeyMissing
    } else {
        match status {
            401 | 403 => GoogleError::PermissionDenied,
            408 => unavailable(408),
            400..=499 => GoogleError::InvalidRequest,
            // Includes redirects, which are never followed.
            _ => unavailable(status),
        }
    }
}

/// A limit a day and one a minute share status and reason; only the metadata, or else the message, tells them apart.
fn quota(metadata: &Value, error: &Value, now: Timestamp) -> GoogleError {
    let field = |name: &str| metadata.get(name).and_then(Value::as_str).unwrap_or_default();
    let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
    if field("quota_limit_value") == "0" {
        GoogleError::QuotaZero
    } else if field("quota_unit").starts_with("1/d/")
        || field("quota_limit").contains("PerDay")
        || message.contains("per day")
    {
        GoogleError::QuotaDay { resets_in: until_pacific_midnight(now) }
    } else {
        GoogleError::QuotaMinute { retry_after: None }
    }
}

fn unavailable(status: u16) -> GoogleError {
    GoogleError::Unavailable { status, retry_after: None }
}

impl GoogleError {
    /// The same, with what the header `Retry-After` said.
    #[must_use]
    pub fn retry_after(self, wait: Option<Duration>) -> Self {
        match self {
            Self::QuotaMinute { .. } => Self::QuotaMinute { retry_after: wait },
            Self::Unavailable { status, .. } => Self::Unavailable { status, retry_after: wait },
            other => other,
        }
    }

    /// Whether another try may succeed, and when. Only reads are made, so a try whose outcome is unknown is harmless.
    pub fn another(&self) -> Another {
        match self {
            Self::Unavailable { retry_after: Some(wait), .. } | Self::QuotaMinute { retry_after: Some(wait) } => {
                Another::After(*wait)
            }
            Self::Unavailable { status: 408 | 500.., .. } | Self::Unreachable | Self::TimedOut(_) => Another::Yes,
            _ => Another::No,
        }
    }

    /// Whether it shows that Google fails. What the caller or the operator got wrong, and quotas, do not.
    pub fn is_failure_of_google(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { status: 408 | 500.., .. }
                | Self::Unreachable
                | Self::TimedOut(_)
                | Self::TooLarge(_)
                | Self::NotJson
        )
    }
}
