//! Tools that `skiff plugin build` and `dev` run: none goes on after them.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

/// What runs now, and whether the end was asked for.
#[derive(Default)]
struct State {
    /// The group of the tool, so that what it has started ends with it.
    tool: Option<Pid>,
    is_over: bool,
}

/// The tools that were started, one at a time.
#[derive(Clone, Default)]
pub struct Children(Arc<Mutex<State>>);

impl Children {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Lets SIGINT, SIGTERM and SIGHUP end the tool that runs, and the work: see [`is_over`](Self::is_over).
    ///
    /// # Errors
    /// What the system said when the signals could not be caught.
    pub fn end_at_signals(&self) -> io::Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut signals = {
            let _entered = runtime.enter();
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?]
        };
        let children = self.clone();
        let listen = async move {
            let [interrupt, terminate, hangup] = &mut signals;
            loop {
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    _ = hangup.recv() => {}
                }
                children.end();
            }
        };
        thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(listen))?;
        Ok(())
    }

    fn end(&self) {
        self.with(|state| {
            state.is_over = true;
            if let Some(tool) = state.tool {
                // One that has ended meanwhile needs no signal.
                let _ = kill_process_group(tool, Signal::TERM);
            }
        });
    }

    /// Tells whether the end was asked for.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.with(|state| state.is_over)
    }

    /// Runs a tool to its end; returns what it printed where its standard output is a pipe.
    ///
    /// # Errors
    /// The tool that could not be started.
    pub fn output(&self, command: &mut Command) -> io::Result<(ExitStatus, Vec<u8>)> {
        let started: io::Result<_> = self.with(|state| {
            if state.is_over {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let child = command.process_group(0).spawn()?;
            state.tool = Some(Pid::from_child(&child));
            Ok(child)
        });
        let mut child = started?;
        let mut printed = Vec::new();
        let read = child.stdout.take().map_or(Ok(0), |mut stdout| stdout.read_to_end(&mut printed));
        let ended = child.wait();
        self.with(|state| state.tool = None);
        read.and(ended).map(|status| (status, printed))
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use super::*;

    #[test]
    fn what_a_tool_prints_comes_back_and_its_end_ends_what_it_started() {
        let children = Children::default();
        let (status, printed) =
            children.output(Command::new("sh").args(["-c", "echo made; exit 3"]).stdout(Stdio::piped())).unwrap();
        assert_eq!((status.code(), printed.as_slice()), (Some(3), &b"made\n"[..]));
        // The pipe closes when nobody has it any more: neither the shell nor the program that it waits for.
        let mut tool = Command::new("sh");
        tool.args(["-c", "echo ready; sleep 1000; true"]).stdout(Stdio::piped());
        let ending = children.clone();
        let ended = thread::spawn(move || {
            while ending.with(|state| state.tool.is_none()) {
                thread::yield_now();
            }
            ending.end();
        });
        let (status, _) = children.output(&mut tool).unwrap();
        ended.join().unwrap();
        assert!(!status.success() && children.is_over());
        assert!(children.output(&mut Command::new("true")).is_err(), "nothing more is started");
    }
}
