//! After Trunk: cuts the app in two, tells the page where the rest is, and makes both small for a release.

use super::Profile;
use super::inline::{inlined, without_css_comments};
use crate::clock::Stopwatch;
use crate::paths;
use crate::problem::{AtPath, Problem, Result};
use crate::run;
use crate::setup::{TRIPLE, Tools};
use crate::split::{self, names};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

/// Where the first part calls the rest: the end of `pages::later::later` as the compiler writes it.
const DOOR: &str = "5pages5later5later";

/// What `wasm-opt` may use: what rustc's target has switched on.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

/// The end of the name of the part that is fetched later.
const REST_NAME: &str = "_rest.wasm";

/// The files that this page fetches later: the rest of the app, its style sheets, what runs beside it, and what a phone
/// needs to install it.
pub(crate) fn fetched_later(html: &str) -> Vec<String> {
    let attribute = |name: &str| html.split_once(name).and_then(|(_, value)| value.split('"').next());
    let files = ["data-rest=\"", "data-sheets=\"", "data-keep=\""].into_iter().filter_map(attribute);
    let installed = ["manifest.webmanifest", "icons/apple-touch-icon.png"];
    let files = files.flat_map(|files| files.split(' ')).chain(installed);
    files.map(|file| file.trim_start_matches('/').to_owned()).collect()
}

/// Cuts `dist/`'s WebAssembly file in two.
pub(super) fn cut(tools: &Tools, profile: Profile) -> Result<()> {
    let watch = Stopwatch::start();
    let whole = app_file(&paths::dist())?;
    let bytes = std::fs::read(&whole).at("read", &whole)?;
    let name = whole.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let script = whole.with_file_name(name.replace("_bg.wasm", ".js"));
    let text = std::fs::read_to_string(&script).at("read", &script)?;
    let (bytes, text) = names::shortened(&bytes, &text)?;
    std::fs::write(&script, text).at("write", &script)?;
    let linked = linked_file(profile);
    let linked = std::fs::read(&linked).at("read", &linked)?;
    let Some(parts) = split::split(&bytes, &linked, DOOR)? else {
        return Err(Problem::new("the app's WebAssembly does not name the door to the later pages")
            .fix("see data-no-demangle in frontend/index.html, and DOOR in xtask/src/app/parts.rs"));
    };
    let rest_name = name.replace("_bg.wasm", REST_NAME);
    let rest = whole.with_file_name(&rest_name);
    std::fs::write(&whole, &parts.first).at("write", &whole)?;
    std::fs::write(&rest, &parts.rest).at("write", &rest)?;
    if profile == Profile::Small {
        for file in [&whole, &rest] {
            shrink(tools, file)?;
        }
    }
    let page = paths::dist().join("index.html");
    let html = std::fs::read_to_string(&page).at("read", &page)?;
    // The attribute may have lost its quotes where Trunk minifies.
    let Some(at) = html.find("data-js=") else {
        return Err(Problem::new(
            "index.html does not say where the app is: see pattern_script in Trunk.toml",
        ));
    };
    let html = format!("{}data-rest=\"/{rest_name}\" {}", &html[..at], &html[at..]);
    let (html, sheets) = without_sheets(&html, &later_sheets()?);
    let later = one_sheet(&paths::dist(), "later", &sheets)?;
    let html = html.replacen("data-rest=", &format!("data-sheets=\"/{later}\" data-rest="), 1);
    let html = with_one_sheet(&html, &paths::dist())?;
    let (html, keep) = without_script(&html, "keep");
    let keep =
        keep.map(|address| format!("data-keep=\"{address}\" data-rest=")).unwrap_or("data-rest=".into());
    let html = html.replacen("data-rest=", &keep, 1);
    without_comments(&paths::dist())?;
    let html = inlined(&html, &paths::dist())?;
    std::fs::write(&page, html).at("write", &page)?;
    worker(&paths::dist())?;
    println!(
        "app: cut in two, {} functions of {} KB wait for a later page ({watch})",
        parts.functions,
        parts.rest.len() / 1000,
    );
    Ok(())
}

/// The names of the style sheets that only later pages need.
fn later_sheets() -> Result<Vec<String>> {
    let folder = paths::root().join("static").join("css").join("pages");
    let files = std::fs::read_dir(&folder).at("read", &folder)?.flatten();
    Ok(files.filter_map(|file| Some(file.path().file_stem()?.to_str()?.to_owned())).collect())
}

