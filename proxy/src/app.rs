//! What a running proxy is made of, and its routes.

use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::{
    Extension, Router,
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware,
    response::Response,
    routing::{delete, get, patch, post},
};
use fleetglass_shared::restart::Policy;
use tower::Layer;
use tower_http::{
    compression::CompressionLayer,
    cors::{AllowHeaders, AllowOrigin, CorsLayer},
    limit::RequestBodyLimitLayer,
};

use crate::{
    alerts::Alerts,
    api, assets,
    auth::{self, Guard},
    config::CorsConfig,
    edge::{self, Edge},
    egress::Egress,
    fleet::Fleet,
    incidents::Incidents,
    live::Live,
    long_term::LongTerm,
    notify::Notify,
    query::{self, ViewerQueries},
    remote::Receiver,
    rules::Rules,
    scrape::Client,
    share::{self, Shares},
    state::StateFile,
    status::StatusPages,
    store::Store,
    telemetry::Telemetry,
};

/// The largest request body that is read, but for what is pushed: that has a limit of its own.
const BODY_LIMIT: usize = 1 << 20;

/// The same for those who look through a link: an expression, or a password.
const SHARED_BODY_LIMIT: usize = 64 << 10;

/// Everything that the API reads.
pub struct App {
    /// State of every node.
    pub fleet: Arc<Fleet>,
    /// Samples of every node.
    pub store: Arc<Store>,
    /// What happened, and what is known from one run to the next.
    pub state: Arc<StateFile>,
    /// Where the far past is, if it is anywhere.
    pub long_term: Option<Arc<LongTerm>>,
    /// What is wrong with the nodes.
    pub alerts: Arc<Alerts>,
    /// What finds that.
    pub rules: Arc<Rules>,
    /// Whether we ourselves can reach the network.
    pub egress: Arc<Egress>,
    /// What of it has one cause.
    pub incidents: Arc<Incidents>,
    /// Who is told of it.
    pub notify: Arc<Notify>,
    /// When a node may be restarted.
    pub restart: ArcSwap<Policy>,
    /// Who may look at what without a login.
    pub shares: Arc<Shares>,
    /// The public pages of some of these.
    pub status: Arc<StatusPages>,
    /// What they ask of the store.
    pub viewer_queries: ViewerQueries,
    /// How fast they may ask.
    pub share_limits: share::Limits,
    /// Where people reach us, if the config says.
    pub external_url: Option<String>,
    /// Browsers reach us over TLS, as far as the config says.
    pub is_https: bool,
    /// The live stream.
    pub live: Arc<Live>,
    /// For passing a node's own endpoints through.
    pub client: Client,
    /// Takes what is pushed.
    pub receiver: Arc<Receiver>,
    /// Metrics of Fleetglass itself.
    pub telemetry: Arc<Telemetry>,
}

/// The guarded routes that are no queries. Who may use which is in `auth::may`.
pub(crate) fn own_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/api/v1/alerts", get(api::rules::alerts))
        .route("/api/v1/alerts/history", get(api::alerts::history))
        .route("/api/v1/alerts/{id}", get(api::alerts::alert))
        .route(
            "/api/v1/alerts/{id}/acknowledge",
            post(api::alerts::acknowledge).delete(api::alerts::unacknowledge),
        )
        .route("/api/v1/notifications", get(api::notifications::notifications))
        .route("/api/v1/receivers/{name}/test", post(api::notifications::test))
        .route("/api/v1/incidents", get(api::incidents::incidents))
        .route("/api/v1/rules", get(api::rules::rules))
        .route("/api/v1/rules/backtest", post(api::rules::backtest))
        .route("/api/v2/status", get(api::alertmanager::status))
        .route("/api/v2/alerts", get(api::alertmanager::alerts))
        .route("/api/v2/alerts/groups", get(api::alertmanager::groups))
        .route("/api/v2/receivers", get(api::alertmanager::receivers))
        .route("/api/v2/silences", get(api::alertmanager::silences).post(api::alertmanager::set_silence))
        .route(
            "/api/v2/silence/{id}",
            get(api::alertmanager::silence).delete(api::alertmanager::expire_silence),
        )
        .route("/api/v1/events", get(api::events::events).post(api::events::mark))
        .route("/api/v1/fleet", get(api::fleet::fleet))
        .route("/api/v1/glance", get(api::glance::glance))
        .route("/api/v1/live", get(api::live::live))
        .route("/api/v1/nodes/{id}", get(api::nodes::node))
        .route("/api/v1/nodes/{id}/series", get(api::nodes::series))
        .route("/api/v1/nodes/{id}/risks/{name}", get(api::risks::risk))
        .route("/api/v1/nodes/{id}/{role}", get(api::nodes::pass_through))
        .route("/api/v1/export", get(api::history::export))
        .route("/api/v1/import", post(api::history::import))
        .route("/api/v1/prune", post(api::history::prune))
        .route("/api/v1/maintenance", get(api::maintenance::windows))
        .route("/api/v1/risks", get(api::risks::risks))
        .route("/api/v1/shares", get(api::shares::list).post(api::shares::make))
        .route(
            "/api/v1/shares/{id}",
            get(api::shares::share).patch(api::shares::change).delete(api::shares::revoke),
        )
        .route("/api/v1/shares/drafts", post(api::shares::draft))
        .route("/api/v1/shares/{id}/preview/{*rest}", get(api::shares::preview))
        .route("/preview/{id}/api/v1/{*rest}", get(api::shares::preview).post(api::shares::preview))
        .route("/api/v1/push/key", get(api::push::key))
        .route("/api/v1/push/subscriptions", get(api::push::list).post(api::push::subscribe))
        .route("/api/v1/push/subscriptions/{id}", delete(api::push::unsubscribe))
        .route("/api/v1/push/subscriptions/{id}/test", post(api::push::test))
        .route("/api/v1/restart-check", get(api::restart::check))
        .route("/api/v1/uptime", get(api::uptime::uptime))
        .route("/api/v1/audit", get(api::people::audit::list))
        .route("/api/v1/audit/export", get(api::people::audit::export))
        .merge(api::status_posts::router())
        .route("/metrics", get(api::own::metrics))
        .route("/metrics/nodes", get(api::own::node_metrics))
}

