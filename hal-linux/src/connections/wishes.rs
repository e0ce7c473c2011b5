//! What an owner wishes of the connections: checked, tried, kept, and in force when it is answered.
//!
//! An order holds for each: what cannot be opened is not kept, what cannot be kept does not run, and what ran before runs on
//! then.

use skiff_runtime::gateway::{ConnectionForm, ConnectionWish, Gateway};
use skiff_runtime::json::{self, JsonError};
use skiff_runtime::plugin::ExchangeId;
use skiff_runtime::server::Response;

use super::connection::{Connection, Direction, Origin, Way};
use super::keeper::{Done, Keeper, Row, Run};
use super::look::Ears;
use super::named::{files_may_be_named, may_be_asked_for};
use super::{LISTED_MAX, listed, look, peer, piped, probe};

/// Bytes of what is kept of one connection: a URL with a token, or a form.
const ROW_BYTES_MAX: usize = 8 * 1024;

/// Why a wish is not fulfilled: a status of HTTP, and a clause.
pub(super) struct Refused(pub u16, pub String);

fn refused<T>(status: u16, clause: impl Into<String>) -> Result<T, Refused> {
    Err(Refused(status, clause.into()))
}

/// The members of a body of `/skiff/v1/connections`.
#[derive(Default)]
struct Wanted {
    direction: Option<Direction>,
    url: Option<String>,
    name: Option<String>,
    is_enabled: Option<bool>,
}

impl Wanted {
    fn read(body: &str) -> Result<Self, Refused> {
        let mut wanted = Self::default();
        let Ok(body) = json::compact(body) else { return refused(400, "the body must be JSON") };
        if !body.starts_with('{') || body.len() > ROW_BYTES_MAX {
            return refused(400, format!("the body must be an object of at most {ROW_BYTES_MAX} bytes"));
        }
        let mut wrong = None;
        let read = json::members::<JsonError>(&body, |member, value| {
            let text = json::string(value).map(String::from);
            match (member, text) {
                ("direction", Some(text)) if text == "input" => _ = wanted.direction.replace(Direction::Input),
                ("direction", Some(text)) if text == "output" => _ = wanted.direction.replace(Direction::Output),
                ("direction", _) => _ = wrong.get_or_insert("direction is input or output".to_owned()),
                ("url", Some(url)) => wanted.url = Some(url),
                ("url", None) => _ = wrong.get_or_insert("url must be a text".to_owned()),
                ("name", Some(name)) if listed::is_name(&name) => wanted.name = Some(name),
                ("name", _) => _ = wrong.get_or_insert(listed::NAME.trim_start_matches(": ").to_owned()),
                ("enabled", _) => match json::boolean(value) {
                    Some(flag) => wanted.is_enabled = Some(flag),
                    None => _ = wrong.get_or_insert("enabled must be true or false".to_owned()),
                },
                (other, _) => {
                    let clause = format!("{other:?} is no member; there are direction, url, name, enabled");
                    wrong.get_or_insert(clause);
                }
            }
            Ok(())
        });
        match wrong {
            Some(clause) => refused(400, clause),
            None if read.is_err() => refused(400, "the body must be JSON"),
            None => Ok(wanted),
        }
    }
}

impl Keeper {
    /// Does what is wished; `None` when that takes time.
    pub(super) fn obey(&mut self, wish: ConnectionWish, to: ExchangeId, gateway: &mut Gateway) -> Option<Response> {
        use ConnectionForm::{AdminUi, Own};
        Some(match wish {
            ConnectionWish::List(Own) => Response::json(200, self.list(gateway)),
            ConnectionWish::Add(Own, body) => own(self.add(&body, gateway)),
            ConnectionWish::Change(Own, id, body) => own(self.change(&id, &body, gateway)),
            ConnectionWish::Remove(Own, id) => own(self.remove(&id, gateway).map(|()| Response::empty(204))),
            ConnectionWish::List(AdminUi) => Response::json(200, self.providers(gateway)),
            ConnectionWish::Add(AdminUi, body) => theirs(self.put_provider(None, &body, gateway), "Connection added"),
            ConnectionWish::Change(AdminUi, id, body) => {
                theirs(self.put_provider(Some(&id), &body, gateway), "Connection updated")
            }
            ConnectionWish::Remove(AdminUi, id) => {
                theirs(self.remove(&format!("input.{id}"), gateway), "Connection deleted")
            }
            ConnectionWish::Test(body) => return self.test(&body, to).err().map(|refused| own(Err(refused))),
            ConnectionWish::Discover => {
                let started = if self.ears.is_some() { Ok(()) } else { self.look_around(gateway) };
                own(started.map(|()| Response::json(200, json::quoted("Discovery started"))))
            }
            ConnectionWish::Server(body) => return self.ask(to, body, peer::server),
            ConnectionWish::AskAccess(body) => return self.ask(to, body, peer::ask_access),
            ConnectionWish::CheckAccess(body) => return self.ask(to, body, peer::check_access),
        })
    }