/// What becomes of a link of the page's head.
enum Link {
    Stays,
    Goes,
    /// This stands where it was.
    Becomes(&'static str),
}

/// A page with what `judge` leaves of its `<link>`s; it is told what stands in each, and where it leads.
fn with_links(html: &str, mut judge: impl FnMut(&str, &str) -> Link) -> String {
    let mut pieces = html.split("<link");
    let mut left = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (tag, after) = piece.split_once('>').unwrap_or((piece, ""));
        // The attribute may have lost its quotes where Trunk minifies.
        let address = tag.split_once("href=").map_or("", |(_, address)| address.trim_start_matches('"'));
        let address = address.split(['"', ' ']).next().unwrap_or_default();
        match judge(tag, address) {
            Link::Stays => left.extend(["<link", piece]),
            Link::Goes => left.push_str(after),
            Link::Becomes(other) => left.extend([other, after]),
        }
    }
    left
}

/// Takes the links to style sheets of these names out of a page; gives where they led, in their order.
fn without_sheets(html: &str, names: &[String]) -> (String, Vec<String>) {
    let mut sheets = Vec::new();
    let left = with_links(html, |tag, address| {
        // `/node-data-0123456789abcdef.css`
        let name = address.rsplit('/').next().and_then(|file| file.strip_suffix(".css")?.rsplit_once('-'));
        if tag.contains("stylesheet") && name.is_some_and(|(name, _)| names.iter().any(|known| known == name))
        {
            sheets.push(address.to_owned());
            Link::Goes
        } else {
            Link::Stays
        }
    });
    (left, sheets)
}

/// Puts the style sheets of the first page into one file, and leaves the wasm to `static/boot.js`, which asks for it as
/// soon as the first view is painted: it would come before what that needs.
fn with_one_sheet(html: &str, dist: &Path) -> Result<String> {
    let mut sheets: Vec<String> = Vec::new();
    let left = with_links(html, |tag, address| {
        if tag.contains("stylesheet") && address.ends_with(".css") {
            sheets.push(address.to_owned());
            if sheets.len() == 1 { Link::Becomes(SHEET) } else { Link::Goes }
        } else if tag.contains("preload") && tag.contains(".wasm") {
            Link::Goes
        } else {
            Link::Stays
        }
    });
    let name = one_sheet(dist, "first", &sheets)?;
    Ok(left.replacen(SHEET, &format!("<link rel=\"stylesheet\" href=\"/{name}\">"), 1))
}

/// Makes one file of style sheets, in their order; gives its name.
fn one_sheet(dist: &Path, kind: &str, sheets: &[String]) -> Result<String> {
    let mut sum = String::new();
    for sheet in sheets {
        let file = dist.join(sheet.trim_start_matches('/'));
        sum.push_str(&std::fs::read_to_string(&file).at("read", &file)?);
        sum.push('\n');
        std::fs::remove_file(&file).at("remove", &file)?;
    }
    let mut hasher = DefaultHasher::new();
    sum.hash(&mut hasher);
    let name = format!("{kind}-{:016x}.css", hasher.finish());
    let file = dist.join(&name);
    std::fs::write(&file, without_css_comments(&sum)).at("write", &file)?;
    Ok(name)
}

/// Stands where the one style sheet goes.
const SHEET: &str = "<!-- sheet -->";

/// Takes the script of this name out of a page; gives where it is.
fn without_script(html: &str, name: &str) -> (String, Option<String>) {
    let start = format!("/{name}-");
    for (at, _) in html.match_indices("<script") {
        let Some(end) = html[at..].find("</script>").map(|end| at + end + "</script>".len()) else { break };
        let tag = &html[at..end];
        let address = tag.split_once("src=").map_or("", |(_, address)| address.trim_start_matches('"'));
        let address = address.split(['"', ' ', '>']).next().unwrap_or_default();
        if address.starts_with(&start) {
            return (format!("{}{}", &html[..at], &html[end..]), Some(address.to_owned()));
        }
    }
    (html.to_owned(), None)
}

/// Takes the lines that are comments, and what lines are set in by, out of our own scripts: what runs before the app is
/// part of the first page. No text of theirs goes over several lines.
fn without_comments(dist: &Path) -> Result<()> {
    for entry in std::fs::read_dir(dist).at("read", dist)?.flatten() {
        let name = entry.file_name().into_string().unwrap_or_default();
        if name == "sw.js" || ["boot-", "keep-", "theme-"].iter().any(|own| name.starts_with(own)) {
            let file = entry.path();
            let script = std::fs::read_to_string(&file).at("read", &file)?;
            let lines = script.lines().map(str::trim_start);
            let code = lines.filter(|line| !line.starts_with("//") && !line.is_empty());
            std::fs::write(&file, code.collect::<Vec<_>>().join("\n")).at("write", &file)?;
        }
    }
    Ok(())
}

