//! `skiff run`: the gateway.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args as ClapArgs;
use skiff_runtime::budget::{Board, Engine, Limits};
use skiff_runtime::config::SAMPLE_SELF_CONTEXT;
use skiff_runtime::gateway::{BoardParts, Boot, Booted, BusPart, Gateway};
use skiff_runtime::hal::sim::SimStorage;
use skiff_runtime::hal::{Errands, Hal, Storage};
use skiff_runtime::n2k::sample as boat;
use skiff_runtime::net::StaticAddress;
use skiff_runtime::plugin::{Enabled, Unusable};
use skiff_runtime::server::NewToken;

use super::exit::{self, Failure};
use super::network;
use super::sign_in;
use super::talk::{self, KeptLog};
use crate::announce::reach;
use crate::appstore::ErrandThreads;
use crate::carrier::WebApps;
use crate::charts::Charts;
use crate::connections::{self, Keeper as Connections, OpenError, Plan, Waiters};
use crate::hal::{DeviceFiles, Folder, PasswordThread, SystemClock, SystemRng, UreqFetch};
use crate::home::{self, LOCK_FILE, Lock, Marker, TOKEN_FILE};
use crate::input::Input;
use crate::layout::{self, LayoutError};
use crate::limits;
use crate::output::Output;
use crate::packages::watch::PluginFiles;
use crate::packages::web::{self, Keeper};
use crate::packages::{self, apps, folder};
use crate::run::feed::{Feeds, Speed};
use crate::run::printer::Printer;
use crate::run::service::ServiceManager;
use crate::run::web::{Opened, TapSetup};
use crate::run::{Driver, signals};
use crate::sample;
use crate::wake::Waker;

/// Run the gateway
///
/// Takes NMEA 2000 data in, runs the plugins of the configuration folder, and serves Signal K over HTTP and WebSocket.
/// URL, token and messages go to stderr. Ctrl-C stops it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Examples:\n  \
    skiff run --sample                          a simulated boat with two plugins; writes no files\n  \
    skiff run --can can0                        the boat's bus, only listening\n  \
    skiff run --can can0 --node                 the same, as a device of its own\n  \
    skiff run --input race.log --speed 10       a log file, ten times as fast, then serves on\n  \
    skiff run --input tcp://192.168.4.1:1457    a gateway on the network, and again when it drops\n  \
    skiff run --input serial:///dev/ttyUSB0     an NGT-1; ?baud=4800 for NMEA 0183\n  \
    skiff run --input ws://192.168.1.20:3000    another Signal K server; `skiff discover` shows those there are\n  \
    skiff run --can can0 --output tcp-listen://0.0.0.0:10110\n  \
    \x20                                           NMEA 0183 for chart plotters, for all who reach the port\n  \
    skiff run --config ~/.signalk --can can0    the plugins of a Signal K installation\n\n\
    Then open http://127.0.0.1:3000 or\n  \
    curl http://127.0.0.1:3000/signalk/v1/api/vessels/self\n\n\
    Inputs and outputs can stand in settings.json, too, as skiff.inputs and skiff.outputs.\n\n\
    Bring a CAN interface up: sudo ip link set can0 up type can bitrate 250000\n\n\
    A token is made at the first start and shown once. Changes need it, and so does every request\n\
    when --listen is not a loopback address: curl -H \"Authorization: Bearer TOKEN\" …")]
pub struct Args {
    /// Folder with settings, plugins and their data; laid out like Signal K's [default: ~/.skiff]
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,

    /// Address and port of the web server; port 0 takes any free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:3000", value_parser = parse_listen)]
    listen: SocketAddr,

    /// Read this CAN interface; one that is not there or down is waited for (can be given again)
    #[arg(long, value_name = "IFACE")]
    can: Vec<String>,

    /// Take part in the bus of each CAN interface: claim an address and tell who this is; without it Skiff only listens
    ///
    /// NAME, first address and the paths to send are configured in skiff/n2k.json below the configuration folder.
    #[arg(long)]
    node: bool,

