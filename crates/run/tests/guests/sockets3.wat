;; Sockets of WASI 0.3. It ends with 100 and the code of the error that it got, or with 0. Text is at 1024, results are at 0.
(module
  (import "wasi:cli/exit@0.3.0" "exit-with-code" (func $exit (param i32)))
  (import "wasi:sockets/ip-name-lookup@0.3.0" "resolve-addresses" (func $resolve (param i32 i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[static]tcp-socket.create" (func $create-tcp (param i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[method]tcp-socket.bind" (func $bind (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[method]tcp-socket.listen" (func $start-listen (param i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[method]tcp-socket.connect" (func $start-connect (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[static]udp-socket.create" (func $create-udp (param i32 i32)))
  (import "wasi:sockets/types@0.3.0" "[method]udp-socket.send" (func $send (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))
  (memory (export "memory") 1)
  (global $free (mut i32) (i32.const 4096))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.set $free (i32.and (i32.add (global.get $free) (i32.const 7)) (i32.const -8)))
    (global.get $free)
    (global.set $free (i32.add (global.get $free) (local.get 3))))
  (data (i32.const 1024) "TEXT")

  ;; Ends where the result at 0 is an error.
  (func $check
    (if (i32.load8_u (i32.const 0))
      (then (call $exit (i32.add (i32.const 100) (i32.load8_u (i32.const 4)))) (unreachable))))

  (func $tcp (param $family i32) (result i32)
    (call $create-tcp (local.get $family) (i32.const 0))
    (call $check)
    (i32.load (i32.const 4)))

  (func $connect (param $a0 i32) (param $a1 i32) (param $a2 i32) (param $a3 i32) (param $a4 i32) (param $a5 i32) (param $a6 i32) (param $a7 i32) (param $a8 i32) (param $a9 i32) (param $a10 i32) (param $a11 i32)
    (call $start-connect (call $tcp (local.get $a0)) (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4) (local.get $a5) (local.get $a6) (local.get $a7) (local.get $a8) (local.get $a9) (local.get $a10) (local.get $a11) (i32.const 0))
    (call $check))

  (func $listen (param $a0 i32) (param $a1 i32) (param $a2 i32) (param $a3 i32) (param $a4 i32) (param $a5 i32) (param $a6 i32) (param $a7 i32) (param $a8 i32) (param $a9 i32) (param $a10 i32) (param $a11 i32) (local $socket i32)
    (local.set $socket (call $tcp (local.get $a0)))
    (call $bind (local.get $socket) (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4) (local.get $a5) (local.get $a6) (local.get $a7) (local.get $a8) (local.get $a9) (local.get $a10) (local.get $a11) (i32.const 0))
    (call $check)
    (call $start-listen (local.get $socket) (i32.const 0))
    (call $check))

  ;; Sends the text in a datagram.
  (func $datagram (param $a0 i32) (param $a1 i32) (param $a2 i32) (param $a3 i32) (param $a4 i32) (param $a5 i32) (param $a6 i32) (param $a7 i32) (param $a8 i32) (param $a9 i32) (param $a10 i32) (param $a11 i32)
    (call $create-udp (local.get $a0) (i32.const 0))
    (call $check)
    (i32.store (i32.const 64) (i32.load (i32.const 4)))
    (i32.store (i32.const 68) (i32.const 1024))
    (i32.store (i32.const 72) (i32.const 4))
    (i32.store8 (i32.const 76) (i32.const 1))
    (i32.store8 (i32.const 80) (local.get $a0))
    (i32.store16 (i32.const 84) (local.get $a1))
    (i32.store8 (i32.const 86) (local.get $a2))
    (i32.store8 (i32.const 87) (local.get $a3))
    (i32.store8 (i32.const 88) (local.get $a4))
    (i32.store8 (i32.const 89) (local.get $a5))
    (call $send (i32.load (i32.const 4)) (i32.const 1024) (i32.const 4) (i32.const 1) (local.get $a0) (local.get $a1) (local.get $a2) (local.get $a3) (local.get $a4) (local.get $a5) (local.get $a6) (local.get $a7) (local.get $a8) (local.get $a9) (local.get $a10) (local.get $a11) (i32.const 0))
    (call $check))

  ;; Looks the text up.
  (func $lookup (param $length i32)
    (call $resolve (i32.const 1024) (local.get $length) (i32.const 0))
    (call $check))

  (func (export "wasi:cli/run@0.3.0#run") (result i32)
    RUN
    (i32.const 0)))
