use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::requirements;

fn file(name: &str, text: &str) -> TextFile {
    TextFile { name: name.to_owned(), text: text.to_owned() }
}

fn one(text: &str) -> Vec<TextFile> {
    vec![file("w.wit", text)]
}

fn package(text: &str) -> PackageName {
    let (name, version) = text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)));
    let (namespace, name) = name.split_once(':').unwrap();
    let version = version.map(|version| version.parse().unwrap());
    PackageName { namespace: namespace.to_owned(), name: name.to_owned(), version }
}

fn statement(text: &str) -> Statement {
    let (keyword, path) = text.split_once(' ').unwrap();
    let keywords = [Keyword::Import, Keyword::Export, Keyword::Include];
    let keyword = keywords.into_iter().find(|it| it.to_string() == keyword).unwrap();
    Statement { keyword, path: path.parse().unwrap() }
}

fn shown(locations: &[Location]) -> String {
    let shown: Vec<_> = locations.iter().map(ToString::to_string).collect();
    shown.join(" ")
}

/// Adds a statement to a text, and checks the place that is told.
fn added(text: &str, new: &str) -> String {
    let mut files = one(text);
    let Added::New(location) = add(&mut files, None, &statement(new)).unwrap() else { panic!("{text}: {new}") };
    let edited = files.remove(0).text;
    let line = edited.split('\n').nth(location.line - 1).unwrap();
    assert!(line[location.column - 1..].starts_with(new.split(' ').nth(1).unwrap()), "{location}: {edited}");
    edited
}

fn removed(text: &str, name: &str) -> String {
    let mut files = one(text);
    remove(&mut files, &package(name)).unwrap_or_else(|error| panic!("{text}: {error}"));
    files.remove(0).text
}

const HEAD: &str = "package a:b;\n";

#[test]
fn a_statement_is_added_after_the_last_of_its_kind() {
    let cases = [
        (
            "world w {\n  import x:y/a;\n  export x:y/b;\n}\n",
            "import z:z/i@1.0.0",
            "world w {\n  import x:y/a;\n  import z:z/i@1.0.0;\n  export x:y/b;\n}\n",
        ),
        (
            "world w {\n\timport x:y/a; // why\n\n\t// Later.\n\timport f: func(a: stream<u8>) -> future<u8>; /* two\n\tlines */\n}",
            "import z:z/i",
            "world w {\n\timport x:y/a; // why\n\n\t// Later.\n\timport f: func(a: stream<u8>) -> future<u8>; /* two\n\tlines */\n\timport z:z/i;\n}",
        ),
        (
            "world w {\n    import i: interface {\n        f: async func();\n    }\n    export x:y/b;\n}",
            "import z:z/i",
            "world w {\n    import i: interface {\n        f: async func();\n    }\n    import z:z/i;\n    export x:y/b;\n}",
        ),
        (
            "world w {\n  /// Doc.\n  @since(version = 1.0.0)\n  @deprecated(version = 1.0.1) export x:y/b;\n  type t = u8;\n}",
            "export z:z/i",
            "world w {\n  /// Doc.\n  @since(version = 1.0.0)\n  @deprecated(version = 1.0.1) export x:y/b;\n  export z:z/i;\n  type t = u8;\n}",
        ),
        (
            "world w { import x:y/a; export x:y/b; }",
            "import z:z/i",
            "world w { import x:y/a; import z:z/i; export x:y/b; }",
        ),
        (
            "world w {\n  type t = u8;\n    @since(version = 1.0.0) import x:y/a;\n}",
            "import z:z/i",
            "world w {\n  type t = u8;\n    @since(version = 1.0.0) import x:y/a;\n    import z:z/i;\n}",
        ),
        ("world w { import x:y/a;}", "import z:z/i", "world w { import x:y/a; import z:z/i;}"),
        ("world w { import x:y/a;\n}", "import z:z/i", "world w { import x:y/a;\n  import z:z/i;\n}"),
        // What documents the next statement stays before that.
        (
            "world w {\n  import x:y/a; /// Of b.\n  export x:y/b;\n}",
            "import z:z/i",
            "world w {\n  import x:y/a; import z:z/i; /// Of b.\n  export x:y/b;\n}",
        ),
        (
            "world w {\n  include x:y/v with { a as b }\n}",
            "include z:z/v@1.0.0-rc.1",
            "world w {\n  include x:y/v with { a as b }\n  include z:z/v@1.0.0-rc.1;\n}",
        ),
    ];
    for (before, new, after) in cases {
        assert_eq!(added(&format!("{HEAD}{before}"), new), format!("{HEAD}{after}"));
    }
}

