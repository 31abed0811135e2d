//! The queue against what it promises: order, crashes, torn ends, its bound.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::{AtomicI64, Ordering};

use super::*;

fn own(name: &str) -> LabelSet {
    LabelSet::from_pairs([("__name__", name)])
}

fn row(at: UnixMillis, names: &[&str]) -> Tapped {
    let target = LabelSet::from_pairs([("instance", "a")]);
    Tapped { target, samples: names.iter().map(|name| (own(name), at, at as f64)).collect() }
}

/// A batch as `name@times`, in order of name.
fn shown(batch: &Batch) -> String {
    let mut series: Vec<String> = (batch.series.iter())
        .map(|(labels, samples)| {
            let times: Vec<String> = samples.iter().map(|sample| sample.0.to_string()).collect();
            format!("{}@{}", labels.metric(), times.join(","))
        })
        .collect();
    series.sort();
    series.join(" ")
}

fn drain(queue: &mut Queue) -> Vec<String> {
    let mut seen = Vec::new();
    while let Some(batch) = queue.next().unwrap() {
        seen.push(shown(&batch));
        queue.sent().unwrap();
    }
    seen
}

#[test]
fn batches_come_in_order_once_they_have_ended() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [Some(folder.path()), None] {
        let mut queue = Queue::open(folder, 1 << 20, 4).unwrap();
        queue.append(&row(1, &["x", "y"])).unwrap();
        assert_eq!(queue.next().unwrap(), None, "the batch is open");
        queue.append(&row(2, &["y", "z"])).unwrap();
        queue.append(&row(3, &["x"])).unwrap();
        queue.end_batch().unwrap();
        queue.end_batch().unwrap();
        let first = queue.next().unwrap().unwrap();
        assert_eq!((first.samples, first.oldest), (4, 1));
        assert_eq!(queue.next().unwrap().unwrap(), first, "it is the next until it is sent");
        assert_eq!(first.series[0].0.to_string(), "x{instance=\"a\"}");
        assert_eq!(drain(&mut queue), ["x@1 y@1,2 z@2", "x@3"]);
        assert_eq!((queue.pending_bytes(), queue.take_dropped()), (0, 0));
    }
}

#[test]
fn after_a_crash_the_same_batches_come_again_from_the_last_that_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Queue::open(Some(folder.path()), 1 << 20, 2).unwrap();
    let mut queue = open();
    for at in 1..=3 {
        queue.append(&row(at, &["x", "y"])).unwrap();
    }
    queue.append(&row(4, &["x"])).unwrap();
    assert_eq!(shown(&queue.next().unwrap().unwrap()), "x@1 y@1");
    queue.sent().unwrap();
    assert_eq!(shown(&queue.next().unwrap().unwrap()), "x@2 y@2");
    drop(queue); // kill -9: the second was under way, the last is open.
    let mut queue = open();
    queue.append(&row(5, &["x", "z"])).unwrap();
    assert_eq!(drain(&mut queue), ["x@2 y@2", "x@3 y@3", "x@4", "x@5 z@5"]);
    drop(queue);
    assert_eq!(drain(&mut open()), [""; 0]);
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert!(left <= 3, "{left} files for nothing that waits");
}

#[test]
fn a_torn_end_costs_what_is_torn_and_a_lost_position_sends_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Queue::open(Some(folder.path()), 1 << 20, 2).unwrap();
    let mut queue = open();
    queue.append(&row(1, &["x", "y"])).unwrap();
    queue.append(&row(2, &["x", "y"])).unwrap();
    queue.next().unwrap();
    queue.sent().unwrap();
    let path = folder.path().join("0000000001.segment");
    let whole = fs::read(&path).unwrap();
    for cut in 1..whole.len() - BEGIN as usize {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let seen = drain(&mut copy_of(folder.path()));
        assert!(seen.is_empty() || seen == ["x@2 y@2"], "{cut} bytes fewer: {seen:?}");
    }
    for at in BEGIN as usize..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        fs::write(&path, flipped).unwrap();
        drain(&mut copy_of(folder.path()));
    }
    fs::write(&path, whole).unwrap();
    fs::write(folder.path().join(POSITION), "1 1").unwrap();
    fs::write(folder.path().join("0000000009.segment"), "").unwrap();
    fs::write(folder.path().join("notes.txt"), "not ours").unwrap();
    assert_eq!(drain(&mut open()), ["x@1 y@1", "x@2 y@2"]);
}

/// The queue of a copy of a folder, so that the folder stays as it is.
fn copy_of(folder: &Path) -> Queue {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    let name = format!("copy-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let copy = folder.join(name);
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        fs::copy(entry.path(), copy.join(entry.file_name())).unwrap();
    }
    Queue::open(Some(&copy), 1 << 20, 2).unwrap()
}

#[test]
fn beyond_the_bound_the_oldest_go_and_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    for folder in [Some(folder.path()), None] {
        let mut queue = Queue::open(folder, 16 << 10, 10).unwrap();
        let mut appended = 0;
        let mut under_way = None;
        for at in 0..2000 {
            queue.append(&row(at, &["a", "b", "c", "d", "e"])).unwrap();
            appended += 5;
            if at == 10 {
                under_way = queue.next().unwrap();
            }
            assert!(queue.pending_bytes() <= 16 << 10);
        }
        // It is in the sender's hands and arrives, though its segment is gone.
        let mut sent = under_way.unwrap().samples;
        queue.sent().unwrap();
        queue.end_batch().unwrap();
        let mut last = 0;
        while let Some(batch) = queue.next().unwrap() {
            assert!(batch.oldest > last, "in order");
            last = batch.oldest;
            sent += batch.samples;
            queue.sent().unwrap();
        }
        let dropped = queue.take_dropped();
        assert!(dropped > 1000, "{dropped}");
        assert_eq!(sent as u64 + dropped, appended);
    }
}

#[test]
fn segments_turn_over_and_their_series_are_named_again() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Queue::open(Some(folder.path()), 1 << 16, 1_000_000).unwrap();
    let mut queue = open();
    for at in 1..=1500 {
        queue.append(&row(at, &["x", "y"])).unwrap();
    }
    queue.end_batch().unwrap();
    assert!(queue.segments.len() > 3, "{}", queue.segments.len());
    let mut times = Vec::new();
    loop {
        // A crash before and after each batch.
        queue.next().unwrap();
        queue = open();
        let Some(batch) = queue.next().unwrap() else { break };
        assert_eq!(batch.series.len(), 2);
        times.extend(batch.series[0].1.iter().map(|sample| sample.0));
        queue.sent().unwrap();
        queue = open();
    }
    assert_eq!(times, (1..=1500).collect::<Vec<_>>());
    assert_eq!(queue.take_dropped(), 0);
}

#[test]
fn a_large_push_is_cut_into_records_and_keeps_its_order() {
    let mut queue = Queue::open(None, 64 << 20, 10_000).unwrap();
    let samples: Vec<_> = (0..25_000).map(|at| (own("x"), at, 1.0)).collect();
    queue.append(&Tapped { target: LabelSet::default(), samples }).unwrap();
    queue.end_batch().unwrap();
    let mut times = Vec::new();
    while let Some(batch) = queue.next().unwrap() {
        times.extend(batch.series[0].1.iter().map(|sample| sample.0));
        queue.sent().unwrap();
    }
    assert_eq!(times, (0..25_000).collect::<Vec<_>>());
}
