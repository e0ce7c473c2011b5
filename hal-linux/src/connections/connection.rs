//! What a connection is, wherever it is named: by a flag, in a list of URLs, by a form of Signal K Server.

use skiff_runtime::json;
use skiff_runtime::n2k::log::Format;

use crate::hal::{SocketCan, SystemClock};
use crate::input::{Address as InputAddress, Input, Wire};
use crate::logs::Source;
use crate::output::{Address as OutputAddress, Opened as OpenedOutput, Output};
use crate::run::feed::Track;

use super::OpenError;

/// Which way data goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To the gateway.
    Input,
    /// From it.
    Output,
}

impl Direction {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// Who named it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The command line; it stays as it is.
    Flag,
    /// `skiff.inputs` or `skiff.outputs`.
    Listed,
    /// `pipedProviders`.
    Piped,
}

impl Origin {
    /// Returns where that stands.
    pub fn name(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (Self::Flag, _) => "command line",
            (Self::Listed, Direction::Input) => "skiff.inputs",
            (Self::Listed, Direction::Output) => "skiff.outputs",
            (Self::Piped, _) => "pipedProviders",
        }
    }
}

/// Where data comes from, or goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// An input.
    Input(Input),
    /// An output.
    Output(Output),
    /// The simulated boat.
    Sample,
}

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// Which way.
    pub direction: Direction,
    /// Its name among those of its direction.
    pub key: String,
    /// Who named it.
    pub origin: Origin,
    /// It is to run.
    pub is_enabled: bool,
    /// Another one has its name, and was named later.
    pub is_hidden: bool,
    /// As it is kept: a URL, or the JSON of a provider.
    pub text: String,
    /// The name that its row gives.
    pub name: Option<String>,
    /// What it is, or why it cannot be.
    pub way: Result<Way, String>,
}

/// What was opened.
pub enum Opened {
    /// A CAN interface.
    Can(SocketCan),
    /// A log, a connection, a serial port.
    Track(Track),
    /// An output.
    Output(OpenedOutput),
}

impl Connection {
    /// Makes an input of the command line.
    pub fn of_flag(input: Input) -> Self {
        Self::of_way(Direction::Input, input.label(), Way::Input(input))
    }

    /// Makes an output of the command line.
    pub fn of_output_flag(output: Output) -> Self {
        Self::of_way(Direction::Output, output.name(), Way::Output(output))
    }

    /// Makes one of the command line.
    pub fn of_way(direction: Direction, key: String, way: Way) -> Self {
        let (text, name) = (String::new(), None);
        Self { direction, key, origin: Origin::Flag, is_enabled: true, is_hidden: false, text, name, way: Ok(way) }
    }

    /// Makes one of a row of `skiff.inputs` or `skiff.outputs`.
    pub fn of_url(direction: Direction, url: &str, name: Option<&str>, is_enabled: bool) -> Result<Self, String> {
        let (key, way) = match direction {
            Direction::Input => {
                let input = Input::parse(url)?;
                let input = if let Some(name) = name { input.with_label(name) } else { input };
                (input.label(), Way::Input(input))
            }
            Direction::Output => {
                let output = Output::parse(url)?;
                let output = if let Some(name) = name { output.with_name(name) } else { output };
                (output.name(), Way::Output(output))
            }
        };
        let (text, name) = (url.to_owned(), name.map(str::to_owned));
        let origin = Origin::Listed;
        Ok(Self { direction, key, origin, is_enabled, is_hidden: false, text, name, way: Ok(way) })
    }

    /// Returns what it is addressed by.
    pub fn id(&self) -> String {
        format!("{}.{}", self.direction.name(), self.key)
    }

    /// Returns the label of its deltas, or what an output is called.
    pub fn label(&self) -> String {
        match &self.way {
            Ok(Way::Input(input)) => input.label(),
            Ok(Way::Output(output)) => output.name(),
            Ok(Way::Sample) | Err(_) => self.key.clone(),
        }
    }

    /// Returns where it comes from or goes, without a secret.
    pub fn address(&self) -> String {
        match &self.way {
            Ok(Way::Input(input)) => input.to_string(),
            Ok(Way::Output(output)) => output.to_string(),
            Ok(Way::Sample) | Err(_) => self.key.clone(),
        }
    }

