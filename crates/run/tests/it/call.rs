//! Functions that are called from words.

use std::fmt::Write as _;
use std::io::{self, Cursor, Read};
use std::time::Duration;

use wharf_run::call::{Answer, BytesFrom, Call, Called, Docs, Form, Function, Usage, UsageError, Value, functions};
use wharf_run::{Code, Ended, Error, Outcome, Stop};

use crate::guests;
use crate::setup::Run;

/// A program, and its functions.
struct Program {
    run: Run,
    code: Code,
    functions: Vec<Function>,
}

impl Program {
    fn new(wasm: &[u8]) -> Self {
        let run = Run::new();
        let code = run.runtime.compile(wasm).unwrap();
        let functions = functions(&run.runtime, &code);
        Self { run, code, functions }
    }

    fn parse(&self, words: &str) -> Result<Call, UsageError> {
        Call::parse(&self.functions, &split(words), &mut open)
    }

    async fn call(&self, words: &str) -> Called {
        let call = self.parse(words).unwrap_or_else(|error| panic!("{words}: {error}"));
        wharf_run::call(&self.run.runtime, &self.code, &call, &self.run.invocation).await.unwrap()
    }

    async fn answer(&self, words: &str) -> Answer {
        let called = self.call(words).await;
        called.answer.unwrap_or_else(|| panic!("{words}: {:?}", called.outcome.ended))
    }

    /// Tells what is wrong with words.
    fn wrong(&self, words: &str) -> String {
        self.parse(words).map(|call| panic!("{words}: {call:?}")).unwrap_err().to_string()
    }
}

/// Splits words as a shell does with single quotes.
fn split(words: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (position, part) in words.split('\'').enumerate() {
        match position % 2 {
            0 => all.extend(part.split_whitespace().map(str::to_owned)),
            // What stands before a quote without a space belongs to it.
            _ if words.split('\'').nth(position - 1).is_some_and(|before| before.ends_with('=')) => {
                *all.last_mut().unwrap() += part;
            }
            _ => all.push(part.to_owned()),
        }
    }
    all
}

/// One file, and standard input.
fn open(from: BytesFrom<'_>) -> io::Result<Box<dyn Read>> {
    match from {
        BytesFrom::File("image.png") => Ok(Box::new(Cursor::new(b"\x89PNG"))),
        BytesFrom::File("endless") => Ok(Box::new(io::repeat(0))),
        BytesFrom::File(_) => Err(io::ErrorKind::NotFound.into()),
        BytesFrom::Stdin => Ok(Box::new(Cursor::new(b"from stdin"))),
    }
}

/// Returns what is printed, in one line.
fn printed(answer: &Answer, form: Form) -> String {
    let mut out = Vec::new();
    answer.print(form, &mut out).unwrap();
    match String::from_utf8(out) {
        Ok(text) => text.replace('\n', r"\n").replace('\0', r"\0"),
        Err(error) => error.into_bytes().escape_ascii().to_string(),
    }
}

