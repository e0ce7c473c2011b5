//! Plays a scenario step by step.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use sha2::{Digest, Sha256};
use skiff_abi::{Capability, export, values};

use super::lines::Lines;
use super::providers::{self, ProviderCall};
use super::script::{Scenario, ScenarioStep};
use super::world::World;
use crate::budget::PluginLimits;
use crate::host::{
    Answer, Call, Capabilities, Dialect, Failure, Instance, InstanceSpec, ModuleFacts, Progress, put_export,
};
use crate::json;
use crate::package::plugin_id;

/// Plays a scenario with a module; `sink` gets the transcript line by line.
///
/// A plugin that is refused or misbehaves is a part of the transcript, never an error.
pub fn play(scenario: &Scenario, wasm: &[u8], limits: &PluginLimits, sink: &mut dyn FnMut(&str)) {
    let mut world = World::new(scenario, limits, Lines::new(sink));
    let spec = InstanceSpec {
        package: scenario.package.clone(),
        id: plugin_id(&scenario.package),
        capabilities: Capabilities::parse(&scenario.capabilities),
        limits: *limits,
        growth_bytes: u64::MAX,
    };
    let facts = match ModuleFacts::read(wasm, limits) {
        Ok(facts) => facts,
        Err(refusal) => return refused(&mut world, &refusal.to_string()),
    };
    meta(scenario, wasm, &facts, &spec.capabilities, &mut world);
    let instance = match load(&facts, wasm, &spec) {
        Ok(instance) => instance,
        Err(reason) => return refused(&mut world, &reason),
    };
    let mut player = Player {
        scenario,
        wasm,
        facts,
        spec,
        world,
        life: Life::Fresh(instance),
        polls: 0,
        routes: Vec::new(),
        start_section: None,
    };
    player.introduce();
    if let Some(reason) = player.start_section.take() {
        return refused(&mut player.world, &reason);
    }
    for step in &scenario.steps {
        player.step(step);
    }
}

fn refused(world: &mut World<'_>, reason: &str) {
    let value = json::object(|value| {
        value.text("refused", "LoadError").text("message", reason);
    });
    world.lines.result("load", &value);
}

fn load(facts: &ModuleFacts, wasm: &[u8], spec: &InstanceSpec) -> Result<Instance, String> {
    let mut instance = Instance::load(facts, wasm, spec).map_err(|error| error.to_string())?;
    instance.observe();
    Ok(instance)
}

fn meta(scenario: &Scenario, wasm: &[u8], facts: &ModuleFacts, capabilities: &Capabilities, world: &mut World<'_>) {
    let hash = Sha256::digest(wasm).iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    world.lines.line("meta", |line| {
        line.text("host", "skiff").text("scenario", &scenario.name).text("package", &scenario.package);
        line.text("sha256", &hash).number("size", wasm.len()).text("kind", facts.dialect.name());
        line.list("imports", |names| {
            for import in &facts.imports {
                names.text(&format!("{}.{}", import.module, import.name));
            }
        });
        line.list("exports", |names| {
            for name in &facts.exports {
                names.text(name);
            }
        });
        line.object("capabilities", |allowed| {
            for capability in Capability::ALL {
                let allows = capabilities.allows(capability, false);
                // Transcripts are those of the reference host, which knows no extension.
                if allows || capability != Capability::AutopilotProvider {
                    allowed.boolean(capability.name(), allows);
                }
            }
        });
        line.number("clock_wall_ms", scenario.wall_ms).number("seed", scenario.seed);
    });
}

/// State of the instance.
enum Life {
    /// Loaded; it has told its name, and was never started.
    Fresh(Instance),
    /// `plugin_start` gave 0.
    Running(Instance),
    /// A trap ended it: steps answer with that, until a start.
    Gone(String),
    /// `plugin_start` refused, or `plugin_stop` was called: steps answer null.
    Stopped,
}

/// An HTTP endpoint the plugin named.
struct Endpoint {
    method: String,
    path: String,
    handler: String,
}

/// A call that ended in a trap.
struct Trap(String);

struct Player<'p> {
    scenario: &'p Scenario,
    wasm: &'p [u8],
    facts: ModuleFacts,
    spec: InstanceSpec,
    world: World<'p>,
    life: Life,
    polls: u32,
    routes: Vec<Endpoint>,
    /// Why the start section of the first instance failed, which is a refusal of the module.
    start_section: Option<String>,
}

