;; A component in the shape of an HTTP service: it imports and exports what one does, and does nothing.
(component $hello
  (import "wasi:cli/environment@0.2.3" (instance
    (export "get-arguments" (func (result (list string))))))
  (import "wasi:http/types@0.2.3" (instance $types
    (export "incoming-request" (type (sub resource)))
    (export "response-outparam" (type (sub resource)))))
  (alias export $types "incoming-request" (type $request))
  (alias export $types "response-outparam" (type $response))
  (core module $code
    (func (export "handle") (param i32 i32)))
  (core instance $instance (instantiate $code))
  (func $handle (param "request" (own $request)) (param "response-out" (own $response))
    (canon lift (core func $instance "handle")))
  (component $interface
    (import "request" (type $request (sub resource)))
    (import "response" (type $response (sub resource)))
    (import "handle" (func $handle (param "request" (own $request)) (param "response-out" (own $response))))
    (export "incoming-request" (type $request))
    (export "response-outparam" (type $response))
    (export "handle" (func $handle)))
  (instance $handler (instantiate $interface
    (with "request" (type $request))
    (with "response" (type $response))
    (with "handle" (func $handle))))
  (export "wasi:http/incoming-handler@0.2.3" (instance $handler)))
