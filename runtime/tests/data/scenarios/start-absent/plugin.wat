;; A plugin without plugin_start.
(module
  (memory (export "memory") 4)
  (data (i32.const 1024) "x")
  (data (i32.const 1040) "no start")
  (global $next (mut i32) (i32.const 131072))
  ;; A bump allocator that takes back what was given last.
  (func (export "allocate") (param $bytes i32) (result i32)
    (global.set $next (i32.add (global.get $next) (local.get $bytes)))
    (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
      (then (drop (memory.grow (i32.const 8)))))
    (i32.sub (global.get $next) (local.get $bytes)))
  (func (export "deallocate") (param $at i32) (param $bytes i32)
    (global.set $next (i32.sub (global.get $next) (local.get $bytes))))
  ;; Puts as much of a text down as there is room for.
  (func $say (param $out i32) (param $max i32) (param $at i32) (param $bytes i32) (result i32)
    (if (i32.gt_u (local.get $bytes) (local.get $max)) (then (local.set $bytes (local.get $max))))
    (memory.copy (local.get $out) (local.get $at) (local.get $bytes))
    (local.get $bytes))
  (func (export "plugin_id") (param $out i32) (param $max i32) (result i32)
    (call $say (local.get $out) (local.get $max) (i32.const 1024) (i32.const 1)))
  (func (export "plugin_name") (param $out i32) (param $max i32) (result i32)
    (call $say (local.get $out) (local.get $max) (i32.const 1040) (i32.const 8)))
  (func (export "plugin_stop") (result i32) (i32.const 0)))
