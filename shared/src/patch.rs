//! RFC 7396 JSON merge patches: the body of a live delta, so that only what changed is sent.

use serde_json::{Map, Value};

/// The patch that turns `old` into `new`, or `None` when they are equal.
///
/// A member that is gone becomes `null`; arrays are replaced whole, as the RFC has it. `new` itself
/// must hold no `null` members (the wire types leave unknown fields out), for a patch cannot say them.
pub fn diff(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut patch = Map::new();
    for (key, value) in new {
        match old.get(key) {
            None => {
                patch.insert(key.clone(), value.clone());
            }
            Some(before) => {
                if let Some(change) = diff(before, value) {
                    patch.insert(key.clone(), change);
                }
            }
        }
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    (!patch.is_empty()).then_some(Value::Object(patch))
}

/// Applies a merge patch in place.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(changes) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (key, change) in changes {
        if change.is_null() {
            members.remove(key);
        } else if change.is_object() {
            merge(members.entry(key.clone()).or_insert(Value::Null), change);
        } else {
            members.insert(key.clone(), change.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{diff, merge};

    #[test]
    fn the_examples_of_rfc_7396_appendix_a() {
        for (target, patch, result) in [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} patched with {patch}");
        }
    }

    #[test]
    fn a_diff_applied_gives_the_new_value_and_equal_values_give_none() {
        let old = json!({"id":"n","peers":3,"labels":{"a":"1","b":"2"},"reasons":[{"code":"x"}]});
        let new = json!({"id":"n","version":"1","labels":{"a":"1","c":"3"},"reasons":[]});
        assert_eq!(diff(&old, &old), None);
        let patch = diff(&old, &new).expect("they differ");
        assert_eq!(patch, json!({"peers":null,"version":"1","labels":{"b":null,"c":"3"},"reasons":[]}));
        let mut patched = old;
        merge(&mut patched, &patch);
        assert_eq!(patched, new);
    }
}
