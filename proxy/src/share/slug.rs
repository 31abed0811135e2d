//! Links with a public status page: which link has which slug.

use std::sync::Arc;

use fleetglass_shared::{
    health::UnixMillis,
    maintenance::Window,
    status::is_slug,
    wire::{Severity, View},
};

use super::{OpenShare, ShareError, Shares};
use crate::{config::is_label_name, state::KeptShare};

impl Shares {
    /// The node of an alert as the viewers of a link know it, how grave it is, and what of its summary they may read.
    pub fn alert_on(
        &self,
        share: &OpenShare,
        id: &str,
        now: UnixMillis,
    ) -> Option<(String, Severity, String)> {
        let (alert, _) = self.alerts.get(id)?;
        let node = self.nodes(share).into_iter().find(|node| alert.node.as_ref() == Some(&node.id))?;
        let shown = share.scope().alert_id(id);
        let told = self.alerts(share, now).into_iter().find(|told| told.id == shown);
        let summary = told.filter(|_| share.scope().shows(View::Alerts));
        let summary = summary.and_then(|told| told.annotations.get("summary").cloned()).unwrap_or_default();
        Some((node.shown, alert.severity, summary))
    }

    /// The maintenance windows of the config.
    pub fn windows(&self) -> Vec<Window> {
        self.alerts.windows()
    }

    pub(super) fn check_slug(&self, kept: &KeptShare, now: UnixMillis) -> Result<(), ShareError> {
        let Some(slug) = &kept.slug else { return Ok(()) };
        match is_taken(slug, &kept.id, self.all.read().values().map(|share| share.kept()), now) {
            true => Err(ShareError::Bad(format!("`slug`: another link has `{slug}`; choose another one"))),
            false => Ok(()),
        }
    }

    /// The link whose public page is at `slug`, while it may be opened.
    pub fn find_slug(&self, slug: &str, now: UnixMillis) -> Option<Arc<OpenShare>> {
        let all = self.all.read();
        let mut open = all.values().filter(|share| {
            share.slug() == Some(slug) && share.is_open_for_those_inside(now) && !share.is_used_up()
        });
        open.next().cloned()
    }

    /// Every link that has a public page, while it may be opened, by slug.
    pub fn public(&self, now: UnixMillis) -> Vec<Arc<OpenShare>> {
        let all = self.all.read();
        let is_public =
            |share: &&Arc<OpenShare>| share.slug().is_some() && share.is_open_for_those_inside(now);
        let mut found: Vec<_> = all.values().filter(is_public).cloned().collect();
        found.sort_by(|a, b| a.slug().cmp(&b.slug()));
        found
    }
}

/// Whether a link can have the public page that it says.
pub(super) fn public(kept: &KeptShare) -> Result<(), String> {
    if let Some(label) = kept.group_by.as_ref().filter(|label| !is_label_name(label)) {
        return Err(format!("`group_by`: `{label}` is not a label's name"));
    }
    let Some(slug) = &kept.slug else { return Ok(()) };
    match () {
        () if !is_slug(slug) => {
            Err(format!("`slug`: `{slug}` is not 3 to 40 of a-z, 0-9 and `-`, such as acme or acme-eu"))
        }
        () if kept.password.is_some() => {
            Err("`slug`: a status page is public, so its link cannot have a password".to_owned())
        }
        () if !kept.scope.views.contains(&View::Fleet) => {
            Err("`slug`: a status page shows nodes, so `views` needs `fleet`".to_owned())
        }
        () if kept.groups_only && kept.group_by.is_none() => {
            Err("`groups_only` needs `group_by`: the label whose values are the groups".to_owned())
        }
        () => Ok(()),
    }
}

/// Whether another link that opens has the slug.
pub fn is_taken<'a>(
    slug: &str,
    id: &str,
    mut kept: impl Iterator<Item = &'a KeptShare>,
    now: UnixMillis,
) -> bool {
    let opens = |share: &KeptShare| share.revoked_at.is_none() && share.expires_at.is_none_or(|at| now < at);
    kept.any(|share| share.id != id && share.slug.as_deref() == Some(slug) && opens(share))
}
