/* A plugin with an input and an output of every kind, for the tests of skiff.h. */
#define SKIFF_IMPLEMENTATION
#include "../c/skiff.h"

const char skiff_plugin_id[] = "every-kind";
const char skiff_plugin_name[] = "Every kind";
const char skiff_plugin_schema[] = "{}";

static struct skiff_input *depth, *latitude, *longitude, *name, *engine;
/* The age is told only where the clock moves between two deltas. */
static bool tells_age;
static struct skiff_output *label, *list, *running, *ratio, *north, *note, *east;

int skiff_plugin_start(struct skiff_text config) {
  struct skiff_text interval = skiff_member(config, "interval");
  tells_age = interval.bytes > 0;
  if (tells_age) skiff_set_interval((uint32_t)skiff_number(interval));
  depth = skiff_number_input("environment.depth.belowKeel");
  latitude = skiff_number_input("navigation.position#latitude");
  longitude = skiff_quiet(skiff_number_input("navigation.position#longitude"));
  name = skiff_quiet(skiff_text_input("#name", 5));
  engine = skiff_boolean_input("propulsion.port.on");
  label = skiff_text_output("x.label", 40);
  list = skiff_json_output("x.list", 40);
  running = skiff_boolean_output("x.on");
  ratio = skiff_shortest_output("x.ratio");
  north = skiff_number_output("x.position#latitude", 3);
  east = skiff_number_output("x.position#longitude", 3);
  note = skiff_notification_output("notifications.x", 40);
  return 0;
}

void skiff_plugin_update(void) {
  if (skiff_is_valid(depth) && skiff_is_new(depth)) {
    skiff_set_number(ratio, depth->number);
    skiff_write(list);
    skiff_add("[");
    skiff_add_fixed(depth->number, 3);
    skiff_add(",null]");
    skiff_publish_json(list);
  }
  if (skiff_is_new(engine)) {
    if (skiff_is_valid(engine)) skiff_set_boolean(running, engine->number == 1);
    else skiff_withdraw(running);
  }
  if (skiff_is_new(latitude)) {
    skiff_set_number(east, longitude->number);
    skiff_set_number(north, latitude->number);
  }
  struct skiff_text said = skiff_is_valid(name) ? skiff_input_text(name) : (struct skiff_text){"nobod", 5};
  skiff_write(label);
  skiff_add_text(said);
  skiff_add(" \"\\\n");
  skiff_publish_text(label);
  skiff_write(note);
  skiff_add_text(said);
  skiff_add(" at ");
  skiff_add_fixed(tells_age ? depth->age : 0, 0);
  skiff_notify(note, SKIFF_ALERT, SKIFF_VISUAL);
  skiff_set_status("updated");
}
