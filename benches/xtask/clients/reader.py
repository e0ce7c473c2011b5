# PyPI signalk-client: finds the endpoints by URL, reads the tree, hears the stream. Argument: HOST:PORT.
import json
import sys
import time

from signalk_client.client import Client


def row(step, ok, seen=None):
    print(json.dumps({"client": "python signalk-client", "step": step, "ok": bool(ok), "seen": seen}), flush=True)


client = Client(sys.argv[1])
row("connects", client.data.initialized)
vessel = client.data.get_self()
row("knows the own vessel", vessel is not None)
speed = vessel.get_datum("navigation.speedOverGround")
first = speed.display_value()
row("reads a value", first is not None, str(first))
for _ in range(50):
    time.sleep(0.1)
    if vessel.get_datum("navigation.speedOverGround").display_value() != first:
        break
row("its value changes", vessel.get_datum("navigation.speedOverGround").display_value() != first)
client.close()
