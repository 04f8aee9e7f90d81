//! Which crate may use which: the layer table, and that `ARCHITECTURE.md` shows the same.

use std::fmt;

use cargo_metadata::DependencyKind;

use super::finding::Finding;
use super::members::Member;

/// A crate of the workspace.
pub(crate) struct Row {
    /// Its directory in `crates`, or `xtask/`.
    pub(crate) name: &'static str,
    /// Its package.
    pub(crate) package: &'static str,
    pub(crate) layer: Layer,
    pub(crate) uses: Uses,
}

/// How high a crate stands. It may use lower ones only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layer {
    Number(u8),
    /// For development; no crate with a number uses it.
    Development,
}

/// The crates that a crate may use, by their names in the table.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Uses {
    These(&'static [&'static str]),
    /// All that stand above it in the table.
    AllAbove,
}

/// The crate that the tests of any other may use.
const FOR_TESTS: &str = "wharf-testing";

const PAPER: &str = "ARCHITECTURE.md";

/// The layer table. A new edge is a change to it, with a reason in the commit.
pub(crate) const TABLE: &[Row] = &[
    Row { name: "oci", package: "wharf-oci", layer: Layer::Number(0), uses: Uses::These(&[]) },
    Row { name: "tar", package: "wharf-tar", layer: Layer::Number(0), uses: Uses::These(&[]) },
    Row { name: "run", package: "wharf-run", layer: Layer::Number(0), uses: Uses::These(&[]) },
    Row { name: "wit", package: "wharf-wit", layer: Layer::Number(0), uses: Uses::These(&[]) },
    Row {
        name: "artifact",
        package: "wharf-artifact",
        layer: Layer::Number(1),
        uses: Uses::These(&["oci", "tar", "wit"]),
    },
    Row { name: "archive", package: "wharf-archive", layer: Layer::Number(1), uses: Uses::These(&["oci", "tar"]) },
    Row { name: "package", package: "wharf-package", layer: Layer::Number(1), uses: Uses::These(&["oci"]) },
    Row { name: "store", package: "wharf-store", layer: Layer::Number(1), uses: Uses::These(&["oci"]) },
    Row { name: "client", package: "wharf-client", layer: Layer::Number(1), uses: Uses::These(&["oci"]) },
    Row { name: "registry", package: "wharf-registry", layer: Layer::Number(2), uses: Uses::These(&["oci", "store"]) },
    Row { name: "wharf", package: "wharf", layer: Layer::Number(3), uses: Uses::AllAbove },
    Row { name: "cli", package: "wharf-cli", layer: Layer::Number(4), uses: Uses::These(&["wharf"]) },
    Row {
        name: "testing",
        package: "wharf-testing",
        layer: Layer::Development,
        uses: Uses::These(&["oci", "store", "registry"]),
    },
    Row { name: "xtask/", package: "xtask", layer: Layer::Development, uses: Uses::These(&[]) },
];

/// Compares what the members of the workspace use with `table`.
pub(crate) fn check(table: &[Row], members: &[Member]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for row in table.iter().filter(|row| !members.iter().any(|member| member.package == row.package)) {
        let what = format!("the layer table has the crate `{}`, and the workspace has not", row.package);
        let path = "xtask/src/tidy/layers.rs".to_owned();
        findings.push(Finding { path, line: 1, what, mend: "take it out of the table" });
    }
    for member in members {
        match table.iter().find(|row| row.package == member.package) {
            Some(row) => findings.extend(check_member(table, row, member)),
            None => findings.push(member.finding(
                "name",
                format!("the crate `{}` is not in the layer table", member.package),
                "give it a layer in xtask/src/tidy/layers.rs and in ARCHITECTURE.md",
            )),
        }
    }
    findings
}

/// Checks that the table in `ARCHITECTURE.md`, given by its text, is `table`.
pub(crate) fn check_paper(table: &[Row], text: Option<&str>) -> Vec<Finding> {
    let Some(text) = text else {
        let what = format!("there is no {PAPER}");
        return vec![Finding { path: PAPER.to_owned(), line: 1, what, mend: "write it, with the layer table" }];
    };
    let lines: Vec<_> = text.lines().map(columns).collect();
    let missing = table.iter().filter_map(|row| {
        let expected = row.columns();
        let named = lines.iter().position(|line| line.first() == expected.first() && line.len() > 1);
        if named.is_some_and(|at| lines[at].starts_with(&expected)) {
            return None;
        }
        let what = format!("the layer table lacks the row `{}`", expected.join("  "));
        let mend = "make it say what xtask/src/tidy/layers.rs says, columns two spaces apart";
        Some(Finding { path: PAPER.to_owned(), line: named.map_or(1, |at| at + 1), what, mend })
    });
    missing.collect()
}

impl Row {
    /// Returns the first columns of the row as `ARCHITECTURE.md` shows them.
    fn columns(&self) -> Vec<String> {
        vec![self.name.to_owned(), self.package.to_owned(), self.layer.to_string(), self.uses.to_string()]
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(formatter),
            Self::Development => formatter.write_str("dev"),
        }
    }
}

impl fmt::Display for Uses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::These([]) => formatter.write_str("–"),
            Self::These(names) => formatter.write_str(&names.join(" ")),
            Self::AllAbove => formatter.write_str("all above"),
        }
    }
}

/// Splits a line where two spaces or more are.
fn columns(line: &str) -> Vec<String> {
    line.split("  ").map(str::trim).filter(|column| !column.is_empty()).map(str::to_owned).collect()
}

