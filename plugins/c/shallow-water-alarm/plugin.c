/* Signal K plugin `@skiff/shallow-water-alarm-c`: rings when the depth falls below a limit. */
#define SKIFF_IMPLEMENTATION
#include "../skiff.h"

const char skiff_plugin_id[] = "@skiff/shallow-water-alarm-c";
const char skiff_plugin_name[] = "Shallow water alarm";
const char skiff_plugin_schema[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"Shallow water alarm\",\"type\":\"object\",\"properties\":{"
    "\"limit\":{\"type\":\"number\",\"title\":\"Limit in m\",\"description\":\"The alarm rings below this depth\",\"minimum\":0,\"maximum\":12000,\"default\":3},"
    "\"hysteresis\":{\"type\":\"number\",\"title\":\"Hysteresis in m\",\"description\":\"The alarm ends when the depth exceeds the limit by this\",\"minimum\":0,\"maximum\":1000,\"default\":0.5},"
    "\"path\":{\"type\":\"string\",\"title\":\"Path of the depth\",\"default\":\"environment.depth.belowTransducer\"}}}";

/* No sea is deeper, m. */
static const double DEPTH_MAX = 12000;

static struct skiff_input *depth;
static struct skiff_output *note;
static double limit, hysteresis;
/* On since the depth fell below the limit; known once it was published. */
static bool is_on, is_known;

/* A member as a number, or its default when it is absent or null. */
static double number_of(struct skiff_text config, const char *name, double otherwise) {
  struct skiff_text value = skiff_member(config, name);
  return value.bytes == 0 || skiff_equal(value, "null") ? otherwise : skiff_number(value);
}

static bool is_path(struct skiff_text path) {
  for (uint32_t at = 0; at < path.bytes; at++) {
    char byte = path.at[at];
    if (byte <= '#' || byte >= 0x7f || byte == '\\') return false;
  }
  return path.bytes > 0 && path.bytes < 240;
}

static int refuse(const char *reason) {
  skiff_set_error(reason);
  return 1;
}

int skiff_plugin_start(struct skiff_text config) {
  struct skiff_text path = {"environment.depth.belowTransducer", 33}, given = skiff_member(config, "path");
  is_on = is_known = false;
  limit = number_of(config, "limit", 3);
  hysteresis = number_of(config, "hysteresis", 0.5);
  if (given.bytes > 0 && !skiff_equal(given, "null")) path = skiff_string(given);
  if (!(limit >= 0 && limit <= DEPTH_MAX)) return refuse("limit must be a depth in m, 0 to 12000");
  if (!(hysteresis >= 0 && hysteresis <= 1000)) return refuse("hysteresis must be a number of m, 0 to 1000");
  if (!is_path(path)) return refuse("path must be a Signal K path");
  const char *kept = skiff_keep("", path);
  depth = skiff_number_input(kept);
  note = skiff_notification_output(skiff_keep("notifications.", path), 100);
  skiff_set_status(skiff_keep("waiting for ", path));
  return 0;
}

void skiff_plugin_update(void) {
  double now = depth->number;
  /* NaN unless it is valid. */
  if (!(now >= 0 && now <= DEPTH_MAX)) return;
  bool on = is_on ? now < limit + hysteresis : now < limit;
  if (is_known && on == is_on) return;
  is_known = true;
  is_on = on;
  skiff_write(note);
  skiff_add(on ? "Shallow water: depth " : "Depth ");
  skiff_add_fixed(now, 2);
  skiff_add(" m, limit ");
  skiff_add_fixed(limit, 2);
  skiff_add(" m");
  skiff_notify(note, on ? SKIFF_ALARM : SKIFF_NORMAL, on ? SKIFF_BOTH : SKIFF_SILENT);
  skiff_set_status_of(note);
}
