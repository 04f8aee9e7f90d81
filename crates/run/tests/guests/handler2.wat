;; Answers requests by WASI 0.2. What it does is said by the first letter of the path: `a` answers, `d` sends a request to
;; another host and then answers, `f` gives an error for an answer, `l` computes for ever, `n` ends without an answer, `t`
;; traps, and `w` waits for ever.
(module
  (import "wasi:clocks/monotonic-clock@0.2.3" "subscribe-duration" (func $after (param i64) (result i32)))
  (import "wasi:io/poll@0.2.3" "[method]pollable.block" (func $block (param i32)))
  (import "wasi:http/types@0.2.3" "[constructor]fields" (func $fields (result i32)))
  (import "wasi:http/types@0.2.3" "[method]incoming-request.path-with-query" (func $path (param i32 i32)))
  (import "wasi:http/types@0.2.3" "[constructor]outgoing-response" (func $response (param i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[static]response-outparam.set" (func $set (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.3" "[constructor]outgoing-request" (func $request (param i32) (result i32)))
  (import "wasi:http/types@0.2.3" "[method]outgoing-request.set-authority" (func $set-authority (param i32 i32 i32 i32) (result i32)))
  (import "wasi:http/outgoing-handler@0.2.3" "handle" (func $handle (param i32 i32 i32 i32)))
  (import "wasi:http/types@0.2.3" "[method]future-incoming-response.subscribe" (func $subscribe (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (data (i32.const 1024) "other.example")

  (func $ask (local $asked i32)
    (local.set $asked (call $request (call $fields)))
    (drop (call $set-authority (local.get $asked) (i32.const 1) (i32.const 1024) (i32.const 13)))
    (call $handle (local.get $asked) (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0)))
      (then (call $block (call $subscribe (i32.load (i32.const 8)))))))

  (func $secret unreachable)

  (func (export "wasi:http/incoming-handler@0.2.3#handle") (param $asked i32) (param $out i32) (local $letter i32)
    (call $path (local.get $asked) (i32.const 0))
    (local.set $letter (i32.load8_u (i32.add (i32.load (i32.const 4)) (i32.const 1))))
    (if (i32.eq (local.get $letter) (i32.const 0x64)) (then (call $ask)))
    (if (i32.eq (local.get $letter) (i32.const 0x66))
      (then
        ;; `internal-error`, without a word.
        (call $set (local.get $out) (i32.const 1) (i32.const 38) (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0))
        (return)))
    (if (i32.eq (local.get $letter) (i32.const 0x6c)) (then (loop (br 0))))
    (if (i32.eq (local.get $letter) (i32.const 0x6e)) (then (return)))
    (if (i32.eq (local.get $letter) (i32.const 0x74)) (then (call $secret)))
    (if (i32.eq (local.get $letter) (i32.const 0x77)) (then (call $block (call $after (i64.const -1)))))
    (call $set (local.get $out) (i32.const 0) (call $response (call $fields)) (i32.const 0) (i64.const 0) (i32.const 0)
      (i32.const 0) (i32.const 0) (i32.const 0))))