fn check_member(table: &[Row], row: &Row, member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, kind) in &member.uses {
        if *kind == DependencyKind::Development && package == FOR_TESTS {
            continue;
        }
        let used = table.iter().find(|row| row.package == package);
        if !used.is_some_and(|used| may_use(table, row, used)) {
            let what = format!("`{}` uses `{package}`, which the layer table does not allow", member.package);
            let mend = "move what both need lower, or change xtask/src/tidy/layers.rs and ARCHITECTURE.md";
            findings.push(member.finding(package, what, mend));
        }
        if !used.is_some_and(|used| is_lower(used.layer, row.layer)) {
            let what = format!("`{}` uses `{package}`, which stands no lower than itself", member.package);
            findings.push(member.finding(package, what, "move what both need lower, or wire them up in `wharf`"));
        }
    }
    findings
}

fn may_use(table: &[Row], user: &Row, used: &Row) -> bool {
    match user.uses {
        Uses::These(names) => names.contains(&used.name),
        Uses::AllAbove => {
            let above = table.iter().take_while(|row| row.name != user.name);
            above.into_iter().any(|row| row.name == used.name)
        }
    }
}

fn is_lower(used: Layer, user: Layer) -> bool {
    match (used, user) {
        (Layer::Number(used), Layer::Number(user)) => used < user,
        (Layer::Number(_), Layer::Development) => true,
        (Layer::Development, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(package: &str, uses: &[(&str, DependencyKind)]) -> Member {
        let uses: Vec<_> = uses.iter().map(|(package, kind)| ((*package).to_owned(), *kind)).collect();
        let lines: Vec<_> = uses.iter().map(|(package, _)| format!("{package}.workspace = true\n")).collect();
        let text = format!("[package]\nname = \"{package}\"\n[dependencies]\n{}", lines.concat());
        Member { package: package.to_owned(), path: format!("{package}/Cargo.toml"), text, uses }
    }

    /// The members of the whole table, the last of them with `uses`.
    fn findings(package: &str, uses: &[(&str, DependencyKind)]) -> Vec<String> {
        let others = TABLE.iter().filter(|row| row.package != package).map(|row| member(row.package, &[]));
        let members: Vec<_> = others.chain([member(package, uses)]).collect();
        check(TABLE, &members).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn edges_of_the_table_are_allowed() {
        assert!(findings("wharf-registry", &[("wharf-oci", DependencyKind::Normal)]).is_empty());
        assert!(findings("wharf-registry", &[("wharf-store", DependencyKind::Build)]).is_empty());
        assert!(findings("wharf", &[("wharf-registry", DependencyKind::Normal)]).is_empty());
        assert!(findings("wharf-oci", &[("wharf-testing", DependencyKind::Development)]).is_empty());
        assert!(findings("wharf-testing", &[("wharf-registry", DependencyKind::Normal)]).is_empty());
    }

    #[test]
    fn an_edge_that_is_not_in_the_table_is_found_on_its_line() {
        let found = findings("wharf-cli", &[("wharf", DependencyKind::Normal), ("wharf-oci", DependencyKind::Normal)]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("wharf-cli/Cargo.toml:5: `wharf-cli` uses `wharf-oci`"), "{found:?}");
        let found = findings("wharf-client", &[("wharf-registry", DependencyKind::Development)]);
        assert!(found[0].contains("does not allow"), "{found:?}");
    }

    #[test]
    fn an_edge_to_a_sibling_or_upwards_is_found_whatever_the_table_allows() {
        let table = [
            Row { name: "a", package: "a", layer: Layer::Number(1), uses: Uses::These(&["b", "c", "t"]) },
            Row { name: "b", package: "b", layer: Layer::Number(1), uses: Uses::These(&[]) },
            Row { name: "c", package: "c", layer: Layer::Number(0), uses: Uses::These(&[]) },
            Row { name: "t", package: "t", layer: Layer::Development, uses: Uses::These(&[]) },
        ];
        for (used, expected) in [("b", 1), ("c", 0), ("t", 1)] {
            let members =
                [member("a", &[(used, DependencyKind::Normal)]), member("b", &[]), member("c", &[]), member("t", &[])];
            let found = check(&table, &members);
            assert_eq!(found.len(), expected, "{used}: {found:?}");
            assert!(found.iter().all(|finding| finding.what.contains("no lower")), "{found:?}");
        }
    }

    #[test]
    fn only_tests_use_the_crate_for_tests() {
        assert_eq!(findings("wharf", &[("wharf-testing", DependencyKind::Normal)]).len(), 2);
    }

    #[test]
    fn a_crate_without_a_row_and_a_row_without_a_crate_are_found() {
        let found = findings("wharf-new", &[]);
        assert!(found[0].contains("the crate `wharf-new` is not in the layer table"), "{found:?}");
        let found = check(TABLE, &[]);
        assert_eq!(found.len(), TABLE.len());
        assert!(found[0].what.contains("has the crate `wharf-oci`"), "{found:?}");
    }

    #[test]
    fn the_paper_shows_the_table_or_is_found() {
        let rows: Vec<_> =
            TABLE.iter().map(|row| format!("  {}   what it is, in words\n", row.columns().join("   "))).collect();
        let text = format!("# Wharf\n```\n{}```\n", rows.concat());
        assert_eq!(check_paper(TABLE, Some(&text)), []);
        let changed = text.replace("oci store", "oci");
        let rows = (1..).zip(text.lines().zip(changed.lines()));
        let expected: Vec<usize> = rows.filter(|(_, (row, changed))| row != changed).map(|(line, _)| line).collect();
        let found = check_paper(TABLE, Some(&changed));
        assert_eq!((expected.len(), found.iter().map(|it| it.line).collect::<Vec<_>>()), (2, expected), "{found:?}");
        let found = check_paper(TABLE, Some(&text.replace("xtask/   ", "")));
        assert!(found[0].what.contains("xtask/  xtask  dev  –"), "{found:?}");
        assert!(check_paper(TABLE, None)[0].what.contains("there is no"));
    }
}
