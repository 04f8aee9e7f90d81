//! Code that says of itself that it is not finished.

use super::finding::Finding;
use super::mentions::Kind;
use super::tree::Source;

const MACROS: [&str; 2] = ["todo", "unimplemented"];

/// The words, put together so that they do not stand here.
const WORDS: [&str; 3] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

const MEND: &str = "finish it, or take it out";

/// Finds what is not finished, in code and in comments.
pub(crate) fn check(source: &Source) -> Vec<Finding> {
    let macros = source.mentions.iter().filter(|it| it.kind == Kind::Macro && MACROS.contains(&it.name()));
    let macros = macros.map(|mention| finding(source, mention.line, &format!("{}!", mention.name())));
    let lines = source.text.lines().enumerate().flat_map(|(at, line)| {
        let words = WORDS.iter().filter(move |word| has_word(line, word));
        words.map(move |word| finding(source, at + 1, word))
    });
    macros.chain(lines).collect()
}

fn finding(source: &Source, line: usize, word: &str) -> Finding {
    Finding { path: source.path.clone(), line, what: format!("`{word}` stands in the code"), mend: MEND }
}

fn has_word(line: &str, word: &str) -> bool {
    line.split(|character: char| !character.is_alphanumeric() && character != '_').any(|found| found == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        let source = Source::parse("a.rs", text.to_owned()).unwrap();
        check(&source).iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn unfinished_code_is_found() {
        assert_eq!(lines("fn f() {\n    todo!()\n}"), [2]);
        assert_eq!(lines("fn f() {\n    std::unimplemented!()\n}"), [2]);
        for word in WORDS {
            assert_eq!(lines(&format!("fn f() {{}}\n// {word}: finish\n")), [2], "{word}");
        }
    }

    #[test]
    fn what_only_looks_alike_is_left_alone() {
        let text = format!("/// Reads a todo list.\nfn todo() {{ let METHOD_{} = 1; }}", WORDS[0]);
        assert!(lines(&text).is_empty());
    }
}
