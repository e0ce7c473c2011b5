//! The guest's exports that the contract names, looked up once at load.

use alloc::borrow::Cow;

use skiff_abi::{export, values};
use wasmi::{Extern, Func, Global, Instance, Store, Val};

use super::Call;

/// Names under which AssemblyScript modules take the number of arguments that follow, the current one first.
const SET_ARGUMENTS_LENGTH: [&str; 2] = ["__setArgumentsLength", "__setargc"];

/// A function of the guest, and the name it is exported under.
#[derive(Clone, Debug)]
pub(super) struct Export {
    pub(super) name: Cow<'static, str>,
    pub(super) function: Func,
}

/// Exports of the guest; `None` where it lacks one.
#[derive(Debug)]
pub(super) struct Exports {
    plugin_id: Option<Func>,
    plugin_name: Option<Func>,
    plugin_schema: Option<Func>,
    http_endpoints: Option<Func>,
    plugin_start: Option<Func>,
    plugin_stop: Option<Func>,
    poll: Option<Func>,
    pub(super) delta_handler: Option<Func>,
    response_handler: Option<Func>,
    pub(super) values: Option<Func>,
    pub(super) update: Option<Func>,
    pub(super) allocate: Option<Func>,
    pub(super) deallocate: Option<Func>,
    pub(super) new: Option<Func>,
    pub(super) pin: Option<Func>,
    pub(super) unpin: Option<Func>,
    pub(super) collect: Option<Func>,
    pub(super) set_arguments_length: Option<Export>,
    /// The same as a variable.
    pub(super) arguments_length: Option<Global>,
}

impl Exports {
    pub(super) fn of<T>(guest: &Instance, store: &Store<T>) -> Self {
        let function = |name| function(guest, store, name);
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
            arguments_length: guest.get_global(store, "__argumentsLength"),
        }
    }

    /// Returns the function a call is for; `handler` finds those that a plugin names itself.
    pub(super) fn target(&self, call: &Call, handler: impl Fn(&str) -> Option<Func>) -> Option<Export> {
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

/// Finds an exported function.
pub(super) fn function<T>(guest: &Instance, store: &Store<T>, name: &str) -> Option<Func> {
    guest.get_export(store, name).and_then(Extern::into_func)
}

/// Sets the variable that says how many arguments follow; a constant of that name is not the host's to set.
pub(super) fn set<T>(variable: Global, store: &mut Store<T>, count: i32) {
    let _ = variable.set(store, Val::I32(count));
}
