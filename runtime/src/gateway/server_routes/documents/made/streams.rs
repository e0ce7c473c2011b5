//! The form that AsyncAPI 3.0 gives to the streams, as a client sees them: it receives what the gateway tells.

use serde_json::{Map, Value, json};

use super::kind;

/// A stream: what is described by one document.
pub struct StreamApi {
    /// Its name in addresses.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    says: &'static str,
    /// Where it is, with `{NAME}` for a parameter.
    address: &'static str,
    parameters: &'static [(&'static str, &'static str)],
    messages: &'static [Message],
}

/// A message: its direction, its name, what it is, the kind of what it holds; empty where it is no JSON.
type Message = (Way, &'static str, &'static str, &'static str);

/// Who tells it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The gateway.
    Receive,
    /// The client.
    Send,
}

use Way::{Receive, Send};

/// All that is described.
pub const APIS: &[StreamApi] = &[
    StreamApi {
        name: "deltas",
        title: "Deltas",
        says: "What changes on the boat, as it changes. The query says what is told unasked: subscribe=self (the own vessel), all or none; sendCachedValues=false leaves out what is known already; sendMeta=all tells what paths mean; serverevents=all tells what the admin UI shows; token= is who asks.",
        address: "/signalk/v1/stream",
        parameters: &[],
        messages: &[
            (Receive, "hello", "Which vessel is the own one", "Hello"),
            (Receive, "delta", "What changed", "Delta"),
            (Receive, "response", "What became of a request", "State"),
            (Send, "subscribe", "Asks for paths", "Subscribe"),
            (Send, "unsubscribe", "Asks for them no longer", "Unsubscribe"),
            (Send, "tell", "Tells values (readwrite)", "Delta"),
            (Send, "put", "Asks for a change (readwrite)", "PutMessage"),
            (Send, "login", "Logs in", "LoginMessage"),
            (Send, "accessRequest", "Asks to be let in", "AccessMessage"),
        ],
    },
    StreamApi {
        name: "playback",
        title: "Deltas of the past",
        says: "What was told from a time on, where history is kept. Query: startTime (required), playbackRate (0.01 to 1000), subscribe as for deltas.",
        address: "/signalk/v1/playback",
        parameters: &[],
        messages: &[
            (Receive, "hello", "Which vessel is the own one", "Hello"),
            (Receive, "delta", "What changed then", "Delta"),
        ],
    },
    StreamApi {
        name: "spokes",
        title: "Spokes of a radar",
        says: "What a radar sees, in the form of the plugin that drives it.",
        address: "/signalk/v2/api/vessels/self/radars/{radar}/spokes",
        parameters: &[("radar", "Id of a radar")],
        messages: &[(Receive, "spoke", "A binary frame of the plugin", "")],
    },
    StreamApi {
        name: "frames",
        title: "Frames of a plugin",
        says: "Binary frames of a plugin, under the name that it gives them.",
        address: "/signalk/v2/api/streams/{stream}",
        parameters: &[("stream", "Name of a stream")],
        messages: &[(Receive, "frame", "A binary frame of the plugin", "")],
    },
];

/// Returns the document of a stream.
///
/// # Errors
/// What the tables name that is not there.
pub fn document(api: &StreamApi, version: &str) -> Result<Value, String> {
    let mut messages = Map::new();
    for (_, name, says, kind) in api.messages {
        // Without references: the admin UI shows payloads as they stand.
        let (media, payload) = if kind.is_empty() {
            ("application/octet-stream", json!({ "type": "string", "format": "binary" }))
        } else {
            ("application/json", kind::schema(kind, true)?)
        };
        messages
            .insert((*name).into(), json!({ "name": name, "summary": says, "contentType": media, "payload": payload }));
    }
    let mut channel = json!({ "address": api.address, "description": api.says, "messages": messages });
    if !api.parameters.is_empty() {
        let parameters = api.parameters.iter().map(|(name, says)| ((*name).to_owned(), json!({ "description": says })));
        channel["parameters"] = Value::Object(parameters.collect());
    }
    let mut operations = Map::new();
    for (way, name) in [(Receive, "receive"), (Send, "send")] {
        let of_way = |message: &&Message| message.0 == way;
        let messages: Vec<Value> = api
            .messages
            .iter()
            .filter(of_way)
            .map(|(_, message, ..)| json!({ "$ref": format!("#/channels/{}/messages/{message}", api.name) }))
            .collect();
        if !messages.is_empty() {
            let summary = if way == Receive { "What the gateway tells" } else { "What a client can say" };
            let channel = json!({ "$ref": format!("#/channels/{}", api.name) });
            operations.insert(
                name.into(),
                json!({ "action": name, "summary": summary, "channel": channel, "messages": messages }),
            );
        }
    }
    Ok(json!({
        "asyncapi": "3.0.0",
        "info": { "title": api.title, "version": version, "description": api.says },
        "servers": { "gateway": { "host": "localhost:3000", "protocol": "ws", "description": "The address under which this document was read; wss with TLS" } },
        "channels": { (api.name): channel },
        "operations": operations,
    }))
}
