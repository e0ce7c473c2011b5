/* The implementation behind skiff.zig. */
#define SKIFF_IMPLEMENTATION
#include "skiff.h"