    /// Returns the word for what kind of address that is.
    pub fn kind(&self) -> &'static str {
        match &self.way {
            Ok(Way::Input(input)) => match &input.address {
                InputAddress::Log(_) => "file",
                InputAddress::Tcp(_) => "tcp",
                InputAddress::TcpListen(_) => "tcp-listen",
                InputAddress::Udp(_) => "udp",
                InputAddress::Serial { .. } => "serial",
                InputAddress::Can(_) => "can",
                InputAddress::Server(_) => "signalk",
                #[cfg(feature = "mqtt")]
                InputAddress::Broker(_) => "mqtt",
            },
            Ok(Way::Output(output)) => match &output.address {
                OutputAddress::TcpListen(_) => "tcp-listen",
                OutputAddress::Tcp(_) => "tcp",
                OutputAddress::Udp(_) => "udp",
                #[cfg(feature = "influx")]
                OutputAddress::Influx(_) => "influx",
                #[cfg(feature = "mqtt")]
                OutputAddress::Mqtt(_) => "mqtt",
                OutputAddress::Serial { .. } => "serial",
            },
            Ok(Way::Sample) => "sample",
            Err(_) => "none",
        }
    }

    /// Returns how it is written.
    pub fn format(&self) -> &'static str {
        match &self.way {
            Ok(Way::Input(Input { wire: Wire::Deltas, .. })) => "deltas",
            Ok(Way::Input(Input { wire: Wire::Records(format), .. })) => {
                Format::ALL.iter().find(|(_, known)| known == format).map_or("auto", |(name, _)| name)
            }
            Ok(Way::Output(output)) => output.format.name(),
            Ok(Way::Sample) | Err(_) => "auto",
        }
    }

    /// Returns the CAN interface that it reads.
    pub fn interface(&self) -> Option<&str> {
        match &self.way {
            Ok(Way::Input(Input { address: InputAddress::Can(name), .. })) => Some(name),
            _ => None,
        }
    }

    /// Returns its row as it is kept.
    pub fn row(&self) -> String {
        if self.origin == Origin::Piped {
            return self.text.clone();
        }
        json::object(|row| {
            if !self.text.is_empty() {
                row.text("url", &self.text);
            }
            if let Some(name) = &self.name {
                row.text("name", name);
            }
            if !self.is_enabled {
                row.boolean("enabled", false);
            }
        })
    }

    /// Opens what must be there from the start: files, and our own ports.
    ///
    /// # Errors
    /// What the system said.
    pub fn open(&self, clock: SystemClock) -> Result<Opened, OpenError> {
        let unavailable = |error: &dyn std::fmt::Display| OpenError {
            is_missing: false,
            clause: format!("{}: {error}", self.address()),
        };
        let input = match &self.way {
            Err(reason) => return Err(OpenError { is_missing: false, clause: reason.clone() }),
            Ok(Way::Sample) => return Ok(Opened::Track(Track::Sample)),
            Ok(Way::Output(output)) => {
                return OpenedOutput::open(output).map(Opened::Output).map_err(|error| unavailable(&error));
            }
            Ok(Way::Input(input)) => input,
        };
        match &input.address {
            InputAddress::Can(name) => {
                let opened = SocketCan::open_or_wait(name, clock);
                let (can, reason) =
                    opened.map_err(|error| OpenError { is_missing: false, clause: error.to_string() })?;
                if let Some(reason) = reason {
                    log::warn!("{reason}; it is waited for");
                }
                Ok(Opened::Can(can))
            }
            // A pipe or a device would wait for its other end, and with it the bus.
            InputAddress::Log(Source::File(path)) if self.origin != Origin::Flag && !path.is_file() => {
                Err(OpenError { is_missing: true, ..unavailable(&"no such file") })
            }
            InputAddress::Log(source) => {
                let file = source.open().map_err(|error| OpenError { is_missing: true, ..unavailable(&error) })?;
                let (source, format) = (source.clone(), input.wire.format());
                Ok(Opened::Track(Track::Log { source, input: file, format }))
            }
            _ => match input.link().map_err(|error| unavailable(&error))? {
                Some(link) => Ok(Opened::Track(Track::Live { link, name: input.to_string(), wire: input.wire })),
                None => Err(unavailable(&"no kind of input")),
            },
        }
    }
}
