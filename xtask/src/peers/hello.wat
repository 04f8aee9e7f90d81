;; The component that the checks move: it imports one interface and exports another.
(component
  (import "acme:hello/clock@1.0.0" (instance (export "now" (func (result u64)))))
  (core module $module
    (func (export "answer") (result i32) i32.const 42))
  (core instance $instance (instantiate $module))
  (func $answer (result u32) (canon lift (core func $instance "answer")))
  (instance $answers (export "answer" (func $answer)))
  (export "acme:hello/answers@1.0.0" (instance $answers)))