#[test]
fn the_first_of_its_kind_is_added_where_it_is_looked_for() {
    let cases = [
        (
            "world w {\n  include x:y/v;\n\n  export x:y/b;\n}",
            "import z:z/i",
            "world w {\n  include x:y/v;\n  import z:z/i;\n\n  export x:y/b;\n}",
        ),
        (
            "world w {\n  use x:y/t.{t};\n\n  // Why.\n  /// Doc.\n  export x:y/b;\n}",
            "import z:z/i",
            "world w {\n  use x:y/t.{t};\n\n  import z:z/i;\n  // Why.\n  /// Doc.\n  export x:y/b;\n}",
        ),
        ("world w { /* c */ export x:y/b; }", "include z:z/v", "world w { /* c */ include z:z/v; export x:y/b; }"),
        ("world w {\n  import x:y/a;\n}", "include z:z/v", "world w {\n  include z:z/v;\n  import x:y/a;\n}"),
        ("world w {\n  import x:y/a;\n}", "export z:z/i", "world w {\n  import x:y/a;\n  export z:z/i;\n}"),
        (
            "world w {\n  use x:y/t.{t};\n  record r { a: t }\n  // End.\n}",
            "export z:z/i",
            "world w {\n  use x:y/t.{t};\n  record r { a: t }\n  export z:z/i;\n  // End.\n}",
        ),
    ];
    for (before, new, after) in cases {
        assert_eq!(added(&format!("{HEAD}{before}"), new), format!("{HEAD}{after}"));
    }
}

#[test]
fn the_first_statement_of_a_world_makes_lines_where_there_are_none() {
    let cases = [
        ("world w {}", "world w {\n  import z:z/i;\n}"),
        ("world w { }", "world w {\n  import z:z/i;\n}"),
        ("world w {\n}", "world w {\n  import z:z/i;\n}"),
        ("world w { // Why.\n}", "world w { // Why.\n  import z:z/i;\n}"),
        ("world w {\n  // Why.\n}", "world w {\n  import z:z/i;\n  // Why.\n}"),
        ("world w { /* c */ }", "world w { import z:z/i; /* c */ }"),
        (
            "world w {\n}\ninterface i {\n\tf: func();\n}",
            "world w {\n\timport z:z/i;\n}\ninterface i {\n\tf: func();\n}",
        ),
        (
            "interface i { f: func(); }\n    world w {}",
            "interface i { f: func(); }\n    world w {\n      import z:z/i;\n    }",
        ),
    ];
    for (before, after) in cases {
        assert_eq!(added(&format!("{HEAD}{before}"), "import z:z/i"), format!("{HEAD}{after}"));
    }
}

#[test]
fn line_breaks_are_those_of_the_file() {
    let text = "package a:b;\r\nworld w {}\r\nworld v {\r\n  import x:y/i; // c\r\n}\r\n";
    let mut files = one(text);
    for (world, new) in [("w", "import z:z/i"), ("v", "import z:z/i")] {
        add(&mut files, Some(world), &statement(new)).unwrap();
    }
    let expected = "package a:b;\r\nworld w {\r\n  import z:z/i;\r\n}\r\nworld v {\r\n  import x:y/i; // c\r\n  import z:z/i;\r\n}\r\n";
    assert_eq!(files[0].text, expected);
    remove(&mut files, &package("x:y")).unwrap();
    assert_eq!(files[0].text, expected.replace("  import x:y/i; // c\r\n", ""));
}

