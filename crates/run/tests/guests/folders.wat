;; Opens a file in its first folder, by WASI 0.2 or 0.3. It ends with 0, with 99 where it has no folder, or with 100 and the
;; code of the error. Or it ends with the number of variables in its environment.
(module
  (import "wasi:cli/exit@VERSION" "exit-with-code" (func $exit (param i32)))
  (import "wasi:cli/environment@VERSION" "get-environment" (func $environment (param i32)))
  (import "wasi:filesystem/preopens@VERSION" "get-directories" (func $folders (param i32)))
  (import "wasi:filesystem/types@VERSION" "[method]descriptor.open-at" (func $open-at (param i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (data (i32.const 1024) "PATH")

  (func $count
    (call $environment (i32.const 0))
    (call $exit (i32.load (i32.const 4))))

  ;; Follows links at the end of the path too.
  (func $open (param $length i32) (param $open i32) (param $flags i32)
    (call $folders (i32.const 0))
    (if (i32.eqz (i32.load (i32.const 4))) (then (call $exit (i32.const 99)) (unreachable)))
    (call $open-at (i32.load (i32.load (i32.const 0))) (i32.const 1) (i32.const 1024) (local.get $length) (local.get $open)
      (local.get $flags) (i32.const 0))
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.add (i32.const 100) (i32.load8_u (i32.const 4)))) (unreachable))))

  (func (export "wasi:cli/run@VERSION#run") (result i32)
    RUN
    (i32.const 0)))
