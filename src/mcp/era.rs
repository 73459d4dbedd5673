//! What answers carry since version 2026-07-28 of the protocol and no older client knows: who answers, and how long the
//! answer may be kept. Sources: SEP-2549, and `_meta` in the schema of that version.

use rmcp::{
    RoleServer,
    model::{
        CacheScope, CallToolResult, CompleteResult, DiscoverResult, GetPromptResult, Implementation, ListPromptsResult,
        ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, MetaObject, ProtocolVersion,
        ReadResourceResult,
    },
    service::RequestContext,
};
use serde_json::Value;
use std::{sync::LazyLock, time::Duration};

/// The key in `_meta` of who answers.
const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";

/// Who this is.
pub(super) fn implementation() -> Implementation {
    Implementation::new("google-reviews", env!("CARGO_PKG_VERSION")).with_title("Google Reviews")
}

static SELF: LazyLock<Value> = LazyLock::new(|| serde_json::to_value(implementation()).unwrap_or_default());

/// How long an answer may be kept, and by whom.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep {
    /// So long, also for other callers: it is the same for all.
    Shared(Duration),
    /// Not at all.
    Not,
}

/// What the caller's client knows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Era {
    is_modern: bool,
}

impl Era {
    /// That of a request.
    pub(super) fn of(context: &RequestContext<RoleServer>) -> Self {
        let version = context.protocol_version();
        Self { is_modern: version.is_some_and(|version| version >= ProtocolVersion::V_2026_07_28) }
    }

    /// The answer, saying who answers.
    pub(super) fn signed<R: Signed>(self, mut result: R) -> R {
        if self.is_modern {
            result.meta().get_or_insert_default().insert(SERVER_INFO.to_owned(), SELF.clone());
        }
        result
    }

    /// The same, saying also how long it may be kept.
    pub(super) fn kept<R: Kept>(self, mut result: R, keep: Keep) -> R {
        if self.is_modern {
            let (duration, scope) = match keep {
                Keep::Shared(duration) => (duration, CacheScope::Public),
                Keep::Not => (Duration::ZERO, CacheScope::Private),
            };
            result.hint(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX), scope);
        }
        self.signed(result)
    }
}

/// An answer with a place for who answers.
pub(super) trait Signed {
    fn meta(&mut self) -> &mut Option<MetaObject>;
}

/// An answer with a place for how long it may be kept, in milliseconds.
pub(super) trait Kept: Signed {
    fn hint(&mut self, milliseconds: u64, scope: CacheScope);
}

macro_rules! signed {
    ($($result:ty),*) => { $(impl Signed for $result {
        fn meta(&mut self) -> &mut Option<MetaObject> {
            &mut self.meta
        }
    })* };
}

macro_rules! kept {
    ($($result:ty),*) => { $(
        signed!($result);
        impl Kept for $result {
            fn hint(&mut self, milliseconds: u64, scope: CacheScope) {
                (self.ttl_ms, self.cache_scope) = (Some(milliseconds), Some(scope));
            }
        }
    )* };
}

signed!(CallToolResult, CompleteResult, GetPromptResult);
kept!(ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, ReadResourceResult);

impl Signed for DiscoverResult {
    fn meta(&mut self) -> &mut Option<MetaObject> {
        &mut self.meta
    }
}

impl Kept for DiscoverResult {
    fn hint(&mut self, milliseconds: u64, scope: CacheScope) {
        (self.ttl_ms, self.cache_scope) = (milliseconds, scope);
    }
}