impl Player<'_> {
    /// Asks for what a host asks before a plugin is started.
    fn introduce(&mut self) {
        let managed = self.facts.dialect == Dialect::AssemblyScript;
        for (step, call) in [("id", Call::Id), ("name", Call::Name)] {
            let told = self.call(call);
            if self.start_section.is_some() {
                return;
            }
            let told = told.map(|answer| match answer {
                Answer::Text(Some(text)) => json::quoted(&text),
                _ if managed => "null".into(),
                _ => "\"\"".into(),
            });
            self.result(step, told);
        }
        let schema = self.call(Call::Schema).and_then(|answer| match answer {
            Answer::Text(Some(text)) if !text.is_empty() => {
                json::compact(&text).map_err(|error| Trap(format!("the schema is no JSON: {error}")))
            }
            _ => Ok("{}".into()),
        });
        self.result("schema", schema);
        let endpoints = self.call(Call::Endpoints).and_then(|answer| match answer {
            Answer::Text(Some(text)) => {
                self.routes = endpoints(&text).map_err(Trap)?;
                Ok(json::list(|names| {
                    for route in &self.routes {
                        names.text(&format!("{} {}", route.method, route.path));
                    }
                }))
            }
            _ => Ok("null".into()),
        });
        self.result("http_endpoints", endpoints);
    }

    fn step(&mut self, step: &ScenarioStep) {
        match step {
            ScenarioStep::Start { config } => {
                let started = self.start(config.as_deref().unwrap_or(&self.scenario.config));
                self.result("start", started);
            }
            ScenarioStep::Poll { times } => {
                for _ in 0..*times {
                    self.world.pass_second();
                    self.polls = self.polls.saturating_add(1);
                    let polled = self.code(export::POLL, Call::Poll);
                    self.result("poll", polled);
                }
            }
            ScenarioStep::Delta { delta } => {
                let fed = self.delta(delta);
                self.result("delta", fed);
            }
            ScenarioStep::Http { method, path, route, request } => {
                let answered = self.http(method, route, request);
                self.result(&format!("{method} {path}"), answered);
            }
            ScenarioStep::Stop => {
                let stopped = self.stop();
                if matches!(self.life, Life::Running(_)) {
                    self.life = Life::Stopped;
                    self.world.withdraw();
                }
                self.result("stop", stopped);
            }
            ScenarioStep::Put { context, path, value } => {
                let answered = self.put(context, path, value);
                self.result(&format!("PUT {context} {path}"), answered);
            }
            ScenarioStep::Resource { kind, function, args } => {
                let offered = self.world.offers.resources.contains(kind);
                let asked = providers::resource(kind, function, args).filter(|_| offered);
                let answered = self.provide(asked);
                self.result(&format!("resource {kind} {function}"), answered);
            }
            ScenarioStep::Weather { function, args } => {
                let asked = providers::weather(function, args).filter(|_| self.world.offers.weather);
                let answered = self.provide(asked);
                self.result(&format!("weather {function}"), answered);
            }
            ScenarioStep::Radar { function, request } => {
                let answered = self.radar(function, request);
                self.result(&format!("radar {function}"), answered);
            }
        }
    }

    /// Gives the plugin the answers to its asynchronous requests, as its owner does between two calls.
    fn call_back(&mut self) {
        while let Some((fetched, callback)) = self.world.callbacks.pop_front() {
            // A trap in it shows as a line and in the steps that follow.
            let _ = self.call(Call::Fetched { fetched, callback });
        }
    }

    fn put(&mut self, context: &str, path: &str, value: &str) -> Result<String, Trap> {
        if matches!(self.life, Life::Stopped) {
            return Ok("null".into());
        }
        if !self.world.offers.puts.contains(&(context.to_string(), path.to_string())) {
            return Ok(json::object(|out| {
                out.boolean("unregistered", true);
            }));
        }
        if let Life::Gone(reason) = &self.life {
            return Err(Trap(reason.clone()));
        }
        let failed = |code: u16, message: &str| {
            json::object(|answer| {
                answer.text("state", "COMPLETED").number("statusCode", code).text("message", message);
            })
        };
        let value = json::compact(value).unwrap_or_else(|_| value.to_string());
        let answer = self.call(Call::Put { handler: put_export(context, path), value });
        Ok(match answer {
            Ok(Answer::Text(Some(text))) => {
                json::compact(&text).unwrap_or_else(|error| failed(500, &format!("the answer is no JSON: {error}")))
            }
            Ok(Answer::Absent) => failed(501, "Handler not implemented"),
            Ok(_) => failed(500, "the handler answered nothing"),
            Err(Trap(reason)) => failed(500, &reason),
        })
    }

    /// Asks a provider; `None` stands for one that is not there.
    fn provide(&mut self, asked: Option<ProviderCall>) -> Result<String, Trap> {
        let Some(asked) = asked else { return Ok("null".into()) };
        if let Life::Gone(reason) = &self.life {
            return Err(Trap(reason.clone()));
        }
        let request = json::compact(&asked.request).unwrap_or(asked.request);
        let answer = self.call(Call::Provider { export: asked.export, request });
        let Some(nothing) = asked.nothing else { return Ok("null".into()) };
        match answer {
            Ok(Answer::Text(Some(text))) if !text.is_empty() => match json::compact(&text) {
                Ok(json) => Ok(json),
                Err(_) if nothing == "[]" => Ok(nothing.into()),
                Err(error) => Err(Trap(format!("the answer is no JSON: {error}"))),
            },
            _ => Ok(nothing.into()),
        }
    }

    /// Asks the radar provider; its answer is shown as the text it is.
    fn radar(&mut self, function: &str, request: &str) -> Result<String, Trap> {
        let Some(asked) = providers::radar(function, request).filter(|_| self.world.offers.radar) else {
            return Ok("null".into());
        };
        if let Life::Gone(reason) = &self.life {
            return Err(Trap(reason.clone()));
        }
        let request = json::compact(&asked.request).unwrap_or(asked.request);
        Ok(match self.call(Call::Provider { export: asked.export, request }) {
            Ok(Answer::Text(Some(text))) => json::quoted(&text),
            _ => "null".into(),
        })
    }

    /// Writes the outcome of a step, and how large the memory is after it.
    fn result(&mut self, step: &str, outcome: Result<String, Trap>) {
        self.call_back();
        match outcome {
            Ok(value) => self.world.lines.result(step, &value),
            Err(Trap(message)) => {
                let value = json::object(|value| {
                    value.text("trap", "RuntimeError").text("message", &message);
                });
                self.world.lines.result(step, &value);
            }
        }
        if let Life::Fresh(instance) | Life::Running(instance) = &self.life {
            let pages = instance.usage().linear_bytes / self.facts.memory.page_bytes.max(1);
            self.world.lines.line("mem", |line| {
                line.number("pages", pages);
            });
        }
        self.world.sockets.arrive(self.polls);
    }

    /// Runs a call to its end. A trap ends the instance.
    fn call(&mut self, call: Call) -> Result<Answer, Trap> {
        let instance = match &mut self.life {
            Life::Fresh(instance) | Life::Running(instance) => instance,
            Life::Gone(reason) => return Err(Trap(reason.clone())),
            Life::Stopped => return Ok(Answer::Absent),
        };
        instance.begin(call);
        self.world.lines.begin_call();
        let ended = loop {
            match instance.run(&mut self.world) {
                // Canned answers are there at once.
                Progress::Running => {}
                // Everything is answered at once here; what waits still is a sleep, and this clock stands.
                Progress::Waiting => instance.rouse(),
                Progress::Done(answer) => break Ok(answer),
                Progress::Failed(failure) => break Err(failure),
            }
        };
        self.world.lines.end_call();
        let failure = match ended {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        let reason = failure.to_string();
        if matches!(failure, Failure::InStartSection(_)) {
            self.start_section = Some(reason.clone());
        }
        if failure.is_fatal() {
            self.world.lines.line("trap", |line| {
                line.text("error", &reason);
            });
            self.life = Life::Gone(format!("the instance is gone since a trap: {reason}"));
        }
        Err(Trap(reason))
    }

    /// Runs a call whose result is a code; JSON. An export that is not there is not called, whatever became of the
    /// instance.
    fn code(&mut self, export: &str, call: Call) -> Result<String, Trap> {
        if !self.facts.exports(export) {
            return Ok("null".into());
        }
        Ok(match self.call(call)? {
            Answer::Code(Some(code)) => code.to_string(),
            _ => "null".into(),
        })
    }

    fn stop(&mut self) -> Result<String, Trap> {
        if !self.facts.exports(export::PLUGIN_STOP) && !matches!(self.life, Life::Stopped) {
            return Err(Trap(String::from("the plugin has no plugin_stop export")));
        }
        self.code(export::PLUGIN_STOP, Call::Stop)
    }

    fn start(&mut self, config: &str) -> Result<String, Trap> {
        if !matches!(self.life, Life::Fresh(_)) {
            self.world.withdraw();
            match load(&self.facts, self.wasm, &self.spec) {
                Ok(instance) => self.life = Life::Fresh(instance),
                Err(reason) => {
                    self.life = Life::Gone(reason.clone());
                    return Err(Trap(reason));
                }
            }
        }
        if !self.facts.exports(export::PLUGIN_START) {
            let reason = String::from("the plugin has no plugin_start export");
            self.life = Life::Gone(reason.clone());
            return Err(Trap(reason));
        }
        let config = json::with_member(config, "enableDebug", "false");
        let answer = self.call(Call::Start { config })?;
        let Answer::Code(code) = answer else {
            self.life = Life::Stopped;
            return Ok("null".into());
        };
        let life = core::mem::replace(&mut self.life, Life::Stopped);
        if let (Some(0), Life::Fresh(instance)) = (code, life) {
            self.life = Life::Running(instance);
        }
        Ok(code.map_or_else(|| "null".into(), |code| code.to_string()))
    }

    /// Feeds a delta as the scenario has it: as values where the plugin takes them, else, or beside that, as text, whose
    /// handler has no result.
    fn delta(&mut self, delta: &str) -> Result<String, Trap> {
        let text = json::compact(delta).map_err(|error| Trap(format!("the step's delta is no JSON: {error}")))?;
        let (mut result, mut is_text) = (String::from("null"), true);
        if let Life::Running(instance) = &mut self.life
            && let Some(values) = instance.values_mut()
        {
            is_text = self.world.tell(&text, values) && values.takes_others();
            if values.is_due() {
                result = self.code(values::UPDATE, Call::Update)?;
            }
        }
        if is_text && self.facts.exports(export::DELTA_HANDLER) {
            self.call(Call::DeltaText(text.into()))?;
        }
        Ok(result)
    }

    fn http(&mut self, method: &str, route: &str, request: &str) -> Result<String, Trap> {
        if matches!(self.life, Life::Stopped) {
            return Ok("null".into());
        }
        let found = self.routes.iter().find(|endpoint| endpoint.method == method && endpoint.path == route);
        let Some(endpoint) = found else {
            return Ok(status(404));
        };
        if self.spec.capabilities.grant(Capability::HttpEndpoints) == crate::host::Grant::Denied {
            return Ok(status(403));
        }
        if let Life::Gone(reason) = &self.life {
            return Err(Trap(reason.clone()));
        }
        let handler = endpoint.handler.clone();
        let answer = self.call(Call::Http { handler: handler.clone(), request: request.into() });
        Ok(match answer {
            Ok(Answer::Text(Some(text))) => finished(&text).unwrap_or_else(|reason| server_error(&reason)),
            Ok(Answer::Absent) => server_error(&format!("handler function {handler} not found")),
            Ok(_) => server_error("the handler answered nothing"),
            Err(Trap(reason)) => server_error(&reason),
        })
    }
}

