//! The one error shape: every room's error ends as a `Failure`, and every client sees the same facts.

use super::{PlaceId, Scope};
use std::{fmt, time::Duration};

/// Whose fault it is, and so what a caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tier {
    /// The call was wrong: do not retry unchanged.
    Client,
    /// This server failed: retry with backoff.
    Server,
    /// What this server depends on failed or refused: wait as told.
    Dependency,
}

impl Tier {
    /// The name used in answers and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
            Self::Dependency => "dependency",
        }
    }
}

/// What happened, as a name that programs can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the documentation, and part of the contract")]
pub enum Code {
    InvalidArgument,
    InsufficientScope,
    PlaceNotFound,
    PageTokenMismatch,
    ReportNotFound,
    IdempotencyKeyReused,
    RequestInProgress,
    StoreUnavailable,
    Internal,
    TimedOut,
    Cancelled,
    GoogleKeyMissing,
    GoogleKeyInvalid,
    GoogleKeyRestricted,
    GoogleKeySuspended,
    GoogleApiDisabled,
    GoogleBillingDisabled,
    GooglePermissionDenied,
    GoogleQuotaMinute,
    GoogleQuotaDay,
    GoogleQuotaZero,
    GoogleRejectedRequest,
    GoogleUnavailable,
    GoogleUnreachable,
    GoogleTimedOut,
    GoogleFormatChanged,
    GoogleCircuitOpen,
    BudgetExhausted,
    Overloaded,
}

impl Code {
    /// The name used in answers, logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidArgument => "invalid_argument",
            Self::InsufficientScope => "insufficient_scope",
            Self::PlaceNotFound => "place_not_found",
            Self::PageTokenMismatch => "page_token_mismatch",
            Self::ReportNotFound => "report_not_found",
            Self::IdempotencyKeyReused => "idempotency_key_reused",
            Self::RequestInProgress => "request_in_progress",
            Self::StoreUnavailable => "store_unavailable",
            Self::Internal => "internal",
            Self::TimedOut => "timed_out",
            Self::Cancelled => "cancelled",
            Self::GoogleKeyMissing => "google_key_missing",
            Self::GoogleKeyInvalid => "google_key_invalid",
            Self::GoogleKeyRestricted => "google_key_restricted",
            Self::GoogleKeySuspended => "google_key_suspended",
            Self::GoogleApiDisabled => "google_api_disabled",
            Self::GoogleBillingDisabled => "google_billing_disabled",
            Self::GooglePermissionDenied => "google_permission_denied",
            Self::GoogleQuotaMinute => "google_quota_minute",
            Self::GoogleQuotaDay => "google_quota_day",
            Self::GoogleQuotaZero => "google_quota_zero",
            Self::GoogleRejectedRequest => "google_rejected_request",
            Self::GoogleUnavailable => "google_unavailable",
            Self::GoogleUnreachable => "google_unreachable",
            Self::GoogleTimedOut => "google_timed_out",
            Self::GoogleFormatChanged => "google_format_changed",
            Self::GoogleCircuitOpen => "google_circuit_open",
            Self::BudgetExhausted => "budget_exhausted",
            Self::Overloaded => "overloaded",
        }
    }

    /// Tier, HTTP status and whether the same call may succeed later.
    pub fn class(self) -> (Tier, u16, bool) {
        match self {
            Self::InvalidArgument | Self::PageTokenMismatch | Self::IdempotencyKeyReused => (Tier::Client, 422, false),
            Self::InsufficientScope => (Tier::Client, 403, false),
            Self::PlaceNotFound | Self::ReportNotFound => (Tier::Client, 404, false),
            Self::Internal => (Tier::Server, 500, true),
            Self::TimedOut | Self::Cancelled | Self::RequestInProgress | Self::StoreUnavailable => {
                (Tier::Server, 503, true)
            }
            Self::GoogleKeyMissing
            | Self::GoogleKeyInvalid
            | Self::GoogleKeyRestricted
            | Self::GoogleKeySuspended
            | Self::GoogleApiDisabled
            | Self::GoogleBillingDisabled
            | Self::GooglePermissionDenied
            | Self::GoogleRejectedRequest
            | Self::GoogleFormatChanged => (Tier::Dependency, 502, false),
            Self::GoogleUnreachable => (Tier::Dependency, 502, true),
            Self::GoogleQuotaZero => (Tier::Dependency, 503, false),
            Self::GoogleQuotaMinute
            | Self::GoogleQuotaDay
            | Self::GoogleUnavailable
            | Self::GoogleCircuitOpen
            | Self::BudgetExhausted
            | Self::Overloaded => (Tier::Dependency, 503, true),
            Self::GoogleTimedOut => (Tier::Dependency, 504, true),
        }
    }
}

/// Why a call did not succeed, told to whoever called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened.
    pub code: Code,
    /// For a model or a person; the first sentence says what to do. Never an internal message, a key or a stack.
    pub message: String,
    /// How long to wait before the next try, where that is known.
    pub retry_after: Option<Duration>,
}

impl Failure {
    /// A failure without a waiting time.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None }
    }

    /// The same, to be tried again after `wait`.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// The same, naming the place that it is about.
    #[must_use]
    pub fn about_place(mut self, id: &PlaceId) -> Self {
        self.message = format!("{} (place_id {id})", self.message);
        self
    }

    /// An argument breaks its rules.
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The caller may not do this.
    pub fn insufficient_scope(needed: Scope) -> Self {
        let message = format!(
            "Tell the user that this needs the permission {}, which their token or key does not carry; they can sign in \
             again and grant it, or ask the operator for a key with it.",
            needed.as_str()
        );
        Self::new(Code::InsufficientScope, message)
    }

    /// This server failed in a way that only its log explains.
    pub fn internal() -> Self {
        Self::new(
            Code::Internal,
            "Try again in a few seconds; if it happens again, tell the user that this server has an internal fault, \
             with the reference below.",
        )
        .retry_after(Duration::from_secs(5))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
