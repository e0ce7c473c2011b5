//! The counters of `GET /skiff/v1/status`.

use alloc::string::String;

use super::Gateway;
use crate::json::{self, Object};
use crate::plugin;

impl Gateway {
    /// Returns the counters of `GET /skiff/v1/status` (`docs/command-line.md`): frames, deltas, drops by reason, restarts.
    #[must_use]
    pub fn status_json(&self) -> String {
        json::object(|out| self.status(out))
    }

    fn status(&self, out: &mut Object<'_>) {
        let (total, sentences) = (self.inputs.counters(), self.inputs.sentence_counters());
        out.text("version", self.setup.version).text("board", self.setup.limits.board.name());
        out.number("uptime_ms", self.hal.clock.now().as_millis());
        self.board_status(out);
        out.number("frames", total.frames).number("messages", total.messages);
        out.object("deltas", |out| {
            out.number("n2k", total.deltas).number("nmea0183", sentences.deltas);
            out.number("plugins", self.plugins.emitted()).number("clients", self.clients.streams.deltas());
        });
        out.object("drops", |out| {
            for (name, count) in self.losses() {
                out.number(name, count);
            }
        });
        let restarts: u64 = self.plugins.registry.plugins().map(|plugin| u64::from(plugin.restarts())).sum();
        out.number("restarts", restarts).number("streams", self.clients.streams.len());
        out.number("exchanges", self.clients.exchanges.waiting());
        out.number("unauthorised", self.clients.refusals.count());
        let model = self.model.counts();
        out.object("model", |out| {
            out.number("paths", model.paths).number("bytes", model.bytes).number("contexts", model.contexts);
        });
        self.inputs.status(out);
        #[cfg(any(test, feature = "history"))]
        self.history.status(out);
        #[cfg(feature = "outputs")]
        self.output_status(out);
        if let Some(clients) = &self.clients.carried {
            out.object("clients", |out| {
                for (name, count) in clients.named() {
                    out.number(name, count);
                }
            });
        }
        out.object("memory", |out| self.memory(out));
    }

    /// Returns what was lost, and where: in the receivers, then behind them.
    pub(super) fn losses(&self) -> impl Iterator<Item = (&'static str, u64)> + use<> {
        let sum = |pick: fn(&plugin::Drops) -> u64| {
            self.plugins.registry.plugins().map(|one| pick(&one.drops())).sum::<u64>()
        };
        let model = self.model.counts();
        let behind = [
            ("can_receive", self.inputs.lost_frames()),
            ("input_receive", self.inputs.lost_records()),
            ("plugin_queue", sum(|drops| drops.deltas)),
            ("plugin_emitted", sum(|drops| drops.emitted)),
            ("plugin_malformed", sum(|drops| drops.malformed)),
            ("plugin_loop", sum(|drops| drops.looped)),
            ("stream_collapsed", self.clients.streams.collapsed()),
            ("plugin_frames", sum(|drops| drops.frames)),
            ("stream_frames", self.clients.streams.lost_frames()),
            ("model_refused", model.refused),
            ("not_preferred", model.not_preferred),
            ("requests", self.clients.exchanges.refused()),
        ];
        let receivers = self.inputs.counters().losses().into_iter();
        receivers.chain(self.inputs.sentence_counters().losses()).chain(behind)
    }

    /// Writes the budget table.
    fn memory(&self, out: &mut Object<'_>) {
        let ledger = self.plugins.registry.ledger();
        out.number("limit", ledger.total()).number("reserved", ledger.total().saturating_sub(ledger.free()));
        out.list("rows", |out| {
            for row in self.budget() {
                out.object(|out| {
                    out.text("row", &row.name).number("reserved", row.reserved);
                    match row.used {
                        Some(used) => out.number("used", used),
                        None => out.null("used"),
                    };
                    out.number("limit", row.limit);
                });
            }
        });
    }
}
