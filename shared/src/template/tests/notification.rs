//! Templates of notifications, over data such as Alertmanager gives them.

use super::super::{Duration, Host, Template, Time, Value};

struct Now;

impl Host for Now {
    fn now(&self) -> Option<f64> {
        Some(1_435_065_584.0)
    }
}

fn alert(status: &str, instance: &str, started: i64) -> Value {
    Value::record(
        "template.Alert",
        vec![
            ("Status", status.into()),
            ("Labels", Value::key_value([("alertname", "Down"), ("instance", instance), ("a", "1")])),
            ("Annotations", Value::key_value([("summary", "it is down")])),
            ("StartsAt", Time::from_unix_ms(started * 1000).into()),
            ("EndsAt", Time::zero().into()),
        ],
    )
}

fn data() -> Value {
    let firing = [alert("firing", "eu-1", 1_435_065_000), alert("firing", "eu-2", 1_435_060_000)];
    let resolved = [alert("resolved", "eu-3", 1_435_000_000)];
    let alerts = Value::list_with_parts(
        firing.iter().chain(&resolved).cloned(),
        [
            ("Firing".to_owned(), Value::list(firing.clone())),
            ("Resolved".to_owned(), Value::list(resolved.clone())),
        ],
    );
    Value::record(
        "template.Data",
        vec![
            ("Receiver", "team".into()),
            ("Status", "firing".into()),
            ("Alerts", alerts),
            ("GroupLabels", Value::key_value([("alertname", "Down")])),
            ("CommonLabels", Value::key_value([("b", "2"), ("alertname", "Down"), ("a", "1")])),
            ("CommonAnnotations", Value::key_value([])),
            ("ExternalURL", "http://alerts.example.com".into()),
        ],
    )
}

fn rendered(text: &str) -> String {
    let template = Template::parse("message", text).unwrap();
    template.render(&data(), &mut Now).unwrap_or_else(|error| error.to_string())
}

#[test]
fn messages() {
    for (text, wanted) in [
        (
            "[{{ .Status | toUpper }}{{ if eq .Status \"firing\" }}:{{ .Alerts.Firing | len }}{{ end }}] {{ .GroupLabels.SortedPairs.Values | join \" \" }}",
            "[FIRING:2] Down",
        ),
        (
            "{{ range .Alerts }}{{ .Labels.instance }} {{ .Annotations.summary }}{{ .Annotations.nope }};{{ end }}",
            "eu-1 it is down;eu-2 it is down;eu-3 it is down;",
        ),
        (
            "{{ if gt (len .CommonLabels) (len .GroupLabels) }}({{ with .CommonLabels.Remove .GroupLabels.Names }}{{ .Values | join \" \" }}{{ end }}){{ end }}",
            "(1 2)",
        ),
        (
            "{{ range .CommonLabels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}",
            "alertname=Down a=1 b=2 ",
        ),
        (
            "{{ .CommonLabels.Names | join \",\" }} {{ .CommonLabels.SortedPairs.Names }}",
            "alertname,a,b [alertname a b]",
        ),
        (
            "{{ .CommonLabels.b }} {{ index .CommonLabels \"a\" }} {{ .CommonLabels }}",
            "2 1 map[a:1 alertname:Down b:2]",
        ),
        (
            "{{ with index .Alerts 0 }}{{ .StartsAt }} {{ .StartsAt.Format \"15:04\" }} {{ since .StartsAt }} {{ .EndsAt.IsZero }}{{ end }}",
            "2015-06-23 13:10:00 +0000 UTC 13:10 9m44s true",
        ),
        ("{{ range .Alerts.Resolved }}{{ since .StartsAt | humanizeDuration }}{{ end }}", "18h 13m 4s"),
        ("{{ (index .Alerts 0).Labels.Remove (stringSlice \"a\" \"alertname\") }}", "map[instance:eu-1]"),
        (
            "{{ .Nope }}",
            "template: message:1:4: executing \"message\" at <.Nope>: can't evaluate field Nope in type template.Data",
        ),
        (
            "{{ .CommonLabels.Names 1 }}",
            "template: message:1:4: executing \"message\" at <.CommonLabels.Names>: wrong number of args for Names: want 0 got 1",
        ),
        (
            "{{ .CommonLabels.Remove 1 }}",
            "template: message:1:4: executing \"message\" at <.CommonLabels.Remove>: wrong type for value; expected []string; got int",
        ),
    ] {
        assert_eq!(rendered(text), wanted, "{text}");
    }
}

#[test]
fn any_value_can_be_data() {
    for (data, text, wanted) in [
        (Value::Nil, "{{ . }} {{ .a }} {{ .a.b }}", "<no value> <no value> <no value>"),
        (Value::from(5_i64), "{{ . }}", "5"),
        (
            Value::texts(["a", "b"]),
            "{{ . }} {{ index . 1 }} {{ len . }} {{ printf \"%q %T\" . . }}",
            "[a b] b 2 [\"a\" \"b\"] []string",
        ),
        (
            Value::map([("a", Value::list([Value::Nil, true.into()]))]),
            "{{ . }} {{ .b }} {{ index .a 0 }}",
            "map[a:[<nil> true]] <no value> <no value>",
        ),
        (Value::strings([("b", "1"), ("a", "2")]), "{{ . }}{{ .c }} {{ len . }}", "map[a:2 b:1] 2"),
        (
            Value::from(Duration::from_nanoseconds(1_500_000_000)),
            "{{ . }} {{ .Seconds }} {{ printf \"%d\" . }}",
            "1.5s 1.5 1500000000",
        ),
        (
            Value::record("", vec![("A", 1.5.into())]),
            "{{ . }} {{ .A }} {{ printf \"%+v %#v\" . . }}",
            "{1.5} 1.5 {A:1.5} struct { A float64 }{A:1.5}",
        ),
    ] {
        let template = Template::parse("t", text).unwrap();
        assert_eq!(template.render(&data, &mut ()).unwrap(), wanted, "{text}");
    }
}

/// A host need not know anything; what is asked of it says so.
#[test]
fn a_host_may_have_nothing() {
    for (text, wanted) in [
        ("{{ query \"up\" }}", "error calling query: queries cannot be made here, and this is one: up"),
        ("{{ now }}", "error calling now: the time is not known here"),
        ("{{ since .StartsAt }}", "error calling since: the time is not known here"),
    ] {
        let data = Value::record("", vec![("StartsAt", Time::zero().into())]);
        let error = Template::parse("t", text).unwrap().render(&data, &mut ()).unwrap_err();
        assert_eq!(error.message, wanted);
    }
    let empty = Template::parse("t", "<{{ externalURL }}{{ pathPrefix }}>").unwrap();
    assert_eq!(empty.render(&Value::Nil, &mut ()).unwrap(), "<>");
}
