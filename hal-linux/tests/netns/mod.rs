//! A boat and a phone: two network namespaces with a cable between them.

use std::fs::File;
use std::net::Ipv4Addr;
use std::os::fd::AsFd;
use std::path::Path;
use std::process::Command;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Two namespaces, removed when dropped.
pub struct Network {
    pub boat: String,
    pub phone: String,
}

/// Address of the boat.
pub const BOAT: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
const PHONE: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 2);

fn ip(arguments: &str) -> bool {
    Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
}

impl Network {
    /// Makes it; `None` where that is not permitted.
    pub fn make(name: &str) -> Option<Self> {
        let id = std::process::id();
        let network = Self { boat: format!("skiff-{name}-b{id}"), phone: format!("skiff-{name}-p{id}") };
        let Self { boat, phone } = &network;
        let is_made = ip(&format!("netns add {boat}"))
            && ip(&format!("netns add {phone}"))
            && ip(&format!("link add wlan netns {boat} type veth peer name wlan netns {phone}"))
            && ip(&format!("-n {phone} address add {PHONE}/24 dev wlan"))
            && ip(&format!("-n {phone} link set wlan up"))
            && ip(&format!("-n {boat} link set lo up"));
        if !is_made {
            eprintln!("SKIPPED: no network namespace can be made here (ip netns, as root)");
        }
        is_made.then_some(network)
    }

    /// Puts the boat on the network.
    pub fn join(&self) {
        let boat = &self.boat;
        assert!(ip(&format!("-n {boat} address add {BOAT}/24 dev wlan")) && ip(&format!("-n {boat} link set wlan up")));
    }

    /// Does something in a namespace: sockets, threads and processes made there stay in it.
    pub fn within<T: Send>(namespace: &str, work: impl FnOnce() -> T + Send) -> T {
        let entered = || {
            let file = File::open(Path::new("/run/netns").join(namespace)).unwrap();
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            work()
        };
        std::thread::scope(|scope| scope.spawn(entered).join().unwrap())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        ip(&format!("netns delete {}", self.boat));
        ip(&format!("netns delete {}", self.phone));
    }
}
