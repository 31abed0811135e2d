//! `schema/family.schema.json` is what the model says.

use std::fs;
use std::path::Path;

use fleetglass_shared::family::{Family, FamilySpec};

#[test]
fn the_schema_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("schema/family.schema.json");
    let schema = schemars::schema_for!(FamilySpec);
    let current = serde_json::to_string_pretty(&schema).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &current).unwrap();
    }
    let held = fs::read_to_string(&path).unwrap_or_default();
    assert!(held == current, "{} is old: run this test with UPDATE=1", path.display());
}

#[test]
fn every_built_in_family_points_at_the_schema() {
    let folders = fs::read_dir(super::fixture::folder()).unwrap();
    let files = folders.map(|entry| entry.unwrap().path().join("family.toml"));
    // The rules for any family stand alone.
    for file in files.filter(|file| file.is_file()) {
        let text = fs::read_to_string(&file).unwrap();
        let family = Family::from_toml(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{}: {first}", family.name()));
        assert!(file.parent().unwrap().join(named).exists(), "{}: {named}", family.name());
        assert_eq!(file.parent().unwrap().file_name().unwrap().to_str().unwrap(), family.name());
    }
}
