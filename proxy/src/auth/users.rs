//! Users: who has a password, made, changed and taken away.

use fleetglass_shared::{health::UnixMillis, scope::node_selector, wire::UserChange};

use super::{
    PeopleError, Role, Via,
    password::{self, acceptable},
    people::People,
    session::Identity,
};
use crate::{clock, edge::Visit, state::KeptUser};

const MOST_USERS: usize = 1_000;
/// Characters of a name.
const NAME: std::ops::RangeInclusive<usize> = 1..=64;
/// Selectors of one user or token.
const MOST_SELECTORS: usize = 20;

impl People {
    /// Notes that a user logged in.
    pub(super) fn seen(&self, name: &str, now: UnixMillis) {
        let mut users = self.users.write();
        if let Some(user) = users.get_mut(name) {
            user.login_at = Some(now);
            // The next login is kept, where this one is not.
            self.state.record_user(user);
        }
    }

    /// Every user, by name.
    pub fn users(&self) -> Vec<KeptUser> {
        self.users.read().values().cloned().collect()
    }

    /// The user of a name.
    pub fn user(&self, name: &str) -> Option<KeptUser> {
        self.users.read().get(name).cloned()
    }

    /// Who a name and a password are of. It takes as long, and says the same, whatever is wrong with them.
    ///
    /// # Errors
    /// They are not right, or were tried too often.
    pub async fn prove(&self, name: &str, password: &str, visit: &Visit) -> Result<Identity, PeopleError> {
        if password::is_busy() {
            return Err(PeopleError::TooSoon(1));
        }
        if let Err(soon) = self.throttle.begin(visit.ip, name, clock::now()) {
            if soon.is_first {
                self.note_login_failed(name, Via::Password, visit, "too many tries");
            }
            return Err(PeopleError::TooSoon(soon.seconds));
        }
        let user = self.user(name);
        let held = user.as_ref().map(|user| user.password.clone());
        // What is longer than any password is not worth hashing, and no secret.
        let given = if password.chars().count() <= *password::LENGTH.end() { password } else { "" };
        let fits = match held {
            Some(held) => password::fits(given.to_owned(), held).await,
            None => password::fits_nobody(given.to_owned()).await,
        };
        let user = user.filter(|user| fits && user.disabled_at.is_none());
        // The password may have been changed while it was tried.
        let user = user.filter(|user| self.user(name).is_some_and(|now| now.is_as_proved(user)));
        let Some(user) = user else {
            self.throttle.failed(visit.ip, name, clock::now());
            self.note_login_failed(name, Via::Password, visit, "wrong");
            return Err(PeopleError::Wrong);
        };
        self.throttle.succeeded(visit.ip, name, clock::now());
        Ok(user.identity())
    }

    /// Makes a user. It is on disk then.
    ///
    /// # Errors
    /// What is wrong with the wish; nothing is made.
    pub async fn add_user(&self, name: &str, wish: UserChange, by: &str) -> Result<KeptUser, PeopleError> {
        let _one = self.changing.lock().await;
        if self.user(name).is_some() {
            return Err(PeopleError::Conflict(format!("there is a user `{name}` already")));
        }
        if self.users.read().len() >= MOST_USERS {
            return Err(PeopleError::Conflict(format!("there are {MOST_USERS} users already")));
        }
        let user = drafted(name, wish, by, clock::now()).await?;
        let has_admins =
            self.settings().has_other_admins || self.users.read().values().any(KeptUser::is_active_admin);
        if !has_admins && !user.is_active_admin() {
            return Err(PeopleError::Bad(
                "`role`: the first user must be an admin of the whole fleet, for nobody else could make another".to_owned(),
            ));
        }
        self.keep_user(user).await
    }

    /// Changes a user. Whoever is logged in as them is logged in no more.
    ///
    /// # Errors
    /// What is wrong with the wish, or it would leave no admin; nothing is changed.
    pub async fn change_user(&self, name: &str, wish: UserChange) -> Result<KeptUser, PeopleError> {
        let _one = self.changing.lock().await;
        let old = self.user(name).ok_or_else(|| no_such(name))?;
        let user = changed(old.clone(), wish, clock::now()).await?;
        if old.is_active_admin() && !user.is_active_admin() {
            self.leaves_an_admin(name)?;
        }
        if user != old {
            let user = self.keep_user(user).await?;
            self.end_all_of(name, Via::Password);
            // Whoever acts on the whole fleet may go on being told of it.
            if user.disabled_at.is_some() || user.role < Role::Operator || !user.select.is_empty() {
                self.tell_gone(name, Via::Password);
            }
            self.cut_off_tokens_of(name);
            return Ok(user);
        }
        Ok(user)
    }

