//! Words and values of any type, without an engine.

use std::io::{self, Read};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, subsequence};

use super::bytes::Bytes;
use super::print::text;
use super::{
    Answer, BytesFrom, Call, Case, Docs, Field, Form, Function, FunctionKind, Parameter, Resource, Type, Usage, Value,
    json, parse,
};

fn no_files(_: BytesFrom<'_>) -> io::Result<Box<dyn Read>> {
    Err(io::ErrorKind::NotFound.into())
}

/// A type that values can be written of.
fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        scalar(),
        Just(Type::F32),
        Just(Type::F64),
        Just(Type::List(Box::new(Type::U8))),
        Just(Type::Enum(vec!["red".to_owned(), "null".to_owned(), "ok".to_owned()])),
        Just(Type::Flags(vec!["read".to_owned(), "write".to_owned(), "run".to_owned()])),
        Just(Type::Result { ok: None, err: None }),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        prop_oneof![
            boxed.clone().prop_map(Type::List),
            boxed.clone().prop_map(Type::Option),
            (boxed.clone(), 1..3_u32).prop_map(|(element, length)| Type::FixedList { element, length }),
            (scalar().prop_map(Box::new), boxed.clone()).prop_map(|(key, value)| Type::Map { key, value }),
            vec(inner.clone(), 1..3).prop_map(Type::Tuple),
            vec(inner.clone(), 1..3).prop_map(|types| {
                let field = |(position, ty)| Field { name: format!("f{position}"), ty };
                Type::Record(types.into_iter().enumerate().map(field).collect())
            }),
            vec(proptest::option::of(inner), 1..3).prop_map(|types| {
                let case = |(position, ty): (usize, _)| Case { name: ["null", "b", "c"][position].to_owned(), ty };
                Type::Variant(types.into_iter().enumerate().map(case).collect())
            }),
            (proptest::option::of(boxed.clone()), proptest::option::of(boxed))
                .prop_map(|(ok, err)| Type::Result { ok, err }),
        ]
    })
}

/// A type that may be a key of a map.
fn scalar() -> impl Strategy<Value = Type> {
    proptest::sample::select(vec![
        Type::Bool,
        Type::S8,
        Type::U8,
        Type::S16,
        Type::U16,
        Type::S32,
        Type::U32,
        Type::S64,
        Type::U64,
        Type::Char,
        Type::String,
    ])
}

/// A value of a type.
fn value(ty: &Type) -> BoxedStrategy<Value> {
    let boxed = |ty: &Type| value(ty).prop_map(Box::new);
    let maybe = move |ty: &Option<Box<Type>>| match ty {
        Some(ty) => boxed(ty).prop_map(Some).boxed(),
        None => Just(None).boxed(),
    };
    match ty {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::S8 => any::<i8>().prop_map(Value::S8).boxed(),
        Type::U8 => any::<u8>().prop_map(Value::U8).boxed(),
        Type::S16 => any::<i16>().prop_map(Value::S16).boxed(),
        Type::U16 => any::<u16>().prop_map(Value::U16).boxed(),
        Type::S32 => any::<i32>().prop_map(Value::S32).boxed(),
        Type::U32 => any::<u32>().prop_map(Value::U32).boxed(),
        Type::S64 => any::<i64>().prop_map(Value::S64).boxed(),
        Type::U64 => any::<u64>().prop_map(Value::U64).boxed(),
        // All but what is no number, which is not equal to itself.
        Type::F32 => any::<u32>().prop_map(f32::from_bits).prop_filter_map("nan", number).boxed(),
        Type::F64 => any::<u64>().prop_map(f64::from_bits).prop_filter_map("nan", number64).boxed(),
        Type::Char => any::<char>().prop_map(Value::Char).boxed(),
        Type::String => prop_oneof![any::<String>(), "[\\[{\"@null]{1,4}"].prop_map(Value::String).boxed(),
        Type::List(_) if ty.is_bytes() => vec(any::<u8>(), 0..4).prop_map(Value::Bytes).boxed(),
        Type::List(element) => vec(value(element), 0..3).prop_map(Value::List).boxed(),
        Type::FixedList { element, length } => {
            let length = usize::try_from(*length).unwrap();
            vec(value(element), length..=length).prop_map(Value::List).boxed()
        }
        Type::Map { key, value: of } => vec((value(key), value(of)), 0..3).prop_map(Value::Map).boxed(),
        Type::Record(fields) => {
            let values: Vec<_> = fields.iter().map(|field| (Just(field.name.clone()), value(&field.ty))).collect();
            values.prop_map(Value::Record).boxed()
        }
        Type::Tuple(types) => types.iter().map(value).collect::<Vec<_>>().prop_map(Value::Tuple).boxed(),
        Type::Enum(names) => proptest::sample::select(names.clone()).prop_map(Value::Enum).boxed(),
        Type::Flags(names) => subsequence(names.clone(), 0..=names.len()).prop_map(Value::Flags).boxed(),
        Type::Option(inner) => proptest::option::of(boxed(inner)).prop_map(Value::Option).boxed(),
        Type::Variant(cases) => {
            let cases = cases.clone();
            let case = move |index: Index| {
                let Case { name, ty } = index.get(&cases);
                (Just(name.clone()), maybe(&ty.clone().map(Box::new)))
            };
            any::<Index>().prop_flat_map(case).prop_map(|(name, payload)| Value::Variant(name, payload)).boxed()
        }
        Type::Result { ok, err } => {
            let (ok, err) = (maybe(ok), maybe(err));
            prop_oneof![ok.prop_map(|ok| Value::Result(Ok(ok))), err.prop_map(|err| Value::Result(Err(err)))].boxed()
        }
        _ => unreachable!("no value can be written of it"),
    }
}

