//! No text takes more than its share: of output, of steps, of queries, of the stack.

use proptest::prelude::*;

use super::super::{Host, Limits, Sample, Template, Value};
use super::expanded;

/// The error of a text that hits a limit.
fn hit(text: &str) -> String {
    struct Endless;
    impl Host for Endless {
        fn query(&mut self, _: &str) -> Result<Vec<Sample>, String> {
            Ok(vec![])
        }

        fn limits(&self) -> Limits {
            Limits { output_bytes: 10_000, steps: 20_000, queries: 3 }
        }
    }
    let template = match Template::parse("t", text) {
        Ok(template) => template,
        Err(error) => return error.to_string(),
    };
    let many = Value::list((0..1000).map(Value::Int));
    template.render(&many, &mut Endless).unwrap_err().to_string()
}

#[test]
fn every_limit_is_named() {
    let long = "{{ $x := \"0123456789\" }}{{ range . }}{{ $x = print $x $x }}{{ end }}";
    let nested = "{{ $x := args 1 }}{{ range . }}{{ $x = args $x $x }}{{ end }}";
    let blocks = "{{ if 1 }}".repeat(100);
    let parentheses = format!("{{{{ {}1{} }}}}", "(".repeat(10_000), ")".repeat(10_000));
    let variables = "{{ $x := 1 }}".repeat(2000);
    for (text, limit) in [
        ("{{ range . }}0123456789{{ . }}{{ end }}", "a text of more than 10000 bytes"),
        (long, "a text of more than 10000 bytes"),
        ("{{ printf \"%999999d\" 1 }}", "a text of more than 10000 bytes"),
        (
            "{{ $x := printf \"%999d\" 1 }}{{ reReplaceAll \".+\" \"$0$0$0$0$0$0$0$0$0$0$0\" $x }}",
            "a text of more than 10000 bytes",
        ),
        ("{{ range 9000000000000000000 }}{{ end }}", "more than 20000 steps"),
        ("{{ range . }}{{ range $ }}{{ range $ }}{{ end }}{{ end }}{{ end }}", "more than 20000 steps"),
        (
            "{{ $x := printf \"%9999d\" 1 }}{{ range . }}{{ $y := toUpper $x }}{{ end }}",
            "more than 20000 steps",
        ),
        ("{{ $x := printf \"%9999d\" 1 }}{{ match \"x\" $x }}{{ match \"y\" $x }}", "more than 20000 steps"),
        ("{{ range . }}{{ query \"up\" }}{{ end }}", "more than 3 queries"),
        ("{{ define \"d\" }}{{ template \"d\" }}{{ end }}{{ template \"d\" }}", "nest more than 150 deep"),
        (
            "{{ define \"d\" }}{{ with . }}{{ template \"d\" (print .) }}{{ end }}{{ end }}{{ template \"d\" 1 }}",
            "nest more than 150 deep",
        ),
        (nested, "a value nests more than 60 deep"),
        (&blocks, "nest more than 60 deep"),
        (&parentheses, "nest more than 60 deep"),
        (&variables, "more than 1000 variables"),
    ] {
        let error = hit(text);
        assert!(error.contains(limit), "{text:.60}: {error:.300}");
    }
    assert!(hit(&" ".repeat(2 << 20)).contains("1048576 is the limit"));
}

/// A value can hold itself many times over without being large; printed it would be.
#[test]
fn a_value_that_unfolds_is_cut_off() {
    let doubled = "{{ $x := args 1 }}{{ range 50 }}{{ $x = args $x $x }}{{ end }}";
    assert!(hit(&format!("{doubled}{{{{ print $x }}}}")).contains("a text of more than 10000 bytes"));
    assert!(hit(&format!("{doubled}{{{{ printf \"%d\" $x }}}}")).contains("a text of more than 10000 bytes"));
    assert!(hit(&format!("{doubled}{{{{ range $x }}}}{{{{ . }}}}{{{{ end }}}}")).contains("more than 10000"));
    assert!(hit(&format!("{doubled}{{{{ index 1 $x }}}}")).contains("can't index item of type int"));
    assert!(hit(&format!("{doubled}{{{{ eq $x $x }}}}")).contains("non-comparable type a long one"));
}

/// As deep as the limits let it: each of the templates uses all the nesting that a text may have.
#[test]
fn the_deepest_template_fits_the_stack() {
    let open = "{{ if (((((1))))) }}{{ range 1 }}{{ with 1 }}".repeat(18);
    let close = "{{ end }}".repeat(54);
    let parentheses = format!("{}template{}", "(print ".repeat(50), ")".repeat(50)).replace("template", "1");
    let text = format!(
        "{{{{ define \"d\" }}}}{open}{{{{ template \"d\" 1 }}}}{close}{{{{ end }}}}{{{{ {parentheses} }}}}{{{{ template \"d\" }}}}"
    );
    let outcome = std::thread::Builder::new().stack_size(1 << 20).spawn(move || expanded(&text)).unwrap();
    let said = outcome.join().unwrap();
    assert!(said.contains("nest more than 150 deep"), "{said}");
}

