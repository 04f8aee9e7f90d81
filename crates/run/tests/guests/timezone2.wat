;; Ends with 0 where it is in UTC, by WASI 0.2.
(module
  (import "wasi:cli/exit@0.2.3" "exit-with-code" (func $exit (param i32)))
  (import "wasi:clocks/timezone@0.2.3" "display" (func $display (param i64 i32 i32)))
  (import "wasi:clocks/timezone@0.2.3" "utc-offset" (func $offset (param i64 i32) (result i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))

  (func (export "wasi:cli/run@0.2.3#run") (result i32)
    (call $display (i64.const 1) (i32.const 2) (i32.const 0))
    (call $exit (i32.or
      (i32.or (call $offset (i64.const 1) (i32.const 2)) (i32.load (i32.const 0)))
      (i32.or
        (i32.load8_u (i32.const 12))
        (i32.or (i32.ne (i32.load (i32.const 8)) (i32.const 3))
          ;; "UTC"
          (i32.ne (i32.and (i32.load (i32.load (i32.const 4))) (i32.const 0xffffff)) (i32.const 0x435455))))))
    (unreachable)))
