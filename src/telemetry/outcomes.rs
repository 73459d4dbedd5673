//! What can come of things, as values of metric labels: enums, so that no input can become one.

/// What came of a writing call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdempotencyOutcome {
    /// It was done.
    Performed,
    /// It had been done: the first answer again.
    Replayed,
    /// Its key stands for other arguments.
    KeyReused,
    /// Another is still at it.
    InProgress,
    /// It failed; the key may be used again.
    Failed,
}

impl IdempotencyOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Performed => "performed",
            Self::Replayed => "replayed",
            Self::KeyReused => "key_reused",
            Self::InProgress => "in_progress",
            Self::Failed => "failed",
        }
    }
}

/// What a tier of the cache did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CacheOutcome {
    /// It had the value.
    Hit,
    /// It had not.
    Miss,
    /// It keeps the value now.
    Stored,
    /// What it had was not ours: pasted, flipped, or of another version.
    Rejected,
    /// It could not be asked.
    Error,
}

impl CacheOutcome {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stored => "stored",
            Self::Rejected => "rejected",
            Self::Error => "error",
        }
    }
}
