//! How other machines reach the gateway: what its start tells.

mod support;

use skiff_gateway::announce::reach;
use support::Gateway;
use tempfile::tempdir;

#[test]
fn a_start_tells_each_url_for_other_machines() {
    let home = tempdir().unwrap();
    let gateway = Gateway::start_on(home.path(), &["--sample", "--listen", "0.0.0.0:0"]);
    let port = gateway.authority.strip_prefix("127.0.0.1:").unwrap();
    for address in reach::addresses().unwrap().into_iter().filter(std::net::IpAddr::is_ipv4).take(16) {
        gateway.said(&format!("from other machines: http://{address}:{port}"));
    }
    gateway.said("token for changes");
}
