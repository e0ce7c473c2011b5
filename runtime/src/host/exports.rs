//! The guest's exports that the contract names, looked up once at load.

use alloc::borrow::Cow;

use super::Call;
use super::engine::{Engine, Function, Guest, Variable};
use skiff_abi::{export, values};

/// Names under which AssemblyScript modules take the number of arguments that follow, the current one first.
const SET_ARGUMENTS_LENGTH: [&str; 2] = ["__setArgumentsLength", "__setargc"];

/// A function of the guest, and the name it is exported under.
#[derive(Clone, Debug)]
pub(super) struct Export {
    pub(super) name: Cow<'static, str>,
    pub(super) function: Function,
}

/// Exports of the guest; `None` where it lacks one.
#[derive(Debug)]
pub(super) struct Exports {
    plugin_id: Option<Function>,
    plugin_name: Option<Function>,
    plugin_schema: Option<Function>,
    http_endpoints: Option<Function>,
    plugin_start: Option<Function>,
    plugin_stop: Option<Function>,
    poll: Option<Function>,
    pub(super) delta_handler: Option<Function>,
    response_handler: Option<Function>,
    pub(super) values: Option<Function>,
    pub(super) update: Option<Function>,
    pub(super) allocate: Option<Function>,
    pub(super) deallocate: Option<Function>,
    pub(super) new: Option<Function>,
    pub(super) pin: Option<Function>,
    pub(super) unpin: Option<Function>,
    pub(super) collect: Option<Function>,
    pub(super) set_arguments_length: Option<Export>,
    /// The same as a variable.
    pub(super) arguments_length: Option<Variable>,
}

impl Exports {
    pub(super) fn of(guest: &Guest) -> Self {
        let function = |name| guest.function(name);
        Self {
            plugin_id: function(export::PLUGIN_ID),
            plugin_name: function(export::PLUGIN_NAME),
            plugin_schema: function(export::PLUGIN_SCHEMA),
            http_endpoints: function(export::HTTP_ENDPOINTS),
            plugin_start: function(export::PLUGIN_START),
            plugin_stop: function(export::PLUGIN_STOP),
            poll: function(export::POLL),
            delta_handler: function(export::DELTA_HANDLER),
            response_handler: function(export::RESPONSE_HANDLER),
            values: function(values::VALUES),
            update: function(values::UPDATE),
            allocate: function(export::ALLOCATE),
            deallocate: function(export::DEALLOCATE),
            new: function(export::AS_NEW),
            pin: function(export::AS_PIN),
            unpin: function(export::AS_UNPIN),
            collect: function(export::AS_COLLECT),
            set_arguments_length: SET_ARGUMENTS_LENGTH
                .into_iter()
                .find_map(|name| function(name).map(|function| Export { name: Cow::Borrowed(name), function })),
            arguments_length: guest.variable("__argumentsLength"),
        }
    }

    /// Returns the function a call is for; `handler` finds those that a plugin names itself.
    pub(super) fn target(&self, call: &Call, handler: impl Fn(&str) -> Option<Function>) -> Option<Export> {
        let (name, function) = match call {
            Call::Id => (export::PLUGIN_ID, self.plugin_id),
            Call::Name => (export::PLUGIN_NAME, self.plugin_name),
            Call::Schema => (export::PLUGIN_SCHEMA, self.plugin_schema),
            Call::Endpoints => (export::HTTP_ENDPOINTS, self.http_endpoints),
            Call::Start { .. } => (export::PLUGIN_START, self.plugin_start),
            Call::Stop => (export::PLUGIN_STOP, self.plugin_stop),
            Call::Poll => (export::POLL, self.poll),
            Call::Collect => (export::AS_COLLECT, self.collect),
            Call::Delta(_) | Call::DeltaText(_) => (export::DELTA_HANDLER, self.delta_handler),
            Call::Update => (values::UPDATE, self.update),
            Call::Fetched { .. } => (export::RESPONSE_HANDLER, self.response_handler),
            Call::Provider { export, .. } => (*export, handler(export)),
            Call::Http { handler: name, .. } | Call::Put { handler: name, .. } => {
                return handler(name).map(|function| Export { name: Cow::Owned(name.clone()), function });
            }
        };
        function.map(|function| Export { name: Cow::Borrowed(name), function })
    }
}