/// Every route, guarded.
pub fn router(app: &Arc<App>, guard: &Arc<Guard>, edge: Edge, cors: &CorsConfig) -> Router {
    let fleet = Arc::clone(&app.fleet);
    let targets: query::Targets = Arc::new(move || fleet.targets());
    let write = post(api::write::write).with_state(Arc::clone(app));
    let guarded = own_routes()
        .with_state(Arc::clone(app))
        .merge(people_routes().with_state(Arc::clone(guard)))
        .merge(query::router(Arc::clone(&app.store), targets, app.long_term.clone()))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .route("/api/v1/write", write)
        .layer(middleware::from_fn_with_state(Arc::clone(app), api::limited::instead))
        .layer(middleware::from_fn(auth::permit))
        .layer(middleware::from_fn_with_state(Arc::clone(guard), auth::require))
        .layer(middleware::map_response(api_headers));
    // Whoever is not known may ask, too: how to log in.
    let me = Router::new()
        .route("/api/v1/me", get(api::people::me))
        .layer(middleware::from_fn_with_state(Arc::clone(guard), auth::look))
        .layer(middleware::map_response(api_headers))
        .with_state(Arc::clone(guard));
    let login = Router::new()
        .route("/login", get(auth::login::form).post(auth::login::submit))
        .route("/login/oidc", get(auth::oidc::begin))
        .route("/login/oidc/callback", get(auth::oidc::callback))
        .route("/logout", get(auth::login::leave_form).post(auth::login::leave))
        .with_state(Arc::clone(guard))
        .layer(RequestBodyLimitLayer::new(SHARED_BODY_LIMIT))
        .layer(middleware::map_response(page_headers));
    let open = Router::new()
        .route("/healthz", get(api::own::healthz))
        .route("/readyz", get(api::own::readyz))
        .route("/manifest.webmanifest", get(api::manifest::manifest))
        // What is signed needs no login.
        .route("/n/ack/{token}", get(api::signed::ask).post(api::signed::acknowledge))
        .route("/n/chart/{token}", get(api::signed::chart))
        // So does a browser that knows the secret of its subscription.
        .route("/n/push", post(api::push::renew))
        .route("/preview/{id}/", get(api::shares::preview_page))
        .route("/preview/{id}/{*page}", get(api::shares::preview_page))
        .with_state(Arc::clone(app))
        .fallback(assets::asset)
        .layer(Extension(Arc::clone(guard)))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(middleware::map_response(page_headers));
    // The token is the login here: it opens what its link shows, and nothing else is reached by these routes.
    let shared = Router::new()
        .route("/s/{token}", get(api::shared_page::page))
        .route("/s/{token}/", get(api::shared_page::page))
        .route("/s/{token}/{*page}", get(api::shared_page::page))
        .route("/s/{token}/manifest.webmanifest", get(api::shared_page::manifest))
        .route("/s/{token}/card.png", get(api::shared_page::card))
        .route("/s/{token}/logo", get(api::shared_page::logo))
        .route("/s/{token}/password", post(api::shared_page::password))
        .route("/s/{token}/api/v1/{*rest}", get(api::shared::api).post(api::shared::api))
        .with_state(Arc::clone(app))
        .layer(RequestBodyLimitLayer::new(SHARED_BODY_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::clone(app), api::shared_page::limit))
        .layer(middleware::map_response(api::shared::headers));
    // Panels have no cookie and no login either; any page may read what it has the token of.
    let embedded = Router::new()
        .route("/embed/{token}", get(api::embed::page))
        .route("/embed/{token}/", get(api::embed::page))
        .route("/embed/{token}/panel", get(api::embed::fragment))
        .route("/embed/{token}/panels", get(api::embed::together::panels))
        .route("/embed/{token}/live", get(api::embed::live))
        .route("/embed/{token}/api/v1/panel.json", get(api::embed::json))
        .route("/embed/files/{name}", get(api::embed::file))
        .route("/embed.js", get(api::embed::script))
        .route("/oembed", get(api::embed::oembed::oembed))
        .route("/s/{token}/badge/{file}", get(api::embed::badges::badge))
        .with_state(Arc::clone(app))
        .layer(RequestBodyLimitLayer::new(SHARED_BODY_LIMIT))
        .layer(middleware::from_fn_with_state(Arc::clone(app), api::shared_page::limit))
        .layer(any_origin())
        .layer(middleware::map_response(api::embed::headers));
    let routes = open
        .merge(guarded)
        .merge(me)
        .merge(login)
        .merge(shared)
        .merge(api::status::router(app, SHARED_BODY_LIMIT))
        // Preflight requests carry no token, so CORS answers before the guard.
        .layer(cors_layer(cors))
        .merge(embedded)
        .layer(CompressionLayer::new())
        .layer(middleware::map_response(common_headers));
    // Outside of the routes: it takes the base path from the request before they look at it.
    let visit = middleware::from_fn_with_state(Arc::new(edge), edge::visit);
    Router::new().fallback_service(visit.layer(routes))
}