/// Words for a function of each type, good ones.
const GOOD: &str = r#"
echo-bool true
echo-bool false
echo-s8 -128
echo-u8 255
echo-s16 -32768
echo-u16 65535
echo-s32 -2147483648
echo-u32 4294967295
echo-s64 -9223372036854775808
echo-s64 9007199254740993
echo-u64 18446744073709551615
echo-f32 0.1
echo-f32 nan
echo-f64 0.1
echo-f64 -0.0
echo-f64 -inf
echo-f64 1e300
echo-char ä
echo-char '"'
echo-string hello
echo-string ''
echo-string null
echo-string 'two lines "quoted"'
echo-string --value=--dashes
echo-string -- --dashes
echo-string .
echo-bytes plain
echo-bytes hex:00fF
echo-bytes text:@image.png
echo-bytes @image.png
echo-bytes @-
echo-bytes ''
echo-list 1 2 3
echo-list 1
echo-list [1,2,3]
echo-list []
echo-list --value 1 --value 2
echo-strings one 'two words'
echo-strings '["["]'
echo-lists hex:0102 text
echo-lists [[1,2],[]]
echo-map '{"a":1,"b":2}'
echo-map '[["a",1]]'
echo-map {}
echo-map-of-numbers '{"18446744073709551615":true}'
echo-map-of-numbers [[7,false]]
echo-point '{"x":1,"y":-2}'
echo-point '{"y":-2,"x":1}'
echo-point --value.x 1 --value.y -2
echo-person '{"name":"Ada","age":36,"home":{"x":1,"y":2},"nick":["a","b"]}'
echo-person --value.name Ada --value.home.x 1 --value.home.y=2 --value.nick a --value.nick b
echo-person --value.name Ada --value.age 36 --value.home '{"x":1,"y":2}' --value.nick []
echo-tuple '[1,"a",true]'
echo-shape nothing
echo-shape circle=1.5
echo-shape '{"circle":1.5}'
echo-shape '"nothing"'
echo-shape corners='[{"x":1,"y":2}]'
echo-shape text=a=b
echo-shape maybe
echo-shape maybe=5
echo-shape '{"maybe":null}'
echo-color dark-green
echo-access read,run
echo-access run,read
echo-access '["write"]'
echo-access ''
echo-option
echo-option 5
echo-option null
echo-option --value 5
echo-option-string
echo-option-string null
echo-option-twice
echo-option-twice null
echo-option-twice '{"some":null}'
echo-option-twice '{"some":5}'
echo-option-record
echo-option-record '{"x":1,"y":2}'
echo-option-record --value.x 1 --value.y 2
echo-result ok=5
echo-result 'err=no way'
echo-result '{"ok":5}'
echo-result '{"err":"no"}'
echo-result-empty ok
echo-result-empty err
echo-result-empty '{"err":null}'
echo-results ok=1 err=two
"#;

#[tokio::test]
async fn every_type_is_given_and_printed() {
    let program = Program::new(&guests::echo());
    let mut table = String::new();
    for words in GOOD.lines().filter(|line| !line.is_empty()) {
        let Called { outcome: Outcome { ended, .. }, answer } = program.call(words).await;
        let answer = answer.unwrap();
        let exit = if ended == Ended::Exit(0) { "" } else { "   exit 1" };
        let (plain, json) = (printed(&answer, Form::Plain), printed(&answer, Form::Json));
        let _ = writeln!(table, "{words}\n    {plain}\n    {}{exit}", json.trim_end_matches(r"\n"));
    }
    insta::assert_snapshot!("every_type", table);
}

#[tokio::test]
async fn more_comes_back_than_the_engine_takes_of_its_own_accord() {
    let size = 135_000_000;
    let answer = Program::new(&guests::calc()).answer(&format!("zeros {size}")).await;
    assert!(matches!(&answer, Answer::Ok(Some(Value::String(text))) if text.len() == size));
}

