//! Up to which day an instance has slots: from there on its samples are read.

use std::sync::Arc;

use super::super::bytes::Input;
use super::super::day::DiskError;
use super::{Month, TierFiles};

impl TierFiles {
    /// The last day of which an instance's own series have slots.
    pub(in crate::store::disk) fn last_day(&self, instance: &str) -> Result<Option<i64>, DiskError> {
        let months: Vec<Arc<Month>> = self.months.read().values().rev().map(Arc::clone).collect();
        for month in months {
            let connection = month.reader.lock();
            let mut targets = connection.prepare_cached("SELECT id, labels FROM target")?;
            let mut rows = targets.query([])?;
            let mut last: Option<i64> = None;
            while let Some(row) = rows.next()? {
                let target = Input(row.get_ref(1)?.as_blob().unwrap_or_default()).labels()?;
                if target.get("instance") != Some(instance) {
                    continue;
                }
                let day: Option<i64> = connection
                    .prepare_cached(
                        "SELECT MAX(day) FROM slots WHERE series IN (SELECT id FROM series WHERE target = ?1)",
                    )?
                    .query_row([row.get::<_, i64>(0)?], |row| row.get(0))?;
                last = last.max(day);
            }
            if last.is_some() {
                return Ok(last);
            }
        }
        Ok(None)
    }
}