/// Tells the service worker which build this is, and its files: what has a hash in its name, and the icons it shows.
fn worker(dist: &Path) -> Result<()> {
    let file = dist.join("sw.js");
    let script = std::fs::read_to_string(&file).at("read", &file)?;
    let mut names: Vec<String> = std::fs::read_dir(dist)
        .at("read", dist)?
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| [".js", ".css", ".wasm", ".svg"].iter().any(|end| name.ends_with(end)))
        .filter(|name| name != "sw.js")
        .collect();
    names.extend(["icons/icon-192.png".to_owned(), "icons/monochrome-96.png".to_owned()]);
    names.sort();
    let mut inputs: Vec<&str> = names.iter().map(String::as_str).collect();
    inputs.push("index.html");
    let build = super::fingerprint(dist, &inputs)?;
    let list: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let filled = script
        .replacen("const BUILD = \"none\";", &format!("const BUILD = \"{build:016x}\";"), 1)
        .replacen("const FILES = [];", &format!("const FILES = [{}];", list.join(", ")), 1);
    if filled.len() < script.len() + 32 {
        return Err(Problem::new("static/sw.js has no place for the build and its files")
            .fix("see BUILD and FILES there, and `worker` in xtask/src/app/parts.rs"));
    }
    std::fs::write(&file, filled).at("write", &file)
}

/// What the linker wrote, before wasm-bindgen.
fn linked_file(profile: Profile) -> PathBuf {
    paths::target().join(TRIPLE).join(profile.name()).join("fleetglass-frontend.wasm")
}

/// The only file that Trunk made of the app's code.
fn app_file(dist: &Path) -> Result<PathBuf> {
    let entries = std::fs::read_dir(dist).at("read", dist)?;
    let files = entries.flatten().map(|entry| entry.path());
    let mut files = files.filter(|file| file.to_string_lossy().ends_with("_bg.wasm"));
    files.next().ok_or_else(|| Problem::new("Trunk left no WebAssembly in dist/"))
}

fn shrink(tools: &Tools, file: &Path) -> Result<()> {
    let program = tools.folders.iter().map(|dir| dir.join("wasm-opt")).find(|file| file.is_file());
    let program =
        program.ok_or_else(|| Problem::new("wasm-opt is not there").fix("cargo xtask setup release"))?;
    let mut command = run::command(program);
    command
        .args(["-Oz", "--converge", "--strip-debug", "--strip-producers"])
        .args(FEATURES)
        .arg(file)
        .arg("-o")
        .arg(file);
    run::show(&mut command).map_err(|problem| Problem::new(format!("wasm-opt: {problem}")))
}

#[cfg(test)]
mod tests {
    use super::{without_script, without_sheets};

    #[test]
    fn a_script_that_comes_later_leaves_the_page_and_no_other() {
        let html =
            "<script src=/keeper.js></script><script type=\"module\" src=\"/keep-00ff.js\"></script><p>";
        let (left, address) = without_script(html, "keep");
        assert_eq!(
            (left.as_str(), address.as_deref()),
            ("<script src=/keeper.js></script><p>", Some("/keep-00ff.js"))
        );
        assert_eq!(without_script(html, "boot"), (html.to_owned(), None));
    }

    #[test]
    fn only_the_sheets_of_later_pages_leave_the_page() {
        let html = "<head><link rel=\"stylesheet\" href=\"/node-data-00ff.css\"/><link rel=icon href=/node-1.svg>\
                    <link rel=stylesheet href=/node-1.css><link rel=stylesheet href=/nodes-2.css>\
                    <link rel=\"manifest\" href=\"/node-1.css\"></head>";
        let names = ["node", "node-data"].map(str::to_owned);
        let (left, sheets) = without_sheets(html, &names);
        assert_eq!(sheets, ["/node-data-00ff.css", "/node-1.css"]);
        assert_eq!(
            left,
            "<head><link rel=icon href=/node-1.svg><link rel=stylesheet href=/nodes-2.css>\
             <link rel=\"manifest\" href=\"/node-1.css\"></head>"
        );
    }
}