/// Words for a function of each type, wrong ones.
const WRONG: &str = r#"
echo-bool yes
echo-s8 128
echo-u8 -1
echo-u8 1.0
echo-u8 ''
echo-s16 x
echo-u16 65536
echo-s32 0x10
echo-u32 '"5"'
echo-s64 9223372036854775808
echo-u64 18446744073709551616
echo-f32 1e39
echo-f64 infinite
echo-char ab
echo-char ''
echo-bytes hex:0
echo-bytes hex:zz
echo-bytes @missing
echo-bytes @endless
echo-lists @- @-
echo-list
echo-list 1 x
echo-list '[1,"x"]'
echo-list [1,
echo-strings [a]
echo-map 5
echo-map '{"a":"b"}'
echo-map-of-numbers '{"a":true}'
echo-point 5
echo-point '{"x":1}'
echo-point '{"x":1,"y":2,"z":3}'
echo-point '{"x":1,"x":1,"y":2}'
echo-point --value.x 1
echo-point --value.x 1 --value.y 2 --value.yy 3
echo-point --value.x 1 --value.x 2 --value.y 3
echo-point --value.x 1 --value {}
echo-point --value.x.y 1
echo-person '{"name":"Ada","home":{"x":1,"y":"2"},"nick":[]}'
echo-person '{"name":"Ada","home":{"x":1,"y":2},"nick":["a",2]}'
echo-tuple [1,2]
echo-tuple '[1,2,3]'
echo-shape square
echo-shape circel=1
echo-shape circle
echo-shape circle=x
echo-shape nothing=1
echo-shape '{"circle":"x"}'
echo-shape '{"circle":1,"nothing":null}'
echo-color geren
echo-color dark-gren
echo-access read,wirte
echo-option x
echo-option-twice 5
echo-result good
echo-result ok
echo-result ok=x
echo-result-empty ok=1
echo-result '{"ok":"x"}'
echo-future x
echo-stream x
echo-bool
echo-bool true false
echo-bool --valeu true
echo-bool --value
echo-bool --value true --value true
echo-boole true
echo-bool true --value true
"#;

#[test]
fn what_is_no_value_is_wrong_use_and_no_trap() {
    let program = Program::new(&guests::echo());
    let mut table = String::new();
    for words in WRONG.lines().filter(|line| !line.is_empty()) {
        let _ = writeln!(table, "{words}\n    {}", program.wrong(words));
    }
    insta::assert_snapshot!("wrong_values", table);
}

#[tokio::test]
async fn functions_are_found_by_the_fewest_words_and_by_all() {
    let program = Program::new(&guests::calc());
    let five = Answer::Ok(Some(Value::S32(5)));
    let calls = [
        "math add 2 3",
        "acme:calc/math add 2 3",
        "acme:calc/math@1.0.0 add 2 3",
        "acme:calc/math@1.0.0#add 2 3",
        "math#add 2 3",
        "math add --b 3 2",
        "math add --b=3 --a=2",
        "sum 2 3",
        "sum 1 1 1 1 1",
        "sum 5 []",
    ];
    for words in calls {
        assert_eq!(program.answer(words).await, five, "{words}");
    }
    assert_eq!(program.answer("beep").await, Answer::Ok(None));
    assert_eq!(program.answer("words add ab cde").await, Answer::Ok(Some(Value::U32(5))));
    assert_eq!(program.answer("words add ab").await, Answer::Ok(Some(Value::U32(2))));
}

#[test]
fn names_that_lead_nowhere_say_what_is_near() {
    let program = Program::new(&guests::calc());
    let table = [
        ("", "no function is named"),
        ("add 1 2", "`add` is of several interfaces: acme:calc/math@1.0.0, acme:calc/words@1.0.0"),
        ("math", "`math` is no function: it has several"),
        ("counter", "`counter` is no function: it has several"),
        ("math counter", "`math counter` is no function: it has several"),
        ("math ad", "there is no function `math ad`; did you mean `add`?"),
        ("mth add", "there is no function `mth`; did you mean `math`?"),
        ("counter nwe", "there is no function `counter nwe`; did you mean `new`?"),
        ("frobnicate", "there is no function `frobnicate`"),
        ("counter get", "`get` is a method of `counter`, and there is none yet"),
        ("counter new 1 . gte", "there is no function `counter gte`; did you mean `get`?"),
        ("counter new 1 .", "`counter` is no function: it has several"),
        ("counter new 1 . absorb x", "the argument `other` is a resource, which cannot be given"),
        ("math add 1 .", "the argument `b` is to be a whole number from -2147483648 to 2147483647, and not `.`"),
    ];
    for (words, expected) in table {
        assert_eq!(program.wrong(words), expected, "{words}");
    }
}

#[tokio::test]
async fn a_resource_is_made_and_its_methods_follow() {
    let program = Program::new(&guests::calc());
    let table = [
        ("counter new 5 . increment 2 . get", Value::S32(7)),
        ("counter new 5 . increment --by 2 . increment . get", Value::S32(8)),
        ("math counter new 5 . get", Value::S32(5)),
        ("counter checked 5 . increment", Value::S32(6)),
        ("counter new 5", Value::Handle("<resource counter>".to_owned())),
    ];
    for (words, expected) in table {
        assert_eq!(program.answer(words).await, Answer::Ok(Some(expected)), "{words}");
    }
    let called = program.call("counter checked -1 . get").await;
    assert_eq!(called.outcome.ended, Ended::Exit(1));
    assert_eq!(called.answer, Some(Answer::Err(Some(Value::String("below 0".to_owned())))));
}

#[tokio::test]
async fn resources_are_dropped_after_the_last_method() {
    let called = Program::new(&guests::calc()).call("counter new -1 . get").await;
    let Ended::Trap(trap) = called.outcome.ended else { panic!("{called:?}") };
    assert_eq!(trap.frames[0].function, "drop-counter");
}

#[tokio::test]
async fn the_bad_end_of_a_result_is_exit_code_1() {
    let program = Program::new(&guests::calc());
    let good = program.call("divide 7 2").await;
    assert_eq!((good.outcome.ended, printed(&good.answer.unwrap(), Form::Plain).as_str()), (Ended::Exit(0), r"3\n"));
    let bad = program.call("divide 7 0").await;
    assert_eq!(
        (bad.outcome.ended, printed(&bad.answer.unwrap(), Form::Plain).as_str()),
        (Ended::Exit(1), r"by zero\n")
    );
}

#[tokio::test]
async fn a_trap_names_the_functions_that_ran() {
    let called = Program::new(&guests::calc()).call("quotient 1 0").await;
    let Ended::Trap(trap) = &called.outcome.ended else { panic!("{called:?}") };
    assert_eq!(trap.message, "integer divide by zero");
    let names: Vec<&str> = trap.frames.iter().map(|frame| frame.function.as_str()).collect();
    assert_eq!((names.as_slice(), called.answer), (&["unchecked", "quotient"][..], None));
}

#[tokio::test]
async fn a_call_is_stopped_in_time() {
    let mut program = Program::new(&guests::calc());
    let time = Duration::from_millis(50);
    program.run.invocation.limits.time = Some(time);
    let called = program.call("forever").await;
    assert_eq!((called.outcome.ended, called.answer), (Ended::Stopped(Stop::Time(time)), None));
}

/// A library of numbers.
const NUMBERS: &str = r#"(module
    (global $start (mut i32) (i32.const 0))
    (func (export "_initialize") (global.set $start (i32.const 40)))
    (func (export "add") (param i32 i32) (result i32)
        (i32.add (global.get $start) (i32.add (local.get 0) (local.get 1))))
    (func (export "all") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
        (local.get 3) (local.get 2) (local.get 1) (local.get 0))
    (func (export "reference") (param funcref)))"#;

