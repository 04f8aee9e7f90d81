//! JSON that means the same to every reader: an object with a key twice is refused.
//!
//! Two parsers that pick different twins see different manifests under one digest (the class of CVE-2021-41190).

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};

/// Parses the JSON object in `bytes`, after checking that no object in it holds a key twice.
///
/// # Errors
/// That of the parser, with the line and column.
pub fn parse_strict<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    // A struct can be read from an array too, by the order of its fields, which no other reader does.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(serde_json::Error::custom("it is not an object"));
    }
    check_keys(bytes)?;
    serde_json::from_slice(bytes)
}

/// Parses the JSON array of objects in `bytes`, as [`parse_strict`] does an object.
///
/// # Errors
/// As for [`parse_strict`].
pub fn parse_strict_list<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    check_keys(bytes)?;
    let objects: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_slice(bytes)?;
    objects.into_iter().map(|object| serde_json::from_value(object.into())).collect()
}

fn check_keys(bytes: &[u8]) -> Result<(), serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    UniqueKeys.deserialize(&mut deserializer)?;
    deserializer.end()
}

/// Walks any JSON value and keeps nothing but the keys of the object it is in.
struct UniqueKeys;

impl<'de> DeserializeSeed<'de> for UniqueKeys {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut keys = HashSet::new();
        while let Some(key) = map.next_key::<String>()? {
            if keys.contains(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands twice in one object")));
            }
            keys.insert(key);
            map.next_value_seed(Self)?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"c":[{"b":{"a":1,"a":2}}]}"#, r#"{"a":1,"\u0061":2}"#] {
            let error = parse_strict::<serde_json::Value>(text.as_bytes()).unwrap_err();
            assert!(error.to_string().contains("stands twice"), "{text}: {error}");
        }
    }

    #[test]
    fn the_same_key_in_two_objects_is_fine() {
        let text = r#"{"a":{"a":[true,null,-1,1.5,"x"]},"b":{"a":1}}"#;
        assert!(parse_strict::<serde_json::Value>(text.as_bytes()).is_ok());
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        assert!(parse_strict::<serde_json::Value>(deep.as_bytes()).is_err());
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "[]", "[2]", "null", "2"] {
            assert!(parse_strict::<serde_json::Value>(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_holds_objects_whose_keys_are_unique() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        struct Image {
            name: String,
        }
        let parse = |text: &str| parse_strict_list::<Image>(text.as_bytes());
        assert_eq!(parse(r#"[{"name":"a","other":[]}]"#).unwrap(), [Image { name: "a".to_owned() }]);
        assert_eq!(parse("[]").unwrap(), []);
        for text in ["", "{}", r#"{"name":"a"}"#, r#"[["a"]]"#, r#"[{"name":"a","name":"b"}]"#, "[] []"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_after_the_document_are_refused() {
        assert!(parse_strict::<serde_json::Value>(b"{} {}").is_err());
    }
}
