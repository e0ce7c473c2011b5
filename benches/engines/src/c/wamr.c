/* WAMR for src/engine_wamr.rs. */
#include "wasm_export.h"
#include <string.h>

extern void skiff_emitted(const unsigned char *text, unsigned int length);

static void emit(wasm_exec_env_t env, unsigned int text, unsigned int length, unsigned int version) {
    (void)version;
    skiff_emitted(wasm_runtime_addr_app_to_native(wasm_runtime_get_module_inst(env), text), length);
}
static void emit2(wasm_exec_env_t env, unsigned int text, unsigned int length) { emit(env, text, length, 1); }
static void nothing(wasm_exec_env_t env, unsigned int text, unsigned int length) { (void)env, (void)text, (void)length; }
static unsigned int refuse(wasm_exec_env_t env, unsigned int text, unsigned int length) {
    (void)env, (void)text, (void)length;
    return 0;
}
static void stop(wasm_exec_env_t env, unsigned int a, unsigned int b, unsigned int c, unsigned int d) {
    (void)a, (void)b, (void)c, (void)d;
    wasm_runtime_set_exception(wasm_runtime_get_module_inst(env), "abort was called");
}

static NativeSymbol symbols[] = {
    {"abort", stop, "(iiii)", NULL},          {"sk_set_status", nothing, "(ii)", NULL},
    {"sk_set_error", nothing, "(ii)", NULL},
    {"sk_has_capability", refuse, "(ii)i", NULL},
};

/* The loader asks for it also where the built-in C library is left out. */
bool wasm_native_lookup_libc_builtin_global(const char *module, const char *name, void *global) {
    (void)module, (void)name, (void)global;
    return false;
}

struct loaded {
    wasm_module_t module;
    wasm_module_inst_t instance;
    wasm_exec_env_t env;
};

static NativeSymbol emit_of[] = {{"sk_handle_message", emit, "(iii)", NULL}, {"sk_handle_message", emit2, "(ii)", NULL}};

static char wrong[128];

/* The module keeps its bytes: `wasm` stays where it is. Returns NULL, or what is wrong. */
const char *skiff_wamr_load(unsigned char *wasm, unsigned int length, unsigned int arguments, struct loaded *loaded) {
    static int begun = 0;
    if (!begun) {
        if (!wasm_runtime_init()) return "cannot be initialised";
        wasm_runtime_register_natives("env", symbols, sizeof(symbols) / sizeof(symbols[0]));
        /* Once: a process runs one package. */
        wasm_runtime_register_natives("env", &emit_of[arguments == 2], 1);
        begun = 1;
    }
    loaded->module = wasm_runtime_load(wasm, length, wrong, sizeof(wrong));
    if (!loaded->module) return wrong;
    loaded->instance = wasm_runtime_instantiate(loaded->module, 64 * 1024, 0, wrong, sizeof(wrong));
    if (!loaded->instance) return wrong;
    loaded->env = wasm_runtime_create_exec_env(loaded->instance, 64 * 1024);
    return loaded->env ? NULL : "no execution environment";
}

void skiff_wamr_unload(struct loaded *loaded) {
    wasm_runtime_destroy_exec_env(loaded->env);
    wasm_runtime_deinstantiate(loaded->instance);
    wasm_runtime_unload(loaded->module);
}

wasm_function_inst_t skiff_wamr_find(struct loaded *loaded, const char *name) {
    return wasm_runtime_lookup_function(loaded->instance, name, NULL);
}

const char *skiff_wamr_call(struct loaded *loaded, wasm_function_inst_t function, unsigned int count, unsigned int *arguments) {
    if (wasm_runtime_call_wasm(loaded->env, function, count, arguments)) return NULL;
    const char *exception = wasm_runtime_get_exception(loaded->instance);
    return exception ? exception : "failed";
}

int skiff_wamr_write(struct loaded *loaded, unsigned int at, const unsigned char *data, unsigned int length) {
    unsigned char *place = wasm_runtime_addr_app_to_native(loaded->instance, at);
    if (!place) return 0;
    memcpy(place, data, length);
    return 1;
}