#[tokio::test]
async fn functions_of_core_modules_take_and_return_numbers() {
    let program = Program::new(&wat::parse_str(NUMBERS).unwrap());
    assert_eq!(program.answer("add 1 1").await, Answer::Ok(Some(Value::S32(42))));
    assert_eq!(program.answer("add --arg2 3 --arg1 -1").await, Answer::Ok(Some(Value::S32(42))));
    let all = program.answer("all -1 9223372036854775807 0.1 -inf").await;
    assert_eq!(printed(&all, Form::Plain), r#"["-inf",0.1,9223372036854775807,-1]\n"#);
    assert_eq!(program.wrong("reference 1"), "there is no function `reference`");
    assert_eq!(
        program.wrong("add 1 x"),
        "the argument `arg2` is to be a whole number from -2147483648 to 2147483647, and not `x`"
    );
}

#[tokio::test]
async fn a_call_for_another_program_does_not_start() {
    let (calc, echo) = (Program::new(&guests::calc()), Program::new(&guests::echo()));
    let call = calc.parse("math add 1 2").unwrap();
    let error = wharf_run::call(&echo.run.runtime, &echo.code, &call, &echo.run.invocation).await.unwrap_err();
    assert!(matches!(&error, Error::NoExport { name } if name == "acme:calc/math@1.0.0#add"), "{error:?}");
}

/// A component with a function that takes a list of a type, and one that returns it.
fn with_type(types: &str, last: &str) -> Vec<u8> {
    let guest = format!(
        r#"(component {types}
            (core module $m
                (memory (export "memory") 1)
                (func (export "take") (param i32 i32))
                (func (export "give") (result i32) unreachable)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32) unreachable))
            (core instance $i (instantiate $m))
            (alias core export $i "memory" (core memory $memory))
            (alias core export $i "realloc" (core func $realloc))
            (func (export "take") (param "value" (list {last}))
                (canon lift (core func $i "take") (memory $memory) (realloc $realloc)))
            (func (export "give") (result {last})
                (canon lift (core func $i "give") (memory $memory) (realloc $realloc))))"#
    );
    wat::parse_str(&guest).unwrap()
}

