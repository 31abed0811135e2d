//! Status pages whose nodes are all within the part: what is written on them, and who is told. All others are not there.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::{FromRequest, Path, State, rejection::JsonRejection},
    http::StatusCode,
    response::IntoResponse,
};
use fleetglass_shared::wire::{PostChange, PostDraft, StatusPost, UpdateDraft};
use serde::de::DeserializeOwned;

use super::{Asked, Member, Told, nothing};
use crate::{
    api::{
        events::unavailable,
        params::{Params, bad, unread},
        problem::ProblemResponse,
        status_posts::{self, NO_STORE, refused},
    },
    share::OpenShare,
    status::{StatusError, Writer},
};

impl Member<'_> {
    /// What is asked of status pages; `None` where it is not about them.
    pub(super) async fn status(&self, method: &str, path: &str, asked: &Asked) -> Option<Told> {
        let (slug, id) = (asked.path("slug"), asked.path("id"));
        Some(match (method, path) {
            ("GET", "/api/v1/status") => self.pages().await,
            ("GET", "/api/v1/status/{slug}/posts") => self.posts(slug).await,
            ("POST", "/api/v1/status/{slug}/posts") => self.write(slug, asked).await,
            ("PATCH", "/api/v1/status/{slug}/posts/{id}") => self.change_post(slug, id, asked).await,
            ("DELETE", "/api/v1/status/{slug}/posts/{id}") => self.remove_post(slug, id).await,
            ("POST", "/api/v1/status/{slug}/posts/{id}/updates") => self.go_on(slug, id, asked).await,
            ("GET", "/api/v1/status/{slug}/draft") => self.draft_post(slug, asked),
            ("GET", "/api/v1/status/{slug}/subscribers") => self.subscribers(slug).await,
            ("DELETE", "/api/v1/status/{slug}/subscribers/{id}") => self.unsubscribe(slug, id).await,
            _ => return None,
        })
    }

    /// A page that shows nothing from outside.
    fn page(&self, slug: &str) -> Result<Arc<OpenShare>, ProblemResponse> {
        let share = self.app.status.find(slug, self.now);
        share.filter(|share| self.is_own(share)).ok_or_else(nothing)
    }

    fn is_own(&self, share: &OpenShare) -> bool {
        self.fence.holds_all(&share.scope().spec().select)
    }

    fn writer(&self) -> Writer<'_> {
        Writer { name: &self.who.name, part: Some(self.scope()) }
    }

    async fn pages(&self) -> Told {
        let told = self.app.status.told(|share| self.is_own(share), self.now).await;
        Ok((NO_STORE, Json(told.map_err(|error| unavailable(&error))?)).into_response())
    }

    async fn posts(&self, slug: &str) -> Told {
        self.page(slug)?;
        status_posts::posts(State(self.app.clone()), Path(slug.to_owned())).await
    }

    async fn write(&self, slug: &str, asked: &Asked) -> Told {
        let share = self.page(slug)?;
        let draft: PostDraft = read(asked).await?;
        let post = self.app.status.write(&share, draft, self.writer(), self.now).await;
        self.written(slug, StatusCode::CREATED, "written on a status page", post)
    }

    async fn change_post(&self, slug: &str, id: &str, asked: &Asked) -> Told {
        let share = self.page(slug)?;
        let change: PostChange = read(asked).await?;
        let post = self.app.status.change(&share, id, change, self.writer(), self.now).await;
        self.written(slug, StatusCode::OK, "changed on a status page", post)
    }

    async fn go_on(&self, slug: &str, id: &str, asked: &Asked) -> Told {
        let share = self.page(slug)?;
        let draft: UpdateDraft = read(asked).await?;
        let post = self.app.status.update(&share, id, draft, self.writer(), self.now).await;
        self.written(slug, StatusCode::CREATED, "an update on a status page", post)
    }

    /// What was written, or why it was not.
    fn written(
        &self,
        slug: &str,
        status: StatusCode,
        what: &str,
        post: Result<StatusPost, StatusError>,
    ) -> Told {
        let post = post.map_err(|error| refused(&error))?;
        tracing::info!(slug, post = post.id, by = self.who.name, "{what}");
        Ok((status, NO_STORE, Json(post)).into_response())
    }

    async fn remove_post(&self, slug: &str, id: &str) -> Told {
        self.page(slug)?;
        let (app, who) = (State(self.app.clone()), Extension(self.who.clone()));
        status_posts::remove(app, who, Path((slug.to_owned(), id.to_owned()))).await
    }

    /// A post about an alert inside, by the id that it has there.
    fn draft_post(&self, slug: &str, asked: &Asked) -> Told {
        let share = self.page(slug)?;
        let params = Params::read(&asked.parts.uri, &["alert"])?;
        let id =
            params.get("alert").ok_or_else(|| bad("`alert` is missing: the id of an alert".to_owned()))?;
        let (own, _) = self.app.shares.alert_inside(self.part, id, self.now).ok_or_else(nothing)?;
        let draft = self.app.status.draft_of(&share, &own, self.now).ok_or_else(nothing)?;
        Ok((NO_STORE, Json(draft)).into_response())
    }

    async fn subscribers(&self, slug: &str) -> Told {
        self.page(slug)?;
        status_posts::subscribers(State(self.app.clone()), Path(slug.to_owned())).await
    }

    async fn unsubscribe(&self, slug: &str, id: &str) -> Told {
        self.page(slug)?;
        let (app, who) = (State(self.app.clone()), Extension(self.who.clone()));
        status_posts::unsubscribe(app, who, Path((slug.to_owned(), id.to_owned()))).await
    }
}

async fn read<T: DeserializeOwned>(asked: &Asked) -> Result<T, ProblemResponse> {
    let body: Result<Json<T>, JsonRejection> = Json::from_request(asked.request(), &()).await;
    body.map(|Json(body)| body).map_err(|error| unread(&error))
}