/// Those who may ask, for those who may see them.
pub(crate) fn people_routes() -> Router<Arc<Guard>> {
    use api::people::{sessions, tokens, users};
    Router::new()
        .route("/api/v1/me/password", post(users::password))
        .route("/api/v1/users", get(users::list).post(users::add))
        .route("/api/v1/users/{name}", patch(users::change).delete(users::remove))
        .route("/api/v1/tokens", get(tokens::list).post(tokens::make))
        .route("/api/v1/tokens/{id}", delete(tokens::revoke))
        .route("/api/v1/sessions", get(sessions::list).delete(sessions::revoke_others))
        .route("/api/v1/sessions/{id}", delete(sessions::revoke))
}

fn cors_layer(cors: &CorsConfig) -> CorsLayer {
    if cors.origins.is_empty() {
        return CorsLayer::new();
    }
    let origins = if cors.origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        // Origins were checked when the config was validated.
        AllowOrigin::list(cors.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
    };
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(cors.credentials)
        .allow_methods([Method::GET, Method::POST, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("last-event-id"),
        ])
        .max_age(std::time::Duration::from_secs(600))
}

/// For what is opened by the token in its address alone: without cookies every origin is as good as another, the one of a
/// sandbox too.
fn any_origin() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods([Method::GET])
        .allow_headers(AllowHeaders::any())
        .expose_headers([HeaderName::from_static("x-panel-mark")])
        .max_age(std::time::Duration::from_secs(86_400))
}

async fn api_headers(mut response: Response) -> Response {
    set_missing(
        &mut response,
        &[(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'")],
    );
    response
}

async fn page_headers(mut response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_page = kind.is_some_and(|kind| kind.starts_with("text/html"));
    // What a browser holds gets the headers of the answer that it still holds.
    if (is_page || response.status() == StatusCode::NOT_MODIFIED)
        && let Some(policy) = assets::page_policy().and_then(|policy| HeaderValue::from_str(&policy).ok())
    {
        response.headers_mut().entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    }
    set_missing(
        &mut response,
        &[
            (header::CONTENT_SECURITY_POLICY, assets::APP_CSP),
            (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
            (header::X_FRAME_OPTIONS, "DENY"),
            (
                HeaderName::from_static("permissions-policy"),
                "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
            ),
        ],
    );
    response
}

async fn common_headers(mut response: Response) -> Response {
    set_missing(
        &mut response,
        &[
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ],
    );
    response
}

fn set_missing(response: &mut Response, headers: &[(HeaderName, &'static str)]) {
    for (name, value) in headers {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
