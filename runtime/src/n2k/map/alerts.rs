//! Alerts as notifications: the standard's (126983, 126985), Seatalk's and Simnet's.

use super::Scene;
use super::faults;
use super::rule::{Mapping, same};
use super::text::{ShortText, camel_case, digits, has_letters, join, lower, without_blanks};
use crate::delta::Value;
use crate::n2k::decode::{Decoded, Lookup};
use crate::n2k::tables::{Definition, Field};

pub(super) const MAPPINGS: &[Mapping] = &[
    Mapping::code(65_288, seatalk),
    Mapping::code(126_983, alert),
    Mapping::code(126_985, alert_text),
    Mapping::code(130_850, simnet),
];

/// PGN 126985: gives nothing, its text becomes the message of 126983.
fn alert_text(scene: &mut Scene<'_>) {
    let Some(id) = scene.decoded.raw(Field::AlertId) else { return };
    let (source, memory) = (scene.id.source, &mut *scene.memory);
    match scene.decoded.string(Field::AlertTextDescription) {
        Some(text) => memory.keep_alert(source, id, Some(&text.to_stack())),
        // A text of blanks is one, other than a field without letters.
        None => memory.keep_alert(source, id, has_letters(scene.decoded, Field::AlertTextDescription).then_some("")),
    }
}

/// Members of 126983's value that are fields as they are.
const MEMBERS: [(Field, &str); 18] = [
    (Field::AlertType, "alertType"),
    (Field::AlertCategory, "alertCategory"),
    (Field::AlertSystem, "alertSystem"),
    (Field::AlertId, "alertId"),
    (Field::DataSourceNetworkIdName, "dataSourceNetworkIDNAME"),
    (Field::DataSourceInstance, "dataSourceInstance"),
    (Field::DataSourceIndexSource, "dataSourceIndex-Source"),
    (Field::AlertOccurrenceNumber, "occurrence"),
    (Field::TemporarySilenceStatus, "temporarySilenceStatus"),
    (Field::AcknowledgeStatus, "acknowledgeStatus"),
    (Field::EscalationStatus, "escalationStatus"),
    (Field::TemporarySilenceSupport, "temporarySilenceSupport"),
    (Field::AcknowledgeSupport, "acknowledgeSupport"),
    (Field::EscalationSupport, "escalationSupport"),
    (Field::AcknowledgeSourceNetworkIdName, "acknowledgeSourceNetworkIDNAME"),
    (Field::TriggerCondition, "triggerCondition"),
    (Field::ThresholdStatus, "thresholdStatus"),
    (Field::AlertPriority, "alertPriority"),
];