fn number(value: f32) -> Option<Value> {
    (!value.is_nan()).then_some(Value::F32(value))
}

fn number64(value: f64) -> Option<Value> {
    (!value.is_nan()).then_some(Value::F64(value))
}

fn with_value() -> impl Strategy<Value = (Type, Value)> {
    ty().prop_flat_map(|ty| (Just(ty.clone()), value(&ty)))
}

/// Whether words are read otherwise than they are printed: bytes are printed raw, and no word is no text.
fn has_its_own_words(ty: &Type, value: &Value) -> bool {
    let inner = if let Type::Option(inner) = ty { inner } else { ty };
    inner.is_bytes() || (inner.is_text() && *value == Value::Option(None))
}

fn function(parameters: Vec<Type>) -> Function {
    let parameter = |(position, ty)| Parameter { name: format!("p{position}"), ty };
    let parameters = parameters.into_iter().enumerate().map(parameter).collect();
    Function { interface: None, kind: FunctionKind::Free("f".to_owned()), parameters, result: None, is_async: false }
}

/// Words that look like those of a call.
fn words() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        "(--p0|--p1|--p1\\.f0|--p0\\.f1=1|--|\\.|null|ok=|@-|hex:0|[0-9]{1,3}|\\[1,2\\])",
        "[\\[\\]{}\",:=.a-c0-9@-]{0,8}",
        any::<String>(),
    ];
    vec(word, 0..6)
}

proptest! {
    // Options of options come up in few of them.
    #![proptest_config(ProptestConfig::with_cases(1_024))]

    #[test]
    fn what_is_printed_as_json_is_read_as_the_same((ty, value) in with_value()) {
        let text = serde_json::to_string(&value).unwrap();
        prop_assert_eq!(json::value(&ty, &text).map_err(|fault| format!("{text}: {fault:?}")), Ok(value));
    }

    #[test]
    fn what_is_printed_for_a_reader_is_read_as_the_same((ty, value) in with_value()) {
        let text = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(json::value(&ty, &text).map_err(|fault| format!("{text}: {fault:?}")), Ok(value));
    }

    #[test]
    fn what_is_printed_as_words_is_read_as_the_same((ty, value) in with_value()) {
        prop_assume!(!has_its_own_words(&ty, &value));
        let text = text(&value);
        let mut open = no_files;
        let read = parse::word(&ty, &text, &mut Bytes::new(&mut open));
        prop_assert_eq!(read.map_err(|fault| format!("{text}: {fault:?}")), Ok(value.clone()));
        let mut out = Vec::new();
        Answer::Ok(Some(value)).print(Form::Plain, &mut out).unwrap();
        prop_assert_eq!(String::from_utf8(out).unwrap(), text + "\n");
    }

    #[test]
    fn words_are_a_call_or_wrong_and_have_a_usage(types in vec(ty(), 0..3), words in words()) {
        let functions = [function(types)];
        let words: Vec<String> = ["f".to_owned()].into_iter().chain(words).collect();
        if let Ok(call) = Call::parse(&functions, &words, &mut no_files) {
            prop_assert_eq!(call.steps[0].arguments.len(), functions[0].parameters.len());
        }
        let usage = Usage { program: "run", functions: &functions, docs: &Docs::new() };
        prop_assert!(usage.text(&words).starts_with("Usage: run f"));
    }
}