    /// Read a log file, - for standard input, tcp://HOST:PORT, tcp-listen://ADDR:PORT, udp://ADDR:PORT or
    /// serial:///dev/NAME?baud=N, NMEA 2000 or 0183, found out by itself, or Signal K with format=deltas; or another Signal K
    /// server: ws://HOST:PORT, wss://HOST:PORT, http://HOST:PORT, https://HOST:PORT, mdns://NAME (can be given again)
    ///
    /// A file is played once, then Skiff serves on. A connection or port that drops is opened again by itself;
    /// GET /skiff/v1/status tells its state. Options behind ?, joined by &: format=NAME, label=NAME, baud=N; for servers
    /// token-file=FILE or token=TOKEN, ca=FILE or fingerprint=SHA256 of its certificate, subscribe=all|self,
    /// self=own|other (whether its own vessel is this one).
    #[arg(long, value_name = "FILE|URL", value_parser = Input::parse)]
    input: Vec<Input>,

    /// Give data out beside the web server: tcp-listen://ADDR:PORT, tcp://HOST:PORT, udp://ADDR:PORT (also a broadcast
    /// address) or serial:///dev/NAME?baud=N; NMEA 0183, the raw frames of NMEA 2000, or over TCP Signal K's deltas (can be
    /// given again)
    ///
    /// Nobody is asked for a token there: a port off loopback gives the boat's data to everyone on the network. Options
    /// behind ?, joined by &: format=nmea0183|deltas|ydwg|candump|n2kascii|canboat, sentences=RMC,GGA,… (all), talker=XX
    /// (II), every=MILLISECONDS (1000; HDG:100 for single sentences, joined by commas), baud=N (4800). What comes back over
    /// a raw one is put on the bus only where relay of skiff/n2k.json allows it. Values go to a server of time series by
    /// influx://HOST:PORT?db=NAME, to a broker by mqtt://[USER@]HOST or mqtts://.
    #[arg(long, value_name = "URL", value_parser = Output::parse)]
    output: Vec<Output>,

    /// Play log files so many times as fast as they were recorded, or max for without any wait
    #[arg(long, value_name = "X|max", default_value = "1", value_parser = Speed::parse)]
    speed: Speed,

    /// Run the built-in simulated boat with the built-in plugins, and print what they emit; writes no files
    #[arg(long, conflicts_with_all = ["can", "input", "config"])]
    sample: bool,

    /// For `skiff plugin dev`: prints what plugins emit, grants what they declare, and ends with standard input
    #[arg(long, hide = true, conflicts_with = "sample")]
    dev: bool,

    /// Keep to the limits of this board
    #[arg(long, value_name = "NAME", default_value = "linux", value_parser = super::parse_board)]
    board: Board,

    /// What runs plugins: wasmi, or skiff, the engine for chips
    #[arg(long, value_name = "wasmi|skiff", default_value = "wasmi", value_parser = super::parse_engine)]
    engine: Engine,

    /// Network stack of web server and plugins: host is the system's; tap:NAME is the one of the chips, on a tap interface
    #[arg(long, value_name = "host|tap:NAME", default_value = "host", value_parser = parse_net)]
    net: Net,

    /// Own address on the tap interface [default: asks DHCP]
    #[arg(long, value_name = "ADDR/BITS", requires = "net", value_parser = str::parse::<StaticAddress>)]
    address: Option<StaticAddress>,

    /// Router of the tap interface's network
    #[arg(long, value_name = "ADDR", requires = "address")]
    gateway: Option<Ipv4Addr>,

    /// Name server of the tap interface's network
    #[arg(long, value_name = "ADDR", requires = "address")]
    name_server: Option<Ipv4Addr>,

    /// Deny HTTP endpoints to a package that does not declare the capability httpEndpoints
    #[arg(long)]
    strict: bool,

    /// Who may read the boat's data without a token on a listener that is not loopback: nobody or everybody [default:
    /// skiff.guests of settings.json, else none]
    #[arg(long, value_name = "none|read", value_parser = parse_guests)]
    guests: Option<bool>,

    #[command(flatten)]
    network: network::Args,

    /// Ask nobody for a token: anyone who reaches the port can change everything
    #[arg(long)]
    allow_anyone: bool,
}

/// Tells whether guests may read.
fn parse_guests(text: &str) -> Result<bool, String> {
    match text {
        "none" => Ok(false),
        "read" => Ok(true),
        _ => Err("guests may do none or read".into()),
    }
}

fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().map_err(|_| "write address and port, for example 127.0.0.1:3000, 0.0.0.0:3000 or [::1]:3000".into())
}

/// Whose TCP/IP stack carries the web server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Net {
    Host,
    Tap(String),
}

