// Signal K plugin: rings when the boat leaves the circle around its anchor.

import { skHandleMessage, skSetError, skSetStatus } from "signalk:plugin/signalk-api@1.0.0";

/** Mean radius of the earth, metres. */
const EARTH = 6_371_008.8;
const SCHEMA =
  '{"type":"object","properties":{"radius":{"type":"number","title":"Radius in metres","default":30}}}';

/** What is known of the anchor; null before the plugin runs. */
let watch = null;

const radians = (degrees) => degrees * (Math.PI / 180);

/** Distance of two places, metres. Good within a bay. */
const distance = (one, other) => {
  const north = radians(other.latitude - one.latitude);
  const east = radians(other.longitude - one.longitude) * Math.cos(radians(one.latitude));
  return EARTH * Math.sqrt(north * north + east * east);
};

export const plugin = {
  pluginId: () => "anchor-watch",
  pluginName: () => "Anchor watch (component)",
  pluginSchema: () => SCHEMA,

  pluginStart(config) {
    const radius = JSON.parse(config).radius ?? 30;
    if (!(typeof radius === "number" && radius > 0)) {
      skSetError("radius must be a number above 0");
      return 1;
    }
    watch = { radius, anchor: null, isDragging: false };
    skSetStatus("waiting for navigation.position");
    return 0;
  },

  pluginStop() {
    watch = null;
    return 0;
  },
};

export const deltas = {
  onDelta(text) {
    const values = (JSON.parse(text).updates ?? []).flatMap((update) => update.values ?? []);
    const here = values.findLast((value) => value.path === "navigation.position")?.value;
    if (watch === null || typeof here?.latitude !== "number" || typeof here?.longitude !== "number") return;
    watch.anchor ??= here;
    const radius = Math.round(distance(watch.anchor, here) * 10) / 10;
    const emitted = [{ path: "navigation.anchor.currentRadius", value: radius }];
    const isDragging = radius > watch.radius;
    if (isDragging !== watch.isDragging) {
      watch.isDragging = isDragging;
      const [state, message] = isDragging ? ["emergency", "the anchor drags"] : ["normal", "back in the circle"];
      const value = { message, method: ["visual", "sound"], state };
      emitted.push({ path: "notifications.navigation.anchor", value });
    }
    skHandleMessage(JSON.stringify({ updates: [{ values: emitted }] }));
  },
};
