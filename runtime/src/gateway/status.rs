//! The counters of `GET /skiff/v1/status`.

use alloc::string::String;
use core::fmt::Write;

use super::Gateway;
use crate::json;
use crate::plugin;

impl Gateway {
    /// Returns the counters of `GET /skiff/v1/status` (`docs/command-line.md`): frames, deltas, drops by reason, restarts.
    #[must_use]
    pub fn status_json(&self) -> String {
        let mut out = String::from("{");
        // Writing into a String cannot fail.
        let _ = self.write_status(&mut out);
        out.push('}');
        out
    }

    fn write_status(&self, out: &mut String) -> core::fmt::Result {
        let (total, sentences) = (self.inputs.counters(), self.inputs.sentence_counters());
        write!(out, "\"version\":\"{}\",\"board\":\"{}\",", self.setup.version, self.setup.limits.board.name())?;
        write!(out, "\"uptime_ms\":{},", self.hal.clock.now().as_millis())?;
        self.write_board_status(out)?;
        write!(out, "\"frames\":{},\"messages\":{},", total.frames, total.messages)?;
        write!(
            out,
            "\"deltas\":{{\"n2k\":{},\"nmea0183\":{},\"plugins\":{},\"clients\":{}}},",
            total.deltas,
            sentences.deltas,
            self.plugins.emitted(),
            self.clients.streams.deltas()
        )?;
        out.push_str("\"drops\":{");
        for (name, count) in total.losses().into_iter().chain(sentences.losses()) {
            write!(out, "\"{name}\":{count},")?;
        }
        let sum = |pick: fn(&plugin::Drops) -> u64| {
            self.plugins.registry.plugins().map(|one| pick(&one.drops())).sum::<u64>()
        };
        write!(out, "\"can_receive\":{},", self.inputs.lost_frames())?;
        write!(out, "\"plugin_queue\":{},", sum(|drops| drops.deltas))?;
        write!(out, "\"plugin_emitted\":{},", sum(|drops| drops.emitted))?;
        write!(out, "\"plugin_malformed\":{},", sum(|drops| drops.malformed))?;
        write!(out, "\"plugin_loop\":{},", sum(|drops| drops.looped))?;
        write!(out, "\"stream_collapsed\":{},", self.clients.streams.collapsed())?;
        write!(out, "\"plugin_frames\":{},", sum(|drops| drops.frames))?;
        write!(out, "\"stream_frames\":{},", self.clients.streams.lost_frames())?;
        write!(out, "\"model_refused\":{},", self.model.counts().refused)?;
        write!(out, "\"not_preferred\":{},", self.model.counts().not_preferred)?;
        write!(out, "\"requests\":{}}},", self.clients.exchanges.refused())?;
        let restarts: u64 = self.plugins.registry.plugins().map(|plugin| u64::from(plugin.restarts())).sum();
        write!(
            out,
            "\"restarts\":{restarts},\"streams\":{},\"exchanges\":{},",
            self.clients.streams.len(),
            self.clients.exchanges.waiting()
        )?;
        write!(
            out,
            "\"model\":{{\"paths\":{},\"bytes\":{},\"contexts\":{}}},",
            self.model.counts().paths,
            self.model.counts().bytes,
            self.model.counts().contexts
        )?;
        self.inputs.write_status(out)?;
        if let Some(clients) = &self.clients.carried {
            out.push_str(",\"clients\":{");
            for (index, (name, count)) in clients.named().into_iter().enumerate() {
                write!(out, "{}\"{name}\":{count}", if index == 0 { "" } else { "," })?;
            }
            out.push('}');
        }
        let ledger = self.plugins.registry.ledger();
        write!(
            out,
            ",\"memory\":{{\"limit\":{},\"reserved\":{},\"rows\":[",
            ledger.total(),
            ledger.total().saturating_sub(ledger.free())
        )?;
        for (index, row) in self.budget().iter().enumerate() {
            out.push_str(if index == 0 { "{\"row\":" } else { ",{\"row\":" });
            json::write_string(out, &row.name)?;
            write!(out, ",\"reserved\":{},\"used\":", row.reserved)?;
            match row.used {
                Some(used) => write!(out, "{used}")?,
                None => out.push_str("null"),
            }
            write!(out, ",\"limit\":{}}}", row.limit)?;
        }
        out.push_str("]}");
        Ok(())
    }
}