fn parse_net(text: &str) -> Result<Net, String> {
    match text {
        "host" => Ok(Net::Host),
        _ => match text.strip_prefix("tap:").filter(|name| !name.is_empty()) {
            Some(name) => Ok(Net::Tap(name.into())),
            None => Err("write host, or tap: and the name of an interface, for example tap:tap0".into()),
        },
    }
}

/// Opens the network stack.
fn open_net(args: &Args, rng: &mut SystemRng, clock: &SystemClock) -> Result<Opened, Failure> {
    let Net::Tap(name) = &args.net else {
        if args.address.is_some() {
            return Err(Failure::new(exit::USAGE, "--address is for --net tap:NAME; use --listen ADDR:PORT"));
        }
        let unavailable = |error: io::Error| {
            let (listen, ip) = (args.listen, args.listen.ip());
            let clause = format_args!("cannot listen on {listen}: {error}; choose another: --listen {ip}:0");
            Failure::new(exit::UNAVAILABLE, clause)
        };
        let listener = TcpListener::bind(args.listen).map_err(unavailable)?;
        let admin = if args.sample { None } else { network::open_admin(&args.network, args.listen, true)? };
        return Opened::host(listener, admin).map_err(unavailable);
    };
    network::open_admin(&args.network, args.listen, false)?;
    if args.network.has_tls() {
        return Err(Failure::new(exit::USAGE, "--tls is for --net host: the own stack has no TLS"));
    }
    let address =
        args.address.map(|fixed| StaticAddress { gateway: args.gateway, name_server: args.name_server, ..fixed });
    let setup = TapSetup { name: name.clone(), address };
    Opened::tap(&setup, args.listen, rng, clock).map_err(|error| Failure::new(exit::UNAVAILABLE, error))
}

