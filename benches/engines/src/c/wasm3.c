/* wasm3 0.4.7 for src/engine_wasm3.rs: functions are called without texts as arguments. */
#include "m3_env.h"
#include "m3_exec_defs.h"
#include "wasm3.h"
#include "m3_api_defs.h"
#include <string.h>

extern void skiff_emitted(const unsigned char *text, unsigned int length);

static m3ApiRawFunction(emit) {
    m3ApiGetArgMem(const unsigned char *, text)
    m3ApiGetArg(unsigned int, length)
    skiff_emitted(text, length);
    m3ApiSuccess();
}

static m3ApiRawFunction(nothing) { m3ApiSuccess(); }

static m3ApiRawFunction(refuse) {
    m3ApiReturnType(unsigned int)
    m3ApiReturn(0);
}

static m3ApiRawFunction(stop) { m3ApiTrap("abort was called"); }

static const char *link(IM3Module module, const char *name, const char *signature, M3RawCall function) {
    M3Result result = m3_LinkRawFunction(module, "env", name, signature, function);
    return result == m3Err_functionLookupFailed ? NULL : result;
}

/* Returns NULL, or what is wrong. */
const char *skiff_wasm3_load(const unsigned char *wasm, unsigned int length, unsigned int arguments, IM3Runtime *runtime) {
    IM3Environment environment = m3_NewEnvironment();
    *runtime = m3_NewRuntime(environment, 64 * 1024, NULL);
    IM3Module module;
    M3Result result = m3_ParseModule(environment, &module, wasm, length);
    if (!result) result = m3_LoadModule(*runtime, module);
    if (!result) result = link(module, "abort", "v(iiii)", stop);
    if (!result) result = link(module, "sk_set_status", "v(ii)", nothing);
    if (!result) result = link(module, "sk_set_error", "v(ii)", nothing);
    if (!result) result = link(module, "sk_handle_message", arguments == 2 ? "v(ii)" : "v(iii)", emit);
    if (!result) result = link(module, "sk_has_capability", "i(ii)", refuse);
    return result;
}

/* Functions are translated when they are looked for; `wrong` is NULL where that worked, or there is none. */
IM3Function skiff_wasm3_find(IM3Runtime runtime, const char *name, const char **wrong) {
    IM3Function function = NULL;
    M3Result result = m3_FindFunction(&function, runtime, name);
    *wrong = result == m3Err_functionLookupFailed ? NULL : result;
    return result ? NULL : function;
}

/* As m3_CallWithArgs does it, without reading numbers from texts. */
const char *skiff_wasm3_call(IM3Function function, unsigned int count, const unsigned int *arguments, unsigned int *result) {
    IM3Runtime runtime = function->module->runtime;
    u64 *stack = (u64 *)runtime->stack;
    for (unsigned int index = 0; index < count; index++) stack[index] = arguments[index];
    M3Result failed = (M3Result)Call(function->compiled, (m3stack_t)stack, runtime->memory.mallocated, d_m3OpDefaultArgs);
    *result = (unsigned int)stack[0];
    return failed;
}

int skiff_wasm3_write(IM3Runtime runtime, unsigned int at, const unsigned char *data, unsigned int length) {
    uint32_t size = 0;
    uint8_t *memory = m3_GetMemory(runtime, &size, 0);
    if (!memory || at > size || length > size - at) return 0;
    memcpy(memory + at, data, length);
    return 1;
}
