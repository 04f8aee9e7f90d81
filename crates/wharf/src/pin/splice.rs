//! Puts texts into another one, of which every byte stays.

/// What to put in, behind how many bytes.
pub(super) type Insertion = (usize, String);

/// Returns the text with what is put in. The places are in order, and none is within a character.
pub(super) fn splice(text: &str, insertions: &[Insertion]) -> String {
    let mut spliced = String::with_capacity(text.len() + insertions.iter().map(|(_, new)| new.len()).sum::<usize>());
    let mut done = 0;
    for (at, new) in insertions {
        spliced.push_str(&text[done..*at]);
        spliced.push_str(new);
        done = *at;
    }
    spliced.push_str(&text[done..]);
    spliced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_stands_between_what_was_there() {
        let put = |places: &[(usize, &str)]| {
            let insertions: Vec<_> = places.iter().map(|(at, new)| (*at, (*new).to_owned())).collect();
            splice("aéb", &insertions)
        };
        assert_eq!(put(&[]), "aéb");
        assert_eq!(put(&[(0, "<"), (3, "-"), (4, ">")]), "<aé-b>");
        assert_eq!(put(&[(1, "x"), (1, "y")]), "axyéb");
    }
}
