;; An AssemblyScript-dialect plugin: names with characters beyond the basic plane and a lone surrogate,
;; a null schema, and a handler that answers with a pointer to no string.
(module
  (import "env" "sk_debug" (func $debug (param i32 i32)))
  (import "env" "abort" (func (param i32 i32 i32 i32)))
  (memory (export "memory") 1)
  ;; class 2 (string), 10 bytes: U+1F6A4, 'a', a lone high surrogate, 'b'
  (data (i32.const 12) "\02\00\00\00\0a\00\00\00\3d\d8\a4\de\61\00\00\d8\62\00")
  ;; class 5: an object that is no string
  (data (i32.const 60) "\05\00\00\00\04\00\00\00zzzz")
  ;; class 2, an endpoint list in UTF-16
  (data (i32.const 120) "\02\00\00\00\6a\00\00\00[\00{\00\"\00m\00e\00t\00h\00o\00d\00\"\00:\00\"\00G\00E\00T\00\"\00,\00\"\00p\00a\00t\00h\00\"\00:\00\"\00/\00x\00\"\00,\00\"\00h\00a\00n\00d\00l\00e\00r\00\"\00:\00\"\00h\00a\00n\00d\00l\00e\00r\00\"\00}\00]\00 \00 \00 \00 \00 \00 \00")
  (data (i32.const 400) "\ef\bb\bfmark")
  (global $next (mut i32) (i32.const 4096))
  (func (export "__new") (param $bytes i32) (param $class i32) (result i32)
    (local $at i32)
    (local.set $at (i32.add (global.get $next) (i32.const 20)))
    (i32.store (i32.sub (local.get $at) (i32.const 8)) (local.get $class))
    (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $bytes))
    (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $bytes)) (i32.const 7)) (i32.const -8)))
    (local.get $at))
  (func (export "__pin") (param i32) (result i32) (local.get 0))
  (func (export "__unpin") (param i32))
  (func (export "plugin_name") (result i32) (i32.const 20))
  (func (export "plugin_schema") (result i32) (i32.const 0))
  (func (export "http_endpoints") (result i32) (i32.const 128))
  (func (export "handler") (param i32) (result i32) (i32.const 68))
  (func (export "plugin_start") (param i32 i32) (result i32)
    (call $debug (i32.const 400) (i32.const 7))
    (call $debug (i32.const 65535) (i32.const 2))
    (call $debug (i32.const 65536) (i32.const 0))
    (i32.const 0))
  (func (export "plugin_stop") (result i32) (i32.const 0)))