    /// Takes a user away, with all that is open for them.
    ///
    /// # Errors
    /// There is none, or they are the last admin.
    pub async fn remove_user(&self, name: &str) -> Result<KeptUser, PeopleError> {
        let _one = self.changing.lock().await;
        let old = self.user(name).ok_or_else(|| no_such(name))?;
        if old.is_active_admin() {
            self.leaves_an_admin(name)?;
        }
        self.kept(self.state.remove_user(name))?;
        self.users.write().remove(name);
        self.tell_gone(name, Via::Password);
        self.end_all_of(name, Via::Password);
        self.drop_tokens_of(name);
        self.state.flush().await?;
        Ok(old)
    }

    /// Changes the password of whoever knows the old one. All sessions of theirs end.
    ///
    /// # Errors
    /// The old one is wrong or was tried too often, or the new one cannot be taken.
    pub async fn change_password(
        &self,
        name: &str,
        old: &str,
        new: &str,
        visit: &Visit,
    ) -> Result<Identity, PeopleError> {
        let identity = self.prove(name, old, visit).await?;
        if old == new {
            return Err(PeopleError::Bad("`new`: it is the old one".to_owned()));
        }
        self.change_user(name, UserChange { password: Some(new.to_owned()), ..UserChange::default() })
            .await?;
        Ok(identity)
    }

    async fn keep_user(&self, user: KeptUser) -> Result<KeptUser, PeopleError> {
        self.kept(self.state.record_user(&user))?;
        self.users.write().insert(user.name.clone(), user.clone());
        self.state.flush().await?;
        Ok(user)
    }

    fn leaves_an_admin(&self, name: &str) -> Result<(), PeopleError> {
        let users = self.users.read();
        if users.values().any(|user| user.name != name && user.is_active_admin()) {
            return Ok(());
        }
        Err(PeopleError::Conflict(format!(
            "`{name}` is the last admin who sees the whole fleet; make another one first"
        )))
    }
}

/// A user that is not kept yet.
///
/// # Errors
/// What is wrong with the wish.
pub async fn drafted(
    name: &str,
    wish: UserChange,
    by: &str,
    now: UnixMillis,
) -> Result<KeptUser, PeopleError> {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | '+');
    if !NAME.contains(&name.chars().count()) || !name.chars().all(is_plain) {
        return Err(PeopleError::Bad(format!(
            "`name` has 1 to {} letters, digits, and . - _ @ +",
            NAME.end()
        )));
    }
    if wish.password.is_none() {
        return Err(PeopleError::Bad("`password` is missing".to_owned()));
    }
    let blank = KeptUser {
        name: name.to_owned(),
        role: Role::Viewer,
        select: Vec::new(),
        password: String::new(),
        created_by: by.to_owned(),
        created_at: now,
        password_at: now,
        disabled_at: None,
        login_at: None,
    };
    changed(blank, wish, now).await
}

/// A user as they are wished: what is absent stays as it was.
async fn changed(mut user: KeptUser, wish: UserChange, now: UnixMillis) -> Result<KeptUser, PeopleError> {
    let UserChange { role, select, password, disabled } = wish;
    if let Some(word) = role {
        user.role = role_of(&word)?;
    }
    if let Some(select) = select {
        user.select = selectors(select)?;
    }
    match disabled {
        Some(true) => drop(user.disabled_at.get_or_insert(now)),
        Some(false) => user.disabled_at = None,
        None => {}
    }
    if let Some(password) = password {
        acceptable(&password, &user.name).map_err(|why| PeopleError::Bad(format!("`password`: {why}")))?;
        user.password = password::hash(password).await.map_err(PeopleError::Bad)?;
        user.password_at = now;
    }
    Ok(user)
}

/// The role of a word.
///
/// # Errors
/// It is none.
pub(super) fn role_of(word: &str) -> Result<Role, PeopleError> {
    let known = || Role::ALL.map(Role::as_str).join(", ");
    Role::parse(word).ok_or_else(|| PeopleError::Bad(format!("`role`: `{word}` is none of {}", known())))
}

/// Selectors over nodes, each looked at.
///
/// # Errors
/// One is none, or there are too many.
pub(super) fn selectors(select: Vec<String>) -> Result<Vec<String>, PeopleError> {
    if select.len() > MOST_SELECTORS {
        return Err(PeopleError::Bad(format!("`select` has at most {MOST_SELECTORS} selectors")));
    }
    for text in &select {
        node_selector(text).map_err(|error| PeopleError::Bad(format!("`select`: {error}")))?;
    }
    Ok(select)
}

fn no_such(name: &str) -> PeopleError {
    PeopleError::NotFound(format!("there is no user `{name}`"))
}
