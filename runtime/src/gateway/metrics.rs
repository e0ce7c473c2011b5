//! `GET /metrics`: the counters of the status and the budget of every plugin, in Prometheus' text format 0.0.4, which
//! VictoriaMetrics, Grafana's agent and Telegraf read too.
//!
//! Names end in their unit, counters in `_total`; times are seconds, sizes bytes. What a plugin, an input or an output is
//! called is a label. Each family is written whole, as the format asks.

use alloc::string::String;
use core::fmt::{Display, Write};

use super::{Gateway, InputState};
use crate::plugin::PluginState;
use crate::server::Response;
use crate::server::plugins::{UsageRow, usage_rows};

/// The format that is written, as readers ask for it.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// States that a plugin may be in.
const STATES: [PluginState; 5] =
    [PluginState::Stopped, PluginState::Starting, PluginState::Running, PluginState::Error, PluginState::Crashed];

/// Labels of a sample.
type Labels<'l> = &'l [(&'static str, &'l str)];

/// What is written.
struct Exposition(String);

/// One family in it: samples under one name.
struct Family<'e> {
    out: &'e mut String,
    name: &'static str,
}

impl Exposition {
    /// Begins a family that only rises, but for a restart.
    fn counter(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "counter", help)
    }

    /// Begins a family that rises and falls.
    fn gauge(&mut self, name: &'static str, help: &str) -> Family<'_> {
        self.family(name, "gauge", help)
    }

    fn family(&mut self, name: &'static str, kind: &str, help: &str) -> Family<'_> {
        for part in ["# HELP ", name, " ", help, "\n# TYPE ", name, " ", kind, "\n"] {
            self.0.push_str(part);
        }
        Family { out: &mut self.0, name }
    }
}

impl Family<'_> {
    /// Writes the value under these labels.
    fn is(&mut self, labels: Labels<'_>, value: impl Display) -> &mut Self {
        self.out.push_str(self.name);
        for (index, (name, text)) in labels.iter().enumerate() {
            self.out.push(if index == 0 { '{' } else { ',' });
            self.out.push_str(name);
            self.out.push_str("=\"");
            for letter in text.chars() {
                match letter {
                    '\\' | '"' => self.out.extend(['\\', letter]),
                    '\n' => self.out.push_str("\\n"),
                    _ => self.out.push(letter),
                }
            }
            self.out.push('"');
        }
        self.out.push_str(if labels.is_empty() { " " } else { "} " });
        // Writing to a string cannot fail.
        let _ = writeln!(self.out, "{value}");
        self
    }
}

impl Gateway {
    /// Answers `GET /metrics`.
    pub(super) fn metrics(&self) -> Response {
        let mut out = Exposition(String::new());
        self.machine_metrics(&mut out);
        self.traffic_metrics(&mut out);
        self.input_metrics(&mut out);
        #[cfg(feature = "outputs")]
        self.output_metrics(&mut out);
        self.memory_metrics(&mut out);
        self.plugin_metrics(&mut out);
        Response::new(200, CONTENT_TYPE, out.0)
    }

    fn machine_metrics(&self, out: &mut Exposition) {
        let board = self.setup.limits.board.name();
        out.gauge("skiff_info", "What runs here.").is(&[("version", self.setup.version), ("board", board)], 1);
        let uptime = self.hal.clock.now().as_millis();
        let seconds = format_args!("{}.{:03}", uptime / 1000, uptime % 1000);
        out.gauge("skiff_uptime_seconds", "Time since the start.").is(&[], seconds);
        let model = self.model.counts();
        out.gauge("skiff_model_paths", "Paths held, over all contexts.").is(&[], model.paths);
        out.gauge("skiff_model_contexts", "Contexts held, the own vessel included.").is(&[], model.contexts);
        out.gauge("skiff_model_bytes", "Heap held by the model, as counted.").is(&[], model.bytes);
        out.gauge("skiff_streams", "Open streams of deltas.").is(&[], self.clients.streams.len());
        out.gauge("skiff_exchanges_waiting", "Requests that wait for a plugin.")
            .is(&[], self.clients.exchanges.waiting());
        out.counter("skiff_unauthorised_total", "Requests without a valid token.")
            .is(&[], self.clients.refusals.count());
        if let Some(clients) = &self.clients.carried {
            let mut family = out.gauge("skiff_clients", "Connections, and what became of them.");
            for (name, count) in clients.named() {
                family.is(&[("what", name)], count);
            }
        }
    }

    fn traffic_metrics(&self, out: &mut Exposition) {
        let (n2k, sentences) = (self.inputs.counters(), self.inputs.sentence_counters());
        out.counter("skiff_frames_total", "NMEA 2000 frames received.").is(&[], n2k.frames);
        out.counter("skiff_messages_total", "NMEA 2000 messages put together.").is(&[], n2k.messages);
        out.counter("skiff_deltas_total", "Deltas, by where they came from.")
            .is(&[("from", "n2k")], n2k.deltas)
            .is(&[("from", "nmea0183")], sentences.deltas)
            .is(&[("from", "plugins")], self.plugins.emitted())
            .is(&[("from", "clients")], self.clients.streams.deltas());
        let mut family = out.counter("skiff_drops_total", "What was lost, by reason.");
        for (reason, count) in self.losses() {
            family.is(&[("reason", reason)], count);
        }
    }

