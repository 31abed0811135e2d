//! A remote write 1.0 request by hand, from the specification: protobuf and snappy's block format, byte by byte,
//! so that the proxy is not tested against itself.

use reqwest::{StatusCode, header::HeaderMap};

use crate::proxy::{Answer, Fleetglass, http_client};

/// A series to push: its labels, and samples as milliseconds and values.
pub type Series<'a> = (&'a [(&'a str, &'a str)], &'a [(i64, f64)]);

/// The value that ends a series.
pub fn stale() -> f64 {
    f64::from_bits(0x7ff0_0000_0000_0002)
}

/// A `prometheus.WriteRequest`.
pub fn message(series: &[Series<'_>]) -> Vec<u8> {
    let mut request = Vec::new();
    for (labels, samples) in series {
        let mut one = Vec::new();
        for (name, value) in *labels {
            let mut label = Vec::new();
            field(&mut label, 1, name.as_bytes());
            field(&mut label, 2, value.as_bytes());
            field(&mut one, 1, &label);
        }
        for (at, value) in *samples {
            let mut sample = vec![0x09];
            sample.extend(value.to_le_bytes());
            sample.push(0x10);
            varint(&mut sample, *at as u64);
            field(&mut one, 2, &sample);
        }
        field(&mut request, 1, &one);
    }
    request
}

/// Bytes as a snappy block, nothing of them saved.
pub fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    varint(&mut block, bytes.len() as u64);
    for literal in bytes.chunks(1 << 16) {
        block.push(61 << 2);
        block.extend(((literal.len() - 1) as u16).to_le_bytes());
        block.extend(literal);
    }
    block
}

fn field(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    out.push(tag << 3 | 2);
    varint(out, content.len() as u64);
    out.extend(content);
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Pushes series.
///
/// # Panics
/// When nothing answers.
pub async fn push(to: &Fleetglass, series: &[Series<'_>]) -> Answer {
    post(
        to,
        snappy(&message(series)),
        &[("content-type", "application/x-protobuf"), ("content-encoding", "snappy")],
    )
    .await
}

/// Sends any body to where pushes go.
///
/// # Panics
/// When nothing answers.
pub async fn post(to: &Fleetglass, body: Vec<u8>, headers: &[(&str, &str)]) -> Answer {
    let mut request = http_client().post(to.url("/api/v1/write")).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap_or_else(|error| panic!("{error:?}; its log:\n{}", to.log()));
    let (status, headers): (StatusCode, HeaderMap) = (response.status(), response.headers().clone());
    let body = response.text().await.unwrap_or_else(|error| panic!("{error:?}"));
    Answer { status, headers, body }
}