#[test]
fn a_name_that_is_a_keyword_is_written_as_a_name() {
    let path = ItemPath::new(package("record:list@1.0.0"), "use").unwrap();
    assert_eq!(path.to_string(), "%record:%list/%use@1.0.0");
    assert_eq!(path.to_string().parse::<ItemPath>().unwrap(), path);
    let mut files = one("package a:b;\nworld %world {}\nworld v {}");
    let new = Statement { keyword: Keyword::Import, path };
    assert!(matches!(add(&mut files, Some("world"), &new), Ok(Added::New(_))));
    assert!(matches!(add(&mut files, Some("world"), &new), Ok(Added::Present(_))));
    assert_eq!(mentions(&files).unwrap().keys().collect::<Vec<_>>(), [&package("record:list@1.0.0")]);
}

#[test]
fn what_is_no_path_is_refused() {
    for text in
        ["", "streams", "wasi:io", "wasi:io/", "wasi:io/streams@1", "wasi:io/streams; import x:y/z", "wasi:io/a.b"]
    {
        let error = text.parse::<ItemPath>().unwrap_err();
        assert!(matches!(&error, Error::Path { text: told, .. } if told == text), "{text}: {error:?}");
    }
    for (name, item) in [("a:b", "i@1.0.0"), ("a:b", "i /* c */"), ("a:b", ""), ("a:b/c", "d"), ("%a:b", "i")] {
        let error = ItemPath::new(package(name), item).unwrap_err();
        assert!(matches!(&error, Error::Path { .. }), "{name} {item}: {error:?}");
    }
}

#[test]
fn a_statement_that_is_there_is_not_added_again() {
    let text = "package a:b;\nuse z:z/k as other;\nworld w {\n  import z:z/i@1.0.0;\n  include z:z/v with { a as b }\n  import other;\n}";
    for (new, place) in
        [("import z:z/i@1.0.0", "w.wit:4:10"), ("include z:z/v", "w.wit:5:11"), ("import z:z/k", "w.wit:6:10")]
    {
        let mut files = one(text);
        let Added::Present(location) = add(&mut files, None, &statement(new)).unwrap() else { panic!("{new}") };
        assert_eq!(location.to_string(), place);
        assert_eq!(files, one(text));
    }
    for new in ["import z:z/i@1.0.1", "export z:z/i@1.0.0", "import z:z/j@1.0.0"] {
        assert_ne!(added(text, new), text);
    }
    assert_ne!(added("package a:b;\nworld w { import l: z:z/i; }", "import z:z/i"), "");
}

#[test]
fn the_world_has_to_be_clear() {
    let nested = "package n:n { world nested {} }";
    let import = statement("import x:y/i");
    let refused = |text: &str, world| add(&mut one(text), world, &import).unwrap_err().to_string();
    assert_eq!(refused(&format!("package a:b;\ninterface i {{}}\n{nested}"), None), "the package has no world");
    let two = format!("package a:b;\nworld v {{}}\nworld w {{}}\n{nested}");
    assert_eq!(refused(&two, None), "the package has several worlds: `v`, `w`");
    assert_eq!(refused(&two, Some("nested")), "the package has no world `nested`; it has `v`, `w`");
    let mut files =
        vec![file("a.wit", "package a:b;\ninterface i {}"), file("b.wit", &format!("world w {{\n}}\n{nested}"))];
    let added = add(&mut files, None, &import).unwrap();
    assert_eq!(added, Added::New(Location { file: "b.wit".to_owned(), line: 2, column: 10 }));
    assert_eq!(files[0].text, "package a:b;\ninterface i {}");
    assert_eq!(files[1].text, format!("world w {{\n  import x:y/i;\n}}\n{nested}"));
}

