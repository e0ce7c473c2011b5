//! One step of an answer for which plugins are asked.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::Api;
use crate::host::Call;
use crate::plugin::Reply;
use crate::server::Response;

/// A call of one plugin.
#[derive(Clone, Debug)]
pub struct Question {
    /// Package name.
    pub package: String,
    /// Export and arguments.
    pub call: Call,
}

impl Question {
    /// Asks a provider's export.
    #[must_use]
    pub fn provider(package: &str, export: &'static str, request: String) -> Self {
        Self { package: package.into(), call: Call::Provider { export, request } }
    }
}

/// What goes on with the replies, one for each question, in their order.
pub type Then = Box<dyn FnOnce(Vec<Reply>) -> Step + Send>;

/// The change that an answer makes.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Effect {
    /// Nothing.
    #[default]
    Nothing,
    /// A resource was stored or deleted: clients are told by a delta of version 2.
    Resource {
        /// Package name of the provider, the delta's source.
        package: String,
        /// `resources.<type>.<id>`.
        path: String,
        /// The resource, JSON; `null` when it was deleted.
        value: String,
    },
    /// Another provider is the default now.
    Default {
        /// The API of which it is the default.
        api: Api,
        /// Package name.
        package: String,
    },
    /// The course is changed with a resource, and that gives the response.
    #[cfg(any(test, feature = "course"))]
    Course {
        /// What a client ordered.
        order: crate::course::Order,
        /// The resource that it needs.
        href: crate::course::Href,
        /// Its text, where somebody has it.
        found: Option<String>,
    },
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Done {
    /// The response for the client.
    pub response: Response,
    /// What else happens.
    pub effect: Effect,
}

/// The next step.
pub enum Step {
    /// Ask plugins, then go on.
    Ask(Vec<Question>, Then),
    /// The answer is there.
    Done(Done),
}

impl Step {
    /// Asks one question.
    pub fn ask(question: Question, then: impl FnOnce(Reply) -> Self + Send + 'static) -> Self {
        Self::Ask(
            alloc::vec![question],
            Box::new(move |replies| then(replies.into_iter().next().unwrap_or(Reply::Stopped))),
        )
    }

    /// Answers with JSON text.
    pub(super) fn json(status: u16, json: String) -> Self {
        Response::json(status, json).into()
    }
}

impl From<Response> for Step {
    fn from(response: Response) -> Self {
        Self::Done(Done { response, effect: Effect::Nothing })
    }
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ask(questions, _) => f.debug_tuple("Ask").field(questions).finish_non_exhaustive(),
            Self::Done(done) => f.debug_tuple("Done").field(done).finish(),
        }
    }
}
