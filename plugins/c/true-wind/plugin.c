/* Signal K plugin `@skiff/true-wind-c`: true wind from apparent wind, boat speed and heading. */
#define SKIFF_IMPLEMENTATION
#include "../skiff.h"

const char skiff_plugin_id[] = "@skiff/true-wind-c";
const char skiff_plugin_name[] = "True wind";
const char skiff_plugin_schema[] =
    "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"title\":\"True wind\",\"type\":\"object\",\"properties\":{"
    "\"speed\":{\"type\":\"string\",\"title\":\"Boat speed\",\"description\":\"water: speed through water; ground: speed over ground, for a boat without a log\","
    "\"enum\":[\"water\",\"ground\"],\"default\":\"water\"},"
    "\"maxAgeSeconds\":{\"type\":\"number\",\"title\":\"Maximum age of a value in seconds\",\"description\":\"Older values are not used\","
    "\"minimum\":0.1,\"maximum\":3600,\"default\":5}}}";

static const double PI = 3.14159265358979323846;
/* No boat and no wind is faster, m/s; guards the arithmetic against nonsense. */
static const double SPEED_MAX = 1000;

static struct skiff_input *wind_speed, *wind_angle, *boat_speed, *heading_true, *heading_magnetic, *variation;
static struct skiff_output *speed_true, *angle_true, *direction_true;
static const char *waiting, *shown;
static uint32_t age_max;
/* Which halves of an apparent wind wait for the other. */
static bool has_speed, has_angle;

/* Shows a status text when it differs from the last one. */
static void show(const char *status) {
  if (shown != status) skiff_set_status(status);
  shown = status;
}

static int refuse(const char *reason) {
  skiff_set_error(reason);
  return 1;
}

int skiff_plugin_start(struct skiff_text config) {
  struct skiff_text speed = skiff_member(config, "speed"), age = skiff_member(config, "maxAgeSeconds");
  bool ground = skiff_equal(speed, "\"ground\"");
  double seconds = age.bytes == 0 || skiff_equal(age, "null") ? 5 : skiff_number(age);
  if (config.bytes > 0 && config.at[0] != '{') return refuse("the configuration is not an object");
  if (speed.bytes > 0 && !ground && !skiff_equal(speed, "\"water\"") && !skiff_equal(speed, "null")) {
    return refuse("speed must be \"water\" or \"ground\"");
  }
  if (!(seconds >= 0.1 && seconds <= 3600)) return refuse("maxAgeSeconds must be a number from 0.1 to 3600");
  age_max = (uint32_t)(seconds * 1000);
  has_speed = has_angle = false;
  waiting = ground ? "waiting for navigation.speedOverGround" : "waiting for navigation.speedThroughWater";
  wind_speed = skiff_number_input("environment.wind.speedApparent");
  wind_angle = skiff_number_input("environment.wind.angleApparent");
  boat_speed = skiff_quiet(skiff_number_input(ground ? "navigation.speedOverGround" : "navigation.speedThroughWater"));
  heading_true = skiff_quiet(skiff_number_input("navigation.headingTrue"));
  heading_magnetic = skiff_quiet(skiff_number_input("navigation.headingMagnetic"));
  variation = skiff_quiet(skiff_number_input("navigation.magneticVariation"));
  speed_true = skiff_number_output("environment.wind.speedTrue", 4);
  angle_true = skiff_number_output("environment.wind.angleTrueWater", 4);
  direction_true = skiff_number_output("environment.wind.directionTrue", 4);
  shown = 0;
  show("waiting for environment.wind.speedApparent and angleApparent");
  return 0;
}

/* Tells whether an angle or heading is one at all: sensors send at most one turn either way. NaN is none. */
static bool is_angle(double value) { return value >= -3 * PI && value <= 3 * PI; }
static bool is_fresh(const struct skiff_input *input) { return skiff_is_valid(input) && input->age <= age_max; }

