//! Google's error bodies, built from the facts of its error model (`google.rpc.Status` and its details).

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const CONSUMER: &str = "projects/123456789012";
const METHOD: &str = "google.maps.places.v1.Places.GetPlace";

/// An error that Google is known to answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NamedError {
    KeyInvalid,
    KeyNotFound,
    KeyExpired,
    NoKey,
    ServiceDisabled,
    BillingDisabled,
    KeyServiceBlocked,
    KeyReferrerBlocked,
    KeyAddressBlocked,
    KeyAndroidBlocked,
    KeyIosBlocked,
    ConsumerSuspended,
    KeyLeaked,
    PermissionDenied,
    QuotaPerMinute,
    QuotaPerDay,
    QuotaZero,
    NoFieldMask,
    Internal,
    Unavailable,
    DeadlineExceeded,
}

/// An error with its HTTP status.
#[derive(Debug)]
pub(super) struct ErrorBody {
    pub(super) status: StatusCode,
    pub(super) body: Value,
}

impl NamedError {
    /// The body of this error; `key` is what the caller sent.
    pub(super) fn body(self, key: &str) -> ErrorBody {
        match self {
            Self::KeyInvalid => bad_key("API key not valid. Please pass a valid API key."),
            Self::KeyNotFound => bad_key("API Key not found. Please pass a valid API key."),
            Self::KeyExpired => bad_key("API key expired. Please renew the API key."),
            Self::NoKey => plain(403, "PERMISSION_DENIED", NO_KEY),
            Self::ServiceDisabled => {
                refused("SERVICE_DISABLED", SERVICE_DISABLED, &[("serviceTitle", "Places API (New)")])
            }
            Self::BillingDisabled => refused("BILLING_DISABLED", BILLING_DISABLED, &[]),
            Self::KeyServiceBlocked => refused(
                "API_KEY_SERVICE_BLOCKED",
                &format!("Requests to this API places.googleapis.com method {METHOD} are blocked."),
                &[("apiName", "places.googleapis.com"), ("methodName", METHOD)],
            ),
            Self::KeyReferrerBlocked => refused(
                "API_KEY_HTTP_REFERRER_BLOCKED",
                "Requests from referer <empty> are blocked.",
                &[("httpReferrer", "<empty>")],
            ),
            Self::KeyAddressBlocked => {
                refused("API_KEY_IP_ADDRESS_BLOCKED", ADDRESS_BLOCKED, &[("callerIp", "203.0.113.10")])
            }
            Self::KeyAndroidBlocked => app_blocked("API_KEY_ANDROID_APP_BLOCKED", "Android", "androidPackage"),
            Self::KeyIosBlocked => app_blocked("API_KEY_IOS_APP_BLOCKED", "iOS", "iosBundleId"),
            Self::ConsumerSuspended => refused(
                "CONSUMER_SUSPENDED",
                &format!("Permission denied: Consumer 'api_key:{key}' has been suspended."),
                &[("containerInfo", &format!("api_key:{key}"))],
            ),
            Self::KeyLeaked => {
                plain(403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key.")
            }
            Self::PermissionDenied => plain(403, "PERMISSION_DENIED", "The caller does not have permission"),
            Self::QuotaPerMinute => quota("minute", "GetPlaceRequestPerMinutePerProject", "1/min/{project}", "600"),
            Self::QuotaPerDay => quota("day", "GetPlaceRequestPerDayPerProject", "1/d/{project}", "100"),
            Self::QuotaZero => quota("minute", "GetPlaceRequestPerMinutePerProject", "1/min/{project}", "0"),
            Self::NoFieldMask => plain(400, "INVALID_ARGUMENT", NO_FIELD_MASK),
            Self::Internal => plain(500, "INTERNAL", "Internal error encountered."),
            Self::Unavailable => plain(503, "UNAVAILABLE", "The service is currently unavailable."),
            Self::DeadlineExceeded => plain(504, "DEADLINE_EXCEEDED", "Deadline exceeded."),
        }
    }
}

const NO_KEY: &str = "Method doesn't allow unregistered callers (callers without established identity). Please use API \
                      Key or other form of API consumer identity to call this API.";
const SERVICE_DISABLED: &str = "Places API (New) has not been used in project 123456789012 before or it is disabled. \
                                Enable it, then retry.";
const BILLING_DISABLED: &str = "This API method requires billing to be enabled. Please enable billing on project \
                                #123456789012, then retry.";
const ADDRESS_BLOCKED: &str = "The provided API key has an IP address restriction. The originating IP address of the \
                               call (203.0.113.10) violates this restriction.";
const NO_FIELD_MASK: &str = "FieldMask is a required parameter. As an example, you can set the header \
                             \"X-Goog-FieldMask\" with value \"places.displayName\".";

/// An error without details.
pub(super) fn plain(status: u16, name: &str, message: &str) -> ErrorBody {
    with_details(status, name, message, Vec::new())
}

/// The request itself is wrong, at `field` if there is one.
pub(super) fn bad_request(message: &str, field: Option<&str>, description: &str) -> ErrorBody {
    let violation = match field {
        Some(field) => json!({"field": field, "description": description}),
        None => json!({"description": description}),
    };
    let detail = json!({"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [violation]});
    with_details(400, "INVALID_ARGUMENT", message, vec![detail])
}

fn with_details(status: u16, name: &str, message: &str, details: Vec<Value>) -> ErrorBody {
    let mut error = Map::from_iter([
        ("code".to_owned(), json!(status)),
        ("message".to_owned(), json!(message)),
        ("status".to_owned(), json!(name)),
    ]);
    if !details.is_empty() {
        error.insert("details".to_owned(), Value::Array(details));
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    ErrorBody { status, body: json!({"error": error}) }
}

/// `metadata` are the pairs beside the service's name.
fn error_info(reason: &str, metadata: &[(&str, &str)]) -> Value {
    let service = ("service", "places.googleapis.com");
    let metadata: Map<String, Value> =
        std::iter::once(&service).chain(metadata).map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com", "metadata": metadata})
}

fn localized(message: &str) -> Value {
    json!({"@type": "type.googleapis.com/google.rpc.LocalizedMessage", "locale": "en-US", "message": message})
}

/// A key that is not valid is a bad request, not an unauthorised one.
fn bad_key(message: &str) -> ErrorBody {
    with_details(400, "INVALID_ARGUMENT", message, vec![error_info("API_KEY_INVALID", &[]), localized(message)])
}

fn refused(reason: &str, message: &str, metadata: &[(&str, &str)]) -> ErrorBody {
    let metadata = [&[("consumer", CONSUMER)], metadata].concat();
    with_details(403, "PERMISSION_DENIED", message, vec![error_info(reason, &metadata), localized(message)])
}

/// Unlike its siblings this one comes without a localised message.
fn app_blocked(reason: &str, system: &str, field: &str) -> ErrorBody {
    let message = format!("Requests from this {system} client application <empty> are blocked.");
    let info = error_info(reason, &[("consumer", CONSUMER), (field, "<empty>")]);
    with_details(403, "PERMISSION_DENIED", &message, vec![info])
}

fn quota(unit: &str, limit: &str, quota_unit: &str, value: &str) -> ErrorBody {
    let message = format!(
        "Quota exceeded for quota metric 'GetPlaceRequest' and limit 'GetPlaceRequest per {unit}' of service \
         'places.googleapis.com' for consumer 'project_number:123456789012'."
    );
    let metadata = [
        ("consumer", CONSUMER),
        ("quota_metric", "places.googleapis.com/get_place_request"),
        ("quota_limit", limit),
        ("quota_limit_value", value),
        ("quota_unit", quota_unit),
        ("quota_location", "global"),
    ];
    with_details(429, "RESOURCE_EXHAUSTED", &message, vec![error_info("RATE_LIMIT_EXCEEDED", &metadata)])
}
