//! YAML, as far as what is written here needs it.

use serde_json::Value;

use super::DnsLabel;

/// Writes a text as a double-quoted scalar of YAML (1.2, section 7.3.1) in printable ASCII, whatever is in it.
pub(super) fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|character| match character {
            '"' | '\\' => format!("\\{character}"),
            ' '..='~' => character.to_string(),
            '\n' => "\\n".to_owned(),
            '\0'..='\u{ffff}' => format!("\\u{:04x}", u32::from(character)),
            _ => format!("\\U{:08x}", u32::from(character)),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// Writes JSON as YAML on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(values) => format!("[{}]", values.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", quoted(key), flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// Writes the name of an object of Kubernetes, and the namespace where one is asked for.
pub(super) fn metadata(name: &DnsLabel, namespace: Option<&DnsLabel>) -> String {
    let name = format!("metadata:\n  name: {}\n", quoted(name.as_str()));
    match namespace {
        Some(namespace) => format!("{name}  namespace: {}\n", quoted(namespace.as_str())),
        None => name,
    }
}

/// Puts spaces before each line.
pub(super) fn indented(text: &str, spaces: usize) -> String {
    text.lines().map(|line| format!("{:spaces$}{line}\n", "")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_are_quoted_so_that_yaml_reads_them_as_they_were() {
        let table = [
            ("", r#""""#),
            ("a b", r#""a b""#),
            ("# no: 'comment'", r##""# no: 'comment'""##),
            ("{\"a\": [1]}", r#""{\"a\": [1]}""#),
            ("a\nb\r\tc\0", r#""a\nb\u000d\u0009c\u0000""#),
            ("C:\\x", r#""C:\\x""#),
            ("é\u{85}\u{2028}\u{feff}", r#""\u00e9\u0085\u2028\ufeff""#),
            ("😀", r#""\U0001f600""#),
        ];
        for (text, expected) in table {
            assert_eq!(quoted(text), expected, "{text:?}");
        }
    }

    #[test]
    fn json_is_yaml_of_one_line() {
        let json = r#"{"a": [1, -2.5, true, null, "x\ny"], "é": {}}"#;
        let value = serde_json::from_str(json).unwrap();
        assert_eq!(flow(&value), r#"{"a": [1, -2.5, true, null, "x\ny"], "\u00e9": {}}"#);
    }

    proptest! {
        /// JSON has the same quotes and escapes, but for those of eight digits.
        #[test]
        fn any_text_is_one_line_that_reads_back(text in "[\\x00-\u{d7ff}\u{e000}-\u{ffff}]*") {
            let quoted = quoted(&text);
            prop_assert!(quoted.chars().all(|character| matches!(character, ' '..='~')), "{}", quoted);
            prop_assert_eq!(serde_json::from_str::<String>(&quoted).unwrap(), text);
        }
    }
}
