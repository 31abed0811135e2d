//! What every program with Go's Prometheus client exposes: runtime, process and handler series.

use super::super::super::exposition::Exposition;
use super::super::super::node::View;
use super::super::super::value::noise;
use super::super::rounded;

const MB: f64 = 1_048_576.0;

pub(super) fn write(view: &View<'_>, expo: &mut Exposition) {
    let heap = view.gauge("heap", 62.0 * MB, 0.25);
    // The heap is a saw: it grows until the collector runs.
    let saw = 0.6 + 0.7 * noise(view.node.key, view.moment.t / 5.0);
    let alloc = (heap * saw + view.leaked() * 0.8).floor();
    let inuse = (alloc * 1.08 / 8192.0).floor() * 8192.0;
    let idle = (heap * 0.6 / 8192.0).floor() * 8192.0;
    let sys = inuse + idle + 14.0 * MB;
    let collections = view.count("gc", 0.021);

    expo.family(
        "go_gc_duration_seconds",
        "summary",
        "Wall-time pause (stop-the-world) of collection cycles.",
    );
    for (quantile, value) in
        [("0", 2.9e-5), ("0.25", 5.4e-5), ("0.5", 7.8e-5), ("0.75", 1.3e-4), ("1", 2.1e-3)]
    {
        let value = rounded(view.gauge(quantile, value, 0.2), 9);
        expo.sample("go_gc_duration_seconds", &[("quantile", quantile)], value);
    }
    expo.sample("go_gc_duration_seconds_sum", &[], rounded(collections * 9.7e-5, 9));
    expo.sample("go_gc_duration_seconds_count", &[], collections);

    let mallocs = view.count("mallocs", 41_000.0);
    let objects = (alloc / 96.0).floor();
    let fixed = |name, megabytes: f64| (view.fixed(name, 0.9, 1.1) * megabytes * MB).floor();
    let last_gc = view.moment.unix() - 47.0 * noise(view.node.key ^ 1, view.moment.t / 47.0);
    let goroutines = view.gauge("goroutines", 168.0, 0.2).round();
    let single = |expo: &mut Exposition, kind: &str, rows: &[(&str, &str, f64)]| {
        for (name, help, value) in rows {
            expo.single(name, kind, help, *value);
        }
    };
    single(
        expo,
        "gauge",
        &[
            ("go_gc_gogc_percent", "Heap size target percentage.", 100.0),
            ("go_gc_gomemlimit_bytes", "Memory limit of the Go runtime.", 9.223_372_036_854_775e18),
            ("go_goroutines", "Number of goroutines that currently exist.", goroutines),
        ],
    );
    expo.family("go_info", "gauge", "Information about the Go environment.");
    expo.sample("go_info", &[("version", "go1.23.12")], 1.0);
    single(expo, "gauge", &[("go_memstats_alloc_bytes", "Bytes allocated in heap and in use.", alloc)]);
    single(
        expo,
        "counter",
        &[
            (
                "go_memstats_alloc_bytes_total",
                "Bytes allocated in heap until now.",
                view.count("alloc", 3.9e6),
            ),
            // Of the same events, so that it never overtakes them.
            ("go_memstats_frees_total", "Heap objects freed.", view.count("mallocs", 0.999 * 41_000.0)),
            ("go_memstats_mallocs_total", "Heap objects allocated.", mallocs),
        ],
    );
    single(
        expo,
        "gauge",
        &[
            ("go_memstats_buck_hash_sys_bytes", "Bytes of the profiling hash table.", fixed("buck", 1.6)),
            ("go_memstats_gc_sys_bytes", "Bytes of collector metadata.", fixed("gcsys", 5.2)),
            ("go_memstats_heap_alloc_bytes", "Heap bytes allocated and in use.", alloc),
            ("go_memstats_heap_idle_bytes", "Heap bytes waiting to be used.", idle),
            ("go_memstats_heap_inuse_bytes", "Heap bytes in use.", inuse),
            ("go_memstats_heap_objects", "Currently allocated objects.", objects),
            ("go_memstats_heap_released_bytes", "Heap bytes released to the system.", (idle * 0.7).floor()),
            ("go_memstats_heap_sys_bytes", "Heap bytes from the system.", inuse + idle),
            ("go_memstats_last_gc_time_seconds", "Unix time of the last collection.", last_gc),
            ("go_memstats_mcache_inuse_bytes", "Bytes of mcache structures in use.", 9_600.0),
            ("go_memstats_mcache_sys_bytes", "Bytes of mcache from the system.", 15_600.0),
            ("go_memstats_mspan_inuse_bytes", "Bytes of mspan structures in use.", fixed("mspan", 0.9)),
            ("go_memstats_mspan_sys_bytes", "Bytes of mspan from the system.", fixed("mspansys", 1.2)),
            (
                "go_memstats_next_gc_bytes",
                "Heap bytes when the next collection starts.",
                (heap * 1.9).floor(),
            ),
            ("go_memstats_other_sys_bytes", "Bytes of other allocations.", fixed("other", 2.4)),
            ("go_memstats_stack_inuse_bytes", "Stack bytes in use.", fixed("stack", 2.1)),
            ("go_memstats_stack_sys_bytes", "Stack bytes from the system.", fixed("stacksys", 2.3)),
            ("go_memstats_sys_bytes", "Bytes from the system.", sys),
            ("go_sched_gomaxprocs_threads", "GOMAXPROCS.", 8.0),
            ("go_threads", "OS threads created.", view.fixed("threads", 14.0, 24.0).round()),
        ],
    );

    let rss = (((sys * 1.15) + view.leaked() * 0.2) / 4096.0).floor() * 4096.0;
    single(
        expo,
        "counter",
        &[
            ("process_cpu_seconds_total", "CPU time in seconds.", rounded(view.total("cpu", 0.34), 2)),
            ("process_network_receive_bytes_total", "Bytes received.", view.count("rx", 118_000.0)),
            ("process_network_transmit_bytes_total", "Bytes sent.", view.count("tx", 74_000.0)),
        ],
    );
    single(
        expo,
        "gauge",
        &[
            ("process_max_fds", "Maximum number of open file descriptors.", 524_288.0),
            ("process_open_fds", "Number of open file descriptors.", view.gauge("fds", 61.0, 0.2).round()),
            ("process_resident_memory_bytes", "Resident memory size in bytes.", rss),
            (
                "process_start_time_seconds",
                "Start time since the Unix epoch.",
                rounded(view.moment.unix_of(view.boot), 2),
            ),
            ("process_virtual_memory_bytes", "Virtual memory size in bytes.", 2.4e9 + rss),
            ("process_virtual_memory_max_bytes", "Virtual memory available.", 1.844_674_407_370_955_2e19),
            ("promhttp_metric_handler_requests_in_flight", "Scrapes being served.", 1.0),
        ],
    );
    let name = "promhttp_metric_handler_requests_total";
    expo.family(name, "counter", "Scrapes by HTTP status code.");
    for (code, rate) in [("200", 1.0 / 15.0), ("500", 0.0), ("503", 0.0)] {
        expo.sample(name, &[("code", code)], view.count(code, rate));
    }
}