/// Runs the command.
pub fn command(args: &Args) -> Result<(), Failure> {
    let system = |error: io::Error| Failure::new(exit::UNAVAILABLE, error);
    let home = if args.sample { None } else { Some(config_folder(args)?) };
    let limits = home.as_deref().map_or_else(|| Ok(Limits::of(args.board)), |folder| limits::of(args.board, folder));
    let limits = super::run_by(args.engine, limits.map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?);
    let (clock, mut rng, waker) =
        (SystemClock::start(), SystemRng::open().map_err(system)?, Waker::new().map_err(system)?);
    let kept = Box::new(KeptLog::begin(clock));
    let is_host = args.net == Net::Host;
    let is_announced = network::is_announced(&args.network, is_host.then_some(args.listen), home.as_deref())?;
    let tls = network::open_tls(&args.network, home.as_deref())?;
    // Everything that can be missing is opened before anything is written.
    let mut plan = plan(args, home.as_deref())?;
    plan.open_flags(clock).map_err(|OpenError { is_missing, clause }| {
        Failure::new(if is_missing { exit::INPUT_MISSING } else { exit::UNAVAILABLE }, clause)
    })?;
    let Opened { network: sockets, waiter, listener, admin } = open_net(args, &mut rng, &clock)?;
    let mut waiters = Waiters::default();
    waiter.into_iter().for_each(|waiter| waiters.add(None, waiter));

    let _lock = home.as_deref().map(lock).transpose()?.flatten();
    home.as_deref().map_or(Ok(()), bring_up_to_date)?;
    if let Some(tls) = tls.as_deref() {
        network::look_at_certificate(tls);
    }
    // Watched before they are read: no change is missed in between.
    let watched = home.clone().map(|folder| PluginFiles::watch(folder, waker.clone())).transpose().map_err(system)?;
    let storage: Box<dyn Storage> = match &home {
        Some(folder) => Box::new(Folder::new(folder)),
        None => Box::new(SimStorage::new()),
    };
    let hal = Hal {
        clock: Box::new(clock),
        rng: Box::new(rng),
        storage,
        network: Some(sockets),
        fetch: Some(Box::new(UreqFetch::new(Some(waker.clone())))),
        serial: Some(Box::new(DeviceFiles)),
        // Interfaces come and go with the connections.
        can: Vec::new(),
    };
    let Booted { mut gateway, token, runs_plugins } =
        Gateway::boot(hal, boot(args, limits)).map_err(|error| match &home {
            Some(folder) => {
                let error = error.to_string();
                let cure =
                    if error.starts_with("skiff/auth.json") { "; `skiff token new` makes a new token" } else { "" };
                Failure::new(exit::INPUT_CORRUPT, format_args!("{}: {error}{cure}", folder.display()))
            }
            None => Failure::new(exit::INPUT_CORRUPT, error),
        })?;
    if !args.listen.ip().is_loopback() && tls.is_none() {
        log::warn!(
            "no TLS: the token and all data cross the network in the clear; --tls self encrypts them for browsers"
        );
    }
    if args.guests == Some(true) && !args.listen.ip().is_loopback() {
        log::warn!("--guests read: anyone who can reach {} can read the boat's data", args.listen);
    }
    if args.allow_anyone {
        log::warn!("--allow-anyone: anyone who can reach {} can change everything", args.listen);
    }
    if let (Some(folder), Some(token)) = (&home, &token)
        && let Err(error) = home::write(&mut Folder::new(folder), TOKEN_FILE, token.as_str())
    {
        log::warn!("{}: {error}; `skiff plugin` needs the token in SKIFF_TOKEN", folder.join(TOKEN_FILE).display());
    }
    let web_files = home.is_some() && args.net == Net::Host;
    let keeper =
        home.as_deref().filter(|_| web_files).map(|folder| keeper(folder, &waker)).transpose().map_err(system)?;
    let mut charts = home.as_deref().map(Charts::new);
    gateway.keep_resources(Box::new(move || charts.as_mut().map_or_else(Vec::new, Charts::list)));
    let passwords = Box::new(PasswordThread::new(waker.clone()));
    let errands = home
        .clone()
        .filter(|_| web_files)
        .map(|folder| -> Box<dyn Errands> { Box::new(ErrandThreads::new(folder, waker.clone())) });
    gateway.attach(BoardParts {
        log: Some(kept),
        web_files,
        restarts: true,
        doors: listener.doors(admin.as_ref()),
        connections: true,
        passwords: Some(passwords),
        errands,
        ..BoardParts::default()
    });
    match home.as_deref().filter(|_| runs_plugins) {
        Some(folder) => install_found(&mut gateway, folder),
        None if home.is_none() => install_sample(&mut gateway),
        None => {}
    }
    let files = watched.filter(|_| runs_plugins);

    let webapps = home.clone().map(|folder| WebApps::new(folder, !args.dev));
    let mut web = listener.serve(admin, &mut gateway, &limits, &waker, webapps, tls.clone()).map_err(system)?;
    let Some(runtime) = web.handle() else {
        return Err(Failure::new(exit::UNAVAILABLE, "the web server did not start"));
    };
    let stop = signals::watch(runtime, waker.clone()).map_err(system)?;
    if args.dev {
        end_with_stdin(Arc::clone(&stop), waker.clone()).map_err(system)?;
    }
    let printer =
        (args.sample || args.dev).then(|| Printer::start(io::stdout(), waker.clone())).transpose().map_err(system)?;
    let url = web.address().map(network::url);
    let outside = web.address().filter(|_| is_host);
    let others = outside.map(|listen| network::others(listen, is_announced, tls.as_deref())).unwrap_or_default();
    // Before it is said: who reads that it listens may ask for it by its folder at once.
    let marker = home.as_deref().zip(url.as_deref());
    let marker = marker.map(|(folder, url)| Marker::set(folder, url, others.first().map(String::as_str)));
    greet(url.as_deref(), &others, token.as_ref().map(NewToken::as_str), home.as_deref());
    if let (Some(url), Some(_), Some(_)) = (&url, &token, &home) {
        show_link(&mut gateway, others.first().unwrap_or(url));
    }
    if let Some(admin) = web.admin_address() {
        talk::say(&format!("to administrate: {}", network::url(admin)));
    }
    let announcer = home.as_deref().zip(outside).filter(|_| is_announced);
    let announcer = announcer.and_then(|(folder, listen)| network::announce(&gateway, folder, listen, tls.as_deref()));
    if is_announced && !is_host {
        let announced = gateway.announced(network::OWN_STACK, args.listen.port());
        web.announce(&mut gateway, announced, &mut SystemRng::open().map_err(system)?);
    }
    let (feeds, feed_events) = Feeds::new(args.speed, gateway.self_context(), &waker);
    let connections =
        Connections::start(plan, &mut gateway, feeds, waiters, &waker, clock, home.clone()).map_err(system)?;
    let manager = ServiceManager::find();
    if let Some(manager) = &manager {
        manager.ready(&url.map_or_else(|| "asks for an address".to_owned(), |url| format!("listens on {url}")));
    }
    let mut driver = Driver {
        gateway,
        clock,
        feed_events,
        web,
        waker,
        stop,
        printer,
        files,
        keeper,
        connections,
        announcer,
        manager,
    };
    let starts_anew = driver.run();
    // The address goes before the port does.
    drop(marker);
    drop(driver);
    if starts_anew { Err(start_anew()) } else { Ok(()) }
}

