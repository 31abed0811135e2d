//! The audit log in the state file: rows come, and go when they are old.

use fleetglass_shared::{
    health::UnixMillis,
    wire::{Audit, AuditEntry},
};
use rusqlite::{Row, params};

use super::{StateError, StateFile};

/// So many are kept, however young they are: whoever tries to sign in must not fill the disk.
const MOST: i64 = 1_000_000;

/// What of the audit log is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditQuery {
    /// Not older than this.
    pub since: UnixMillis,
    /// Not newer than this.
    pub until: UnixMillis,
    /// What one person did, or somebody who tried to be them.
    pub who: Option<String>,
    /// One kind of act.
    pub what: Option<String>,
    /// Only what is older than this one.
    pub before: i64,
    /// The newest so many.
    pub limit: usize,
}

impl Default for AuditQuery {
    fn default() -> Self {
        Self {
            since: UnixMillis::MIN,
            until: UnixMillis::MAX,
            who: None,
            what: None,
            before: i64::MAX,
            limit: 200,
        }
    }
}

impl StateFile {
    /// Writes down what somebody did. It gets its number here.
    pub fn record_audit(&self, entry: &AuditEntry) -> bool {
        let AuditEntry { at, who, via, ip, what, of, outcome, .. } = entry.clone();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO audit (at, who, via, ip, what, target, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                )?
                .execute(params![at, who, via, ip, what, of, outcome])
                .map(drop)
        })
    }

    /// The newest that are asked for, the newest first.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn audit(&self, query: AuditQuery) -> Result<Audit, StateError> {
        self.ask(move |connection| {
            let AuditQuery { since, until, who, what, before, limit } = query;
            let mut statement = connection.prepare_cached(
                "SELECT id, at, who, via, ip, what, target, outcome FROM audit
                 WHERE at BETWEEN ?1 AND ?2 AND id < ?3 AND (?4 IS NULL OR who = ?4) AND (?5 IS NULL OR what = ?5)
                 ORDER BY id DESC LIMIT ?6",
            )?;
            let one_more = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
            let rows = statement.query_map(params![since, until, before, who, what, one_more], read)?;
            let mut entries: Vec<AuditEntry> = rows.collect::<rusqlite::Result<_>>()?;
            let more = entries.len() > limit;
            entries.truncate(limit);
            Ok(Audit { entries, more })
        })
        .await
    }

    /// Takes away what is from before a time, and the oldest beyond what is kept of them.
    pub fn prune_audit(&self, before: UnixMillis) {
        self.write(move |connection| {
            connection.prepare_cached("DELETE FROM audit WHERE at < ?1")?.execute(params![before])?;
            connection
                .prepare_cached("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?1")?
                .execute(params![MOST])
                .map(drop)
        });
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    Ok(AuditEntry {
        id: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        via: row.get(3)?,
        ip: row.get(4)?,
        what: row.get(5)?,
        of: row.get(6)?,
        outcome: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ids(audit: &Audit) -> Vec<i64> {
        audit.entries.iter().map(|entry| entry.id).collect()
    }

    #[tokio::test]
    async fn what_was_done_is_found_in_pages_and_goes_when_it_is_old() {
        let state = StateFile::open(None);
        for (at, who, what) in
            [(10, "ada", "login"), (20, "bob", "login"), (30, "ada", "mark"), (40, "ada", "login")]
        {
            let entry = AuditEntry { at, who: who.into(), what: what.into(), ..AuditEntry::default() };
            assert!(state.record_audit(&entry));
        }
        let all = AuditQuery::default;
        let first = state.audit(AuditQuery { limit: 3, ..all() }).await.unwrap();
        assert_eq!((ids(&first), first.more), (vec![4, 3, 2], true));
        let rest = state.audit(AuditQuery { limit: 3, before: 2, ..all() }).await.unwrap();
        assert_eq!((ids(&rest), rest.more), (vec![1], false));
        let ada = AuditQuery { who: Some("ada".into()), what: Some("login".into()), ..all() };
        assert_eq!(ids(&state.audit(ada).await.unwrap()), [4, 1]);
        let between = AuditQuery { since: 20, until: 30, ..all() };
        assert_eq!(ids(&state.audit(between).await.unwrap()), [3, 2]);
        state.prune_audit(30);
        assert_eq!(ids(&state.audit(all()).await.unwrap()), [4, 3]);
    }
}
