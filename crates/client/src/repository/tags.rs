//! The tags of a repository.

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use wharf_oci::TagName;

use super::Repository;
use crate::Error;
use crate::auth::Access;
use crate::error::Violation;
use crate::exchange::Head;
use crate::limits::TAGS_MAX;

#[derive(Deserialize)]
struct Page {
    /// Some registries write `null` where there are none.
    #[serde(default)]
    tags: Option<Vec<String>>,
}

impl Repository {
    /// Returns the names of all tags, in the registry's order, which should be alphabetic.
    ///
    /// What cannot be the name of a tag is left out.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such repository, [`Error::TooLarge`], and whatever keeps the registry
    /// from answering.
    pub async fn tags(&self) -> Result<Vec<TagName>, Error> {
        let request = self.request(Method::GET, "tags/list", Access::Pull, &"the list of tags")?;
        let mut tags: Vec<TagName> = Vec::new();
        let add = |head: &Head, bytes: Bytes| {
            let page: Page =
                serde_json::from_slice(&bytes).map_err(|source| head.violation(Violation::Json(source)))?;
            tags.extend(page.tags.unwrap_or_default().iter().filter_map(|tag| tag.parse().ok()));
            if tags.len() > TAGS_MAX {
                let request = head.line.clone();
                return Err(Error::TooLarge { request, limit: TAGS_MAX as u64, unit: "tags" });
            }
            Ok(())
        };
        self.pages(request, add).await?;
        Ok(tags)
    }
}