#[test]
fn lists_of_a_fixed_length_have_that_length() {
    let ty = Type::FixedList { element: Box::new(Type::U8), length: 2 };
    assert_eq!(json::value(&ty, "[1,2]").unwrap(), Value::List(vec![Value::U8(1), Value::U8(2)]));
    for text in ["[1]", "[1,2,3]", "1"] {
        let error = json::value(&ty, text).unwrap_err().of_argument("a").to_string();
        assert_eq!(error, format!("the argument `a` is to be a JSON array of 2, and not `{text}`"));
    }
}

#[test]
fn what_is_no_number_is_printed_as_a_word() {
    for (word, ty) in [("nan", Type::F32), ("nan", Type::F64)] {
        let value = json::value(&ty, "\"nan\"").unwrap();
        assert_eq!((text(&value).as_str(), serde_json::to_string(&value).unwrap().as_str()), (word, "\"nan\""));
    }
}

#[test]
fn what_only_a_guest_can_hold_cannot_be_given() {
    let resource = || Resource { interface: None, name: "counter".to_owned() };
    let table = [
        (Type::Own(resource()), "the argument `p0` is a resource, which cannot be given"),
        (Type::Borrow(resource()), "the argument `p0` is a resource, which cannot be given"),
        (Type::Future(None), "the argument `p0` is a future, which cannot be given"),
        (Type::ErrorContext, "the argument `p0` is an error context, which cannot be given"),
        (Type::TooLarge, "the argument `p0` is a value of so large a type, which cannot be given"),
        (
            Type::Tuple(vec![Type::U8, Type::Stream(Some(Box::new(Type::U8)))]),
            "the argument `p0[1]` is a stream, which cannot be given",
        ),
    ];
    for (ty, expected) in table {
        let functions = [function(vec![ty])];
        let error = Call::parse(&functions, &["f", "[1,2]"], &mut no_files).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    // An option of it may be left out.
    let functions = [function(vec![Type::Option(Box::new(Type::Own(resource())))])];
    assert!(Call::parse(&functions, &["f"], &mut no_files).is_ok());
}

#[test]
fn errors_show_the_beginning_of_a_text_and_no_control_characters() {
    let functions = [function(vec![Type::U8])];
    let word = format!("\u{1b}[31m{}", "x".repeat(100));
    let error = Call::parse(&functions, &["f", &word], &mut no_files).unwrap_err().to_string();
    let shown = format!(r"\u{{1b}}[31m{}…", "x".repeat(55));
    assert_eq!(error, format!("the argument `p0` is to be a whole number from 0 to 255, and not `{shown}`"));
}

#[test]
fn words_have_a_limit_together() {
    let functions = [function(vec![Type::String, Type::List(Box::new(Type::U8))])];
    let (half, rest) = ("x".repeat(8 * 1024 * 1024), "y".repeat(8 * 1024 * 1024));
    assert!(Call::parse(&functions, &["f", &half, &rest], &mut no_files).is_ok());
    let more = rest + "y";
    let error = Call::parse(&functions, &["f", &half, &more], &mut no_files).unwrap_err();
    assert_eq!(error.to_string(), "the argument `p1` brings the arguments over 16777216 bytes");
}

#[test]
fn signatures_are_told_as_json() {
    let ty = Type::Variant(vec![
        Case { name: "none".to_owned(), ty: None },
        Case { name: "some".to_owned(), ty: Some(Type::List(Box::new(Type::U8))) },
    ]);
    let json = serde_json::to_value(function(vec![ty])).unwrap();
    let variant = serde_json::json!({"variant": [{"name": "none"}, {"name": "some", "type": {"list": "u8"}}]});
    let parameters = serde_json::json!([{"name": "p0", "type": variant}]);
    assert_eq!(json, serde_json::json!({"kind": {"free": "f"}, "parameters": parameters, "isAsync": false}));
}