/* Sine and cosine of an angle for which is_angle holds, to 1e-15. */
static void sin_cos(double angle, double *sin, double *cos) {
  /* The nearest quarter turn; at most 6, so the rest is exact to the last bits of the angle. */
  int quarters = (int)(angle / (PI / 2) + (angle < 0 ? -0.5 : 0.5));
  double rest = angle - quarters * (PI / 2), square = rest * rest, s = 0, c = 0;
  for (int step = 9; step >= 1; step--) {
    double even = 2.0 * step;
    s = (1 + s) * -square / (even * (even + 1));
    c = (1 + c) * -square / (even * (even - 1));
  }
  s = rest * (1 + s);
  c = 1 + c;
  switch (quarters & 3) {
    case 0: *sin = s; *cos = c; break;
    case 1: *sin = c; *cos = -s; break;
    case 2: *sin = -s; *cos = -c; break;
    default: *sin = -c; *cos = s; break;
  }
}

/* The angle of a vector, -PI to PI, to 1e-15. */
static double angle_of(double y, double x) {
  double ay = y < 0 ? -y : y, ax = x < 0 ? -x : x;
  double least = ay < ax ? ay : ax, most = ay < ax ? ax : ay, ratio = most == 0 ? 0 : least / most;
  /* Halved twice, the angle is at most PI / 16, where the series ends soon. */
  for (int halving = 0; halving < 2; halving++) ratio = ratio / (1 + __builtin_sqrt(1 + ratio * ratio));
  double square = ratio * ratio, sum = 0;
  for (int term = 25; term >= 1; term -= 2) sum = 1.0 / term - square * sum;
  double angle = 4 * ratio * sum;
  if (ay > ax) angle = PI / 2 - angle;
  if (x < 0) angle = PI - angle;
  return y < 0 ? -angle : angle;
}

/* Where a wind comes from, rad from true north in 0..2 PI. */
static double direction(double heading, double angle) {
  double sum = heading + angle;
  while (sum < 0) sum += 2 * PI;
  while (sum >= 2 * PI) sum -= 2 * PI;
  /* Four decimals can reach 2 PI, which is north again. */
  return sum >= 2 * PI - 0.00005 ? 0 : sum;
}

/* An apparent wind has come once both its halves are new, at most the maximum age apart. */
static bool take_wind(void) {
  double speed = wind_speed->number, angle = wind_angle->number;
  has_speed = speed >= 0 && speed < SPEED_MAX && (has_speed || skiff_is_new(wind_speed));
  has_angle = is_angle(angle) && (has_angle || skiff_is_new(wind_angle));
  if (!has_speed || !has_angle) return false;
  uint32_t older = wind_speed->age, newer = wind_angle->age;
  bool is_speed_newer = older < newer;
  if ((is_speed_newer ? newer - older : older - newer) > age_max) {
    /* The older half of a pair that does not match waits no longer. */
    has_speed = is_speed_newer;
    has_angle = !is_speed_newer;
    return false;
  }
  has_speed = has_angle = false;
  return true;
}

void skiff_plugin_update(void) {
  if (!take_wind()) return;
  double boat = boat_speed->number, sin, cos;
  if (!is_fresh(boat_speed) || !(boat >= -SPEED_MAX && boat < SPEED_MAX)) {
    show(waiting);
    return;
  }
  sin_cos(wind_angle->number, &sin, &cos);
  double ahead = wind_speed->number * cos - boat, starboard = wind_speed->number * sin;
  double angle = angle_of(starboard, ahead);
  sin_cos(angle, &sin, &cos);
  skiff_set_number(speed_true, ahead * cos + starboard * sin);
  skiff_set_number(angle_true, angle);

  double magnetic = heading_magnetic->number, correction = variation->number;
  bool has_heading = is_fresh(heading_true) && is_angle(heading_true->number);
  double heading = heading_true->number;
  if (!has_heading && is_fresh(heading_magnetic) && is_angle(magnetic) && is_angle(correction)) {
    has_heading = true;
    heading = magnetic + correction;
  }
  if (has_heading) skiff_set_number(direction_true, direction(heading, angle));
  show(has_heading ? "true wind from apparent wind, speed and heading"
                   : "true wind without direction: no navigation.headingTrue, nor headingMagnetic with magneticVariation");
}