    fn input_metrics(&self, out: &mut Exposition) {
        let mut family = out.gauge("skiff_input_open", "1 where the source of an input is there.");
        for input in self.inputs.iter() {
            family.is(&[("input", input.label())], u8::from(*input.state() == InputState::Open));
        }
        let mut family = out.counter("skiff_input_frames_total", "NMEA 2000 frames, by input.");
        for input in self.inputs.iter() {
            family.is(&[("input", input.label())], input.counters().frames);
        }
        let mut family = out.counter("skiff_input_sentences_total", "NMEA 0183 sentences, by input.");
        for input in self.inputs.iter() {
            family.is(&[("input", input.label())], input.sentence_counters().sentences);
        }
        let mut family = out.counter("skiff_input_lost_total", "What was lost before it came here, by input.");
        for input in self.inputs.iter() {
            family.is(&[("input", input.label())], input.lost());
        }
    }

    #[cfg(feature = "outputs")]
    fn output_metrics(&self, out: &mut Exposition) {
        let mut family = out.gauge("skiff_output_open", "1 where an output reaches somebody.");
        for output in self.outputs.told() {
            family.is(&[("output", &output.name)], u8::from(output.state == "open"));
        }
        let mut family = out.counter("skiff_output_bytes_total", "Bytes written, by output.");
        for output in self.outputs.told() {
            family.is(&[("output", &output.name)], output.bytes);
        }
        let mut family =
            out.counter("skiff_output_drops_total", "Lines that did not reach somebody, by output and reason.");
        for output in self.outputs.told() {
            for (reason, count) in output.dropped.iter().filter(|(reason, _)| !reason.is_empty()) {
                family.is(&[("output", &output.name), ("reason", reason)], count);
            }
        }
    }

    fn memory_metrics(&self, out: &mut Exposition) {
        let total = self.plugins.registry.ledger().total();
        out.gauge("skiff_memory_limit_bytes", "What plugins may be promised together.").is(&[], total);
        let rows = self.budget();
        let mut family = out.gauge("skiff_memory_reserved_bytes", "Taken off it, by row of the budget.");
        for row in &rows {
            family.is(&[("row", &row.name)], row.reserved);
        }
        let mut family = out.gauge("skiff_memory_used_bytes", "In use, by row of the budget, where it is known.");
        for (name, used) in rows.iter().filter_map(|row| Some((&row.name, row.used?))) {
            family.is(&[("row", name)], used);
        }
    }

    fn plugin_metrics(&self, out: &mut Exposition) {
        let plugins = || self.plugins.registry.plugins();
        let mut family = out.gauge("skiff_plugin_state", "1 under the state that a plugin is in.");
        for plugin in plugins() {
            for state in STATES {
                let is_in = u8::from(plugin.state() == state);
                family.is(&[("plugin", plugin.package_name()), ("state", state.name())], is_in);
            }
        }
        let mut family = out.counter("skiff_plugin_fuel_total", "Fuel that all its calls took.");
        for plugin in plugins() {
            family.is(&[("plugin", plugin.package_name())], plugin.fuel_spent());
        }
        let mut family = out.counter("skiff_plugin_restarts_total", "Restarts after a crash.");
        for plugin in plugins() {
            family.is(&[("plugin", plugin.package_name())], plugin.restarts());
        }
        let mut family = out.counter("skiff_plugin_drops_total", "Deltas and frames lost for a plugin, or of it.");
        for plugin in plugins() {
            let drops = plugin.drops();
            for (reason, count) in [
                ("queue", drops.deltas),
                ("emitted", drops.emitted),
                ("malformed", drops.malformed),
                ("frames", drops.frames),
                ("loop", drops.looped),
            ] {
                family.is(&[("plugin", plugin.package_name()), ("reason", reason)], count);
            }
        }
        for (name, help, pick) in [
            (
                "skiff_plugin_budget_used",
                "What a plugin uses, by row of its budget.",
                (|row: &UsageRow| row.used) as fn(&UsageRow) -> u64,
            ),
            ("skiff_plugin_budget_reserved", "What is kept for it alone.", |row| row.reserved),
            ("skiff_plugin_budget_limit", "The most it may have.", |row| row.limit),
        ] {
            let mut family = out.gauge(name, help);
            for plugin in plugins() {
                for row in usage_rows(plugin, &self.plugins.registry, &self.model) {
                    let labels = [("plugin", plugin.package_name()), ("row", row.name), ("unit", row.unit)];
                    family.is(&labels, pick(&row));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_told_whole_and_its_labels_are_escaped() {
        let mut out = Exposition(String::new());
        out.gauge("a_bytes", "What.").is(&[], 7).is(&[("of", "x\"y\\z\nw"), ("in", "")], 8);
        out.counter("b_total", "Which.");
        let expected = "# HELP a_bytes What.\n# TYPE a_bytes gauge\na_bytes 7\n\
            a_bytes{of=\"x\\\"y\\\\z\\nw\",in=\"\"} 8\n# HELP b_total Which.\n# TYPE b_total counter\n";
        assert_eq!(out.0, expected);
    }
}
