/* Signal K plugin `{{name}}`: tells the smallest depth since it was started. */
#define SKIFF_IMPLEMENTATION
#include "skiff.h"

const char skiff_plugin_id[] = "{{name}}";
const char skiff_plugin_name[] = "{{title}}";
const char skiff_plugin_schema[] =
    "{\"type\":\"object\",\"properties\":{\"offset\":{\"type\":\"number\",\"title\":\"Offset in m that is added to each depth\","
    "\"minimum\":-20,\"maximum\":20,\"default\":0}}}";

static struct skiff_input *depth;
static struct skiff_output *smallest;
/* m; what the operator adds to each depth. */
static double offset;
static double least;

/* The configuration is a JSON object; 0 means started. Inputs and outputs are declared here. */
int skiff_plugin_start(struct skiff_text config) {
  struct skiff_text given = skiff_member(config, "offset");
  offset = given.bytes == 0 || skiff_equal(given, "null") ? 0 : skiff_number(given);
  if (!(offset >= -20 && offset <= 20)) {
    skiff_set_error("offset must be a number from -20 to 20");
    return 1;
  }
  least = __builtin_inf();
  depth = skiff_number_input("environment.depth.belowTransducer");
  smallest = skiff_number_output("environment.depth.smallest", 2);
  skiff_set_status("waiting for environment.depth.belowTransducer");
  return 0;
}

/* A value has arrived; what is set here is published afterwards. */
void skiff_plugin_update(void) {
  double now = depth->number + offset;
  /* NaN, which is not smaller, while there is no depth. */
  if (!(now < least)) return;
  least = now;
  skiff_set_number(smallest, now);
  skiff_set_status("runs");
}
