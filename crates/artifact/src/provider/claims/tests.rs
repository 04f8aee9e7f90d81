use proptest::prelude::*;
use serde_json::json;
use zeroize::Zeroizing;

use super::*;

fn pair(kind: KeyKind, byte: u8) -> KeyPair {
    KeyPair::from_random(kind, Zeroizing::new([byte; 32]))
}

fn issuer() -> KeyPair {
    pair(KeyKind::Account, 7)
}

fn claims() -> Claims {
    Claims {
        issuer: issuer().public_key(),
        subject: pair(KeyKind::Service, 8).public_key(),
        id: String::new(),
        issued_at: 1_700_000_000,
        expires: Some(1_800_000_000),
        not_before: Some(1_600_000_000),
        description: Description {
            name: Some("Blob store".to_owned()),
            vendor: "Acme".to_owned(),
            revision: Some(2),
            version: Some("0.1.0".to_owned()),
            config_schema: Some(json!({ "type": "object" })),
        },
        hashes: BTreeMap::from([("x86_64-linux".to_owned(), Digest::sha256(b"binary"))]),
    }
}

/// Signs any two documents as header and claims.
fn signed(header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", BASE64URL_NOPAD.encode(header.as_bytes()), BASE64URL_NOPAD.encode(claims.as_bytes()));
    let signature = BASE64URL_NOPAD.encode(&issuer().sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

/// Verifies and returns the whole message of the error.
fn refusal(token: &str) -> String {
    let error = Claims::verify(token, 1_700_000_000).unwrap_err();
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

const HEADER: &str = r#"{"typ":"jwt","alg":"Ed25519"}"#;

#[test]
fn a_token_has_the_text_that_it_always_had() {
    let (claims, token) = claims().sign(&issuer());
    let parts: Vec<_> = token.split('.').collect();
    let text = |part: &str| String::from_utf8(BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap();
    assert_eq!(text(parts[0]), HEADER);
    let expected = concat!(
        r#"{"exp":1800000000,"jti":"6M5Z5M2TTCNMGLGY7L5OAG","iat":1700000000,"#,
        r#""iss":"ADVEU3DD4KOFECV66VIHWEZOYX4ZKR3WV27L464SIIPOU2IUI3JCZW22","#,
        r#""sub":"VAJZR5RMNUNEK7CRXJVEWXZ5XUXWT7FJGILCDDOITF7EC26RPWJ4V63Q","nbf":1600000000,"#,
        r#""wascap":{"name":"Blob store","vendor":"Acme","rev":2,"ver":"0.1.0","#,
        r#""target_hashes":{"x86_64-linux":"9A3A45D01531A20E89AC6AE10B0B0BEB0492ACD7216A368AA062D1A5FECAF9CD"},"#,
        r#""config_schema":{"type":"object"}},"wascap_revision":3}"#
    );
    assert_eq!(text(parts[1]), expected);
    assert_eq!(claims.id, "6M5Z5M2TTCNMGLGY7L5OAG");
}

#[test]
fn the_id_is_another_for_other_claims() {
    let (one, token) = claims().sign(&issuer());
    let (again, same_token) = one.clone().sign(&issuer());
    assert_eq!((&again.id, &same_token), (&one.id, &token));
    let (other, _) = Claims { issued_at: 1, ..claims() }.sign(&issuer());
    assert_ne!(other.id, one.id);
    assert_eq!(one.id.len(), ID_CHARACTERS);
}

#[test]
fn claims_hold_from_their_beginning_to_their_end() {
    let (claims, token) = claims().sign(&issuer());
    let expired = "the claims expired at 2027-01-15T08:00:00Z";
    let early = "the claims are not valid before 2020-09-13T12:26:40Z";
    let table = [
        (0, Err(early)),
        (1_599_999_999, Err(early)),
        (1_600_000_000, Ok(&claims)),
        (1_799_999_999, Ok(&claims)),
        (1_800_000_000, Err(expired)),
        (u64::MAX, Err(expired)),
    ];
    for (now, expected) in table {
        let result = Claims::verify(&token, now).map_err(|error| error.to_string());
        assert_eq!(result.as_ref().map_err(String::as_str), expected, "{now}");
    }
    let (forever, token) = Claims { expires: None, not_before: None, ..claims }.sign(&issuer());
    assert_eq!(Claims::verify(&token, u64::MAX).unwrap(), forever);
    let (_, token) = Claims { expires: Some(u64::MAX - 1), not_before: None, ..forever }.sign(&issuer());
    let error = Claims::verify(&token, u64::MAX).unwrap_err();
    assert_eq!(error.to_string(), "the claims expired at 18446744073709551614 seconds after 1970");
}

#[test]
fn a_signature_by_another_key_or_of_other_claims_is_refused() {
    let mismatch = format!(
        "the signature of the claims does not match: they were not signed by {}, or changed afterwards",
        issuer().public_key()
    );
    let (_, by_another) = claims().sign(&pair(KeyKind::Account, 9));
    assert_eq!(refusal(&by_another), mismatch);
    let (_, token) = claims().sign(&issuer());
    let (_, other) = Claims { expires: None, ..claims() }.sign(&issuer());
    let (signed, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(refusal(&format!("{signed}.{signature}")), mismatch);
    assert_eq!(refusal(&format!("{signed}.")), mismatch);
    assert_eq!(refusal(&format!("{signed}.AAAA")), mismatch);
}

#[test]
fn what_is_no_token_is_refused() {
    let (_, token) = claims().sign(&issuer());
    let body = token.split('.').nth(1).unwrap();
    let text = String::from_utf8(BASE64URL_NOPAD.decode(body.as_bytes()).unwrap()).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        signed(HEADER, &text.replacen(from, to, 1))
    };
    let lower = Digest::sha256(b"binary").hex().to_owned();
    let upper = lower.to_ascii_uppercase();
    let user = pair(KeyKind::User, 7).public_key().to_string();
    let account = issuer().public_key().to_string();
    let service = claims().subject.to_string();
    let table = [
        (String::new(), "the claims have 1 parts where a signed JSON Web Token has 3"),
        (format!("{token}.x"), "the claims have 4 parts where a signed JSON Web Token has 3"),
        (format!("{token}\n"), "the signature of the claims is not base64url without padding"),
        (format!("{token}="), "the signature of the claims is not base64url without padding"),
        (token.replacen('.', "!.", 1), "the header of the claims is not base64url without padding"),
        (
            signed(r#"{"typ":"jwt","alg":"none"}"#, &text),
            r#"the claims have type "jwt" and algorithm "none" where `jwt` and `Ed25519` are expected"#,
        ),
        (
            signed(r#"{"typ":"JWT","alg":"Ed25519"}"#, &text),
            r#"the claims have type "JWT" and algorithm "Ed25519" where `jwt` and `Ed25519` are expected"#,
        ),
        (
            signed(r#"{"typ":"jwt","alg":"Ed25519","crit":["x"]}"#, &text),
            "header of claims is not valid JSON of its kind: unknown field `crit`",
        ),
        (signed(HEADER, "[]"), "token of claims is not valid JSON of its kind"),
        (signed(HEADER, r#"{"jti":"","iat":0}"#), "token of claims is not valid JSON of its kind: missing field `iss`"),
        (
            with(r#""exp":"#, r#""iat":1,"exp":"#),
            "token of claims is not valid JSON of its kind: the key `iat` stands twice in one object",
        ),
        (with(r#""exp":1800000000"#, r#""exp":-1"#), "token of claims is not valid JSON of its kind: invalid value"),
        (
            with(r#""target_hashes":{"#, r#""target_hashes":{"x86_64-linux":"","#),
            "token of claims is not valid JSON of its kind: the key `x86_64-linux` stands twice in one object",
        ),
        (with(r#""wascap":"#, r#""other":"#), "the claims say nothing of a provider: `wascap` is not there"),
        (with(r#"_revision":3"#, r#"_revision":4"#), "the claims have revision 4; Wharf knows revisions up to 3"),
        (
            with(&upper, &lower),
            r#"the hash of "x86_64-linux" in the claims is not SHA-256 in capital hexadecimal letters"#,
        ),
        (with(&upper, &upper[2..]), r#"the hash of "x86_64-linux" in the claims is not SHA-256"#),
        (with(&account, ""), "`iss` of the claims is no key: it has 0 characters where a public key has 56"),
        (with(&account, &user), "`iss` of the claims is a key for the kind `user` where one for the kind `account` is"),
        (
            with(&service, &account),
            "`sub` of the claims is a key for the kind `account` where one for the kind `service`",
        ),
    ];
    for (token, expected) in table {
        let message = refusal(&token);
        assert!(message.starts_with(expected), "{message}");
    }
    let large = "x".repeat(usize::try_from(PROVIDER_CLAIMS_BYTES_MAX).unwrap() + 1);
    assert_eq!(refusal(&large), "the claims take 1048577 bytes; the limit is 1048576");
}

#[test]
fn claims_of_other_forms_are_read() {
    let (_, token) = claims().sign(&issuer());
    let text = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let mut value: Value = serde_json::from_slice(&text).unwrap();
    value["wascap"]["name"] = Value::Null;
    value["wascap_revision"] = Value::Null;
    value["aud"] = "anyone".into();
    let read = Claims::verify(&signed(HEADER, &value.to_string()), 1_700_000_000).unwrap();
    assert_eq!(read.description, Description { name: None, ..claims().description });
}

proptest! {
    #[test]
    fn what_is_signed_is_read_again(
        name in proptest::option::of(".*"), vendor in ".*", revision: Option<i32>, version in proptest::option::of(".*"),
        hashes in proptest::collection::btree_map(".*", ".*", 0..4), expires: Option<u64>,
    ) {
        let hashes = hashes.into_iter().map(|(file, text)| (file, Digest::sha256(text.as_bytes()))).collect();
        let description = Description { name, vendor, revision, version, config_schema: None };
        let expires = expires.map(|time| time.max(1));
        let claims = Claims { expires, not_before: None, description, hashes, ..claims() };
        let (claims, token) = claims.sign(&issuer());
        prop_assert_eq!(Claims::verify(&token, 0).unwrap(), claims);
    }

    #[test]
    fn any_text_is_taken_without_panic(token in r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(Claims::verify(&token, 0).is_err());
    }
}
