# PyPI signalk-client without an address: finds the gateway on the network. Argument: its ADDRESS.
import json
import socket
import sys

from signalk_client.client import Client

# It connects to the host's name, which a machine with nss-mdns finds; this one may have none.
find = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: find(sys.argv[1] if str(host).rstrip(".").endswith(".local") else host, *rest, **more)


def row(step, ok, seen=None):
    print(json.dumps({"client": "python signalk-client discovery", "step": step, "ok": bool(ok), "seen": seen}), flush=True)


client = Client()
row("finds the gateway", client.server and client.server.endswith(":3000"), client.server)
row("connects", client.data.initialized and client.data.get_self() is not None)
client.close()