#[test]
fn the_version_is_changed_wherever_the_package_is_named() {
    // `<1>` stands for `@1.0.0`, `<0>` for no version, and `<r>` and `<b>` for two others.
    let written = "package a:b@1.0.0;\n\
                   use x:y/top<1> as t; // x:y/top@1.0.0\n\
                   interface i { use x:y/i<1>.{t}; use x:z/i@1.0.0.{u}; use t.{a}; }\n\
                   world w { import x:y/j<0>; export l: x:y/k<r>; include x:y/v<b> with { a as b }\n\
                   import inner: interface { use x:y/l<1>.{t}; } use n:n/i@1.0.0.{s}; import t; }\n\
                   package n:n@1.0.0 { interface i { use x:y/i<1>.{t}; type s = u8; } }";
    let versions = [("<1>", "@1.0.0"), ("<0>", ""), ("<r>", "@2.0.0-rc.1"), ("<b>", "@ /**/ 1.0.0+b")];
    let fill = |text: String| versions.iter().fold(text, |text, (mark, version)| text.replace(mark, version));
    let text = fill(written.to_owned());
    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 6] = [
        ("x:y@1.0.0", "1.1.0", &[("<1>", "@1.1.0")], "w.wit:2:5 w.wit:3:19 w.wit:5:31 w.wit:6:39"),
        (
            "x:y",
            "2.0.0-rc.1",
            &[("<1>", "@2.0.0-rc.1"), ("<0>", "@2.0.0-rc.1"), ("<b>", "@ /**/ 2.0.0-rc.1")],
            "w.wit:2:5 w.wit:3:19 w.wit:4:18 w.wit:4:61 w.wit:5:31 w.wit:6:39",
        ),
        ("x:y@1.0.0+b", "1.1.0+c.1", &[("<b>", "@ /**/ 1.1.0+c.1")], "w.wit:4:61"),
        ("x:y@3.0.0", "1.1.0", &[], ""),
        ("n:n", "1.1.0", &[], ""),
        ("a:b", "1.1.0", &[], ""),
    ];
    for (name, to, changes, places) in cases {
        let mut files = one(&text);
        let found = set_version(&mut files, &package(name), &to.parse().unwrap()).unwrap();
        assert_eq!(shown(&found), places, "{name}");
        let changed = changes.iter().fold(written.to_owned(), |text, (mark, version)| text.replace(mark, version));
        assert_eq!(files[0].text, fill(changed), "{name}");
    }
}

#[test]
fn a_version_that_would_make_two_statements_the_same_changes_nothing() {
    let text = "package a:b;\nworld w {\n  import x:y/i@1.0.0;\n  import x:y/i@1.1.0;\n}";
    let mut files = one(text);
    let error = set_version(&mut files, &package("x:y"), &Version::new(1, 1, 0)).unwrap_err();
    let Error::Edited { source } = &error else { panic!("{error:?}") };
    assert!(source.to_string().contains("w.wit:4:"), "{source}");
    assert_eq!(files, one(text));
}

#[test]
fn a_statement_is_removed_with_what_documents_it_and_nothing_else() {
    let cases = [
        ("world w {\n  import x:y/i;\n  export z:z/i;\n}", "world w {\n  export z:z/i;\n}"),
        (
            "world w {\n  // Stays.\n\n  /// Goes.\n  /** Goes. */\n  @since(version = 1.0.0)\n  import x:y/i; // Goes.\n  // Stays.\n}",
            "world w {\n  // Stays.\n\n  // Stays.\n}",
        ),
        ("world w {\n  /** Goes. */ // Stays.\n  import x:y/i;\n}", "world w {\n  // Stays.\n}"),
        // What a `use` names is not known in a package that nests in the text.
        (
            "use x:y/i;\npackage n:n {\n  interface i {}\n  world w { import i; }\n}",
            "package n:n {\n  interface i {}\n  world w { import i; }\n}",
        ),
        (
            "world w {\n  /// Goes.\n  // Stays.\n  @since(version = 1.0.0) import /* goes */ x:y/i;\n}",
            "world w {\n  // Stays.\n}",
        ),
        ("world w { import x:y/i; import z:z/i; import x:y/j; }", "world w { import z:z/i; }"),
        ("world w { import x:y/i; import x:y/j; }", "world w { }"),
        ("world w {\n  import x:y/i; export z:z/i;\n}", "world w {\n  export z:z/i;\n}"),
        ("world w {\n  import x:y/i; import x:y/j;\n  export z:z/i;\n}", "world w {\n  export z:z/i;\n}"),
        (
            "world w {\n  import x:y/i; /// Of the next.\n  export z:z/i;\n}",
            "world w {\n  /// Of the next.\n  export z:z/i;\n}",
        ),
        ("world w { import z:z/i; /// Goes.\n  import x:y/i;\n}", "world w { import z:z/i;\n}"),
        ("world w {\n  include x:y/v@1.0.0 with { a as b }\n  export l: x:y/i@2.0.0;\n}", "world w {\n}"),
        ("use x:y/i as %use;\nworld w { import %use; import f: func(); }\n", "world w { import f: func(); }\n"),
        ("use x:y/i as j;\nworld w {\n  import j;\n}\nuse x:y/v;", "world w {\n}\n"),
        ("package n:n {\n  world w {\n    import x:y/i;\n  }\n}", "package n:n {\n  world w {\n  }\n}"),
        (
            "world w { import x:yy/i; import l: interface { use z:z/i.{t}; } }",
            "world w { import x:yy/i; import l: interface { use z:z/i.{t}; } }",
        ),
    ];
    for (before, after) in cases {
        let before = format!("{HEAD}{before}");
        assert_eq!(removed(&before, "x:y"), format!("{HEAD}{after}"), "{before}");
    }
}