/// PGN 126983, once its text was seen; silenced and acknowledged ones have no method.
fn alert(scene: &mut Scene<'_>) {
    let decoded = scene.decoded;
    let (Some(kind), Some(id)) = (decoded.raw(Field::AlertType), decoded.raw(Field::AlertId)) else { return };
    let Some(message) = scene.memory.alert(scene.id.source, id) else { return };
    // Lookup ALERT_TYPE.
    let (name, state) = match kind {
        1 => ("emergencyalarm", "emergency"),
        2 => ("alarm", "alarm"),
        5 => ("warning", "warn"),
        _ => ("caution", "alert"),
    };
    // A category that is not listed is its number: nobody finds a path with an empty segment.
    let category = match lower(&code_name(decoded, Field::AlertCategory, "").0) {
        _ if faults::ON && decoded.text(Field::AlertCategory).is_none() => ShortText::new(),
        category => category,
    };
    let (system, _) = code_name(decoded, Field::AlertSystem, "");
    let path = join(&["notifications.nmea.", name, ".", &category, ".", &system, ".", &digits(id)]);
    let quiet = [Field::TemporarySilenceStatus, Field::AcknowledgeStatus];
    let quiet = quiet.into_iter().any(|field| decoded.raw(field) == Some(1));
    let method: &[Value<'_>] = if quiet { &[] } else { &[Value::Text("visual"), Value::Text("sound")] };
    let mut members = heapless::Vec::<(&str, Value<'_>), { MEMBERS.len() + 4 }>::new();
    // All fit: the fields and four more.
    let _ = members.push(("state", Value::Text(state)));
    let _ = members.push(("method", Value::List(method)));
    if let Some(message) = message {
        let _ = members.push(("message", Value::Text(message)));
    }
    for (field, name) in MEMBERS {
        if let Some(value) = named(decoded, field).or_else(|| same(decoded, field)) {
            let _ = members.push((name, value));
        }
    }
    if let Some(value) = same(decoded, Field::AlertState) {
        let _ = members.push(("alertState", value));
    }
    scene.sink.value(&path, Value::Object(&members));
}

/// Returns a NAME as JavaScript holds it, in floating point; the two highest codes are no names.
fn named(decoded: &Decoded<'_>, field: Field) -> Option<Value<'static>> {
    let is_name = matches!(field, Field::DataSourceNetworkIdName | Field::AcknowledgeSourceNetworkIdName);
    let bits = decoded.bits(field).filter(|bits| is_name && *bits < u64::MAX - 1)?;
    #[expect(clippy::cast_precision_loss, reason = "the peer's numbers are so")]
    Some(Value::Float(bits as f64))
}

/// Returns the text of a code, or `before` and the code, and whether it is a text.
fn code_name(decoded: &Decoded<'_>, field: Field, before: &str) -> (ShortText, bool) {
    match decoded.lookup(field) {
        Some(Lookup::Text(text)) => (join(&[text]), true),
        Some(Lookup::Code(code)) => (join(&[before, &digits(code)]), false),
        None => (join(&[before, "undefined"]), false),
    }
}

/// PGN 65288 of Raymarine.
fn seatalk(scene: &mut Scene<'_>) {
    let decoded = scene.decoded;
    if decoded.definition() != Definition::SeatalkAlarm || decoded.raw(Field::AlarmGroup).is_none() {
        return;
    }
    // Lookup SEATALK_ALARM_STATUS: not met, met and not silenced, met and silenced.
    let Some(status) = decoded.raw(Field::AlarmStatus) else { return };
    let (group, _) = code_name(decoded, Field::AlarmGroup, "");
    let group = without_blanks(&lower(&group));
    let (name, known) = code_name(decoded, Field::AlarmId, "unknown");
    let path = join(&["notifications.", &group, ".", &without_blanks(&name)]);
    let message = if known { name } else { code_name(decoded, Field::AlarmId, "Unknown Seatalk Alarm ").0 };
    // Way point arrival and advance, route complete (lookup SEATALK_ALARM_ID).
    let expected = matches!(decoded.raw(Field::AlarmId), Some(14 | 29 | 35));
    let state = match (status, expected) {
        (0, _) => "normal",
        (_, true) => "alert",
        (_, false) => "alarm",
    };
    let both = [Value::Text("visual"), Value::Text("sound")];
    let (visual, _) = both.split_at(1);
    notify(scene, &path, &message, state, if status == 1 { &both } else { visual });
}

/// PGN 130850 of Simrad, when it is an alarm.
fn simnet(scene: &mut Scene<'_>) {
    if scene.decoded.definition() != Definition::SimnetAlarm || faults::ON {
        return;
    }
    let (name, known) = code_name(scene.decoded, Field::Alarm, "unknown");
    let path = join(&["notifications.", &camel_case(&name)]);
    let message = if known { name } else { code_name(scene.decoded, Field::Alarm, "Unknown Simnet Alarm ").0 };
    notify(scene, &path, &message, "warn", &[Value::Text("visual")]);
}

fn notify(scene: &mut Scene<'_>, path: &str, message: &str, state: &str, method: &[Value<'_>]) {
    let time = scene.time.text();
    let members = [
        ("message", Value::Text(message)),
        ("method", Value::List(method)),
        ("state", Value::Text(state)),
        ("timestamp", if time.is_empty() { Value::Null } else { Value::Text(&time) }),
    ];
    scene.value_at(path, Value::Object(&members));
}