/// Texts of the pieces that templates are made of, in any order.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "{{",
        "}}",
        "{{-",
        "-}}",
        " ",
        "\n",
        "if ",
        "else ",
        "end",
        "range ",
        "with ",
        "define \"a\"",
        "template \"a\" ",
        "block \"b\" .",
        "break",
        "continue",
        "nil",
        "true",
        "$x",
        "$x := ",
        "$labels",
        "$value",
        ".",
        ".Labels",
        ".Value",
        ".x",
        "(",
        ")",
        "|",
        "\"a\"",
        "`b`",
        "'c'",
        "1",
        "-1",
        "1.5",
        "1e9",
        "99999999",
        "printf \"%d %v %s %q %x %e %g\" ",
        "printf ",
        "\"%[3]*.[2]*[1]f\"",
        "\"%-+# 0*.*v\"",
        "len ",
        "index ",
        "slice ",
        "eq ",
        "lt ",
        "and ",
        "or ",
        "not ",
        "print ",
        "html ",
        "js ",
        "query \"up\"",
        "first ",
        "args ",
        "humanize ",
        "humanizeDuration ",
        "humanizeTimestamp ",
        "toTime ",
        "toDuration ",
        "match ",
        "reReplaceAll ",
        "\"(a*)*\"",
        "\"$1${x}\"",
        "title ",
        "stripDomain ",
        "sortByLabel \"a\" ",
        "join ",
        "stringSlice ",
        "/*",
        "*/",
        "é",
        "=",
        ",",
    ];
    proptest::collection::vec(proptest::sample::select(pieces.to_vec()), 0..40)
        .prop_map(|words| words.concat())
}

/// Blocks that are closed and calls that have arguments, so that most of them run.
fn program() -> impl Strategy<Value = String> {
    let operand = prop_oneof![
        proptest::sample::select(vec![
            "1",
            "-7",
            "0",
            "2.5",
            "1e300",
            "\"NaN\"",
            "\"abc\"",
            "\"é日\"",
            "$labels",
            "$value",
            ".",
            "$x",
            "nil",
            "true",
            "(query \"up\")",
            "(args 1 \"b\" nil)",
            "(toTime 5)",
            "(toDuration 5)",
            "(stringSlice \"a\" \"b\")",
            "$labels.job",
            "(first (query \"up\"))",
        ])
        .prop_map(str::to_owned),
        "\"[%\\-+# 0-9.*\\[\\]a-zA-Z]{0,8}\"",
    ];
    let names: Vec<&str> = vec![
        "print",
        "printf",
        "println",
        "len",
        "index",
        "slice",
        "eq",
        "ne",
        "lt",
        "ge",
        "and",
        "or",
        "not",
        "html",
        "js",
        "urlquery",
        "first",
        "label",
        "value",
        "args",
        "humanize",
        "humanize1024",
        "humanizeDuration",
        "humanizePercentage",
        "humanizeTimestamp",
        "toTime",
        "toDuration",
        "parseDuration",
        "title",
        "toUpper",
        "match",
        "reReplaceAll",
        "stripPort",
        "stripDomain",
        "graphLink",
        "join",
        "date",
        "since",
        "sortByLabel",
        "call",
    ];
    let call = (proptest::sample::select(names), proptest::collection::vec(operand, 0..4))
        .prop_map(|(name, operands)| format!("{name} {}", operands.join(" ")));
    let print = call.clone().prop_map(|call| format!("{{{{ {call} }}}}"));
    print.prop_recursive(3, 24, 4, move |inner| {
        (call.clone(), proptest::collection::vec(inner, 1..4), 0..4).prop_map(|(call, inner, shape)| {
            let body = inner.concat();
            match shape {
                0 => format!("{{{{ if {call} }}}}{body}{{{{ else }}}}{body}{{{{ end }}}}"),
                1 => format!("{{{{ range $x := {call} }}}}{body}{{{{ end }}}}"),
                2 => format!("{{{{ with $x := {call} }}}}{body}{{{{ end }}}}"),
                _ => format!("{{{{- $x = {call} -}}}} {body}"),
            }
        })
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC*|[{}\\-$.()|a-z0-9\"'`%*/ \n]*") {
        let _ = expanded(&text);
        let _ = expanded(&format!("{{{{{text}}}}}"));
    }

    #[test]
    fn no_soup_panics(text in soup()) {
        let _ = expanded(&text);
    }

    #[test]
    fn no_program_panics(text in program()) {
        let _ = expanded(&format!("{{{{ $x := 1 }}}}{text}"));
    }

    #[test]
    fn no_format_panics(format in "(%[\\-+# 0]{0,3}(\\*|[0-9]{0,7})(\\.(\\*|[0-9]{0,3}))?(\\[[0-9x]?\\]?)?\\PC?){0,4}") {
        let quoted = crate::labels::quote::quoted(&format);
        let _ = expanded(&format!("{{{{ printf {quoted} 1 -2.5 \"é\" $labels nil true (toTime 1) }}}}"));
        let _ = expanded(&format!("{{{{ date {quoted} (toTime 1) }}}}"));
    }
}