#[test]
fn what_was_removed_is_told_with_its_version() {
    let text = "package a:b;\nworld w {\n  import x:y/i@1.0.0;\n  export x:y/i@1.1.0;\n}";
    for (name, places) in
        [("x:y", "w.wit:3:10 w.wit:4:10"), ("x:y@1.1.0", "w.wit:4:10"), ("x:y@1.2.0", ""), ("a:b", "")]
    {
        let mut files = one(text);
        assert_eq!(shown(&remove(&mut files, &package(name)).unwrap()), places);
        let is_left = |at: &&str| !places.contains(*at);
        let left: Vec<_> = ["w.wit:3:10", "w.wit:4:10"].into_iter().filter(is_left).collect();
        assert_eq!(files[0].text.matches("x:y").count(), left.len());
    }
}

#[test]
fn what_is_still_used_is_not_removed() {
    let text = "package a:b;\nuse x:y/k;\nworld w {\n  import x:y/i;\n  use x:y/i.{t};\n  import l: interface { use x:y/j.{t}; }\n}\n";
    let other =
        "use x:y/l as m;\ninterface i {\n  use x:y/i.{t};\n  use m.{u};\n  use k.{v};\n}\ninterface k { type v = u8; }";
    let mut files = vec![file("a.wit", text), file("b.wit", other)];
    let before = files.clone();
    let error = remove(&mut files, &package("x:y")).unwrap_err();
    assert_eq!(error.to_string(), "`x:y` is still used (a.wit:5, a.wit:6, b.wit:3, b.wit:4)");
    assert_eq!(files, before);
}

#[test]
fn foreign_packages_are_told_with_each_place() {
    let text = "package a:b@1.0.0;\nuse x:z/i;\nworld w { import x:y/i@1.0.0; import x:y/j@1.0.0; import n:n/i; import a:b/i@1.0.0; import i; }\n\
                package n:n { interface i { use x:y/i.{t}; } }";
    let mut files = one(text);
    files.push(file("b.wit", "// x:no/i\ninterface k { /* x:no/i */ use x:y/i@1.0.0.{t}; }"));
    let found = mentions(&files).unwrap();
    let found: Vec<_> = found.iter().map(|(package, places)| format!("{package} {}", shown(places))).collect();
    let expected = ["x:y w.wit:4:33", "x:y@1.0.0 w.wit:3:18 w.wit:3:38 b.wit:2:32", "x:z w.wit:2:5"];
    assert_eq!(found, expected);
}

