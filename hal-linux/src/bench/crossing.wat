;; `poll` does nothing; `plugin_stop` calls an import that does nothing a thousand times.
(module
  (import "env" "sk_has_capability" (func $capability (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "network")
  (func (export "plugin_id") (param i32 i32) (result i32) (i32.const 0))
  (func (export "allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "poll") (result i32) (i32.const 0))
  (func (export "plugin_stop") (result i32)
    (local $left i32)
    (local.set $left (i32.const 1000))
    (loop $again
      (drop (call $capability (i32.const 8) (i32.const 7)))
      (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (i32.const 0)))