    fn look_around(&mut self, gateway: &Gateway) -> Result<(), Refused> {
        let vessel = gateway.self_context().trim_start_matches("vessels.").to_owned();
        let ears = Ears::open();
        let own = ears.clone();
        self.tasks.start(move || Done::Found(look::around(&vessel, &own)))?;
        self.ears = Some(ears);
        Ok(())
    }

    /// Asks another server, which takes its time.
    fn ask(&mut self, to: ExchangeId, body: Box<str>, question: fn(&str) -> Response) -> Option<Response> {
        let started = self.tasks.start(move || Done::Answer(to, question(&body)));
        started.err().map(|refused| own(Err(refused)))
    }

    fn add(&mut self, body: &str, gateway: &mut Gateway) -> Result<Response, Refused> {
        let Wanted { direction, url, name, is_enabled } = Wanted::read(body)?;
        let (Some(direction), Some(url)) = (direction, url) else {
            return refused(400, "direction and url are needed");
        };
        let made = Connection::of_url(direction, &url, name.as_deref(), is_enabled.unwrap_or(true));
        let one = made.map_err(|clause| Refused(400, clause))?;
        let place = self.put(one, None, gateway)?;
        Ok(self.shown_as(201, place, gateway))
    }

    fn change(&mut self, id: &str, body: &str, gateway: &mut Gateway) -> Result<Response, Refused> {
        let Wanted { direction, url, name, is_enabled } = Wanted::read(body)?;
        let place = self.find(id)?;
        self.may_change(place)?;
        let Some(Row { connection: old, .. }) = self.rows.get(place) else { return none(id) };
        if direction.is_some_and(|direction| direction != old.direction) {
            return refused(400, "an input stays one, and an output");
        }
        let is_enabled = is_enabled.unwrap_or(old.is_enabled);
        let new = match (url, old.origin) {
            // Its form stays as it is.
            (None, Origin::Piped) if name.is_none() => {
                let text = json::with_member(&old.text, "enabled", if is_enabled { "true" } else { "false" });
                Connection { text, is_enabled, ..old.clone() }
            }
            (None, Origin::Piped) => {
                return refused(400, "url is needed: it has the form of Signal K Server until now");
            }
            (url, origin) => {
                let url = url.unwrap_or_else(|| old.text.clone());
                let kept = if origin == Origin::Piped { Some(old.key.clone()) } else { old.name.clone() };
                let made = Connection::of_url(old.direction, &url, name.or(kept).as_deref(), is_enabled);
                made.map_err(|clause| Refused(400, clause))?
            }
        };
        let place = self.put(new, Some(place), gateway)?;
        Ok(self.shown_as(200, place, gateway))
    }

    /// Takes a form of the admin UI: `{id, type, enabled, logging, options}`.
    fn put_provider(&mut self, id: Option<&str>, body: &str, gateway: &mut Gateway) -> Result<(), Refused> {
        let invalid = || Refused(400, "Invalid provider: id and options object required".into());
        let body = json::compact(body).map_err(|_| invalid())?;
        let member = |name: &str| json::member(&body, name);
        let options = member("options").filter(|options| options.starts_with('{')).ok_or_else(invalid)?;
        let (Some(key), Some(kind)) = (member("id").and_then(json::string), member("type").and_then(json::string))
        else {
            return Err(invalid());
        };
        if !listed::is_name(&key) {
            return refused(400, "Please enter a provider ID of letters, digits and - _ .");
        }
        if body.len() > ROW_BYTES_MAX {
            return refused(400, format!("a connection has at most {ROW_BYTES_MAX} bytes"));
        }
        let place = id.map(|id| self.find(&format!("input.{id}"))).transpose()?;
        if place.and_then(|place| self.rows.get(place)).is_some_and(|row| row.connection.origin == Origin::Listed) {
            return refused(409, "it is a URL of skiff.inputs, which is changed on Skiff's own page");
        }
        if member("logging") == Some("true") {
            return refused(400, "no raw logs are written here: switch Data Logging off");
        }
        let text = json::object(|row| {
            row.text("id", &key).boolean("enabled", member("enabled") != Some("false"));
            row.list("pipeElements", |list| {
                list.object(|element| {
                    element.text("type", "providers/simple").object("options", |out| {
                        out.boolean("logging", false).text("type", &kind).json("subOptions", options);
                    });
                });
            });
        });
        let folder = self.folder.clone().unwrap_or_default();
        let one = piped::one(&text, "", &folder);
        let not_obeyed = piped::not_obeyed(&text);
        if !not_obeyed.is_empty() {
            log::warn!("the connection {key:?} does not obey {}", not_obeyed.join(", "));
        }
        self.put(one, place, gateway).map(drop)
    }