#[test]
fn text_that_is_no_wit_is_not_edited() {
    let text = "package a:b;\nworld w {\n  import x:y/i\n}";
    let mut files = one(text);
    let name = package("x:y");
    let errors = [
        add(&mut files, None, &statement("import z:z/i")).unwrap_err(),
        set_version(&mut files, &name, &Version::new(1, 0, 0)).unwrap_err(),
        remove(&mut files, &name).unwrap_err(),
        mentions(&files).unwrap_err(),
    ];
    for error in errors {
        assert!(
            matches!(&error, Error::Syntax(diagnostic) if diagnostic.to_string().contains("w.wit:4:1")),
            "{error:?}"
        );
    }
    assert_eq!(files, one(text));
}

#[test]
fn real_packages_name_what_the_parser_finds_and_keep_the_rest() {
    for text in [include_str!("../../tests/wasi/0.2.12.wit"), include_str!("../../tests/wasi/0.3.2.wit")] {
        let alone: String = text.split("\npackage ").filter(|part| part.starts_with("wasi:http")).collect();
        let (name, body) = alone.split_once('{').unwrap();
        let body = body.trim_end().strip_suffix('}').unwrap();
        let mut files = one(&format!("package {};\n{body}", name.trim()));
        let before = files.clone();
        check_mentions(&files);
        let worlds = Document::parse("w", before.clone()).unwrap();
        for world in worlds.worlds() {
            for new in ["include x:y/v", "import x:y/i@1.0.0", "export x:y/i@1.0.0"] {
                add(&mut files, Some(world), &statement(new)).unwrap();
            }
        }
        assert_eq!(remove(&mut files, &package("x:y")).unwrap().len(), 3 * worlds.worlds().len());
        assert_eq!(files, before);
    }
}

#[test]
fn a_version_ends_where_the_parser_ends_it() {
    for version in ["1.0.0+ as", "1.0.0- as", "1.0.0as", "1.0.0-a.1+b-c.2 as"] {
        let text = format!("package a:b;\nuse c:d/e@{version} f;\n");
        let files = vec![TextFile { name: "a.wit".to_owned(), text }];
        check_mentions(&files);
    }
}

/// Checks that the packages that are mentioned are those that the parser finds.
fn check_mentions(files: &[TextFile]) {
    let document = Document::parse("w", files.to_vec()).unwrap();
    let required: BTreeSet<_> = requirements(&document, &[]).into_iter().map(|it| it.package).collect();
    let mentioned: BTreeSet<_> = mentions(files).unwrap().into_keys().collect();
    assert_eq!(mentioned, required);
}

/// Text that may stand before and after a statement.
fn filler() -> impl Strategy<Value = String> {
    let pieces =
        ["", " ", "\n", "\n\n  ", "\n\t", " // plain {\n", "\n  // plain ;\n  ", " /* a /* b */\n c */ ", "\r\n  "];
    let docs = ["\n  /// doc import x:y/i;\n  ", " /** doc */ ", "\n  /// doc\n  // plain\n\n  "];
    let pieces: Vec<_> = pieces.into_iter().chain(docs).collect();
    prop::collection::vec(prop::sample::select(pieces), 0..3).prop_map(|pieces| pieces.concat())
}

/// What may stand in a world; `#` is a number of its own.
fn item() -> impl Strategy<Value = String> {
    let statements = [
        "import x:y/i#@1.0.0;",
        "import x:z/i#;",
        "import l#: x:y/i@1.0.0-rc.1;",
        "import f#: async func(a: stream<u8>, b: option<future>) -> result<_, string>;",
        "import n#: interface {\n  use x:y/t@1.0.0.{a#};\n  resource r {\n    constructor();\n  }\n}",
        "export x:w/i#@2.0.0+b;",
        "export f#: func();",
        "include x:v/w#@1.0.0;",
        "include x:v/w#@1.0.0-a.b with { a as b, c as d }",
        "use x:y/t@1.0.0.{t#, a as b#};",
        "type %list#k = list<u8>;",
        "record r# {\n  /// doc\n  a: u8,\n}",
        "resource s# { m: func(); }",
        "resource u#;",
        "enum e# { import-x, %use }",
    ];
    let attributes =
        ["", "", "@since(version = 1.0.0) ", "@unstable(feature = f)\n  ", "@since(version = 1.0.0)\n  // plain\n  "];
    let attributes = prop::sample::select(attributes.to_vec());
    (attributes, prop::sample::select(statements.to_vec())).prop_map(|(attribute, item)| format!("{attribute}{item}"))
}

