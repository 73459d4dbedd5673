//! What a caller is told of each error, in one exhaustive match: a new error does not build without its advice.

use super::GoogleError;
use crate::model::{Code, Failure};
use std::time::Duration;

/// Google counts requests a minute; a minute later there is room again.
const MINUTE: Duration = Duration::from_mins(1);
/// A short pause before one more try.
const PAUSE: Duration = Duration::from_secs(5);

impl From<GoogleError> for Failure {
    fn from(error: GoogleError) -> Self {
        let failure = Self::new(code(&error), advice(&error));
        match error {
            GoogleError::QuotaMinute => failure.retry_after(MINUTE),
            GoogleError::QuotaDay => failure.retry_after(Duration::from_hours(1)),
            GoogleError::Unavailable(_) | GoogleError::Unreachable | GoogleError::TimedOut(_) => {
                failure.retry_after(PAUSE)
            }
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
        GoogleError::QuotaMinute => Code::GoogleQuotaMinute,
        GoogleError::QuotaDay => Code::GoogleQuotaDay,
        GoogleError::QuotaZero => Code::GoogleQuotaZero,
        GoogleError::PlaceIdInvalid | GoogleError::PlaceObsolete => Code::PlaceNotFound,
        GoogleError::InvalidRequest => Code::GoogleRejectedRequest,
        GoogleError::Unavailable(_) => Code::GoogleUnavailable,
        GoogleError::Unreachable => Code::GoogleUnreachable,
        GoogleError::TimedOut(_) => Code::GoogleTimedOut,
        GoogleError::TooLarge(_) | GoogleError::NotJson | GoogleError::FormatChanged { .. } => {
            Code::GoogleFormatChanged
        }
    }
}

/// The first sentence says what to do; what the operator must do follows, because the user may be the operator.
fn advice(error: &GoogleError) -> String {
    let tell = "Do not retry; tell the user that this server's operator has to act:";
    match error {
        GoogleError::KeyMissing => {
            format!("{tell} no Google API key is set. Set `google.api_key` (or the variable GOOGLE_MAPS_API_KEY) and restart.")
        }
        GoogleError::KeyInvalid => format!(
            "{tell} Google does not accept the API key; it may be mistyped, deleted or expired. Check `google.api_key`."
        ),
        GoogleError::KeyRestricted(restriction) => {
            format!("{tell} the Google API key is restricted, {restriction}. Change the key's restrictions in the Google Cloud console.")
        }
        GoogleError::KeySuspended => {
            format!("{tell} Google has suspended the API key or its project. Make a new key and find out why.")
        }
        GoogleError::ApiDisabled => {
            format!("{tell} \"Places API (New)\" is not enabled in the Google Cloud project of the key. Enable it and wait a few minutes.")
        }
        GoogleError::BillingDisabled => {
            format!("{tell} the Google Cloud project of the key has no billing account. Enable billing and wait a few minutes.")
        }
        GoogleError::PermissionDenied => {
            format!("{tell} Google refuses the request without a reason. Check that the key's project has Places API (New) and billing.")
        }
        GoogleError::QuotaZero => {
            format!("{tell} the quota of the Google Cloud project for Places API (New) is zero. Ask Google for access.")
        }
        GoogleError::QuotaMinute => "Wait a minute, then try again: Google's limit of requests a minute is reached.".to_owned(),
        GoogleError::QuotaDay => "Do not retry today: Google's limit of requests a day is reached. It starts anew at midnight \
                                  US Pacific time; the operator can raise it in the Google Cloud console."
            .to_owned(),
        GoogleError::PlaceIdInvalid => "Search for the place with `search_places` and use the `place_id` from there: Google \
                                        cannot read the given one."
            .to_owned(),
        GoogleError::PlaceObsolete => "Search for the place again with `search_places`: Google no longer knows this \
                                       `place_id`, the place may have been removed or merged."
            .to_owned(),
        GoogleError::InvalidRequest => {
            "Check the arguments and try another form of them: Google rejects this request as invalid. An unusual \
             `language` or `region` is the most likely reason."
                .to_owned()
        }
        GoogleError::Unavailable(_) => "Try again in a few seconds: Google's service is failing at the moment.".to_owned(),
        GoogleError::Unreachable => "Try again in a few seconds: Google cannot be reached from this server.".to_owned(),
        GoogleError::TimedOut(_) => "Try again in a few seconds: Google did not answer in time.".to_owned(),
        GoogleError::TooLarge(_) | GoogleError::NotJson | GoogleError::FormatChanged { .. } => {
            "Do not retry; tell the user that the format of Google's answers has changed and this server needs an update. \
             Nothing was invented in its place."
                .to_owned()
        }
    }
}