#[test]
fn a_type_that_is_large_beyond_measure_is_read_no_further() {
    let doubled: String = (1..17).map(|level| format!("(type $t{level} (tuple $t{0} $t{0}))", level - 1)).collect();
    let nested: String = (1..90).map(|level| format!("(type $t{level} (list $t{}))", level - 1)).collect();
    let cases: String = (0..5_000).map(|case| format!("\"c{case}\" ")).collect();
    let table = [
        (format!("(type $t0 (tuple u8)) {doubled}"), "$t16"),
        (format!("(type $t0 (list u16)) {nested}"), "$t89"),
        (format!("(type $cases (enum {cases})) (export $t0 \"cases\" (type $cases))"), "$t0"),
    ];
    for (types, last) in table {
        let program = Program::new(&with_type(&types, last));
        let text = program.functions.iter().map(|function| format!("{function:?}")).collect::<String>();
        assert!(text.len() < 1_000_000, "{}", text.len());
        assert_eq!(program.wrong("give"), "the result of `give` is of too large a type");
        assert!(!program.wrong(&format!("take {}1{}", "[".repeat(91), "]".repeat(91))).is_empty());
        assert!(!program.wrong(&format!("take {}", "[".repeat(100_000))).is_empty());
    }
}

#[test]
fn usage_tells_what_there_is_and_how_to_write_it() {
    let docs = Docs::from([
        ("acme:calc/math@1.0.0#add".to_owned(), "Adds two numbers.\n\nIt wraps around.".to_owned()),
        ("beep".to_owned(), "Makes a sound.".to_owned()),
    ]);
    let (calc, echo) = (Program::new(&guests::calc()), Program::new(&guests::echo()));
    let mut text = String::new();
    for (program, words) in [
        (&calc, vec![]),
        (&calc, vec!["counter"]),
        (&calc, vec!["math", "add"]),
        (&calc, vec!["sum"]),
        (&calc, vec!["counter", "increment"]),
        (&calc, vec!["words", "add", "1"]),
        (&echo, vec!["echo-person"]),
        (&echo, vec!["echo-shape"]),
        (&echo, vec!["echo-bytes"]),
        (&echo, vec!["echo-option-record"]),
        (&echo, vec!["echo-stream"]),
    ] {
        let usage = Usage { program: "wharf run calc.wasm", functions: &program.functions, docs: &docs };
        let _ = writeln!(text, "--- {}\n{}", words.join(" "), usage.text(&words));
    }
    insta::assert_snapshot!("usage", text);
}

#[test]
fn every_example_of_the_usage_is_a_call() {
    let mut without: Vec<String> = Vec::new();
    for wasm in [guests::calc(), guests::echo()] {
        let program = Program::new(&wasm);
        for function in &program.functions {
            let usage = Usage { program: "run", functions: &program.functions, docs: &Docs::new() };
            let words: Vec<String> = function.path().split(' ').map(str::to_owned).collect();
            let text = usage.text(&words);
            let Some(example) = text.lines().find_map(|line| line.strip_prefix("Example: run ")) else {
                without.push(function.name().to_owned());
                continue;
            };
            let example = example.replace("@FILE", "@image.png");
            assert!(program.parse(&example).is_ok(), "{example}: {:?}", program.parse(&example));
        }
    }
    assert_eq!(without, ["absorb", "echo-future", "echo-stream"]);
}
