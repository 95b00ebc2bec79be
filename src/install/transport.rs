//! The download engine as the sources see it.

use std::path::Path;

use url::Url;

use crate::archive::{Archive, VerifiedArchive};
use crate::fetch::{Cause, FetchError, Fetcher, verify_minisign};
use crate::source::{BoxError, Page, Transport};

impl Transport for Fetcher {
    async fn at_hand(&self, archive: &Archive) -> Result<Option<VerifiedArchive>, BoxError> {
        Ok(Self::at_hand(self, archive).await?)
    }

    async fn download(
        &self,
        archive: &Archive,
        url: &Url,
        minisign: Option<&str>,
    ) -> Result<VerifiedArchive, BoxError> {
        let Some(key) = minisign else {
            return Ok(Self::download(self, archive, url).await?);
        };
        // The signature first: a publisher that has none for this file costs no large download.
        let signature = self.signature(url).await?;
        let verified = Self::download(self, archive, url).await?;
        let (checked, key, file) = (verified.clone(), key.to_owned(), archive.file.clone());
        tokio::task::spawn_blocking(move || verify_minisign(&checked, &key, &signature, &file))
            .await??;
        Ok(verified)
    }

    async fn text(&self, url: &Url, accept: &str, limit: u64) -> Result<Page, BoxError> {
        let document = self.document(url, accept, limit).await?;
        Ok(Page {
            url: document.url,
            body: document.text,
        })
    }

    async fn adopt(&self, archive: &Archive, file: &Path) -> Result<VerifiedArchive, BoxError> {
        let (this, archive, file) = (self.clone(), archive.clone(), file.to_owned());
        Ok(tokio::task::spawn_blocking(move || Self::adopt(&this, &archive, &file)).await??)
    }

    fn client_may_help(&self, error: &BoxError) -> bool {
        let Some(error) = error.downcast_ref::<FetchError>() else {
            return false;
        };
        // `Client`: a host without certificates, where apt and pip may have ways of their own.
        matches!(error, FetchError::Client(_))
            || matches!(error.status(), Some(401 | 403 | 406 | 407))
            || matches!(
                error.cause(),
                Some(Cause::Certificate(_) | Cause::Scheme { .. })
            )
    }
}
