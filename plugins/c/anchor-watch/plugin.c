/* Signal K plugin `@skiff/anchor-watch-c`: rings when the boat leaves the circle around its anchor. */
#define SKIFF_IMPLEMENTATION
#include "../skiff.h"

const char skiff_plugin_id[] = "@skiff/anchor-watch-c";
const char skiff_plugin_name[] = "Anchor watch";
const char skiff_plugin_schema[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"Anchor watch\",\"type\":\"object\",\"properties\":{"
    "\"radius\":{\"type\":\"number\",\"title\":\"Radius in m\",\"description\":\"The alarm rings when the boat is farther from its anchor\",\"minimum\":5,\"maximum\":10000,\"default\":30},"
    "\"latitude\":{\"type\":\"number\",\"title\":\"Latitude of the anchor in degrees\",\"description\":\"Without it the first position after the start is the anchor's\",\"minimum\":-90,\"maximum\":90},"
    "\"longitude\":{\"type\":\"number\",\"title\":\"Longitude of the anchor in degrees\",\"minimum\":-180,\"maximum\":180}}}";

static const double DEGREE = 3.14159265358979323846 / 180;
/* Mean radius of the earth, m (IUGG). */
static const double EARTH = 6371008.8;

static struct skiff_input *latitude, *longitude;
static struct skiff_output *distance_out, *radius_out, *latitude_out, *longitude_out, *note;
static double radius, anchor_latitude, anchor_longitude;
static bool has_anchor, is_told, is_dragging;

static int refuse(const char *reason) {
  skiff_set_error(reason);
  return 1;
}

static bool has(struct skiff_text value) { return value.bytes > 0 && !skiff_equal(value, "null"); }
static bool within(double value, double limit) { return value >= -limit && value <= limit; }

int skiff_plugin_start(struct skiff_text config) {
  struct skiff_text given = skiff_member(config, "radius"), north = skiff_member(config, "latitude"),
                    east = skiff_member(config, "longitude");
  radius = has(given) ? skiff_number(given) : 30;
  if (!(radius >= 5 && radius <= 10000)) return refuse("radius must be a number of m, 5 to 10000");
  has_anchor = has(north) || has(east);
  anchor_latitude = has(north) ? skiff_number(north) : __builtin_nan("");
  anchor_longitude = has(east) ? skiff_number(east) : __builtin_nan("");
  if (has_anchor && !(within(anchor_latitude, 90) && within(anchor_longitude, 180))) {
    return refuse("latitude and longitude must be degrees, both or none");
  }
  is_told = is_dragging = false;
  latitude = skiff_number_input("navigation.position#latitude");
  longitude = skiff_quiet(skiff_number_input("navigation.position#longitude"));
  latitude_out = skiff_number_output("navigation.anchor.position#latitude", 7);
  longitude_out = skiff_number_output("navigation.anchor.position#longitude", 7);
  radius_out = skiff_number_output("navigation.anchor.maxRadius", 1);
  distance_out = skiff_number_output("navigation.anchor.currentRadius", 1);
  note = skiff_notification_output("notifications.navigation.anchor", 80);
  skiff_set_status("waiting for navigation.position");
  return 0;
}

/* Sine of an angle of at most a quarter turn either way, by its series. */
static double sine(double angle) {
  double square = angle * angle, sum = 0;
  for (int step = 9; step >= 1; step--) {
    double even = 2.0 * step;
    sum = (1 + sum) * -square / (even * (even + 1));
  }
  return angle * (1 + sum);
}

/* Metres between the boat and its anchor: on a plane, which is right to a millimetre within a few kilometres. */
static double distance(double north, double east) {
  double turn = east - anchor_longitude;
  if (turn > 180) turn -= 360;
  if (turn < -180) turn += 360;
  double half = sine((north + anchor_latitude) / 4 * DEGREE);
  double ahead = (north - anchor_latitude) * DEGREE, aside = turn * DEGREE * (1 - 2 * half * half);
  return EARTH * __builtin_sqrt(ahead * ahead + aside * aside);
}

void skiff_plugin_update(void) {
  double north = latitude->number, east = longitude->number;
  /* NaN unless they are valid. */
  if (!within(north, 90) || !within(east, 180)) return;
  if (!has_anchor) {
    has_anchor = true;
    anchor_latitude = north;
    anchor_longitude = east;
  }
  if (!is_told) {
    skiff_set_number(latitude_out, anchor_latitude);
    skiff_set_number(longitude_out, anchor_longitude);
    skiff_set_number(radius_out, radius);
  }
  double now = distance(north, east);
  skiff_set_number(distance_out, now);
  /* Back to normal a tenth inside of the circle, so that swinging on its edge does not ring again and again. */
  bool drags = now > (is_dragging ? radius * 0.9 : radius);
  if (is_told && drags == is_dragging) return;
  is_told = true;
  is_dragging = drags;
  skiff_write(note);
  skiff_add(drags ? "Anchor drags: " : "At anchor: ");
  skiff_add_fixed(now, 1);
  skiff_add(" m from the anchor, limit ");
  skiff_add_fixed(radius, 1);
  skiff_add(" m");
  skiff_notify(note, drags ? SKIFF_EMERGENCY : SKIFF_NORMAL, drags ? SKIFF_BOTH : SKIFF_SILENT);
  skiff_set_status_of(note);
}
