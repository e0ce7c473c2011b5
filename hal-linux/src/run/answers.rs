//! Answers on their way to clients: a large one is made once for all who wait for it, and all have a budget.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use skiff_runtime::http::{Method, Request};
use skiff_runtime::server::Response;

use crate::carrier::Answer;

/// Bytes from which an answer is large; a vessel's tree has 100 KB, a full model 2 MB.
const LARGE_BYTES: usize = 32 * 1024;
/// Bytes of large answers that are on their way; then what is read in bulk is asked for again later.
const IN_FLIGHT_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Large answers that have not been sent whole, and the latest of them.
#[derive(Default)]
pub struct Answers {
    in_flight: Arc<AtomicUsize>,
    latest: Option<(String, Answer)>,
}

/// A body that counts as long as somebody sends it.
struct Counted {
    bytes: Vec<u8>,
    in_flight: Arc<AtomicUsize>,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.in_flight.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}

impl Answers {
    /// Returns what answers a request without asking the gateway: the answer that was just made for another client, or
    /// the refusal of one that there is no room for. Only after its head was judged.
    pub fn at_hand(&self, request: &Request) -> Option<Answer> {
        if !is_bulk(request) {
            return None;
        }
        if let Some((target, answer)) = &self.latest
            && *target == request.target
        {
            return Some(answer.clone());
        }
        let is_full = self.in_flight.load(Ordering::SeqCst) >= IN_FLIGHT_BYTES_MAX;
        is_full.then(|| {
            let refused = Response::error(503, "too much is on its way to other clients, ask again");
            Answer::new(refused.with("retry-after", "1"))
        })
    }

    /// Tells whether the same answer was just made for another client.
    pub fn is_shared(&self, request: &Request) -> bool {
        is_bulk(request) && self.latest.as_ref().is_some_and(|(target, _)| *target == request.target)
    }

    /// Makes an answer out of a response to `target`, and keeps it for others when it is worth it.
    pub fn make(&mut self, target: Option<&str>, mut response: Response) -> Answer {
        if response.body.len() < LARGE_BYTES {
            return Answer::new(response);
        }
        let bytes = std::mem::take(&mut response.body).into_owned();
        self.in_flight.fetch_add(bytes.len(), Ordering::SeqCst);
        let body = Bytes::from_owner(Counted { bytes, in_flight: Arc::clone(&self.in_flight) });
        let answer = Answer { head: response, body };
        if let Some(target) = target.filter(|_| answer.head.status == 200) {
            self.latest = Some((target.to_owned(), answer.clone()));
        }
        answer
    }

    /// Forgets the latest answer: what it was made of may be another now.
    pub fn renew(&mut self) {
        self.latest = None;
    }
}

/// Tells whether a request reads the data model, which can be much, and which is the same for all who may read. The answer
/// to a page of another origin has header fields of its own.
pub fn is_bulk(request: &Request) -> bool {
    request.method == Method::Get && request.target.starts_with("/signalk/v1/api") && request.header("origin").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(target: &str) -> Request {
        Request::new(Method::Get, target)
    }

    fn tree(bytes: usize) -> Response {
        Response::json(200, vec![b' '; bytes])
    }

    const TREE: &str = "/signalk/v1/api/";

    #[test]
    fn a_large_answer_is_made_once_for_those_who_wait() {
        let mut answers = Answers::default();
        let made = answers.make(Some(TREE), tree(LARGE_BYTES));
        let shared = answers.at_hand(&get(TREE)).unwrap();
        assert_eq!(shared.body.as_ptr(), made.body.as_ptr(), "one text");
        assert!(answers.at_hand(&get("/signalk/v1/api/self")).is_none());
        assert!(answers.at_hand(&Request::new(Method::Put, TREE)).is_none());
        answers.renew();
        assert!(answers.at_hand(&get(TREE)).is_none());
        answers.make(Some(TREE), tree(LARGE_BYTES - 1));
        assert!(answers.at_hand(&get(TREE)).is_none(), "small ones are made anew");
        answers.make(Some(TREE), Response { status: 404, ..tree(LARGE_BYTES) });
        assert!(answers.at_hand(&get(TREE)).is_none());
    }

    #[test]
    fn what_nobody_takes_is_bounded() {
        let mut answers = Answers::default();
        let count = IN_FLIGHT_BYTES_MAX / LARGE_BYTES;
        let held: Vec<Answer> = (0..count).map(|_| answers.make(None, tree(LARGE_BYTES))).collect();
        let refused = answers.at_hand(&get(TREE)).unwrap().head;
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
        assert!(answers.at_hand(&get("/skiff/v1/status")).is_none(), "only what is read in bulk");
        drop(held);
        assert!(answers.at_hand(&get(TREE)).is_none(), "what was sent gives its bytes back");
    }
}
