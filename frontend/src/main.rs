//! The Fleetglass dashboard: a Leptos app in the browser.
//!
//! | module | is |
//! |---|---|
//! | [`app`] | the pages and the frame around every page |
//! | [`client`] | the only module that knows the network: requests, the live stream, the token |
//! | [`state`] | what the app knows: the fleet, node by node, and pure functions over it |
//! | [`pages`] | one module a page |
//! | [`components`] | what pages are made of; they get signals and fetch nothing |
//! | [`charts`] | charts on canvas |
//! | [`dom`] | elements: what components and pages build |
//! | [`json`], [`route`], [`rest`] | the browser's JSON, the address, the part of the app that comes later |
//! | [`shared`] | the share link that the page came through, if it did |
//! | [`clock`] | the only module that reads the time |
//! | [`kept`] | what this browser keeps from one visit to the next |
//!
//! Whatever decides something (filter, order, deltas, back-off) is a pure function with native tests;
//! components only render.
#![allow(
    unreachable_pub,
    reason = "a program has no public interface; `pub` here says `for the rest of the app`"
)]

mod app;
mod charts;
mod client;
mod clock;
mod components;
mod dom;
mod json;
mod kept;
mod pages;
mod rest;
mod route;
mod shared;
mod state;
mod theme;

fn main() {
    console_error_panic_hook::set_once();
    app::start();
}
