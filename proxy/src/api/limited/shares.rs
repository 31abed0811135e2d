//! Share links within the part: those that show nothing else, and those that somebody makes who sees nothing else.

use axum::{
    Extension, Json,
    extract::{FromRequest, Path, State, rejection::JsonRejection},
    response::{IntoResponse, Response},
};
use fleetglass_shared::wire::{Share, ShareChange, Shares};

use super::{Asked, Member, Told, nothing};
use crate::{
    api::{
        params::{Params, bad, unread},
        shares,
    },
    edge::Visit,
};

impl Member<'_> {
    /// A link that shows nothing from outside.
    fn own_share(&self, id: &str) -> Result<Share, super::ProblemResponse> {
        let share = self.app.shares.get(id).map(|share| self.app.shares.tell(&share));
        share.filter(|share| self.fence.holds_all(&share.scope.select)).ok_or_else(nothing)
    }

    pub(super) fn shares(&self) -> Response {
        let all = self.app.shares.list().into_iter();
        let shares = all.filter(|share| self.fence.holds_all(&share.scope.select)).collect();
        Json(Shares { shares }).into_response()
    }

    pub(super) fn share(&self, id: &str) -> Told {
        Ok(Json(self.own_share(id)?).into_response())
    }

    /// The wish, with both its selectors and those of the role.
    async fn wish(&self, asked: &Asked) -> Result<ShareChange, super::ProblemResponse> {
        let body: Result<Json<ShareChange>, JsonRejection> = Json::from_request(asked.request(), &()).await;
        let Json(mut wish) = body.map_err(|error| unread(&error))?;
        if let Some(scope) = &mut wish.scope {
            scope.select =
                self.fence.cross(&scope.select).map_err(|error| bad(format!("`scope`: {error}")))?;
        }
        Ok(wish)
    }

    pub(super) async fn make_share(&self, asked: &Asked) -> Told {
        let wish = self.wish(asked).await?;
        let visit = asked.parts.extensions.get::<Visit>().cloned().ok_or_else(nothing)?;
        let who = self.who.clone();
        shares::make(State(self.app.clone()), Extension(who), Extension(visit), Ok(Json(wish))).await
    }

    /// A link as it would be, of nodes inside; that of which it is a change shows nothing else, either.
    pub(super) async fn draft_share(&self, asked: &Asked) -> Told {
        let params = Params::read(&asked.parts.uri, &["of", "instead"])?;
        if let Some(of) = params.get("of") {
            self.own_share(of)?;
        }
        if let Some(instead) = params.get("instead") {
            self.own_preview(instead)?;
        }
        let wish = self.wish(asked).await?;
        let (who, uri) = (self.who.clone(), asked.parts.uri.clone());
        shares::draft(State(self.app.clone()), Extension(who), uri, Ok(Json(wish))).await
    }

    /// A link or a draft that shows nothing from outside.
    fn own_preview(&self, id: &str) -> Result<(), super::ProblemResponse> {
        let share = self.app.shares.preview(id, self.now).ok_or_else(nothing)?;
        match self.fence.holds_all(&share.scope().spec().select) {
            true => Ok(()),
            false => Err(nothing()),
        }
    }

    pub(super) async fn change_share(&self, id: &str, asked: &Asked) -> Told {
        self.own_share(id)?;
        let wish = self.wish(asked).await?;
        shares::change(State(self.app.clone()), Path(id.to_owned()), Ok(Json(wish))).await
    }

    pub(super) async fn revoke_share(&self, id: &str) -> Told {
        self.own_share(id)?;
        shares::revoke(State(self.app.clone()), Path(id.to_owned())).await
    }

    pub(super) async fn preview_share(&self, id: &str, rest: &str, asked: &Asked) -> Told {
        self.own_preview(id)?;
        let path = Path((id.to_owned(), rest.to_owned()));
        let (uri, headers) = (asked.parts.uri.clone(), asked.parts.headers.clone());
        shares::preview(State(self.app.clone()), path, uri, headers, asked.body.clone()).await
    }
}
