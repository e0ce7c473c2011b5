//! SIGINT, SIGTERM and SIGHUP (a terminal that went away): the first asks to stop, the second ends at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::Handle;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::cli::exit;
use crate::wake::Waker;

/// Sets the returned flag and wakes the gateway thread at the first signal.
///
/// # Errors
/// What the system said when the signals could not be caught.
pub fn watch(runtime: &Handle, waker: Waker) -> std::io::Result<Arc<AtomicBool>> {
    let _entered = runtime.enter();
    let mut signals =
        [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?];
    let asked = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&asked);
    runtime.spawn(async move {
        next(&mut signals).await;
        flag.store(true, Ordering::SeqCst);
        waker.wake();
        next(&mut signals).await;
        std::process::exit(exit::INTERRUPTED.into());
    });
    Ok(asked)
}

async fn next([interrupt, terminate, hangup]: &mut [Signal; 3]) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
}
