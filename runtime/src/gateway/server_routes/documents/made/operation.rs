//! One row of the tables: what a method does at an address, who may, what it takes and gives.

/// An API: what is described by one document.
pub struct Api {
    /// Its name in addresses; where Signal K Server has the like, as there.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it is for.
    pub says: &'static str,
    /// Its operations, those of one address beside each other.
    pub operations: &'static [Operation],
}

/// What somebody needs, as [`Need`](crate::server::Need) has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing at all.
    Nothing,
    /// To be one who may read.
    Read,
    /// A token of this role, on loopback too.
    Role(&'static str),
}

/// A method at an address.
#[derive(Clone, Copy)]
pub struct Operation {
    /// In small letters.
    pub method: &'static str,
    /// With `{NAME}` for each parameter of [`PARAMETERS`](super::parameters::PARAMETERS).
    pub path: &'static str,
    /// What it does, in a line.
    pub says: &'static str,
    /// Who may.
    pub needs: Needs,
    /// Parameters of the query, by name.
    pub query: &'static [&'static str],
    /// Kind of the body, see [`super::kind`]; empty where there is none.
    pub takes: &'static str,
    /// Status of the answer when all is well.
    pub status: u16,
    /// Another one, 0 where there is none.
    pub also: u16,
    /// Kind of that answer; empty where it has no body.
    pub gives: &'static str,
}

/// Reads JSON.
pub const fn get(path: &'static str, says: &'static str, gives: &'static str) -> Operation {
    Operation { method: "get", path, says, needs: Needs::Read, query: &[], takes: "", status: 200, also: 0, gives }
}

/// Changes something: `{statusCode, …}` comes back.
const fn change(method: &'static str, path: &'static str, says: &'static str, takes: &'static str) -> Operation {
    let needs = Needs::Role("readwrite");
    Operation { method, path, says, needs, query: &[], takes, status: 200, also: 0, gives: "State" }
}

/// Changes what is there.
pub const fn put(path: &'static str, says: &'static str, takes: &'static str) -> Operation {
    change("put", path, says, takes)
}

/// Adds something, or has something done.
pub const fn post(path: &'static str, says: &'static str, takes: &'static str) -> Operation {
    change("post", path, says, takes)
}

/// Takes something away.
pub const fn delete(path: &'static str, says: &'static str) -> Operation {
    change("delete", path, says, "")
}

impl Operation {
    /// The same, for admins alone.
    pub const fn of_admin(self) -> Self {
        Self { needs: Needs::Role("admin"), ..self }
    }

    /// The same, for anybody.
    pub const fn of_all(self) -> Self {
        Self { needs: Needs::Nothing, ..self }
    }

    /// The same with parameters of the query.
    pub const fn by(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// The same, whose answer can have another status, too.
    pub const fn also(self, also: u16) -> Self {
        Self { also, ..self }
    }

    /// The same with another answer.
    pub const fn gives(self, status: u16, gives: &'static str) -> Self {
        Self { status, gives, ..self }
    }
}
