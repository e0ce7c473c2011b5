//! HTTP endpoints of a plugin (plugin ABI §9): which handler, what it is asked, what it answers.

mod pattern;
mod query;
mod request;
mod response;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

pub use pattern::{PATH_BYTES_MAX, PathPattern, PathPatternError};
pub use query::{QUERY_PAIRS_MAX, query_json};
pub use request::{RequestError, request_object};
pub use response::{handler_failed, handler_missing, handler_slow, plugin_not_running, response};

use crate::http::Method;
use crate::json::{self, JsonError};

/// Endpoints of one plugin.
pub const ENDPOINTS_MAX: usize = 64;
/// Bytes of a handler's export name.
const HANDLER_BYTES_MAX: usize = 128;

/// One entry of `http_endpoints`.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Method; a `GET` endpoint serves `HEAD` too.
    pub method: Method,
    /// Path below the mount point.
    pub pattern: PathPattern,
    /// Name of the export that answers.
    pub handler: String,
}

/// The endpoints of one plugin, in its order.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    rows: Vec<Endpoint>,
}

/// Parameters of a path: name and decoded value.
pub type Params = Vec<(String, String)>;

/// The endpoint of a plugin at an address.
#[derive(Debug)]
pub enum Found<'e> {
    /// This endpoint, with the parameters of its path.
    Endpoint(&'e Endpoint, Params),
    /// Endpoints, but none for this method.
    OtherMethods,
    /// Nothing.
    Nothing,
}

impl Endpoints {
    /// Reads the answer of `http_endpoints`, a JSON array of `{method,path,handler}`.
    ///
    /// Entries that cannot be served are left out; each gives one clause in the second value, for the log.
    ///
    /// # Errors
    /// [`JsonError`] when the answer is no JSON array.
    pub fn parse(answer: &str) -> Result<(Self, Vec<String>), JsonError> {
        let (mut endpoints, mut refused) = (Self::default(), Vec::new());
        let mut index = 0_usize;
        json::items::<JsonError>(answer.trim(), |item| {
            if index < ENDPOINTS_MAX {
                match parse_entry(item) {
                    Ok(endpoint) => endpoints.rows.push(endpoint),
                    Err(clause) => refused.push(format!("HTTP endpoint {index}: {clause}")),
                }
            } else if index == ENDPOINTS_MAX {
                refused.push(format!("more than {ENDPOINTS_MAX} HTTP endpoints, the rest is left out"));
            }
            index = index.saturating_add(1);
            Ok(())
        })?;
        Ok((endpoints, refused))
    }

    /// Finds the first endpoint for a method and a path below the mount point, not decoded.
    #[must_use]
    pub fn find(&self, method: Method, path: &str) -> Found<'_> {
        let wanted = if method == Method::Head { Method::Get } else { method };
        let mut found = Found::Nothing;
        for endpoint in &self.rows {
            let Some(params) = endpoint.pattern.matches(path) else {
                continue;
            };
            if endpoint.method == wanted {
                return Found::Endpoint(endpoint, params);
            }
            found = Found::OtherMethods;
        }
        found
    }

    /// Visits the endpoints in the plugin's order.
    pub fn iter(&self) -> impl Iterator<Item = &Endpoint> {
        self.rows.iter()
    }
}

fn parse_entry(item: &str) -> Result<Endpoint, String> {
    let text = |name: &str| json::member(item, name).and_then(json::string).ok_or_else(|| format!("{name} is missing"));
    let method = text("method")?.to_ascii_uppercase();
    let method = match Method::from_name(&method) {
        known @ (Method::Get | Method::Post | Method::Put | Method::Delete) => known,
        _ => return Err("method must be GET, POST, PUT or DELETE".to_owned()),
    };
    let pattern = PathPattern::parse(&text("path")?).map_err(|error| format!("{error}"))?;
    let handler = text("handler")?;
    if handler.is_empty() || handler.len() > HANDLER_BYTES_MAX {
        return Err(format!("handler must have 1 to {HANDLER_BYTES_MAX} bytes"));
    }
    Ok(Endpoint { method, pattern, handler: handler.into_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec;

    #[test]
    fn reads_the_list_and_says_what_is_left_out() {
        let (endpoints, refused) = Endpoints::parse(
            r#"[{"method":"get","path":"/a/:id","handler":"h1"},{"path":"/b","handler":"x"},{"method":"PATCH","path":"/c","handler":"x"},
                {"method":"POST","path":"c","handler":"x"},{"method":"POST","path":"/a/:id","handler":"h2"},{"method":"GET","path":"/z","handler":""},7]"#,
        )
        .unwrap();
        let handlers: Vec<_> = endpoints.iter().map(|endpoint| endpoint.handler.as_str()).collect();
        assert_eq!(handlers, ["h1", "h2"]);
        assert_eq!(
            refused,
            [
                "HTTP endpoint 1: method is missing",
                "HTTP endpoint 2: method must be GET, POST, PUT or DELETE",
                "HTTP endpoint 3: path must begin with /",
                "HTTP endpoint 5: handler must have 1 to 128 bytes",
                "HTTP endpoint 6: method is missing",
            ]
        );
    }

    #[test]
    fn get_serves_head_and_other_methods_are_not_there() {
        let (endpoints, _) = Endpoints::parse(r#"[{"method":"GET","path":"/a/:id","handler":"h"}]"#).unwrap();
        let id = vec![("id".to_string(), "7".to_string())];
        for method in [Method::Get, Method::Head] {
            assert!(matches!(endpoints.find(method, "/a/7"), Found::Endpoint(_, params) if params == id));
        }
        assert!(matches!(endpoints.find(Method::Post, "/a/7"), Found::OtherMethods));
        assert!(matches!(endpoints.find(Method::Get, "/b"), Found::Nothing));
    }

    #[test]
    fn what_is_no_list_is_refused_and_long_lists_are_cut() {
        assert!(Endpoints::parse("{}").is_err() && Endpoints::parse("").is_err());
        let many = vec![r#"{"method":"GET","path":"/a","handler":"h"}"#; ENDPOINTS_MAX + 5].join(",");
        let (endpoints, refused) = Endpoints::parse(&format!("[{many}]")).unwrap();
        assert_eq!((endpoints.iter().count(), refused.len()), (ENDPOINTS_MAX, 1));
    }
}
