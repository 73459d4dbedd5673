//! What a caller is told of each error, in one exhaustive match: a new error does not build without its advice.

use super::GoogleError;
use crate::model::{Code, Failure};
use std::time::Duration;

/// Google counts requests a minute; a minute later there is room again.
const MINUTE: Duration = Duration::from_mins(1);
/// For a queue to empty.
const MOMENT: Duration = Duration::from_secs(2);
/// A short pause before one more try.
const PAUSE: Duration = Duration::from_secs(5);

impl From<GoogleError> for Failure {
    fn from(error: GoogleError) -> Self {
        let failure = Self::new(code(&error), advice(&error));
        match error {
            GoogleError::QuotaMinute { retry_after } => failure.retry_after(retry_after.unwrap_or(MINUTE)),
            GoogleError::CircuitOpen { retry_after } => failure.retry_after(retry_after),
            GoogleError::Overloaded => failure.retry_after(MOMENT),
            GoogleError::QuotaDay { resets_in } | GoogleError::BudgetExhausted { resets_in } => {
                failure.retry_after(resets_in)
            }
            GoogleError::Unavailable { retry_after, .. } => failure.retry_after(retry_after.unwrap_or(PAUSE)),
            GoogleError::Unreachable | GoogleError::TimedOut(_) => failure.retry_after(PAUSE),
            _ => failure,
        }
    }
}

fn code(error: &GoogleError) -> Code {
    match error {
        GoogleError::KeyMissing => Code::GoogleKeyMissing,
        GoogleError::KeyInvalid => Code::GoogleKeyInvalid,
        GoogleError::KeyRestricted(_) => Code::GoogleKeyRestricted,
        GoogleError::KeySuspended => Code::GoogleKeySuspended,
        GoogleError::ApiDisabled => Code::GoogleApiDisabled,
        GoogleError::BillingDisabled => Code::GoogleBillingDisabled,
        GoogleError::PermissionDenied => Code::GooglePermissionDenied,
        GoogleError::QuotaMinute { .. } => Code::GoogleQuotaMinute,
        GoogleError::QuotaDay { .. } => Code::GoogleQuotaDay,
        GoogleError::QuotaZero => Code::GoogleQuotaZero,
        GoogleError::PlaceIdInvalid | GoogleError::PlaceObsolete => Code::PlaceNotFound,
        GoogleError::InvalidRequest => Code::GoogleRejectedRequest,
        GoogleError::Unavailable { .. } => Code::GoogleUnavailable,
        GoogleError::CircuitOpen { .. } => Code::GoogleCircuitOpen,
        GoogleError::BudgetExhausted { .. } => Code::BudgetExhausted,
        GoogleError::Overloaded => Code::Overloaded,
        GoogleError::Unreachable => Code::GoogleUnreachable,
        GoogleError::TimedOut(_) => Code::GoogleTimedOut,
        GoogleError::TooLarge(_) | GoogleError::NotJson | GoogleError::FormatChanged { .. } => {
            Code::GoogleFormatChanged
        }
    }
}

/// The first sentence says what to do; what the operator must do follows, because the user may be the operator.
fn advice(error: &GoogleError) -> String {
    let operator = |fault: &str| format!("Do not retry; tell the user that this server's operator has to act: {fault}");
    match error {
        GoogleError::KeyMissing => operator(NO_KEY),
        GoogleError::KeyInvalid => operator(BAD_KEY),
        GoogleError::KeyRestricted(restriction) => operator(&format!(
            "the Google API key is restricted, {restriction}. Change the key's restrictions in the Google Cloud console."
        )),
        GoogleError::KeySuspended => operator(SUSPENDED),
        GoogleError::ApiDisabled => operator(NOT_ENABLED),
        GoogleError::BillingDisabled => operator(NO_BILLING),
        GoogleError::PermissionDenied => operator(DENIED),
        GoogleError::QuotaZero => operator(NO_QUOTA),
        GoogleError::QuotaMinute { .. } => QUOTA_MINUTE.to_owned(),
        GoogleError::QuotaDay { resets_in } => format!("Do not retry for {}: {QUOTA_DAY}", about(*resets_in)),
        GoogleError::PlaceIdInvalid => BAD_PLACE_ID.to_owned(),
        GoogleError::PlaceObsolete => OBSOLETE.to_owned(),
        GoogleError::InvalidRequest => REJECTED.to_owned(),
        GoogleError::Unavailable { .. } => FAILING.to_owned(),
        GoogleError::CircuitOpen { .. } => ALONE.to_owned(),
        GoogleError::BudgetExhausted { resets_in } => format!("Do not retry for {}: {SPENT}", about(*resets_in)),
        GoogleError::Overloaded => BUSY.to_owned(),
        GoogleError::Unreachable => "Try again in a few seconds: Google cannot be reached from this server.".to_owned(),
        GoogleError::TimedOut(_) => "Try again in a few seconds: Google did not answer in time.".to_owned(),
        GoogleError::TooLarge(_) | GoogleError::NotJson | GoogleError::FormatChanged { .. } => CHANGED.to_owned(),
    }
}

const NO_KEY: &str =
    "no Google API key is set. Set `google.api_key` (or the variable GOOGLE_MAPS_API_KEY) and restart.";
const BAD_KEY: &str =
    "Google does not accept the API key; it may be mistyped, deleted or expired. Check `google.api_key`.";
const SUSPENDED: &str = "Google has suspended the API key or its project. Make a new key and find out why.";
const NOT_ENABLED: &str = "\"Places API (New)\" is not enabled in the Google Cloud project of the key. Enable it and wait \
                           a few minutes.";
const NO_BILLING: &str =
    "the Google Cloud project of the key has no billing account. Enable billing and wait a few minutes.";
const DENIED: &str = "Google refuses the request without a reason. Check that the key's project has Places API (New) and \
                      billing.";
const NO_QUOTA: &str = "the quota of the Google Cloud project for Places API (New) is zero. Ask Google for access.";
const QUOTA_MINUTE: &str = "Wait a minute, then try again: Google's limit of requests a minute is reached.";
const QUOTA_DAY: &str = "Google's limit of requests a day is reached. It starts anew at midnight US Pacific time; the \
                         operator can raise it in the Google Cloud console.";
const BAD_PLACE_ID: &str = "Search for the place with `search_places` and use the `place_id` from there: Google cannot \
                            read the given one.";
const OBSOLETE: &str = "Search for the place again with `search_places`: Google no longer knows this `place_id`, the \
                        place may have been removed or merged.";
const REJECTED: &str = "Check the arguments and try another form of them: Google rejects this request as invalid. An \
                        unusual `language` or `region` is the most likely reason.";
const FAILING: &str = "Try again in a few seconds: Google's service is failing at the moment.";
const ALONE: &str = "Wait as long as `retry_after_seconds` says, then try again: Google has failed repeatedly and is left \
                     alone until then.";
const SPENT: &str = "today's budget for Google is spent, so nothing was asked. It starts anew at midnight US Pacific time; \
                     the operator can raise `google.daily_budget_usd` or `google.daily_calls`.";
const BUSY: &str = "Try again in a moment: too many requests to Google are under way already.";
const CHANGED: &str = "Do not retry; tell the user that the format of Google's answers has changed and this server needs \
                       an update. Nothing was invented in its place.";

/// Hours, or minutes if it is less than two hours.
fn about(wait: Duration) -> String {
    let minutes = wait.as_secs().div_ceil(60);
    if minutes < 120 { format!("{minutes} minutes") } else { format!("{} hours", minutes.div_ceil(60)) }
}
