//! What is pushed and cannot be taken is refused with words that say why.

use fleetglass_tests::{
    proxy::{Fleetglass, QUICK},
    push::{message, post, push, snappy},
    samples::now,
};

use super::with_token;

const RIGHT: [(&str, &str); 2] = [("content-type", "application/x-protobuf"), ("content-encoding", "snappy")];

#[tokio::test]
async fn bodies_that_are_none_are_refused_with_words_and_nothing_of_them_is_kept() {
    let config = format!("{QUICK}\n[remote_write_in]\nbody_limit = \"64KiB\"\n");
    let fleetglass = Fleetglass::serve(&config).await;
    let good = message(&[(&[("__name__", "m"), ("instance", "a")], &[(now(), 1.0)])]);
    // A block that says it is 4 GiB, and one that says it is a little too much.
    let bomb = [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[0; 50]].concat();
    let large = snappy(&vec![0; (64 << 10) + 1]);
    let torn = snappy(&good[..good.len() - 3]);
    let v2 = [("content-type", "application/x-protobuf;proto=io.prometheus.write.v2.Request"), RIGHT[1]];
    for (body, headers, status, words) in [
        (good.clone(), &RIGHT[..], 400, "snappy"),
        (b"{}".to_vec(), &RIGHT, 400, "snappy"),
        (bomb, &RIGHT, 413, "4294967295 bytes when decompressed"),
        (large, &RIGHT, 413, "body_limit"),
        (vec![0; 1 << 17], &RIGHT, 413, "body_limit"),
        (torn, &RIGHT, 400, "protobuf"),
        (snappy(b"not protobuf at all"), &RIGHT, 400, "protobuf"),
        (snappy(&good), &[], 415, "application/x-protobuf"),
        (snappy(&good), &RIGHT[..1], 415, "snappy"),
        (snappy(&good), &[("content-type", "application/json"), RIGHT[1]], 415, "application/x-protobuf"),
        (snappy(&good), &v2, 415, "remote write 1.0"),
    ] {
        let answer = post(&fleetglass, body, headers).await;
        assert_eq!(answer.status, status, "{words}: {}", answer.body);
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
        assert!(answer.header("content-type").starts_with("text/plain"));
    }
    assert_eq!(fleetglass.get("/api/v1/write").await.status, 405);
    let series = fleetglass.json("/api/v1/query?query=m").await;
    assert_eq!(series["data"]["result"], serde_json::json!([]));
    assert_eq!(
        fleetglass.own_metric("fleetglass_remote_write_in_requests_total{code=\"413\"}").await,
        Some(3.0)
    );
}

#[tokio::test]
async fn what_is_too_late_or_too_early_is_refused_and_counted_and_the_rest_is_kept() {
    let fleetglass = Fleetglass::serve(QUICK).await;
    let (day, hour) = (24 * 3_600_000, 3_600_000);
    let labels = [("__name__", "m"), ("instance", "a")];
    let samples = [(now() - 30 * 365 * day, 1.0), (now() - 1000, 2.0), (now() + hour, 3.0)];
    let answer = push(&fleetglass, &[(&labels, &samples), (&[("job", "x")], &[(now(), 1.0)])]).await;
    assert_eq!(answer.status, 400);
    for words in
        ["1 samples are kept", "1 older than", "1 more than 10 min ahead", "1 of series with bad labels"]
    {
        assert!(answer.body.contains(words), "{words}: {}", answer.body);
    }
    let found = fleetglass.json("/api/v1/query?query=m").await;
    assert_eq!(found["data"]["result"][0]["value"][1], "2");
}

#[tokio::test]
async fn a_push_needs_a_token_where_anything_does_and_can_be_turned_off() {
    let (token, config) = with_token();
    let fleetglass = Fleetglass::serve(&config).await;
    let body = || snappy(&message(&[(&[("__name__", "m"), ("instance", "a")], &[(now(), 1.0)])]));
    let answer = post(&fleetglass, body(), &RIGHT).await;
    assert_eq!(answer.status, 401);
    assert!(answer.body.contains("fleetglass token new"), "{}", answer.body);
    let bearer = format!("Bearer {token}");
    let headers = [RIGHT[0], RIGHT[1], ("authorization", bearer.as_str())];
    assert_eq!(post(&fleetglass, body(), &headers).await.status, 204);

    let off = Fleetglass::serve(&format!("{QUICK}\n[remote_write_in]\nenabled = false\n")).await;
    let answer = post(&off, body(), &RIGHT).await;
    assert_eq!(answer.status, 404);
    assert!(answer.body.contains("[remote_write_in] enabled is false"), "{}", answer.body);
}
