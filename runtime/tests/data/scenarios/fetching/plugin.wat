;; A plugin that fetches wherever it is called: four times in plugin_start, and in poll, the delta handler, an HTTP
;; handler and a PUT handler. Its status is the body it got.
(module
  (import "env" "sk_set_status" (func $status (param i32 i32)))
  (import "env" "sk_register_put_handler" (func $put (param i32 i32 i32 i32) (result i32)))
  (import "as-fetch" "_initAsyncify" (func $init (param i32 i32)))
  (import "as-fetch" "_fetchGETSync" (func $get (param i32 i32 i32) (result i32)))
  (import "as-fetch" "_fetchPOSTSync" (func $post (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 4)
  ;; "http://sea.example/tide"
  (data (i32.const 1024) "\02\00\00\00\2e\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00t\00i\00d\00e\00")
  ;; "http://sea.example/wind"
  (data (i32.const 1088) "\02\00\00\00\2e\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00w\00i\00n\00d\00")
  ;; "http://sea.example/missing"
  (data (i32.const 1152) "\02\00\00\00\34\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00m\00i\00s\00s\00i\00n\00g\00")
  ;; "http://sea.example/empty"
  (data (i32.const 1216) "\02\00\00\00\30\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00e\00m\00p\00t\00y\00")
  ;; "http://sea.example/gr\u00f6\u00dfe"
  (data (i32.const 1280) "\02\00\00\00\30\00\00\00h\00t\00t\00p\00:\00/\00/\00s\00e\00a\00.\00e\00x\00a\00m\00p\00l\00e\00/\00g\00r\00\f6\00\df\00e\00")
  ;; "http://refused.example/"
  (data (i32.const 1344) "\02\00\00\00\2e\00\00\00h\00t\00t\00p\00:\00/\00/\00r\00e\00f\00u\00s\00e\00d\00.\00e\00x\00a\00m\00p\00l\00e\00/\00")
  ;; "no address"
  (data (i32.const 1408) "\02\00\00\00\14\00\00\00n\00o\00 \00a\00d\00d\00r\00e\00s\00s\00")
  ;; "[{\"method\":\"GET\",\"path\":\"/x\",\"handler\":\"x\"}]"
  (data (i32.const 1440) "\02\00\00\00\58\00\00\00[\00{\00\"\00m\00e\00t\00h\00o\00d\00\"\00:\00\"\00G\00E\00T\00\"\00,\00\"\00p\00a\00t\00h\00\"\00:\00\"\00/\00x\00\"\00,\00\"\00h\00a\00n\00d\00l\00e\00r\00\"\00:\00\"\00x\00\"\00}\00]\00")
  ;; "{\"body\":\"fetched\"}"
  (data (i32.const 1536) "\02\00\00\00\24\00\00\00{\00\"\00b\00o\00d\00y\00\"\00:\00\"\00f\00e\00t\00c\00h\00e\00d\00\"\00}\00")
  ;; "{\"state\":\"COMPLETED\",\"statusCode\":200}"
  (data (i32.const 1584) "\02\00\00\00\4c\00\00\00{\00\"\00s\00t\00a\00t\00e\00\"\00:\00\"\00C\00O\00M\00P\00L\00E\00T\00E\00D\00\"\00,\00\"\00s\00t\00a\00t\00u\00s\00C\00o\00d\00e\00\"\00:\002\000\000\00}\00")
  (data (i32.const 1680) "vessels.self")
  (data (i32.const 1696) "a")
  (global $next (mut i32) (i32.const 131072))
  (func (export "__new") (param $bytes i32) (param $class i32) (result i32)
    (local $at i32)
    (local.set $at (i32.add (global.get $next) (i32.const 20)))
    (i32.store (i32.sub (local.get $at) (i32.const 8)) (local.get $class))
    (i32.store (i32.sub (local.get $at) (i32.const 4)) (local.get $bytes))
    (global.set $next (i32.and (i32.add (i32.add (local.get $at) (local.get $bytes)) (i32.const 7)) (i32.const -8)))
    (local.get $at))
  (func (export "__pin") (param i32) (result i32) (local.get 0))
  (func (export "__unpin") (param i32))
  (func $show (param $body i32)
    (call $status (local.get $body) (i32.load (i32.sub (local.get $body) (i32.const 4)))))
  (func $fetch (param $url i32) (call $show (call $get (local.get $url) (i32.const 1) (i32.const 0))))
  (func (export "plugin_name") (result i32) (i32.const 0))
  (func (export "plugin_schema") (result i32) (i32.const 0))
  (func (export "plugin_stop") (result i32) (i32.const 0))
  (func (export "http_endpoints") (result i32) (i32.const 1448))
  (func (export "plugin_start") (param i32 i32) (result i32)
    (drop (call $put (i32.const 1680) (i32.const 12) (i32.const 1696) (i32.const 1)))
    (call $init (i32.const 16) (i32.const 512))
    (call $fetch (i32.const 1032))
    (call $fetch (i32.const 1096))
    (call $fetch (i32.const 1160))
    (call $fetch (i32.const 1288))
    (i32.const 0))
  ;; An address nobody answers at, none at all, an empty body.
  (func (export "poll") (result i32)
    (call $fetch (i32.const 1352))
    (call $fetch (i32.const 1416))
    (call $fetch (i32.const 1224))
    (i32.const 0))
  (func (export "delta_handler") (param i32)
    (call $show (call $post (i32.const 1032) (i32.const 1) (i32.const 0) (i32.const 0))))
  (func (export "x") (param i32 i32) (result i32) (call $fetch (i32.const 1096)) (i32.const 1544))
  (func (export "handle_put_vessels_self_a") (param i32) (result i32) (call $fetch (i32.const 1032)) (i32.const 1592)))
