//! Bringing the schema up to date: each step in a transaction of its own, together with the note that it was made.

use super::error::StartError;
use sqlx::{
    Error,
    migrate::{AppliedMigration, Migrate, MigrateError, Migrator},
};

/// The steps for SQLite.
pub(super) static SQLITE: Migrator = sqlx::migrate!("migrations/sqlite");
/// The same steps for PostgreSQL; those who start at the same time wait for each other outside.
pub(super) static POSTGRES: Migrator = Migrator { locking: false, ..sqlx::migrate!("migrations/postgres") };

/// sqlx's own table of what was applied.
const TABLE: &str = "_sqlx_migrations";

/// What migrating did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Steps that were made just now.
    pub steps: usize,
    /// The schema's version now.
    pub version: i64,
}

/// Whether exactly these steps were applied.
pub(super) async fn is_complete<C: Migrate>(migrator: &Migrator, connection: &mut C) -> bool {
    is_all(migrator, &connection.list_applied_migrations(TABLE).await.unwrap_or_default())
}

fn is_all(migrator: &Migrator, applied: &[AppliedMigration]) -> bool {
    applied.len() == migrator.iter().count()
        && migrator
            .iter()
            .zip(applied)
            .all(|(step, applied)| step.version == applied.version && step.checksum == applied.checksum)
}

/// Applies what is missing. Where nothing is, nothing is asked of the database that needs the right to change its schema.
pub(super) async fn run<C: Migrate>(migrator: &Migrator, connection: &mut C) -> Result<Applied, MigrateError> {
    // Where the table is missing, this fails, and so does nothing.
    let before = connection.list_applied_migrations(TABLE).await.unwrap_or_default();
    let newest = before.last().map_or(0, |step| step.version);
    if is_all(migrator, &before) {
        return Ok(Applied { steps: 0, version: newest });
    }
    migrator.run_direct(None, connection, false).await?;
    let after = connection.list_applied_migrations(TABLE).await?;
    let version = after.last().map_or(0, |step| step.version);
    Ok(Applied { steps: after.len() - before.len(), version })
}

/// The database's own error, if it was one.
pub(super) fn cause(error: &MigrateError) -> Option<&Error> {
    match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Some(error),
        _ => None,
    }
}

/// What to do about a schema that is not ours.
pub(super) fn explain(error: &MigrateError) -> StartError {
    let known = SQLITE.iter().map(|step| step.version).max().unwrap_or_default();
    StartError::last(match error {
        MigrateError::VersionMissing(version) => format!(
            "the database has schema version {version}, and this program knows versions up to {known}: start the newer program \
             again, or restore the backup that was made before the upgrade"
        ),
        MigrateError::VersionMismatch(version) | MigrateError::Dirty(version) => format!(
            "step {version} of the schema was applied to the database in another form than this program knows: it was made by \
             a changed program; use that one, or restore a backup"
        ),
        error => format!("the schema cannot be brought up to date: {error}"),
    })
}
