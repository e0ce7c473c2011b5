//! Satellites in view, told in several sentences (GSV).

use core::fmt::{self, Write};

use super::fields::radians;
use super::sentence::Sentence;
use crate::delta::{Value, ValueSink};
use crate::json::{Decimal, Written};

/// Satellites of one system that are kept: nine sentences of four.
const SATELLITES_MAX: usize = 36;

/// By talker.
const SYSTEMS: [(&str, &str); 5] =
    [("GP", "GPS"), ("GL", "GLONASS"), ("GA", "GALILEO"), ("GB", "BEIDOU"), ("GQ", "QZSS")];

/// One satellite: number, degrees above the horizon, degrees from north, strength in dB.
#[derive(Clone, Copy, Debug)]
struct Satellite {
    id: u16,
    elevation: Option<f32>,
    azimuth: Option<f32>,
    strength: f32,
}

/// What was told of the satellites in view, until all of it is there.
#[derive(Debug, Default)]
pub(super) struct Sky {
    talker: heapless::String<2>,
    is_second_antenna: bool,
    /// Number of the sentence that comes next; 0 when none is open.
    next: u16,
    count: u16,
    satellites: heapless::Vec<Satellite, SATELLITES_MAX>,
}

impl Sky {
    /// Takes a sentence; true when it was the last one, and [`give`](Self::give) has something to give.
    ///
    /// A first sentence begins anew, one that does not follow ends what was begun.
    pub fn take(&mut self, sentence: &Sentence<'_>) -> bool {
        let fields = &sentence.fields;
        let number = |index: usize| fields.text(index).parse::<u16>().ok();
        let (Some(of), Some(this), Some(count)) = (number(0), number(1), number(2)) else {
            self.next = 0;
            return false;
        };
        if this == 1 {
            self.talker = heapless::String::try_from(sentence.talker).unwrap_or_default();
            self.is_second_antenna = sentence.name == "GSVH";
            self.satellites.clear();
        } else if this != self.next || self.talker != sentence.talker {
            self.next = 0;
            return false;
        }
        (self.next, self.count) = (this.saturating_add(1), count);
        let degrees = |index: usize| fields.text(index).parse::<f32>().ok().filter(|degrees| degrees.is_finite());
        for first in [3, 7, 11, 15] {
            let Some(id) = number(first).filter(|_| first + 3 < fields.count()) else { continue };
            let satellite = Satellite {
                // GLONASS counts from 65.
                id: if id >= 64 { id - 64 } else { id },
                elevation: degrees(first + 1),
                azimuth: degrees(first + 2),
                strength: degrees(first + 3).unwrap_or_default(),
            };
            // Beyond the limit they are only counted.
            let _ = self.satellites.push(satellite);
        }
        let is_last = this >= of;
        if is_last {
            self.next = 0;
        }
        is_last
    }

    /// Gives what is in view.
    pub fn give(&self, sink: &mut dyn ValueSink) {
        let list = |out: &mut dyn Write| {
            out.write_char('[')?;
            for (index, satellite) in self.satellites.iter().take(self.count.into()).enumerate() {
                out.write_str(if index > 0 { "," } else { "" })?;
                satellite.write(out)?;
            }
            out.write_char(']')
        };
        let mut members = heapless::Vec::<_, 4>::new();
        // As many as there is room for.
        let _ = members.push(("count", Value::Number(Decimal::new(self.count.into(), 0))));
        let _ = members.push(("satellites", Value::Written(Written(&list))));
        if let Some((_, system)) = SYSTEMS.iter().find(|(talker, _)| *talker == self.talker) {
            let _ = members.push(("gnss", Value::Text(system)));
        }
        if self.is_second_antenna {
            let _ = members.push(("antennaType", Value::Text("SLAVE")));
        }
        sink.value("navigation.gnss.satellitesInView", Value::Object(&members));
    }
}

impl Satellite {
    fn write(&self, out: &mut dyn Write) -> fmt::Result {
        let angle = |degrees: f32| Value::Float(radians(degrees.into()));
        let mut members = heapless::Vec::<_, 4>::new();
        // As many as there is room for.
        let _ = members.push(("id", Value::Number(Decimal::new(self.id.into(), 0))));
        for (name, degrees) in [("elevation", self.elevation), ("azimuth", self.azimuth)] {
            if let Some(degrees) = degrees {
                let _ = members.push((name, angle(degrees)));
            }
        }
        let _ = members.push(("SNR", Value::Float(self.strength.into())));
        Value::Object(&members).write(out)
    }
}