/// Becomes the same program with the same arguments: everything is read anew, and who watches the process keeps it. The folder
/// stays locked up to there, since its lock is closed with all other files.
fn start_anew() -> Failure {
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Failure::new(exit::UNAVAILABLE, format_args!("not started anew: {error}")),
    };
    let program = replaced(program);
    let error = std::process::Command::new(&program).args(std::env::args_os().skip(1)).exec();
    Failure::new(exit::UNAVAILABLE, format_args!("{} is not started anew: {error}", program.display()))
}

/// Returns where the program is now: Linux says of one that another version took the place of that it is deleted (proc(5)).
fn replaced(program: PathBuf) -> PathBuf {
    let stays = program.to_str().and_then(|path| path.strip_suffix(" (deleted)")).map(PathBuf::from);
    stays.unwrap_or(program)
}

/// Joins the command line and the settings.
fn plan(args: &Args, home: Option<&Path>) -> Result<Plan, Failure> {
    let settings = home.map_or_else(|| Ok(Vec::new()), connections::load);
    let settings = settings.map_err(|error| Failure::new(exit::INPUT_CORRUPT, error))?;
    let left = home.map_or_else(Vec::new, |folder| connections::left(folder, args.network.has_tls()));
    connections::not_taken(&settings).iter().chain(&left).for_each(|line| log::warn!("{line}"));
    let sample = args.sample.then_some(boat::LABEL);
    let plan = Plan::new(connections::of_flags(&args.can, &args.input, &args.output, sample), settings);
    if args.node && !plan.has_interface() {
        return Err(Failure::new(exit::USAGE, "--node takes part in a bus; name one: --can IFACE"));
    }
    Ok(plan)
}

/// Returns the configuration folder, which the gateway makes when it is not there.
fn config_folder(args: &Args) -> Result<PathBuf, Failure> {
    let folder = args.config.clone().map_or_else(super::default_config, Ok)?;
    if folder.exists() && !folder.is_dir() {
        return Err(Failure::new(exit::INPUT_MISSING, format_args!("{}: not a folder", folder.display())));
    }
    Ok(folder)
}

/// Keeps the folder to this gateway; where that cannot be, that is told.
fn lock(folder: &Path) -> Result<Option<Lock>, Failure> {
    match Lock::take(folder) {
        Ok(Some(lock)) => Ok(Some(lock)),
        Ok(None) => {
            let place = home::address(folder).map_or_else(String::new, |url| format!(", at {url}"));
            let clause = format_args!("{}: another gateway runs on this folder{place}", folder.display());
            Err(Failure::new(exit::UNAVAILABLE, clause))
        }
        Err(error) => {
            log::warn!("{}: {error}; another gateway on this folder is not noticed", folder.join(LOCK_FILE).display());
            Ok(None)
        }
    }
}

/// Moves what an older version of Skiff has written in the folder.
fn bring_up_to_date(folder: &Path) -> Result<(), Failure> {
    match layout::bring_up_to_date(&mut Folder::new(folder)) {
        Ok(()) => Ok(()),
        Err(error @ LayoutError::Step(_)) => {
            log::warn!("{}: {error}", folder.display());
            Ok(())
        }
        Err(error) => Err(Failure::new(exit::UNAVAILABLE, format_args!("{}: {error}", folder.display()))),
    }
}

/// Asks for the end when standard input ends: whoever started this process is gone then.
fn end_with_stdin(stop: Arc<AtomicBool>, waker: Waker) -> io::Result<()> {
    std::thread::Builder::new().name("stdin".into()).spawn(move || {
        // An error is an end, too.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        stop.store(true, Ordering::SeqCst);
        waker.wake();
    })?;
    Ok(())
}

/// Removes what interrupted installations have left, and begins to keep the files of packages.
fn keeper(folder: &Path, waker: &Waker) -> io::Result<Keeper> {
    let swept = web::sweep_all(&mut Folder::new(folder)).and_then(|()| apps::sweep_all(&mut Folder::new(folder)));
    if let Err(error) = swept {
        log::warn!("{}: {error}; files of packages that nobody needs stay", folder.join("skiff").display());
    }
    Keeper::start(folder.to_owned(), waker.clone())
}