/// A package, and whether its world has something in it.
fn generated() -> impl Strategy<Value = (String, bool)> {
    let tail = ["", "\ninterface other {\n\tuse x:y/t.{k};\n}\n", "\npackage n:n@1.0.0 { world v { import x:q/i; } }"];
    let items = prop::collection::vec((filler(), item()), 0..6);
    (items, filler(), prop::sample::select(tail.to_vec()), any::<bool>()).prop_map(|(items, end, tail, is_crlf)| {
        let number = |(index, (filler, item)): (usize, &(String, String))| {
            filler.clone() + &item.replace('#', &index.to_string())
        };
        let body: String = items.iter().enumerate().map(number).collect();
        let text = format!("package a:b@1.0.0;\nworld w {{{body}{end}}}{tail}");
        let text = text.replace("\r\n", "\n");
        let is_kept = !items.is_empty() || !end.trim().is_empty() || end.contains('\n');
        (if is_crlf { text.replace('\n', "\r\n") } else { text }, is_kept)
    })
}

proptest! {
    #[test]
    fn what_is_added_and_removed_leaves_the_text_as_it_was(
        (text, is_kept) in generated(),
        keyword in prop::sample::select(vec![Keyword::Import, Keyword::Export, Keyword::Include]),
    ) {
        let before = one(&text);
        check_mentions(&before);
        let mut files = before.clone();
        let new = Statement { keyword, path: "new:one/thing@1.2.3-rc.1".parse().unwrap() };
        let Added::New(location) = add(&mut files, Some("w"), &new).unwrap() else { panic!("{text}") };
        check_mentions(&files);
        // It stands there, and all else is as it was.
        let found = mentions(&files).unwrap();
        prop_assert_eq!(&found[&package("new:one@1.2.3-rc.1")], &[location]);
        let statement = format!("{new};");
        prop_assert_eq!(files[0].text.matches(&statement).count(), 1);
        let squeezed = |text: &str| text.split_whitespace().collect::<String>();
        let without = files[0].text.replacen(&statement, "", 1);
        prop_assert_eq!(squeezed(&without), squeezed(&text));
        prop_assert_eq!(files[0].text.contains("\r\n"), text.contains("\r\n"));
        prop_assert_eq!(files[0].text.replace("\r\n", "").contains('\n'), text.replace("\r\n", "").contains('\n'));
        // And back.
        remove(&mut files, &package("new:one")).unwrap();
        prop_assert_eq!(squeezed(&files[0].text), squeezed(&text));
        if is_kept {
            prop_assert_eq!(&files, &before);
        }
    }

    #[test]
    fn a_version_is_changed_and_changed_back((text, _) in generated()) {
        let mut files = one(&text);
        let name = package("x:y@1.0.0");
        let changed = set_version(&mut files, &name, &Version::new(9, 9, 9)).unwrap();
        check_mentions(&files);
        prop_assert_eq!(files[0].text.matches("9.9.9").count(), changed.len());
        let back = set_version(&mut files, &package("x:y@9.9.9"), &Version::new(1, 0, 0)).unwrap();
        prop_assert_eq!(back, changed);
        prop_assert_eq!(files, one(&text));
    }

    #[test]
    fn what_is_removed_is_a_package_and_no_comment_of_another((text, _) in generated()) {
        let mut files = one(&text);
        let before = mentions(&files).unwrap();
        for name in before.keys() {
            let unchanged = files.clone();
            match remove(&mut files, name) {
                Ok(places) => prop_assert!(!places.is_empty()),
                Err(error) => {
                    prop_assert!(matches!(error, Error::StillUsed { .. }), "{}", error);
                    prop_assert_eq!(&files, &unchanged);
                    continue;
                }
            }
            prop_assert!(!mentions(&files).unwrap().contains_key(name));
            check_mentions(&files);
        }
    }
}