    fn remove(&mut self, id: &str, gateway: &mut Gateway) -> Result<(), Refused> {
        let place = self.find(id)?;
        self.may_change(place)?;
        let Some(row) = self.rows.get(place) else { return none(id) };
        let (gone, label) = (row.connection.clone(), row.connection.label());
        let others =
            || self.rows.iter().enumerate().filter(|(other, _)| *other != place).map(|(_, row)| &row.connection);
        keep(gateway, others, &[(gone.origin, gone.direction)])?;
        self.end(place, gateway);
        self.rows.remove(place);
        if gone.direction == Direction::Input {
            gateway.forget_label(&label);
        }
        // A provider whose name it had taken.
        let hidden = |row: &Row| row.connection.origin == Origin::Piped && row.connection.key == gone.key;
        if let Some(place) = self.rows.iter().position(hidden).filter(|_| gone.origin == Origin::Listed) {
            if let Some(row) = self.rows.get_mut(place) {
                row.connection.is_hidden = false;
            }
            self.run(place, gateway);
        }
        log::info!("an admin removed the {} {}", gone.direction.name(), gone.key);
        Ok(())
    }

    /// Puts a connection in the place of another, or beside all; returns its place.
    fn put(&mut self, new: Connection, place: Option<usize>, gateway: &mut Gateway) -> Result<usize, Refused> {
        self.may_change(place.unwrap_or(usize::MAX))?;
        self.check(&new, place)?;
        let old = place.and_then(|place| self.rows.get(place)).map(|row| row.connection.clone());
        // Its port has to be free for what comes.
        if let Some(place) = place {
            self.end(place, gateway);
        }
        let opened = if new.is_enabled { self.open(&new).map(Some) } else { Ok(None) };
        let opened = match opened {
            Ok(opened) => opened,
            Err(clause) => {
                if let Some(place) = place {
                    self.run(place, gateway);
                }
                return refused(409, clause);
            }
        };
        let mut lists = vec![(new.origin, new.direction)];
        lists.extend(
            old.as_ref().map(|old| (old.origin, old.direction)).filter(|old| *old != (new.origin, new.direction)),
        );
        let others = || {
            let kept = self.rows.iter().enumerate();
            let kept = kept.map(|(at, row)| if Some(at) == place { &new } else { &row.connection });
            kept.chain(place.is_none().then_some(&new))
        };
        if let Err(refused) = keep(gateway, others, &lists) {
            drop(opened);
            if let Some(place) = place {
                self.run(place, gateway);
            }
            return Err(refused);
        }
        let label = new.label();
        log::info!("an admin set the {} {}: {}", new.direction.name(), new.key, new.address());
        let place = match place.filter(|place| *place < self.rows.len()) {
            Some(place) => place,
            None => {
                self.rows.push(Row { connection: new.clone(), run: Run::Off });
                self.rows.len().saturating_sub(1)
            }
        };
        if let Some(row) = self.rows.get_mut(place) {
            row.connection = new;
        }
        if let Some(old) = old.filter(|old| old.direction == Direction::Input && old.label() != label) {
            gateway.forget_label(&old.label());
        }
        if let Some(opened) = opened
            && let Err(error) = self.begin(place, opened, gateway)
        {
            log::warn!("{label}: {error}");
            self.run(place, gateway);
        }
        if !self.found.is_empty() {
            self.tell_found(gateway);
        }
        Ok(place)
    }