/// Returns what the command line says of the gateway's start.
fn boot(args: &Args, limits: Limits) -> Boot {
    Boot {
        strict: args.strict,
        bus: if args.node { BusPart::Node } else { BusPart::AsConfigured },
        self_context: args.sample.then(|| SAMPLE_SELF_CONTEXT.to_owned()),
        names: vec![reach::host_name()],
        allow_anyone: args.allow_anyone,
        guests_read: args.guests,
        stored: Enabled::FromConfig,
        stored_bytes_max: folder::STORED_BYTES_MAX,
        grants_declared: args.sample || args.dev,
        events: args.sample || args.dev,
        ..Boot::new(limits, env!("CARGO_PKG_VERSION"))
    }
}

/// Installs the embedded packages.
fn install_sample(gateway: &mut Gateway) {
    for embedded in &sample::PACKAGES {
        let config = Some(embedded.config.to_owned());
        let installed = embedded.package().map_err(|error| error.to_string()).and_then(|package| {
            gateway.install(package, Enabled::Always { config }).map_err(|error| error.to_string())
        });
        if let Err(error) = installed {
            log::warn!("a built-in plugin cannot be used: {error}");
        }
    }
}

/// Installs the packages of `node_modules` beside those that were installed over the network, which are the newer
/// decision where both have one; a package that cannot be used is a row with the reason.
fn install_found(gateway: &mut Gateway, config: &Path) {
    let discovery = folder::discover(config, packages::module_bytes_max());
    for warning in &discovery.warnings {
        log::warn!("{warning}");
    }
    for package in discovery.packages {
        let (name, version) = (package.name.clone(), package.version.clone());
        if gateway.plugins().find(&package.id()).is_some_and(|stored| stored.package_name() == name) {
            continue;
        }
        match gateway.install(package, Enabled::FromConfig) {
            Ok(()) => log::debug!("found plugin {name}"),
            Err(error) => gateway.note_unusable(Unusable::new(&name, &version, &error.to_string())),
        }
    }
    // Last, so that a row that would have the id of a plugin gets another.
    discovery.unusable.into_iter().for_each(|row| gateway.note_unusable(row));
}

/// Shows URL and token; also with `-q`, since the token is shown only once.
fn greet(url: Option<&str>, others: &[String], token: Option<&str>, folder: Option<&Path>) {
    match url {
        Some(url) => talk::say(&format!("Skiff listens on {url}")),
        None => talk::say("Skiff asks the network for an address; it is told when it is there"),
    }
    others.iter().for_each(|url| talk::say(&format!("from other machines: {url}")));
    if let (None, Some(url)) = (folder, url) {
        talk::say(&format!("try: curl {url}/signalk/v1/api/vessels/self/environment/wind/speedTrue"));
    }
    if let Some(token) = token {
        let kept =
            folder.map_or_else(String::new, |folder| format!(", a copy is in {}", folder.join(TOKEN_FILE).display()));
        talk::say(&format!("token for changes, shown this once{kept}: {token}"));
    }
}

/// Shows the link that lets the owner's browser in, once.
fn show_link(gateway: &mut Gateway, base: &str) {
    let link = sign_in::link(base, &gateway.new_sign_in_code());
    talk::say(&format!("to sign in from a browser, once and within ten minutes: {link}"));
    sign_in::show_code(&link);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacks_are_the_systems_or_our_own() {
        assert_eq!(parse_net("host"), Ok(Net::Host));
        assert_eq!(parse_net("tap:tap0"), Ok(Net::Tap("tap0".into())));
        for text in ["tap", "tap:", "tun:0", ""] {
            assert!(parse_net(text).unwrap_err().contains("tap:tap0"), "{text}");
        }
    }

    #[test]
    fn another_version_in_its_place_is_what_starts_anew() {
        assert_eq!(replaced("/usr/bin/skiff (deleted)".into()), Path::new("/usr/bin/skiff"));
        assert_eq!(replaced("/usr/bin/skiff".into()), Path::new("/usr/bin/skiff"));
    }

    #[test]
    fn listeners_are_addresses() {
        assert_eq!(parse_listen("localhost:0"), Ok(SocketAddr::from(([127, 0, 0, 1], 0))));
        assert!(parse_listen("3000").is_err());
    }
}
