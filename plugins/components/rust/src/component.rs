//! The plugin as a component.

use std::cell::RefCell;

use crate::watch::{ID, NAME, SCHEMA, Watch};

mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "anchor-watch",
        generate_all,
    });
    use super::Component;
    export!(Component);
}

use bindings::exports::signalk::plugin::plugin;
use bindings::exports::skiff::plugin::deltas;
use bindings::signalk::plugin::signalk_api::{sk_handle_message, sk_set_error, sk_set_status};

std::thread_local! {
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
}

struct Component;

impl plugin::Guest for Component {
    fn plugin_id() -> String {
        ID.into()
    }

    fn plugin_name() -> String {
        NAME.into()
    }

    fn plugin_schema() -> String {
        SCHEMA.into()
    }

    fn plugin_start(config: String) -> i32 {
        match Watch::start(&config) {
            Ok(watch) => {
                sk_set_status("waiting for navigation.position");
                WATCH.set(Some(watch));
                0
            }
            Err(clause) => {
                sk_set_error(clause);
                1
            }
        }
    }

    fn plugin_stop() -> i32 {
        WATCH.set(None);
        0
    }
}

impl deltas::Guest for Component {
    fn on_delta(delta: String) {
        let emitted = WATCH.with_borrow_mut(|watch| watch.as_mut().and_then(|watch| watch.delta(&delta)));
        if let Some(emitted) = emitted {
            sk_handle_message(&emitted);
        }
    }
}
