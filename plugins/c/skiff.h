/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * Signal K WebAssembly plugins in C: inputs and outputs as numbers, JSON only where the host wants it.
 *
 * One source file of a plugin defines SKIFF_IMPLEMENTATION before it includes this header, and the plugin defines what
 * stands below "What a plugin defines". Nothing else is needed: no C library, no heap.
 *
 *     #define SKIFF_IMPLEMENTATION
 *     #include "skiff.h"
 *
 *     const char skiff_plugin_id[] = "@example/feet";
 *     const char skiff_plugin_name[] = "Depth in feet";
 *     const char skiff_plugin_schema[] = "{}";
 *     static struct skiff_input *depth;
 *     static struct skiff_output *feet;
 *
 *     int skiff_plugin_start(struct skiff_text config) {
 *       depth = skiff_number_input("environment.depth.belowKeel");
 *       feet = skiff_number_output("example.depthInFeet", 1);
 *       return 0;
 *     }
 *
 *     void skiff_plugin_update(void) {
 *       if (skiff_is_valid(depth)) skiff_set_number(feet, depth->number / 0.3048);
 *     }
 *
 *     clang --target=wasm32 -nostdlib -Os -fno-builtin -mbulk-memory -Wl,--no-entry -Wl,-zstack-size=4096
 *       -Wl,--initial-memory=65536 -Wl,--strip-all -o plugin.wasm plugin.c
 *
 * A host that knows the values extension (Skiff's runtime/docs/abi-extensions.md, "Values") writes the inputs into memory
 * and reads the outputs there. For every other host, Signal K Server among them, `delta_handler` fills the same rows from
 * the text of a delta and publishes what changed with `sk_handle_message`.
 *
 * Without rows nobody tells a plugin which context is its own vessel's. Others send positions and headings, but no depth,
 * wind, engine or battery: the context of the first delta with such a path counts as the own one until the next start.
 */
#ifndef SKIFF_H
#define SKIFF_H

#include <stdbool.h>
#include <stdint.h>

/* As many rows and bytes as a plugin declares; define others before the include. */
#ifndef SKIFF_INPUTS_MAX
#define SKIFF_INPUTS_MAX 16
#endif
#ifndef SKIFF_OUTPUTS_MAX
#define SKIFF_OUTPUTS_MAX 16
#endif
#ifndef SKIFF_TEXTS_BYTES
#define SKIFF_TEXTS_BYTES 2048
#endif

/* Bytes of UTF-8, without an end mark. */
struct skiff_text {
  const char *at;
  uint32_t bytes;
};

enum skiff_kind { SKIFF_NUMBER = 1, SKIFF_TEXT, SKIFF_BOOLEAN, SKIFF_NULL, SKIFF_JSON, SKIFF_NOTIFICATION };
enum skiff_notification_state { SKIFF_NORMAL, SKIFF_NOMINAL, SKIFF_ALERT, SKIFF_WARN, SKIFF_ALARM, SKIFF_EMERGENCY };
enum skiff_method { SKIFF_SILENT = 0, SKIFF_VISUAL = 0x40, SKIFF_SOUND = 0x80, SKIFF_BOTH = 0xc0 };

/* A value of the own vessel that the plugin reads; the host writes what is volatile, between two calls. */
struct skiff_input {
  const char *path;
  uint16_t path_bytes;
  uint8_t kind;
  volatile uint8_t state;
  /* The number, or 1 and 0 for true and false; NaN unless it is valid. */
  volatile double number;
  char *buffer;
  uint32_t buffer_bytes;
  volatile uint32_t full_bytes;
  /* How long ago the value arrived, ms; UINT32_MAX when that is unknown. */
  volatile uint32_t age;
};

/* A value that the plugin gives. What is set in a call is published after it. */
struct skiff_output {
  const char *path;
  uint16_t path_bytes;
  uint8_t kind;
  uint8_t state;
  double number;
  char *text;
  uint32_t text_bytes;
  uint32_t counter;
  uint8_t decimals;
  uint8_t rest[3];
};

/* What a plugin defines. */

extern const char skiff_plugin_id[];
extern const char skiff_plugin_name[];
extern const char skiff_plugin_schema[];
/* Declares inputs and outputs; 0 when it started. */
int skiff_plugin_start(struct skiff_text config);
/* Computes outputs from inputs, one of which has arrived. */
void skiff_plugin_update(void);

/* Inputs, declared in skiff_plugin_start. `path#member` is one member of an object, `#name` a value of the vessel itself. */

struct skiff_input *skiff_number_input(const char *path);
struct skiff_input *skiff_boolean_input(const char *path);
struct skiff_input *skiff_text_input(const char *path, uint32_t bytes);
/* An arrival of this input alone is no reason for an update. */
struct skiff_input *skiff_quiet(struct skiff_input *input);
bool skiff_is_valid(const struct skiff_input *input);
/* A value arrived since the last update, also an equal one or null. */
bool skiff_is_new(const struct skiff_input *input);
struct skiff_text skiff_input_text(const struct skiff_input *input);

/* Outputs, declared in skiff_plugin_start. */

/* Rounded to at most `decimals`, 0 to 15. */
struct skiff_output *skiff_number_output(const char *path, unsigned decimals);
/* The shortest text that means the number. */
struct skiff_output *skiff_shortest_output(const char *path);
struct skiff_output *skiff_boolean_output(const char *path);
/* Texts, JSON and messages have at most `bytes`; the path of a notification is the full one, `notifications.…`. */
struct skiff_output *skiff_text_output(const char *path, uint32_t bytes);
struct skiff_output *skiff_json_output(const char *path, uint32_t bytes);
struct skiff_output *skiff_notification_output(const char *path, uint32_t bytes);

void skiff_set_number(struct skiff_output *output, double value);
void skiff_set_boolean(struct skiff_output *output, bool value);
/* Publishes null: there is no value any more. */
void skiff_withdraw(struct skiff_output *output);
/* Begins the text of an output; what is added next is written there, and published by one of the three below. */
void skiff_write(struct skiff_output *output);
void skiff_publish_text(struct skiff_output *output);
void skiff_publish_json(struct skiff_output *output);
void skiff_notify(struct skiff_output *output, enum skiff_notification_state state, enum skiff_method method);

/* Writing; what does not fit is left out. */

void skiff_add(const char *text);
void skiff_add_text(struct skiff_text text);
/* At most `decimals` (0 to 15), rounded half up, without trailing zeros; fewer where so many digits are not exact, and
 * `null` when it is no number. */
void skiff_add_fixed(double value, unsigned decimals);
void skiff_add_shortest(double value);
void skiff_add_json(struct skiff_text text);

/* Reading JSON. A text of 0 bytes is none. */

struct skiff_text skiff_member(struct skiff_text object, const char *name);
/* The content of a string without escapes. */
struct skiff_text skiff_string(struct skiff_text value);
/* NaN when it is none. */
double skiff_number(struct skiff_text value);
bool skiff_equal(struct skiff_text left, const char *right);
/* Keeps `first` and `second` as one text until the next start, 0 where there is no room: a path from the configuration. */
const char *skiff_keep(const char *first, struct skiff_text second);

/* The host. */

void skiff_set_status(const char *text);
/* Shows what was written into an output last. */
void skiff_set_status_of(const struct skiff_output *output);
void skiff_set_error(const char *text);
void skiff_debug(const char *text);
/* Asks for at most one update in `ms`, at most 60,000; in skiff_plugin_start. */
void skiff_set_interval(uint32_t ms);
/* The newest time stamp among the inputs that arrived, Unix ms; 0 while unknown. */
int64_t skiff_time(void);

#ifdef SKIFF_IMPLEMENTATION

#define SKIFF_EXPORT(name) __attribute__((export_name(#name))) name
#define SKIFF_IMPORT(name) __attribute__((import_module("env"), import_name(#name))) name

void SKIFF_IMPORT(sk_set_status)(const char *text, uint32_t bytes);
void SKIFF_IMPORT(sk_set_error)(const char *text, uint32_t bytes);
void SKIFF_IMPORT(sk_debug)(const char *text, uint32_t bytes);
void SKIFF_IMPORT(sk_handle_message)(const char *text, uint32_t bytes);

enum { SKIFF_QUIET = 0x80, SKIFF_NEW = 0x80, SKIFF_VALID = 1, SKIFF_WITHDRAWN = 2, SKIFF_OTHER_TYPE = 3 };

/* The descriptor. */
static struct {
  uint32_t magic;
  uint16_t inputs, outputs;
  struct skiff_input *input_rows;
  struct skiff_output *output_rows;
  uint32_t interval, flags;
  volatile int64_t time;
  volatile uint32_t updates, arrived;
} skiff_head;

_Static_assert(sizeof(skiff_head) == 40, "the descriptor has 40 bytes: build for wasm32");
_Static_assert(sizeof(struct skiff_input) == 32 && sizeof(struct skiff_output) == 32, "a row has 32 bytes");

static struct skiff_input skiff_inputs[SKIFF_INPUTS_MAX];
static struct skiff_output skiff_outputs[SKIFF_OUTPUTS_MAX];
static uint32_t skiff_rooms[SKIFF_OUTPUTS_MAX];
/* Time stamp of each input's value, Unix ms, where the host writes no rows. */
static int64_t skiff_times[SKIFF_INPUTS_MAX];
static char skiff_texts[SKIFF_TEXTS_BYTES];
static uint32_t skiff_texts_used;

/* What is kept between two deltas where the host writes no rows. */
static bool skiff_by_rows, skiff_is_due, skiff_is_busy, skiff_has_updated;
static int64_t skiff_updated;
static char skiff_own[128];
static uint32_t skiff_own_bytes;
static char skiff_delta[1024];

/* Texts. */

static uint32_t skiff_length(const char *text) {
  uint32_t bytes = 0;
  while (text[bytes]) bytes++;
  return bytes;
}

static struct skiff_text skiff_of(const char *text) { return (struct skiff_text){text, skiff_length(text)}; }

static bool skiff_same(struct skiff_text left, struct skiff_text right) {
  if (left.bytes != right.bytes) return false;
  for (uint32_t at = 0; at < left.bytes; at++) {
    if (left.at[at] != right.at[at]) return false;
  }
  return true;
}

bool skiff_equal(struct skiff_text left, const char *right) { return skiff_same(left, skiff_of(right)); }

static bool skiff_begins(struct skiff_text text, const char *with) {
  uint32_t bytes = skiff_length(with);
  return text.bytes >= bytes && skiff_same((struct skiff_text){text.at, bytes}, (struct skiff_text){with, bytes});
}

static char *skiff_reserve(uint32_t bytes) {
  /* A plugin that declares more than there is does not start. */
  if (bytes > SKIFF_TEXTS_BYTES - skiff_texts_used) __builtin_trap();
  char *at = skiff_texts + skiff_texts_used;
  skiff_texts_used += bytes;
  return at;
}

const char *skiff_keep(const char *first, struct skiff_text second) {
  uint32_t before = skiff_length(first), at = 0;
  if (before > SKIFF_TEXTS_BYTES || second.bytes > SKIFF_TEXTS_BYTES) return 0;
  if (before + second.bytes + 1 > SKIFF_TEXTS_BYTES - skiff_texts_used) return 0;
  char *kept = skiff_reserve(before + second.bytes + 1);
  for (; at < before; at++) kept[at] = first[at];
  for (uint32_t next = 0; next < second.bytes; next++) kept[at++] = second.at[next];
  kept[at] = 0;
  return kept;
}

/* The writer: one place at a time. */

static char *skiff_from, *skiff_at, *skiff_end;
static bool skiff_fits;

static void skiff_begin(char *at, uint32_t bytes) {
  skiff_from = skiff_at = at;
  skiff_end = at + bytes;
  skiff_fits = true;
}

static void skiff_byte(char byte) {
  if (skiff_at < skiff_end) *skiff_at++ = byte;
  else skiff_fits = false;
}

void skiff_add_text(struct skiff_text text) {
  if (text.bytes > (uint32_t)(skiff_end - skiff_at)) {
    skiff_fits = false;
    return;
  }
  for (uint32_t at = 0; at < text.bytes; at++) *skiff_at++ = text.at[at];
}

void skiff_add(const char *text) { skiff_add_text(skiff_of(text)); }

void skiff_add_json(struct skiff_text text) {
  skiff_byte('"');
  for (uint32_t at = 0; at < text.bytes; at++) {
    unsigned char byte = (unsigned char)text.at[at];
    if (byte == '"' || byte == '\\') {
      skiff_byte('\\');
      skiff_byte((char)byte);
    } else if (byte < 0x20) {
      skiff_add(byte < 0x10 ? "\\u000" : "\\u001");
      skiff_byte("0123456789abcdef"[byte & 15]);
    } else {
      skiff_byte((char)byte);
    }
  }
  skiff_byte('"');
}

/* From here on a double has no exact unit digit. */
static const double skiff_exact = 9007199254740992.0;

static double skiff_power(unsigned exponent) {
  double power = 1;
  for (; exponent > 0; exponent--) power *= 10;
  return power;
}

static bool skiff_is_finite(double value) { return value - value == 0; }

void skiff_add_fixed(double value, unsigned decimals) {
  double magnitude = value < 0 ? -value : value, scaled = magnitude * skiff_power(decimals);
  while (!(scaled < skiff_exact)) {
    if (decimals == 0) {
      skiff_add("null");
      return;
    }
    scaled = magnitude * skiff_power(--decimals);
  }
  /* Hosts that read rows round in the same way; above 2^52 there is no fraction any more. */
  uint64_t rest = (uint64_t)(scaled < skiff_exact / 2 ? scaled + 0.5 : scaled);
  unsigned places = decimals, count = 0, at = 32;
  for (; places > 0 && rest % 10 == 0; places--) rest /= 10;
  if (value < 0 && rest != 0) skiff_byte('-');
  char digits[32];
  for (; rest != 0 || count <= places; count++, rest /= 10) {
    if (count == places && places != 0) digits[--at] = '.';
    digits[--at] = (char)('0' + rest % 10);
  }
  skiff_add_text((struct skiff_text){digits + at, 32 - at});
}

void skiff_add_shortest(double value) {
  double magnitude = value < 0 ? -value : value, scale = 1;
  unsigned places = 0;
  for (; places < 19; places++, scale *= 10) {
    double scaled = magnitude * scale;
    if (!(scaled < skiff_exact)) break;
    uint64_t whole = (uint64_t)scaled, digits = whole + (scaled - (double)whole >= 0.5);
    /* Digits and power are exact, so this is what a reader makes of the text. */
    if ((double)digits / scale == magnitude) break;
  }
  skiff_add_fixed(value, places);
}

/* The reader: a cursor over the values inside one object or array. */

struct skiff_cursor {
  const char *at, *end;
};

static bool skiff_take(struct skiff_cursor *cursor, char byte) {
  while (cursor->at < cursor->end && (*cursor->at == ' ' || (*cursor->at >= '\t' && *cursor->at <= '\r'))) cursor->at++;
  if (cursor->at >= cursor->end || *cursor->at != byte) return false;
  cursor->at++;
  return true;
}

static struct skiff_cursor skiff_inside(struct skiff_text value, char open) {
  struct skiff_cursor cursor = {value.at, value.at + value.bytes};
  if (!skiff_take(&cursor, open)) cursor.at = cursor.end;
  return cursor;
}

static void skiff_skip_string(struct skiff_cursor *cursor) {
  for (cursor->at++; cursor->at < cursor->end && *cursor->at != '"'; cursor->at++) cursor->at += *cursor->at == '\\';
  cursor->at = cursor->at < cursor->end ? cursor->at + 1 : cursor->end;
}

/* The next value, and the comma behind it; 0 bytes at the end. */
static struct skiff_text skiff_value(struct skiff_cursor *cursor) {
  skiff_take(cursor, ',');
  skiff_take(cursor, ':');
  while (skiff_take(cursor, ' ')) {
  }
  const char *from = cursor->at;
  int depth = 0;
  while (cursor->at < cursor->end) {
    char byte = *cursor->at;
    if (byte == '"') {
      skiff_skip_string(cursor);
      if (depth == 0) break;
      continue;
    }
    if (byte == '{' || byte == '[') depth++;
    if (depth == 0 && (byte == ',' || byte == '}' || byte == ']' || byte == ':' || byte <= ' ')) break;
    cursor->at++;
    if ((byte == '}' || byte == ']') && --depth == 0) break;
  }
  return (struct skiff_text){from, (uint32_t)(cursor->at - from)};
}

struct skiff_text skiff_string(struct skiff_text value) {
  if (value.bytes < 2 || value.at[0] != '"') return (struct skiff_text){0, 0};
  for (uint32_t at = 1; at < value.bytes - 1; at++) {
    if (value.at[at] == '\\') return (struct skiff_text){0, 0};
  }
  return (struct skiff_text){value.at + 1, value.bytes - 2};
}

struct skiff_text skiff_member(struct skiff_text object, const char *name) {
  struct skiff_cursor cursor = skiff_inside(object, '{');
  for (;;) {
    struct skiff_text key = skiff_value(&cursor), value = skiff_value(&cursor);
    if (value.bytes == 0 || skiff_equal(skiff_string(key), name)) return value;
  }
}

double skiff_number(struct skiff_text value) {
  uint32_t at = value.bytes > 0 && value.at[0] == '-';
  bool negative = at == 1, point = false;
  uint64_t digits = 0;
  int exponent = 0, count = 0;
  for (; at < value.bytes; at++) {
    unsigned digit = (unsigned)value.at[at] - '0';
    if (digit < 10) {
      if (digits < 100000000000000000u) {
        digits = digits * 10 + digit;
        exponent -= point;
      } else {
        exponent += !point;
      }
      count++;
    } else if (value.at[at] == '.' && !point && count > 0) {
      point = true;
    } else {
      break;
    }
  }
  if (count == 0) return __builtin_nan("");
  if (at < value.bytes) {
    if ((value.at[at] | 0x20) != 'e') return __builtin_nan("");
    int power = 0, sign = ++at < value.bytes ? value.at[at] : 0;
    at += sign == '-' || sign == '+';
    for (; at < value.bytes && power < 400; at++) power = power * 10 + (value.at[at] - '0');
    exponent += sign == '-' ? -power : power;
  }
  /* Exact while digits and power are, up to 2^53 and 10^22. */
  double scale = 1, result = (double)digits;
  for (int left = exponent < 0 ? -exponent : exponent; left > 0; left--) scale *= 10;
  result = exponent < 0 ? result / scale : result * scale;
  return negative ? -result : result;
}

static int skiff_hexadecimal(const char *at, const char *end) {
  int value = 0;
  for (int left = 4; left > 0; left--, at++) {
    if (at >= end) return -1;
    int digit = *at - '0', letter = (*at | 0x20) - 'a';
    if (digit >= 0 && digit < 10) value = value * 16 + digit;
    else if (letter >= 0 && letter < 6) value = value * 16 + 10 + letter;
    else return -1;
  }
  return value;
}

/* Writes a string with its escapes decoded into the buffer of an input, as many whole characters as fit. */
static bool skiff_decode(struct skiff_input *input, struct skiff_text value) {
  if (value.bytes < 2 || value.at[0] != '"') return false;
  const char *end = value.at + value.bytes - 1;
  uint32_t written = 0, full = 0;
  for (const char *at = value.at + 1; at < end;) {
    char bytes[4];
    uint32_t count = 0;
    if (*at != '\\') {
      do bytes[count++] = *at++;
      while (at < end && count < 4 && (*at & 0xc0) == 0x80);
    } else if (at[1] == 'u') {
      int code = skiff_hexadecimal(at + 2, end);
      at += 6;
      if (code < 0) return false;
      if ((code & 0xfc00) == 0xd800 && at + 1 < end && at[0] == '\\' && at[1] == 'u') {
        int low = skiff_hexadecimal(at + 2, end);
        if ((low & ~0x3ff) == 0xdc00) {
          code = 0x10000 + ((code & 0x3ff) << 10) + (low & 0x3ff);
          at += 6;
        }
      }
      if ((code & ~0x7ff) == 0xd800) code = 0xfffd;
      count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      for (uint32_t left = count; left > 1; left--, code >>= 6) bytes[left - 1] = (char)(0x80 | (code & 63));
      bytes[0] = (char)(count == 1 ? code : (0xf00 >> count & 0xff) | code);
    } else {
      static const char letters[] = "\"\\/ntrbf", means[] = "\"\\/\n\t\r\b\f";
      uint32_t letter = 0;
      while (letters[letter] && letters[letter] != at[1]) letter++;
      if (!letters[letter]) return false;
      bytes[count++] = means[letter];
      at += 2;
    }
    /* A character that does not fit ends the text: what follows it is only counted. */
    if (written == full && written + count <= input->buffer_bytes) {
      for (uint32_t next = 0; next < count; next++) input->buffer[written++] = bytes[next];
    }
    full += count;
  }
  union {
    uint64_t bits;
    double number;
  } pun = {written};
  input->number = pun.number;
  input->full_bytes = full;
  return true;
}

/* Milliseconds since 1970 of `YYYY-MM-DDThh:mm:ss[.f]Z`; 0 when it is none. */
static int64_t skiff_millis(struct skiff_text text) {
  static const char form[] = "0000-00-00T00:00:00";
  int64_t part[6] = {0}, fraction = 0;
  int index = 0, count = 0;
  if (text.bytes < 20 || text.at[text.bytes - 1] != 'Z') return 0;
  for (int at = 0; at < 19; at++) {
    char byte = text.at[at];
    if (form[at] != '0') {
      if (byte != form[at]) return 0;
      index++;
    } else {
      if (byte < '0' || byte > '9') return 0;
      part[index] = part[index] * 10 + (byte - '0');
    }
  }
  for (uint32_t at = 20; at < text.bytes - 1 && count < 3; at++, count++) fraction = fraction * 10 + (text.at[at] - '0');
  for (; count < 3; count++) fraction *= 10;
  /* Years begin in March here, so that the leap day is the last of its year. */
  int64_t year = part[0] - (part[1] <= 2), day_of_year = (153 * ((part[1] + 9) % 12) + 2) / 5 + part[2] - 1;
  int64_t days = 365 * year + year / 4 - year / 100 + year / 400 + day_of_year - 719468;
  return (((days * 24 + part[3]) * 60 + part[4]) * 60 + part[5]) * 1000 + fraction;
}

/* Rows. */

static struct skiff_input *skiff_new_input(const char *path, enum skiff_kind kind, uint32_t bytes) {
  if (skiff_head.inputs == SKIFF_INPUTS_MAX) __builtin_trap();
  struct skiff_input *input = &skiff_inputs[skiff_head.inputs++];
  input->path = path;
  input->path_bytes = (uint16_t)skiff_length(path);
  input->kind = (uint8_t)kind;
  input->state = 0;
  input->number = __builtin_nan("");
  input->buffer = skiff_reserve(bytes);
  input->buffer_bytes = bytes;
  input->full_bytes = 0;
  input->age = UINT32_MAX;
  return input;
}

struct skiff_input *skiff_number_input(const char *path) { return skiff_new_input(path, SKIFF_NUMBER, 0); }
struct skiff_input *skiff_boolean_input(const char *path) { return skiff_new_input(path, SKIFF_BOOLEAN, 0); }
struct skiff_input *skiff_text_input(const char *path, uint32_t bytes) { return skiff_new_input(path, SKIFF_TEXT, bytes); }

struct skiff_input *skiff_quiet(struct skiff_input *input) {
  input->kind |= SKIFF_QUIET;
  return input;
}

bool skiff_is_valid(const struct skiff_input *input) { return (input->state & ~SKIFF_NEW) == SKIFF_VALID; }
bool skiff_is_new(const struct skiff_input *input) { return (input->state & SKIFF_NEW) != 0; }

struct skiff_text skiff_input_text(const struct skiff_input *input) {
  union {
    double number;
    uint64_t bits;
  } pun = {input->number};
  return (struct skiff_text){input->buffer, skiff_is_valid(input) ? (uint32_t)pun.bits : 0};
}

static struct skiff_output *skiff_new_output(const char *path, enum skiff_kind kind, uint32_t bytes) {
  if (skiff_head.outputs == SKIFF_OUTPUTS_MAX) __builtin_trap();
  struct skiff_output *output = &skiff_outputs[skiff_head.outputs];
  skiff_rooms[skiff_head.outputs++] = bytes;
  *output = (struct skiff_output){0};
  output->path = path;
  output->path_bytes = (uint16_t)skiff_length(path);
  output->kind = (uint8_t)kind;
  output->text = skiff_reserve(bytes);
  return output;
}

struct skiff_output *skiff_number_output(const char *path, unsigned decimals) {
  struct skiff_output *output = skiff_new_output(path, SKIFF_NUMBER, 0);
  output->decimals = (uint8_t)(decimals + 1);
  return output;
}

struct skiff_output *skiff_shortest_output(const char *path) { return skiff_new_output(path, SKIFF_NUMBER, 0); }
struct skiff_output *skiff_boolean_output(const char *path) { return skiff_new_output(path, SKIFF_BOOLEAN, 0); }
struct skiff_output *skiff_text_output(const char *path, uint32_t bytes) { return skiff_new_output(path, SKIFF_TEXT, bytes); }
struct skiff_output *skiff_json_output(const char *path, uint32_t bytes) { return skiff_new_output(path, SKIFF_JSON, bytes); }
struct skiff_output *skiff_notification_output(const char *path, uint32_t bytes) {
  return skiff_new_output(path, SKIFF_NOTIFICATION, bytes);
}

static void skiff_change(struct skiff_output *output, enum skiff_kind kind) {
  output->kind = (uint8_t)kind;
  /* 0 is kept for "nothing to publish". */
  if (++output->counter == 0) output->counter = 1;
}

void skiff_set_number(struct skiff_output *output, double value) {
  output->number = value;
  skiff_change(output, SKIFF_NUMBER);
}

void skiff_set_boolean(struct skiff_output *output, bool value) {
  output->number = value;
  skiff_change(output, SKIFF_BOOLEAN);
}

void skiff_withdraw(struct skiff_output *output) { skiff_change(output, SKIFF_NULL); }
void skiff_write(struct skiff_output *output) { skiff_begin(output->text, skiff_rooms[output - skiff_outputs]); }

static void skiff_publish_written(struct skiff_output *output, enum skiff_kind kind) {
  output->text_bytes = (uint32_t)(skiff_at - skiff_from);
  skiff_change(output, kind);
}

void skiff_publish_text(struct skiff_output *output) { skiff_publish_written(output, SKIFF_TEXT); }
void skiff_publish_json(struct skiff_output *output) { skiff_publish_written(output, SKIFF_JSON); }

void skiff_notify(struct skiff_output *output, enum skiff_notification_state state, enum skiff_method method) {
  output->state = (uint8_t)(state | method);
  skiff_publish_written(output, SKIFF_NOTIFICATION);
}

/* The host. */

void skiff_set_status(const char *text) { sk_set_status(text, skiff_length(text)); }
void skiff_set_status_of(const struct skiff_output *output) { sk_set_status(output->text, output->text_bytes); }
void skiff_set_error(const char *text) { sk_set_error(text, skiff_length(text)); }
void skiff_debug(const char *text) { sk_debug(text, skiff_length(text)); }
void skiff_set_interval(uint32_t ms) { skiff_head.interval = ms < 60000 ? ms : 60000; }
int64_t skiff_time(void) { return skiff_head.time; }

/* Rows from deltas, and deltas from rows, where the host does neither. */

static struct skiff_text skiff_path(const char *path, uint32_t bytes, struct skiff_text *member) {
  for (uint32_t at = 0; at < bytes; at++) {
    if (path[at] == '#') {
      *member = (struct skiff_text){path + at + 1, bytes - at - 1};
      return (struct skiff_text){path, at};
    }
  }
  *member = (struct skiff_text){0, 0};
  return (struct skiff_text){path, bytes};
}

static void skiff_hear_value(struct skiff_text path, struct skiff_text value) {
  for (uint32_t at = 0; at < skiff_head.inputs; at++) {
    struct skiff_input *input = &skiff_inputs[at];
    struct skiff_text member, heard = value;
    if (!skiff_same(skiff_path(input->path, input->path_bytes, &member), path)) continue;
    if (member.bytes > 0 && value.bytes > 0 && value.at[0] == '{') {
      struct skiff_cursor cursor = skiff_inside(value, '{');
      struct skiff_text key;
      do {
        key = skiff_value(&cursor);
        heard = skiff_value(&cursor);
      } while (heard.bytes > 0 && !skiff_same(skiff_string(key), member));
      /* Root values are merged: one that is not named stays. */
      if (heard.bytes == 0 && path.bytes == 0) continue;
      if (heard.bytes == 0) heard = skiff_of("null");
    } else if (member.bytes > 0 && !skiff_equal(value, "null")) {
      heard = skiff_of("{}");
    }
    bool is_valid;
    uint8_t kind = input->kind & 0x0f;
    input->full_bytes = 0;
    if (kind == SKIFF_TEXT) {
      is_valid = skiff_decode(input, heard);
    } else if (kind == SKIFF_BOOLEAN) {
      is_valid = skiff_equal(heard, "true") || skiff_equal(heard, "false");
      input->number = skiff_equal(heard, "true");
    } else {
      input->number = skiff_number(heard);
      is_valid = skiff_is_finite(input->number);
    }
    if (!is_valid) input->number = __builtin_nan("");
    uint8_t state = is_valid ? SKIFF_VALID : skiff_equal(heard, "null") ? SKIFF_WITHDRAWN : SKIFF_OTHER_TYPE;
    input->state = state | SKIFF_NEW;
    skiff_times[at] = skiff_head.time;
    skiff_head.arrived++;
    if (!(input->kind & SKIFF_QUIET)) skiff_is_due = true;
  }
}

static bool skiff_tells_own(struct skiff_text path) {
  static const char *const own[] = {"environment.", "propulsion.", "electrical.", "tanks.", "steering.", "navigation.gnss."};
  for (uint32_t at = 0; at < sizeof own / sizeof *own; at++) {
    if (skiff_begins(path, own[at])) return true;
  }
  return false;
}

/* Visits the values of a delta: hears them, or looks for a path that AIS does not send. */
static bool skiff_visit(struct skiff_text delta, bool hears) {
  struct skiff_cursor updates = skiff_inside(skiff_member(delta, "updates"), '[');
  for (;;) {
    struct skiff_text update = skiff_value(&updates);
    if (update.bytes == 0) return false;
    if (hears && skiff_equal(skiff_string(skiff_member(update, "$source")), skiff_plugin_id)) continue;
    int64_t time = hears ? skiff_millis(skiff_string(skiff_member(update, "timestamp"))) : 0;
    struct skiff_cursor values = skiff_inside(skiff_member(update, "values"), '[');
    for (;;) {
      struct skiff_text entry = skiff_value(&values);
      if (entry.bytes == 0) break;
      struct skiff_text quoted = skiff_member(entry, "path"), path = skiff_string(quoted);
      if (quoted.bytes < 2) continue;
      if (!hears) {
        if (skiff_tells_own(path)) return true;
        continue;
      }
      if (time != 0) skiff_head.time = time;
      skiff_hear_value(path, skiff_member(entry, "value"));
    }
  }
}

static bool skiff_is_own(struct skiff_text delta) {
  struct skiff_text value = skiff_member(delta, "context"), context = skiff_string(value);
  if (value.bytes == 0 || skiff_equal(context, "vessels.self")) return true;
  if (skiff_own_bytes == 0) {
    if (context.bytes > sizeof skiff_own || !skiff_begins(context, "vessels.") || !skiff_visit(delta, false)) return false;
    for (uint32_t at = 0; at < context.bytes; at++) skiff_own[at] = context.at[at];
    skiff_own_bytes = context.bytes;
  }
  return skiff_same(context, (struct skiff_text){skiff_own, skiff_own_bytes});
}

static bool skiff_write_value(const struct skiff_output *output) {
  struct skiff_text text = {output->text, output->text_bytes};
  switch (output->kind) {
    case SKIFF_NUMBER:
      if (output->decimals == 0) skiff_add_shortest(output->number);
      else skiff_add_fixed(output->number, output->decimals - 1u);
      return skiff_is_finite(output->number);
    case SKIFF_BOOLEAN:
      skiff_add(output->number == 0 ? "false" : "true");
      return true;
    case SKIFF_NULL:
      skiff_add("null");
      return true;
    case SKIFF_TEXT:
      skiff_add_json(text);
      return true;
    case SKIFF_JSON:
      skiff_add_text(text);
      return text.bytes > 0;
    default: {
      static const char *const states[] = {"normal", "nominal", "alert", "warn", "alarm", "emergency", "", ""};
      uint8_t method = output->state & SKIFF_BOTH;
      skiff_add("{\"state\":\"");
      skiff_add(states[output->state & 7]);
      skiff_add("\",\"method\":[");
      if (method & SKIFF_VISUAL) skiff_add("\"visual\"");
      if (method == SKIFF_BOTH) skiff_byte(',');
      if (method & SKIFF_SOUND) skiff_add("\"sound\"");
      skiff_add("],\"message\":");
      skiff_add_json(text);
      skiff_byte('}');
      return true;
    }
  }
}

/* Writes path and value of a row; false when it did not change, stands with another one, or has no value. */
static bool skiff_write_row(uint32_t at, uint32_t from, uint32_t to) {
  const struct skiff_output *output = &skiff_outputs[at];
  struct skiff_text member, path = skiff_path(output->path, output->path_bytes, &member);
  bool is_value = false;
  if (output->counter == 0) return false;
  skiff_add("{\"path\":\"");
  skiff_add_text(path);
  skiff_add("\",\"value\":");
  if (member.bytes == 0) {
    is_value = skiff_write_value(output);
  } else {
    /* Members of one path are one object, written where its first one stands. */
    skiff_byte('{');
    for (uint32_t index = from; index < to; index++) {
      const struct skiff_output *other = &skiff_outputs[index];
      struct skiff_text other_path = skiff_path(other->path, other->path_bytes, &member);
      if (other->counter == 0 || member.bytes == 0 || !skiff_same(path, other_path)) continue;
      if (index < at) return false;
      char *before = skiff_at;
      skiff_add(is_value ? ",\"" : "\"");
      skiff_add_text(member);
      skiff_add("\":");
      if (skiff_write_value(other)) is_value = true;
      else skiff_at = before;
    }
    skiff_byte('}');
  }
  skiff_byte('}');
  return is_value;
}

static bool skiff_publish_rows(uint32_t from, uint32_t to) {
  skiff_begin(skiff_delta, sizeof skiff_delta);
  skiff_add("{\"updates\":[{\"values\":[");
  char *empty = skiff_at;
  for (uint32_t at = from; at < to; at++) {
    char *before = skiff_at;
    if (before > empty) skiff_byte(',');
    if (!skiff_write_row(at, from, to)) skiff_at = before;
  }
  bool any = skiff_at > empty;
  skiff_add("]}]}");
  if (!any || !skiff_fits) return false;
  sk_handle_message(skiff_delta, (uint32_t)(skiff_at - skiff_from));
  return true;
}

static void skiff_publish(void) {
  uint32_t count = skiff_head.outputs;
  bool any = false;
  for (uint32_t at = 0; at < count; at++) any |= skiff_outputs[at].counter != 0;
  if (!any) return;
  /* All in one delta; else each row by itself. */
  if (!skiff_publish_rows(0, count)) {
    for (uint32_t at = 0; at < count; at++) skiff_publish_rows(at, at + 1);
  }
  for (uint32_t at = 0; at < count; at++) skiff_outputs[at].counter = 0;
}

/* Blocks that the host holds: a configuration, a delta. Sorted by address; new memory only when no gap is large enough. */

static struct {
  uint32_t from, bytes;
} skiff_blocks[16];
static uint32_t skiff_block_count;
extern char __heap_base;

uint32_t SKIFF_EXPORT(allocate)(uint32_t bytes) {
  if (skiff_block_count == 16 || bytes > 0x7fffffff) return 0;
  bytes = bytes < 8 ? 8 : (bytes + 7) & ~7u;
  uint32_t from = ((uint32_t)&__heap_base + 7) & ~7u, index = 0;
  for (; index < skiff_block_count && skiff_blocks[index].from - from < bytes; index++) {
    from = skiff_blocks[index].from + skiff_blocks[index].bytes;
  }
  uint64_t to = (uint64_t)from + bytes, size = (uint64_t)__builtin_wasm_memory_size(0) << 16;
  if (to > size && (to > UINT32_MAX || __builtin_wasm_memory_grow(0, (to - size + 65535) >> 16) == UINT32_MAX)) return 0;
  for (uint32_t at = skiff_block_count++; at > index; at--) skiff_blocks[at] = skiff_blocks[at - 1];
  skiff_blocks[index].from = from;
  skiff_blocks[index].bytes = bytes;
  return from;
}

void SKIFF_EXPORT(deallocate)(uint32_t from, uint32_t bytes) {
  uint32_t index = 0;
  (void)bytes;
  while (index < skiff_block_count && skiff_blocks[index].from != from) index++;
  if (index == skiff_block_count) return;
  for (skiff_block_count--; index < skiff_block_count; index++) skiff_blocks[index] = skiff_blocks[index + 1];
}

/* Exports. */

static uint32_t skiff_give(char *out, uint32_t max, const char *text) {
  uint32_t bytes = skiff_length(text);
  if (bytes > max) bytes = max;
  for (uint32_t at = 0; at < bytes; at++) out[at] = text[at];
  return bytes;
}

uint32_t SKIFF_EXPORT(plugin_id)(char *out, uint32_t max) { return skiff_give(out, max, skiff_plugin_id); }
uint32_t SKIFF_EXPORT(plugin_name)(char *out, uint32_t max) { return skiff_give(out, max, skiff_plugin_name); }
uint32_t SKIFF_EXPORT(plugin_schema)(char *out, uint32_t max) { return skiff_give(out, max, skiff_plugin_schema); }

int32_t SKIFF_EXPORT(plugin_start)(const char *config, uint32_t bytes) {
  skiff_head.magic = 0x31564b53;
  skiff_head.inputs = skiff_head.outputs = 0;
  skiff_head.input_rows = skiff_inputs;
  skiff_head.output_rows = skiff_outputs;
  skiff_head.interval = skiff_head.flags = 0;
  skiff_head.time = 0;
  skiff_texts_used = skiff_own_bytes = 0;
  skiff_by_rows = skiff_is_due = skiff_is_busy = skiff_has_updated = false;
  int result = skiff_plugin_start((struct skiff_text){config, bytes});
  /* What a start sets counts as known. */
  for (uint32_t at = 0; at < skiff_head.outputs; at++) skiff_outputs[at].counter = 0;
  return result;
}

int32_t SKIFF_EXPORT(plugin_stop)(void) { return 0; }
uint32_t SKIFF_EXPORT(skiff_values)(void) { return (uint32_t)&skiff_head; }

int32_t SKIFF_EXPORT(skiff_update)(void) {
  /* The host writes and reads the rows by itself. */
  skiff_by_rows = true;
  skiff_plugin_update();
  return 0;
}

void SKIFF_EXPORT(delta_handler)(const char *delta, uint32_t bytes) {
  struct skiff_text text = {delta, bytes};
  /* Some hosts deliver a delta while the plugin publishes one. */
  if (skiff_by_rows || skiff_is_busy || !skiff_is_own(text)) return;
  skiff_visit(text, true);
  int64_t passed = skiff_head.time - skiff_updated;
  if (!skiff_is_due || (skiff_has_updated && passed >= 0 && passed < skiff_head.interval)) return;
  skiff_is_due = false;
  skiff_has_updated = true;
  skiff_updated = skiff_head.time;
  skiff_head.updates++;
  for (uint32_t at = 0; at < skiff_head.inputs; at++) {
    int64_t age = skiff_head.time - skiff_times[at];
    bool is_known = (skiff_inputs[at].state & ~SKIFF_NEW) != 0 && age >= 0 && age < UINT32_MAX;
    /* A clock that was set back makes an age unknown, too. */
    skiff_inputs[at].age = is_known ? (uint32_t)age : UINT32_MAX;
  }
  skiff_is_busy = true;
  skiff_plugin_update();
  for (uint32_t at = 0; at < skiff_head.inputs; at++) skiff_inputs[at].state &= (uint8_t)~SKIFF_NEW;
  skiff_head.arrived = 0;
  skiff_publish();
  skiff_is_busy = false;
}

#endif
#endif
