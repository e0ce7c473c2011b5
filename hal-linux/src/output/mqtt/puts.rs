//! PUT by topic: `BASE/put/<path>` asks, `BASE/answers` is answered in, as a client of the stream is.
//!
//! It has the role of the token that the owner named, and no other way in: the broker says who may publish there. What the broker
//! kept from before is no order: nobody wants the windlass to turn when the gateway comes back.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use skiff_runtime::gateway::{Gateway, StreamId, StreamOut};
use skiff_runtime::http::{Method, Request};
use skiff_runtime::json;

use super::values::line;
use crate::mqtt::read_secret;
use crate::output::hub::{Hub, count};
use crate::wake::Waker;

/// Orders that wait for the gateway's thread.
const ORDERS_MAX: usize = 64;
/// Bytes of an order.
pub const ORDER_BYTES_MAX: usize = 16 * 1024;

/// An order that came.
pub struct Order {
    /// Dotted.
    pub path: String,
    /// JSON: the value, or an object with `value`, `requestId` and `source`.
    pub payload: String,
}

/// Where the connection gives orders.
#[derive(Clone)]
pub struct Orders {
    sender: SyncSender<Order>,
    waker: Waker,
}

impl Orders {
    /// Gives one; false when there are too many.
    pub fn give(&self, order: Order) -> bool {
        let given = self.sender.try_send(order);
        self.waker.wake();
        !matches!(given, Err(TrySendError::Full(_)))
    }
}

/// What the gateway's thread does with them.
pub struct Puts {
    orders: Receiver<Order>,
    token_file: PathBuf,
    answers: String,
    stream: Option<StreamId>,
}

/// Makes both ends; answers go to the topic `answers`.
pub fn puts(token_file: PathBuf, answers: String, waker: &Waker) -> (Orders, Puts) {
    let (sender, orders) = sync_channel(ORDERS_MAX);
    (Orders { sender, waker: waker.clone() }, Puts { orders, token_file, answers, stream: None })
}

impl Puts {
    /// Hands orders to the gateway, and answers to the hub.
    pub fn drive(&mut self, gateway: &mut Gateway, hub: &Hub) {
        while let Ok(order) = self.orders.try_recv() {
            count(&hub.counters.received, 1);
            let stream = match self.stream.map_or_else(|| self.open(gateway), Ok) {
                Ok(stream) => stream,
                Err((status, clause)) => {
                    self.answer(hub, &refusal(&order, status, &clause));
                    continue;
                }
            };
            self.stream = Some(stream);
            match request(&order) {
                Some(text) => gateway.stream_receive(stream, &text),
                None => self.answer(hub, &refusal(&order, 400, "the payload must be JSON")),
            }
            self.take_answers(gateway, hub);
        }
        self.take_answers(gateway, hub);
    }

    /// Takes what came, without a gateway.
    #[cfg(test)]
    pub fn taken_orders(&mut self) -> Vec<Order> {
        self.orders.try_iter().collect()
    }

    /// Leaves the gateway.
    pub fn end(&mut self, gateway: &mut Gateway) {
        self.stream.take().into_iter().for_each(|stream| gateway.close_stream(stream));
    }

    fn take_answers(&mut self, gateway: &mut Gateway, hub: &Hub) {
        while let Some(stream) = self.stream {
            match gateway.stream_next(stream) {
                StreamOut::Text(text) => {
                    // The hello is none.
                    if json::member(&text, "requestId").is_some() {
                        self.answer(hub, &text);
                    }
                }
                StreamOut::Idle => return,
                // Its token was revoked; the next order asks whether there is another.
                StreamOut::Closed | StreamOut::TooSlow => self.end(gateway),
                StreamOut::Binary(_) => {}
            }
        }
    }

    fn answer(&self, hub: &Hub, text: &str) {
        hub.put(&line(&self.answers, text, false).into());
    }

    /// Opens a stream as whoever has the token.
    fn open(&self, gateway: &mut Gateway) -> Result<StreamId, (u16, String)> {
        let refused = |clause: String| (403, clause);
        let token = read_secret(&self.token_file).map_err(refused)?;
        let token = String::from_utf8(token).map_err(|_| refused("the token is no text".into()))?;
        // An empty one would be none, and who sits at the machine may read.
        if token.trim().is_empty() {
            return Err(refused(format!("{}: holds no token", self.token_file.display())));
        }
        let mut request = Request::new(Method::Get, "/signalk/v1/stream?subscribe=none&sendMeta=none");
        request.headers.push(("authorization".into(), format!("Bearer {}", token.trim())));
        gateway.open_stream(&request).map_err(|response| {
            let said = json::member(&String::from_utf8_lossy(&response.body), "error")
                .and_then(json::string)
                .map(String::from);
            (response.status, said.unwrap_or_else(|| "the token is not valid".into()))
        })
    }
}

/// Makes the message of a stream; `None` of what is no JSON.
fn request(order: &Order) -> Option<String> {
    let payload = json::compact(&order.payload).ok()?;
    let is_object = payload.starts_with('{') && json::member(&payload, "value").is_some();
    let member = |name: &str| json::member(&payload, name).filter(|_| is_object);
    Some(json::object(|out| {
        if let Some(id) = member("requestId") {
            out.json("requestId", id);
        }
        out.object("put", |out| {
            out.text("path", &order.path).json("value", member("value").unwrap_or(&payload));
            if let Some(source) = member("source") {
                out.json("source", source);
            }
        });
    }))
}

fn refusal(order: &Order, status: u16, clause: &str) -> String {
    let payload = json::compact(&order.payload).unwrap_or_default();
    json::object(|out| {
        if let Some(id) = json::member(&payload, "requestId") {
            out.json("requestId", id);
        }
        out.text("path", &order.path).text("state", "COMPLETED").number("statusCode", status);
        out.text("message", clause);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(payload: &str) -> Order {
        Order { path: "a.b".into(), payload: payload.into() }
    }

    #[test]
    fn an_order_is_a_value_or_an_object_that_has_one() {
        for (payload, text) in [
            ("1", r#"{"put":{"path":"a.b","value":1}}"#),
            (r#" {"x": 1} "#, r#"{"put":{"path":"a.b","value":{"x":1}}}"#),
            (
                r#"{"value":"on","requestId":"7","source":"s"}"#,
                r#"{"requestId":"7","put":{"path":"a.b","value":"on","source":"s"}}"#,
            ),
        ] {
            assert_eq!(request(&order(payload)).as_deref(), Some(text));
        }
        assert_eq!(request(&order("on")), None);
        let refused = refusal(&order(r#"{"requestId":"7"}"#), 403, "no");
        assert_eq!(refused, r#"{"requestId":"7","path":"a.b","state":"COMPLETED","statusCode":403,"message":"no"}"#);
    }

    #[test]
    fn no_more_wait_than_may() {
        let waker = Waker::new().unwrap();
        let (orders, _puts) = puts("/none".into(), "answers".into(), &waker);
        assert!((0..ORDERS_MAX).all(|_| orders.give(order("1"))));
        assert!(!orders.give(order("1")));
    }
}
