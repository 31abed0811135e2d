//! Where an error is said to be: lines and columns of the user's own text.

use super::super::{AlertData, Template, TemplateError, Value, check, expand};
use super::Surroundings;
use crate::labels::LabelSet;

fn error(text: &str) -> TemplateError {
    let labels = LabelSet::default();
    let data = AlertData { labels: &labels, external_labels: &labels, external_url: "", value: 0.0 };
    expand("__alert_X", text, &data, &mut Surroundings).unwrap_err()
}

#[test]
fn an_error_says_where_and_what() {
    for (text, wanted) in [
        ("{{ foo }}", r#"template: __alert_X:1:4: function "foo" not defined"#),
        ("a\né {{ $x }}", r#"template: __alert_X:2:7: undefined variable "$x""#),
        ("{{ if 1 }}\n", "template: __alert_X:2:1: unexpected EOF"),
        ("\n\n  {{ \"a", "template: __alert_X:3:6: unterminated quoted string"),
        (
            "{{ .Nope }}",
            "template: __alert_X:1:4: executing \"__alert_X\" at <.Nope>: can't evaluate field Nope in type struct { Labels map[string]string; ExternalLabels map[string]string; ExternalURL string; Value float64 }",
        ),
        (
            "a\n{{ len\n  3 }}",
            r#"template: __alert_X:2:4: executing "__alert_X" at <len 3>: error calling len: len of type int"#,
        ),
        (
            "{{ define \"d\" }}\n{{ toUpper . }}{{ end }}{{ template \"d\" 1 }}",
            r#"template: __alert_X:2:12: executing "d" at <.>: wrong type for value; expected string; got int"#,
        ),
        (
            "{{ printf \"%d\" 1 | toLower | first }}",
            r#"template: __alert_X:1:30: executing "__alert_X" at <first>: wrong type for value; expected template.queryResult; got string"#,
        ),
        (
            "{{ len (print 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30) 1 }}",
            r#"template: __alert_X:1:4: executing "__alert_X" at <len>: wrong number of args for len: want 1 got 2"#,
        ),
    ] {
        assert_eq!(error(text).to_string(), wanted, "{text}");
    }
}

#[test]
fn a_long_part_is_cut() {
    let text = format!("{{{{ len (len \"{}\") 1.x }}}}", "é".repeat(100));
    assert!(error(&text).to_string().ends_with("bad number syntax: \"1.x\""));
    let text = format!("{{{{ index \"{}\" 200 }}}}", "é".repeat(99));
    let part = error(&text).executing.unwrap().part;
    assert_eq!(part.chars().count(), 81);
    assert!(part.ends_with("éé…"));
}

#[test]
fn a_rule_can_be_checked_without_being_expanded() {
    assert_eq!(check("__alert_X", "no action } }}"), Ok(()));
    assert_eq!(check("__alert_X", "{{ $labels.a }} {{ first (query \"nope\") }}"), Ok(()));
    let error = check("__alert_X", "{{ $label.a }}").unwrap_err();
    assert_eq!((error.line, error.column, error.executing), (1, 4, None));
}

#[test]
fn an_included_template_says_its_own_name() {
    let library = Template::parse("library", "\n{{ define \"d\" }}{{ .x.y.z }}{{ end }}").unwrap();
    let mut template = Template::parse("main", "{{ template \"d\" . }}").unwrap();
    assert!(!template.defines("d"));
    template.include(&library);
    assert!(template.defines("d"));
    let data = Value::map([("x", Value::strings([("y", "text")]))]);
    let error = template.render(&data, &mut ()).unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"template: library:2:20: executing "d" at <.x.y.z>: can't evaluate field z in type string"#
    );
    assert!(template.render_named("nope", &data, &mut ()).is_err());
}