fn server_error(reason: &str) -> String {
    json::object(|answer| {
        answer.number("status", 500).object("body", |body| {
            body.text("error", reason);
        });
    })
}

/// What a handler's answer becomes: `{status, headers?, body?}`.
fn finished(answer: &str) -> Result<String, String> {
    let answer = json::compact(answer).map_err(|error| format!("the answer is no JSON: {error}"))?;
    if answer == "null" {
        return Err("the answer is null".into());
    }
    let status = json::member(&answer, "statusCode").filter(|code| !matches!(*code, "0" | "null" | "false" | "\"\""));
    let headers = json::member(&answer, "headers");
    let is_json = headers.and_then(content_type).is_some_and(|kind| kind.contains("application/json"));
    Ok(json::object(|object| {
        object.json("status", status.unwrap_or("200"));
        if let Some(headers) = headers.filter(|headers| *headers != "null") {
            object.json("headers", headers);
        }
        if let Some(body) = json::member(&answer, "body") {
            let parsed = json::string(body).filter(|_| is_json).and_then(|text| json::compact(&text).ok());
            object.json("body", parsed.as_deref().unwrap_or(body));
        }
    }))
}

fn status(status: u16) -> String {
    json::object(|out| {
        out.number("status", status);
    })
}

fn content_type(headers: &str) -> Option<String> {
    let mut found = None;
    json::members::<json::JsonError>(headers, |name, value| {
        if name.eq_ignore_ascii_case("content-type") && found.is_none() {
            found = json::string(value).map(alloc::borrow::Cow::into_owned);
        }
        Ok(())
    })
    .ok()?;
    found
}

/// Reads `[{method, path, handler}]`.
fn endpoints(text: &str) -> Result<Vec<Endpoint>, String> {
    let text = json::compact(text).map_err(|error| format!("http_endpoints is no JSON: {error}"))?;
    let mut out = Vec::new();
    json::items::<json::JsonError>(&text, |item| {
        let member = |name: &str| {
            json::member(item, name).and_then(json::string).map(alloc::borrow::Cow::into_owned).unwrap_or_default()
        };
        out.push(Endpoint { method: member("method"), path: member("path"), handler: member("handler") });
        Ok(())
    })
    .map_err(|error| format!("http_endpoints is no list: {error}"))?;
    Ok(out)
}