    /// Looks whether a connection can be meant, and whether there is room for it.
    fn check(&self, new: &Connection, place: Option<usize>) -> Result<(), Refused> {
        let way = match &new.way {
            Ok(way) => way,
            Err(clause) => return refused(400, clause),
        };
        if let Way::Input(input) = way {
            may_be_asked_for(&new.text, &input.address)?;
        }
        // Whoever sits at the machine may have named others in the settings; they may be switched on and off.
        let is_as_before =
            place.and_then(|place| self.rows.get(place)).is_some_and(|row| row.connection.text == new.text);
        if !is_as_before && new.origin == Origin::Listed {
            files_may_be_named(&new.text, self.folder.as_deref())?;
        }
        let others = || self.shown().filter(|(at, _)| Some(*at) != place).map(|(_, row)| &row.connection);
        if others().any(|other| other.id() == new.id()) {
            return refused(409, format!("Connection with ID '{}' already exists", new.key));
        }
        let reads = |other: &&Connection| other.is_enabled && other.interface() == new.interface();
        if new.is_enabled
            && new.interface().is_some()
            && let Some(other) = others().find(reads)
        {
            return refused(409, format!("{} is read already, by {:?}", new.address(), other.key));
        }
        if place.is_none() && !self.has_room(new.direction) {
            return refused(409, format!("there is room for at most {LISTED_MAX} {}s", new.direction.name()));
        }
        Ok(())
    }

    fn may_change(&self, place: usize) -> Result<(), Refused> {
        if self.folder.is_none() {
            return refused(409, "this gateway has no configuration folder to keep connections in");
        }
        match self.rows.get(place) {
            Some(Row { connection, .. }) if connection.origin == Origin::Flag => {
                refused(409, format!("{} was given on the command line: start without it", connection.key))
            }
            _ => Ok(()),
        }
    }

    fn find(&self, id: &str) -> Result<usize, Refused> {
        let found = self.shown().find(|(_, row)| row.connection.id() == id);
        found.map_or_else(|| none(id), |(place, _)| Ok(place))
    }

    fn shown_as(&self, status: u16, place: usize, gateway: &Gateway) -> Response {
        let row = self.rows.get(place).map(|row| self.row(row, gateway));
        Response::json(status, row.unwrap_or_else(|| "{}".to_owned()))
    }

    /// Tries an address that nobody has, on a thread of its own.
    fn test(&mut self, body: &str, to: ExchangeId) -> Result<(), Refused> {
        let Wanted { direction, url, .. } = Wanted::read(body)?;
        let (Some(direction), Some(url)) = (direction, url) else {
            return refused(400, "direction and url are needed");
        };
        let one = Connection::of_url(direction, &url, None, true).map_err(|clause| Refused(400, clause))?;
        if let Ok(Way::Input(input)) = &one.way {
            may_be_asked_for(&url, &input.address)?;
        }
        files_may_be_named(&url, self.folder.as_deref())?;
        let opened = self.open(&one);
        self.tasks.start(move || Done::Answer(to, Response::json(200, probe::heard(opened))))
    }
}

fn none<T>(id: &str) -> Result<T, Refused> {
    refused(404, format!("there is no connection {id}"))
}

/// Writes the lists of the settings that have changed.
fn keep<'c, I: Iterator<Item = &'c Connection>>(
    gateway: &mut Gateway,
    all: impl Fn() -> I,
    lists: &[(Origin, Direction)],
) -> Result<(), Refused> {
    let list = |origin, direction| {
        let rows = all().filter(|one| one.origin == origin && one.direction == direction);
        json::list(|out| rows.for_each(|one| _ = out.json(&one.row())))
    };
    let texts: Vec<(Option<&str>, &str, String)> = lists
        .iter()
        .filter_map(|(origin, direction)| match (origin, direction) {
            (Origin::Flag, _) => None,
            (Origin::Listed, Direction::Input) => Some((Some("skiff"), "inputs", list(*origin, *direction))),
            (Origin::Listed, Direction::Output) => Some((Some("skiff"), "outputs", list(*origin, *direction))),
            (Origin::Piped, _) => Some((None, "pipedProviders", list(*origin, *direction))),
        })
        .collect();
    let changes: Vec<(Option<&str>, &str, &str)> =
        texts.iter().map(|(outer, member, text)| (*outer, *member, text.as_str())).collect();
    gateway.keep_connections(&changes).map_err(|clause| Refused(507, clause))
}

fn own(done: Result<Response, Refused>) -> Response {
    done.unwrap_or_else(|Refused(status, clause)| Response::error(status, &clause))
}

/// As the admin UI shows it: plain text.
fn theirs(done: Result<(), Refused>, said: &str) -> Response {
    match done {
        Ok(()) => Response::new(200, "text/plain; charset=utf-8", said),
        Err(Refused(status, clause)) => Response::new(status, "text/plain; charset=utf-8", clause),
    }
}
