;; Works on files in its first folder, by WASI 0.1. It ends with 0, or with the number of the error. Text is at 1024 and 2048.
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ-sizes (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_open" (func $path-open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_create_directory" (func $path-create-directory (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_unlink_file" (func $path-unlink-file (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_symlink" (func $path-symlink (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_link" (func $path-link (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_rename" (func $path-rename (param i32 i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_set_times"
    (func $path-set-times (param i32 i32 i32 i32 i64 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd-read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd-write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_filestat_set_size" (func $fd-set-size (param i32 i64) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "FIRST")
  (data (i32.const 2048) "SECOND")

  ;; Ends where there is an error.
  (func $check (param $error i32)
    (if (local.get $error) (then (call $exit (local.get $error)) (unreachable))))

  (func $count
    (call $check (call $environ-sizes (i32.const 0) (i32.const 4)))
    (call $exit (i32.load (i32.const 0))))

  ;; Links at the end of the path are followed.
  (func $open (param $length i32) (param $flags i32) (param $rights i64) (result i32)
    (call $check (call $path-open (i32.const 3) (i32.const 1) (i32.const 1024) (local.get $length) (local.get $flags)
      (local.get $rights) (local.get $rights) (i32.const 0) (i32.const 0)))
    (i32.load (i32.const 0)))

  ;; Prints the start of a file.
  (func $read (param $length i32) (local $file i32)
    (local.set $file (call $open (local.get $length) (i32.const 0) (i64.const 2)))
    (i32.store (i32.const 8) (i32.const 4096))
    (i32.store (i32.const 12) (i32.const 64))
    (call $check (call $fd-read (local.get $file) (i32.const 8) (i32.const 1) (i32.const 12)))
    (call $check (call $fd-write (i32.const 1) (i32.const 8) (i32.const 1) (i32.const 16))))

  ;; Makes a file where there is none, and writes the other text into it.
  (func $write (param $length i32) (param $other i32) (local $file i32)
    (local.set $file (call $open (local.get $length) (i32.const 1) (i64.const 64)))
    (i32.store (i32.const 8) (i32.const 2048))
    (i32.store (i32.const 12) (local.get $other))
    (call $check (call $fd-write (local.get $file) (i32.const 8) (i32.const 1) (i32.const 16))))

  ;; Opens a file to read it, and then does not only read it.
  (func $cut (param $length i32)
    (call $check (call $fd-set-size (call $open (local.get $length) (i32.const 0) (i64.const 2)) (i64.const 0))))

  (func $empty (param $length i32)
    (drop (call $open (local.get $length) (i32.const 8) (i64.const 64))))

  (func $touch (param $length i32)
    (call $check (call $path-set-times (i32.const 3) (i32.const 1) (i32.const 1024) (local.get $length) (i64.const 0)
      (i64.const 0) (i32.const 5))))

  (func $mkdir (param $length i32)
    (call $check (call $path-create-directory (i32.const 3) (i32.const 1024) (local.get $length))))

  ;; Opens a folder below, and makes one in it.
  (func $below (param $length i32) (param $other i32)
    (call $check (call $path-create-directory (call $open (local.get $length) (i32.const 2) (i64.const 0x2204))
      (i32.const 2048) (local.get $other))))

  (func $unlink (param $length i32)
    (call $check (call $path-unlink-file (i32.const 3) (i32.const 1024) (local.get $length))))

  (func $symlink (param $length i32) (param $other i32)
    (call $check (call $path-symlink (i32.const 1024) (local.get $length) (i32.const 3) (i32.const 2048) (local.get $other))))

  (func $link (param $length i32) (param $other i32)
    (call $check (call $path-link (i32.const 3) (i32.const 0) (i32.const 1024) (local.get $length) (i32.const 3)
      (i32.const 2048) (local.get $other))))

  (func $rename (param $length i32) (param $other i32)
    (call $check (call $path-rename (i32.const 3) (i32.const 1024) (local.get $length) (i32.const 3) (i32.const 2048)
      (local.get $other))))

  (func (export "_start")
    RUN))
