"""Signal K plugin: rings when the boat leaves the circle around its anchor."""

import json
import math

from wit_world import exports
from wit_world.imports import signalk_api

EARTH = 6_371_008.8
"""Mean radius of the earth, metres."""

SCHEMA = '{"type":"object","properties":{"radius":{"type":"number","title":"Radius in metres","default":30}}}'


class Watch:
    """What is known of the anchor."""

    def __init__(self, radius: float) -> None:
        self.radius = radius
        self.anchor: tuple[float, float] | None = None
        self.is_dragging = False


watch: Watch | None = None


def is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance of two places by latitude and longitude, metres. Good within a bay."""
    north = math.radians(other[0] - one[0])
    east = math.radians(other[1] - one[1]) * math.cos(math.radians(one[0]))
    return EARTH * math.sqrt(north * north + east * east)


class Plugin(exports.Plugin):
    def plugin_id(self) -> str:
        return "anchor-watch"

    def plugin_name(self) -> str:
        return "Anchor watch (component)"

    def plugin_schema(self) -> str:
        return SCHEMA

    def plugin_start(self, config: str) -> int:
        global watch
        radius = json.loads(config).get("radius", 30)
        if not is_number(radius) or radius <= 0:
            signalk_api.sk_set_error("radius must be a number above 0")
            return 1
        watch = Watch(radius)
        signalk_api.sk_set_status("waiting for navigation.position")
        return 0

    def plugin_stop(self) -> int:
        global watch
        watch = None
        return 0


class Deltas(exports.Deltas):
    def on_delta(self, delta_json: str) -> None:
        here = None
        for update in json.loads(delta_json).get("updates", []):
            for value in update.get("values", []):
                if value.get("path") == "navigation.position":
                    here = value.get("value")
        if watch is None or not isinstance(here, dict):
            return
        place = (here.get("latitude"), here.get("longitude"))
        if not is_number(place[0]) or not is_number(place[1]):
            return
        watch.anchor = watch.anchor or place
        radius = math.floor(distance(watch.anchor, place) * 10 + 0.5) / 10
        values: list[dict] = [{"path": "navigation.anchor.currentRadius", "value": radius}]
        is_dragging = radius > watch.radius
        if is_dragging != watch.is_dragging:
            watch.is_dragging = is_dragging
            state, message = ("emergency", "the anchor drags") if is_dragging else ("normal", "back in the circle")
            note = {"message": message, "method": ["visual", "sound"], "state": state}
            values.append({"path": "notifications.navigation.anchor", "value": note})
        signalk_api.sk_handle_message(json.dumps({"updates": [{"values": values}]}, separators=(",", ":")))
